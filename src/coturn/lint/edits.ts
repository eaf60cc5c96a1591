import type { Edit } from './source.ts';

/**
 * A file with its safe edits made: every other line, comments and the order stay byte for byte, and so do the line ends.
 * Of several edits of a line the first is made; the next run finds what is left.
 */
export function edited(text: string, edits: readonly Edit[]): string {
  const byLine = new Map<number, Edit>();
  for (const edit of edits) if (!byLine.has(edit.line)) byLine.set(edit.line, edit);
  return text
    .split('\n')
    .map((line, index) => {
      const edit = byLine.get(index + 1);
      if (edit === undefined) return line;
      const end = line.endsWith('\r') ? '\r' : '';
      const indent = /^[ \t]*/.exec(line)?.[0] ?? '';
      if (edit.text === null) return `${indent}#${line.slice(indent.length)}`;
      const changed = edit.text.reveal().replace(/\r$/, '');
      return `${/^[ \t]/.test(changed) ? '' : indent}${changed}${end}`;
    })
    .join('\n');
}
