import type { Severity } from '../model/finding.ts';
import {
  positionOf,
  type LintFindingReport,
  type LintPosition,
  type LintReport,
} from '../model/lint-report.ts';
import { printable } from '../model/printable.ts';
import { marked, padded, paragraph, severityMark, styleFor, widthOf, type Style } from './human-style.ts';

/** The findings for a person: each with its line, a caret under what is meant, the cause and the fix. */
export function renderLintHuman(report: LintReport, options: { color: boolean; columns: number }): string {
  const style = styleFor(options);
  const notes = report.notJudged.flatMap((text) => marked(style.dim(`? ${text}`), 0, style));
  const sections = [
    changes(report, style),
    ...report.findings.map((each) => section(each, report.file, style)),
    [...headline(report, style), ...notes],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const nouns: readonly (readonly [Severity, string])[] = [
  ['error', 'error'],
  ['warning', 'warning'],
  ['info', 'note'],
];

const sourceOf = {
  given: '',
  installed: ', installed here',
  assumed: ', assumed',
} as const;

function headline({ file, findings, coturn }: LintReport, style: Style): string[] {
  const about = style.dim(`(coturn ${coturn.version}${sourceOf[coturn.from]})`);
  if (findings.length === 0)
    return marked(`${style.status('passed', '✔')} ${file}: nothing to say ${about}`, 0, style);
  const counts = nouns.flatMap(([severity, noun]) => {
    const count = findings.filter((each) => each.severity === severity).length;
    return count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`];
  });
  const worst =
    nouns.find(([severity]) => findings.some((each) => each.severity === severity))?.[0] ?? 'info';
  const fixable = findings.filter((each) => each.fixable).length;
  const offer = fixable === 0 ? '' : `; --fix mends ${fixable}`;
  const text = `${severityMark[worst]} ${file}: ${counts.join(', ')}${offer}`;
  return marked(`${style.severity(worst, text)} ${about}`, 0, style);
}

function section(finding: LintFindingReport, name: string, style: Style): string[] {
  const { severity, title, code, cause, fix } = finding;
  const place = positionOf(finding, name);
  const where = place.line === null ? place.file : `${place.file}:${place.line}:${place.column}`;
  const mark = style.severity(severity, style.bold(`${severityMark[severity]} ${printable(title)}`));
  const gap = style.columns - widthOf(`${severityMark[severity]} ${printable(title)}`) - widthOf(code);
  return [
    ...(gap >= 2
      ? [`${mark}${' '.repeat(gap)}${style.dim(code)}`]
      : [
          ...marked(mark, 0, style),
          `${' '.repeat(Math.max(0, style.columns - widthOf(code)))}${style.dim(code)}`,
        ]),
    `  ${style.dim(printable(where))}`,
    ...quote(place, style),
    ...paragraph(cause, 2, style),
    ...steps(fix, place, style),
  ];
}

/** The line with a caret under what is meant; a long one is cut at both ends, so that this can be seen. */
function quote({ line, column, endColumn, text }: LintPosition, style: Style): string[] {
  if (line === null) return [];
  const gutter = `  ${line} | `;
  const room = Math.max(20, style.columns - widthOf(gutter));
  const clean = printable(text.replaceAll('\t', ' '));
  const start = clean.length <= room ? 0 : Math.max(0, Math.min(column - 1 - 10, clean.length - room));
  const head = start > 0 ? '…' : '';
  const cut = start + room < clean.length;
  const shown = `${head}${clean.slice(start + head.length, start + room - (cut ? 1 : 0))}${cut ? '…' : ''}`;
  const from = widthOf(shown.slice(0, Math.max(0, column - 1 - start)));
  const to = widthOf(shown.slice(0, Math.max(0, endColumn - 1 - start)));
  const caret = '^'.repeat(Math.max(1, Math.min(to, room) - from));
  return [
    `${style.dim(gutter)}${shown}`,
    `${style.dim(`${' '.repeat(widthOf(gutter) - 2)}| `)}${' '.repeat(from)}${style.bold(caret)}`,
  ];
}

const labelWidth = 7;

/** What is to be pasted is never wrapped; that it belongs into this file need not be said at each line. */
function steps(fix: string, { file, line }: LintPosition, style: Style): string[] {
  const margin = ' '.repeat(2 + labelWidth);
  const lines = fix.split('\n').flatMap((step) => {
    const [, where, text] = /^(\S.*?:) {2}(.+)$/.exec(step) ?? [];
    if (where === undefined || text === undefined) return paragraph(step, margin.length, style);
    if (where === `${file}:${line ?? ''}:`) return [`${margin}${text}`];
    if (where === `${file}:`) return [`${margin}add  ${text}`];
    return [`${margin}${where}  ${text}`];
  });
  const [first = '', ...rest] = lines;
  return [`  ${style.bold(padded('Fix', labelWidth))}${first.slice(margin.length)}`, ...rest];
}

/** What --fix has done, as a diff. */
function changes({ fixed, file }: LintReport, style: Style): string[] {
  if (fixed === null) return [];
  return [
    ...paragraph(`${file}: ${fixed.changes.length} changed, as it was: ${fixed.backup}`, 0, style),
    ...fixed.changes.flatMap(({ line, before, after }) => [
      style.dim(`@@ line ${line} @@`),
      style.severity('error', `-${printable(before)}`),
      style.status('passed', `+${printable(after)}`),
    ]),
  ];
}
