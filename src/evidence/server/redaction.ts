import { redacted } from '../../coturn/redaction.ts';
import type { EvidenceSection, ServerEvidence } from '../../model/server-evidence.ts';
import { redactedArgv } from './account.ts';

/**
 * The evidence without its secrets, for what is kept or passed on: lines of configurations and units, and the command
 * lines of processes, have `[redacted]` in their place. Logs and rules have none.
 */
export function redactedEvidence(evidence: ServerEvidence): ServerEvidence {
  const sections = Object.entries(evidence.sections).map(
    ([name, { status, text }]): [string, EvidenceSection] => [
      name,
      { status, text: withoutSecrets(name, text) },
    ],
  );
  return { ...evidence, sections: Object.fromEntries(sections) };
}

function withoutSecrets(name: string, text: string): string {
  if (/^process \d+ arguments$/.test(name)) return redactedArgv(text.split('\n')).join('\n');
  if (/^configuration \d+ text$/.test(name)) return text.split('\n').map(redacted).join('\n');
  if (!name.startsWith('unit-file ')) return text;
  // A line that ends with a backslash goes on in the next one.
  return text
    .split(/(?<!\\)\n/)
    .map((line) => {
      if (/^[\s#;]*Environment/.test(line)) return redacted(line);
      return /^[\s#;]*Exec/.test(line) ? redactedCommand(line) : line;
    })
    .join('\n');
}

/** What parts the words stays as it is. */
function redactedCommand(text: string): string {
  const parts = text.split(/((?:\s|\\\n)+)/);
  const words = redactedArgv(parts.filter((_, index) => index % 2 === 0));
  return parts.map((part, index) => (index % 2 === 0 ? words[index / 2] : part)).join('');
}
