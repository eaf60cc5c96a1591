import { symptomIds, symptoms, type Symptom } from '../model/doctor-report.ts';
import type { CommandContext } from './context.ts';

interface Options {
  readonly format: string;
  readonly quiet?: boolean;
}

type Terminal = Pick<CommandContext, 'ask' | 'env' | 'stdinIsTerminal' | 'stderrIsTerminal' | 'stderr'>;

/** What users complain of, asked where somebody is there to say; null where nobody is, or knows. */
export async function askedSymptom(
  { format, quiet }: Options,
  { ask, env, stdinIsTerminal, stderrIsTerminal, stderr }: Terminal,
): Promise<Symptom | null> {
  if (format !== 'human' || quiet === true || !stdinIsTerminal || !stderrIsTerminal) return null;
  // A job of CI may have a terminal, and nobody at it.
  if (!['', 'false', undefined].includes(env['CI'])) return null;
  const choices = symptomIds.map((id, index) => `  ${index + 1}  ${symptoms[id]}\n`);
  stderr(`What do users say?\n${choices.join('')}`);
  for (;;) {
    const answer = (await ask(`1 to ${symptomIds.length}, or Enter for something else: `)).trim();
    if (answer === '') return null;
    const symptom = symptomIds.find((id, index) => answer === id || answer === String(index + 1));
    if (symptom !== undefined) return symptom;
  }
}
