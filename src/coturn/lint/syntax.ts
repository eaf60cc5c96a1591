import { optionOf, type OptionValue } from '../options.ts';
import { compareVersions } from '../../model/release.ts';
import { maxLineBytes } from '../serialise.ts';
import type { ParsedDirective } from '../parse.ts';
import { redacted } from '../redaction.ts';
import { allOf, leadingNumber, lineOf, note, shown, textOf, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';
import type { PlaceEvidence } from '../../model/catalog/config-place.ts';

/** What coturn reads otherwise than it looks: bytes, line ends, comments, quotes. */
export function syntaxFindings(source: Source): LintFinding[] {
  return [
    ...byteOrderMark(source),
    ...zeroBytes(source),
    ...loneCarriageReturns(source),
    ...longLines(source),
    ...longComments(source),
    ...source.known.flatMap((directive) => [
      ...inlineComment(source, directive),
      ...semicolon(source, directive),
      ...leftOverQuote(source, directive),
    ]),
  ];
}

function linePlace({ facts, lines }: Source, index: number, from: number, to: number): PlaceEvidence {
  const text = redacted((lines[index] ?? '').trimEnd());
  const column = Math.min(from, text.length + 1);
  return { file: facts.file, line: index + 1, column, endColumn: Math.min(to, text.length + 1), text };
}

const byteOrderMarks = ['\ufeff', '\u00ef\u00bb\u00bf'];

function byteOrderMark(source: Source): LintFinding[] {
  const [first = ''] = source.lines;
  const mark = byteOrderMarks.find((each) => first.startsWith(each));
  if (mark === undefined) return [];
  const rest = first.slice(mark.length);
  const hidden = /^\s*(?:#|$)/.test(rest) ? null : redacted(rest.trim().split(/[ =\t]/)[0] ?? '');
  const place = linePlace(source, 0, 1, mark.length + 1);
  return [
    note(
      'CONFIG_BYTE_ORDER_MARK',
      { ...place, hidden },
      { severity: hidden === null ? 'warning' : 'error', edit: { line: 1, text: rest } },
    ),
  ];
}

function zeroBytes(source: Source): LintFinding[] {
  const { text } = source.facts;
  const index = source.lines.findIndex((line) => line.includes('\0'));
  if (index < 0) return [];
  const head = text.slice(0, 64);
  // Every second byte of a Latin text in UTF-16 is zero.
  const utf16 = (head.match(/\0/g) ?? []).length * 3 > head.length;
  if (utf16) return [note('CONFIG_NUL', { ...wholeFile(source), utf16 })];
  const column = (source.lines[index]?.indexOf('\0') ?? 0) + 1;
  return [note('CONFIG_NUL', { ...linePlace(source, index, column, column + 1), utf16 })];
}

function loneCarriageReturns(source: Source): LintFinding[] {
  const index = source.lines.findIndex((line) => /\r(?!\s*$)\s*[A-Za-z#]/.test(line));
  if (index < 0) return [];
  const column = (source.lines[index]?.indexOf('\r') ?? 0) + 1;
  return [note('CONFIG_LINE_ENDINGS', linePlace(source, index, column, column + 1))];
}

function longLines(source: Source): LintFinding[] {
  const first = source.directives.filter(({ isRest }) => !isRest);
  return first.flatMap((directive) => {
    const bytes = Buffer.byteLength(source.lines[directive.line - 1] ?? '');
    if (bytes <= maxLineBytes) return [];
    return [note('CONFIG_LINE_TOO_LONG', { ...lineOf(source, directive), bytes })];
  });
}

/** The mark at the beginning of a comment counts for its first 1023 bytes alone. */
function longComments(source: Source): LintFinding[] {
  return source.lines.flatMap((line, index) => {
    if (!/^\s*#/.test(line) || !isReadBehindCut(line)) return [];
    const place = linePlace(source, index, 1, line.length + 1);
    const evidence = { ...place, option: '', replacement: null, bytes: Buffer.byteLength(line) };
    return [note('CONFIG_LINE_TOO_LONG', evidence)];
  });
}

function isReadBehindCut(line: string): boolean {
  const bytes = Buffer.from(line);
  for (let from = maxLineBytes; from < bytes.length; from += maxLineBytes)
    if (/^\s*[^\s#]/.test(bytes.toString('latin1', from, from + maxLineBytes))) return true;
  return false;
}

/** Kinds of which no value holds a blank, a # or a semicolon: to cut them off changes what is meant in nothing. */
const plainKinds: ReadonlySet<OptionValue> = new Set([
  'account',
  'address',
  'address-range',
  'bytes-per-second',
  'endpoint',
  'external-address',
  'family',
  'flag',
  'integer',
  'log-level',
  'port',
  'seconds',
]);

function isPlain({ name }: ParsedDirective): boolean {
  const kind = optionOf(name)?.value;
  return kind !== undefined && plainKinds.has(kind);
}

const comment = /(?:^|\s+)#.*$/;

export function hasInlineComment(directive: ParsedDirective): boolean {
  return comment.test(textOf(directive));
}

function inlineComment(source: Source, directive: ParsedDirective): LintFinding[] {
  if (!hasInlineComment(directive)) return [];
  const line = source.lines[directive.line - 1] ?? '';
  const cut = line.replace(/\s+#.*$/s, '').trimEnd();
  // What follows a number is not looked at, but for a port from 4.13 on; of anything else it becomes a part.
  const kind = optionOf(directive.name)?.value ?? 'text';
  const isChecked = kind === 'port' && compareVersions(source.facts.coturn.version, '4.13.0') >= 0;
  const isHarmless = numeric.has(kind) && /^\d/.test(textOf(directive)) && !isChecked;
  const readAs = isHarmless ? String(leadingNumber(textOf(directive))) : shown(directive);
  const evidence = { ...lineOf(source, directive, 'value', cut), readAs };
  return [
    note('CONFIG_INLINE_COMMENT', evidence, {
      severity: isHarmless ? 'warning' : 'error',
      ...(isPlain(directive) && cut !== line && !line.includes('\0')
        ? { edit: { line: directive.line, text: cut } }
        : {}),
    }),
  ];
}

export const numeric: ReadonlySet<OptionValue> = new Set(['bytes-per-second', 'integer', 'port', 'seconds']);

export function endsInSemicolon(directive: ParsedDirective): boolean {
  return textOf(directive).endsWith(';');
}

function semicolon(source: Source, directive: ParsedDirective): LintFinding[] {
  if (!endsInSemicolon(directive) || hasInlineComment(directive)) return [];
  const cut = (source.lines[directive.line - 1] ?? '').trimEnd().replace(/\s*;+$/, '');
  return [
    note('CONFIG_SEMICOLON', lineOf(source, directive, 'line', cut), {
      ...(isPlain(directive) ? { edit: { line: directive.line, text: cut } } : {}),
    }),
  ];
}

function leftOverQuote(source: Source, directive: ParsedDirective): LintFinding[] {
  const raw = (source.lines[directive.line - 1] ?? '').slice(directive.valueColumn - 1).trim();
  const isPair = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"');
  const isSingle = raw.length > 1 && raw.startsWith("'") && raw.endsWith("'");
  const isOneSided = !isPair && (raw.startsWith('"') || raw.endsWith('"'));
  if (!isSingle && !isOneSided) return [];
  return [note('CONFIG_QUOTE', { ...lineOf(source, directive, 'value'), readAs: shown(directive) })];
}

/** Lines that overrule each other without a word. */
export function duplicateFindings(source: Source): LintFinding[] {
  return [...source.byName].flatMap(([name]) => {
    const lines = allOf(source, name);
    const last = lines.at(-1);
    if (last === undefined || lines.length < 2 || optionOf(name)?.repeatable === true) return [];
    return lines.slice(0, -1).map((each) => {
      const same = textOf(each) === textOf(last);
      const evidence = { ...lineOf(source, each), counts: last.line, same };
      // The earlier line of an equal pair does nothing; but what switches authentication goes by the order of lines.
      const edit = same && !/auth|cred/.test(name) ? { edit: { line: each.line, text: null } } : {};
      return note('CONFIG_DUPLICATE', evidence, { severity: same ? 'info' : 'warning', ...edit });
    });
  });
}
