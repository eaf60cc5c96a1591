import { isNode, parseDocument } from 'yaml';
import { RtcOpsError } from '../model/error.ts';

/**
 * The text of an rtc-ops.yaml with other files as its `auth.secret`; every other character of it stays.
 * @param files paths as they are to stand there, the one that issues first
 * @throws RtcOpsError `configuration` where the file says it by an alias
 */
export function withSecretFiles(text: string, files: readonly string[]): string {
  const node = parseDocument(text, { stringKeys: true }).getIn(['auth', 'secret'], true);
  const range = isNode(node) ? node.range : null;
  if (range === null || range === undefined) {
    throw new RtcOpsError('configuration', 'auth.secret of rtc-ops.yaml stands behind an alias', {
      hint: 'Write it out: auth: { secret: { file: PATH } }.',
    });
  }
  const [start, end] = range;
  const maps = files.map((file) => `{ "file": ${JSON.stringify(file)} }`);
  const plain = files.map((file) => `{ file: ${file} }`);
  // JSON is YAML, and stays JSON.
  const isJson = text.trimStart().startsWith('{');
  const written = !isJson && files.every((file) => /^[\w./-]+$/.test(file)) ? plain : maps;
  const value = written.length === 1 ? (written[0] ?? '') : `[${written.join(', ')}]`;
  // A block ends behind its line break.
  const lineEnd = /\s*$/.exec(text.slice(start, end))?.[0] ?? '';
  return `${text.slice(0, start)}${value}${lineEnd}${text.slice(end)}`;
}
