import { readFileSync } from 'node:fs';
import { serverFacts } from '../../src/evidence/server/server-facts.ts';
import { lintServer } from '../../src/coturn/lint/server.ts';
import type { FindingCode } from '../../src/model/finding.ts';
import type { EvidenceSection, ServerEvidence } from '../../src/model/server-evidence.ts';
import { judgeServer, type ServerJudgement } from '../../src/rules/doctor/server.ts';

/** The process of coturn in the recording. */
export const recordedPid = 685;

/** A text takes the place of that of a section, a function makes it of that, `{ status }` is how it ended without one. */
export type Change = string | ((text: string) => string) | { readonly status: string };

/** What a Debian 12 with coturn 4.6.1 in order told over ssh, as root; the texts of some sections changed. */
export function recordedServer(changes: Readonly<Record<string, Change>> = {}): ServerEvidence {
  const recorded = JSON.parse(
    readFileSync(new URL('recorded-server.json', import.meta.url), 'utf8'),
  ) as ServerEvidence;
  const sections: Record<string, EvidenceSection> = { ...recorded.sections };
  for (const [name, change] of Object.entries(changes)) {
    const text = sections[name]?.text ?? '';
    if (typeof change === 'object') sections[name] = { status: change.status, text: '' };
    else sections[name] = { status: '0', text: typeof change === 'string' ? change : change(text) };
    if (typeof change === 'function' && sections[name].text === text)
      throw new Error(`nothing of ${name} was changed`);
  }
  return { ...recorded, sections };
}

export function judged(evidence: ServerEvidence): ServerJudgement {
  const facts = serverFacts(evidence);
  return judgeServer(facts, lintServer(facts));
}

/** The codes of all but notes, the holes of the version left out: those are of every Debian 12. */
export function codesOf({ findings }: ServerJudgement): FindingCode[] {
  return findings
    .filter(({ severity, code }) => severity !== 'info' && code !== 'VERSION_VULNERABLE')
    .map(({ code }) => code);
}
