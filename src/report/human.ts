import type { FindingReport, Report } from '../model/report.ts';
import {
  paragraph,
  padded,
  severityMark,
  styleFor,
  verdictMark,
  widthOf,
  type Style,
} from './human-style.ts';
import { targetTables } from './human-table.ts';

/** The report for a person: verdict first, then what is wrong with its fix, then the table of checks. */
export function renderHuman(report: Report, options: { color: boolean; columns: number }): string {
  const style = styleFor(options);
  const serious = report.findings.filter(({ severity }) => severity !== 'info');
  const sections = [
    headline(report, style),
    ...serious.map((finding) => findingSection(finding, report, style)),
    ...targetTables(report, style),
    footer(report, style),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headline({ verdict, headline: text }: Report, style: Style): string[] {
  const mark = `${verdictMark[verdict]} ${verdict}`;
  const [first = '', ...rest] = paragraph(text, widthOf(mark) + 3, style);
  return [`${style.verdict(verdict, mark)}   ${first.trimStart()}`, ...rest];
}

const labelWidth = 7;

function findingSection(finding: FindingReport, report: Report, style: Style): string[] {
  const { severity, title, code, cause, proof, fix, targets } = finding;
  const mark = `${severityMark[severity]} ${title}`;
  const code1 = style.dim(code);
  const gap = style.columns - 2 - widthOf(mark) - widthOf(code);
  const heading =
    gap >= 2
      ? [`  ${style.severity(severity, style.bold(mark))}${' '.repeat(gap)}${code1}`]
      : [...paragraph(style.severity(severity, style.bold(mark)), 2, style), `    ${code1}`];
  return [
    ...heading,
    ...paragraph(cause, 4, style),
    ...labelled('Proof', [proof], style),
    ...labelled('Fix', fix, style),
    ...(targets.length > 1 && targets.length < report.targets.length
      ? labelled('Seen at', [targets.join(', ')], style)
      : []),
  ];
}

/** `Proof  …` with its lines under each other. What is to be pasted is never wrapped. */
function labelled(
  label: string,
  items: readonly string[],
  style: Style,
  { wrap }: { wrap: boolean } = { wrap: true },
): string[] {
  const indent = 4 + Math.max(labelWidth, widthOf(label) + 1);
  const lines = items.flatMap((item) =>
    wrap ? paragraph(item, indent, style) : [' '.repeat(indent) + item],
  );
  const [first = '', ...rest] = lines;
  return [`    ${style.bold(padded(label, indent - 4))}${first.slice(indent)}`, ...rest];
}

function footer(report: Report, style: Style): string[] {
  const { vantage, durationMs, findings } = report;
  const checks = [...report.checks, ...report.targets.flatMap((target) => target.checks)];
  const count = (status: string): number => checks.filter((check) => check.status === status).length;
  const figures = [
    `${checks.length} checks: ${count('passed')} passed`,
    ...(['failed', 'unknown', 'skipped'] as const).flatMap((status) =>
      count(status) === 0 ? [] : [`${count(status)} ${status}`],
    ),
  ];
  return [
    ...paragraph(`Seen from ${vantage.kind.replace('-', ' ')}: ${vantage.because}.`, 2, style),
    ...findings
      .filter(({ severity }) => severity === 'info')
      .flatMap(({ title, cause, code }) => paragraph(`${title}. ${cause} ${style.dim(code)}`, 2, style)),
    style.dim(`  ${figures.join(', ')}, ${(durationMs / 1000).toFixed(1)} s`),
  ];
}
