import { createInterface } from 'node:readline/promises';
import { RtcOpsError } from '../../model/error.ts';
import type { CommandContext } from '../context.ts';

/**
 * Asks whether to do what was shown; --yes is the answer.
 * @throws RtcOpsError `usage` where nobody can be asked, `interrupted` where the answer is no
 */
export async function confirm(options: { readonly yes?: boolean }, context: CommandContext): Promise<void> {
  if (options.yes === true) return;
  if (!context.stdinIsTerminal) {
    throw new RtcOpsError('usage', 'nothing was changed: nobody is there to be asked', {
      hint: 'Add --yes to do it, or --check to look only.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('\nDo this? [y/N] ', { signal: context.signal });
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new RtcOpsError('interrupted', 'nothing was changed');
}
