import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { Directive, Section } from './directive.ts';

export interface SerialiseOptions {
  /** Comment at the top, a line each. */
  readonly heading: readonly string[];
  /**
   * A coturn that runs needs them; a person who looks on does not. Redacted they are comments: a server that is
   * started with such a file by mistake lets nobody in, and has no secret that everyone can guess.
   */
  readonly secrets: 'revealed' | 'redacted';
}

/**
 * Writes a `turnserver.conf`. What coturn would read as something else than it is here is refused, not escaped: the
 * format has no escapes.
 * @throws RtcOpsError `configuration`, naming the directive (a secret is never quoted)
 */
export function serialise(sections: readonly Section[], { heading, secrets }: SerialiseOptions): string {
  const blocks = sections
    .filter(({ directives }) => directives.length > 0)
    .map(({ title, directives }) => [comment(title), ...directives.map((each) => lineOf(each, secrets))]);
  return [heading.map(comment), ...blocks].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function comment(text: string): string {
  if (/\p{C}/u.test(text))
    throw new RtcOpsError('bug', `a comment has a control character: ${JSON.stringify(text)}`);
  return `# ${text}`.trimEnd();
}

function lineOf(directive: Directive, secrets: SerialiseOptions['secrets']): string {
  const { name, value } = directive;
  if (!/^[A-Za-z][\w-]*$/.test(name))
    throw new RtcOpsError('bug', `${JSON.stringify(name)} is no option of coturn`);
  if (value === true) return name;
  const text = value instanceof Secret ? value.reveal() : value;
  const problem = problemOf(name, text);
  if (problem !== null) throw refusal(directive, problem);
  if (value instanceof Secret && secrets === 'redacted') return comment(`${name}=${String(value)}`);
  return `${name}=${text}`;
}

function refusal({ name, value }: Directive, problem: string): RtcOpsError {
  const shown = value instanceof Secret ? '' : ` ${JSON.stringify(value)}`;
  return new RtcOpsError('configuration', `${name}${shown} cannot stand in turnserver.conf: it ${problem}`, {
    hint:
      value instanceof Secret
        ? 'Take a secret of letters and digits: openssl rand -hex 32'
        : 'Change it in rtc-ops.yaml.',
  });
}

// coturn reads a line into 1025 bytes with fgets(…, 1024): from byte 1024 on, it would be a line of its own.
export const maxLineBytes = 1023;

/** Why coturn would not read back `value` as it is (`read_config_file`, `parse_arg_string`); null when it would. */
function problemOf(name: string, value: string): string | null {
  if (value === '') return 'is empty';
  if (/[\n\r]/.test(value)) return 'has a line break in it';
  if (/\p{C}/u.test(value)) return 'has a control character in it';
  if (value.trim() !== value) return 'has a blank at an end, which coturn drops';
  if (value.startsWith('=')) return 'begins with =, which coturn drops';
  if (value.startsWith('"')) return 'begins with a double quote, which coturn drops';
  // coturn keeps it, warns, and writes the whole line to its log.
  if (value.endsWith(';')) return 'ends in a semicolon, with which coturn puts the line into its log';
  if (Buffer.byteLength(`${name}=${value}`) > maxLineBytes)
    return `makes a line of more than ${maxLineBytes} bytes`;
  return null;
}
