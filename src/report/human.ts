import type { FindingReport, Report, VantageKind } from '../model/report.ts';
import { findingSections } from './human-finding.ts';
import { marked, paragraph, styleFor, unbroken, verdictMark, widthOf, type Style } from './human-style.ts';
import { natSections } from './human-nat.ts';
import { printableReport } from './printable-report.ts';
import { isOverview, targetTables } from './human-table.ts';

/** The report for a person: verdict first, then what is wrong with its fix, then the table of checks. */
export function renderHuman(given: Report, options: { color: boolean; columns: number }): string {
  const report = printableReport(given);
  const style = styleFor(options);
  const sections = [
    headline(report, style),
    ...findingSections(report, style),
    openSection(report, style),
    ...targetTables(report, style),
    ...natSections(report, style),
    footer(report, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headline({ verdict, headline: text }: Report, style: Style): string[] {
  const mark = `${verdictMark[verdict]} ${verdict}`;
  const [first = '', ...rest] = paragraph(text, widthOf(mark) + 3, style);
  return [`${style.verdict(verdict, mark)}   ${first.trimStart()}`, ...rest];
}

const mostOpen = 5;

/** What is not known and stands in no table: names, and what was required of the whole. */
function openSection(report: Report, style: Style): string[] {
  const { open, verdict, targets } = report;
  const told = isOverview(report) ? [] : targets.flatMap(({ checks }) => checks);
  const tabled = new Set(told.map(({ because }) => because));
  // The headline has said the first one already.
  const rest = open.filter((reason, index) => !tabled.has(reason) && !(verdict === 'unknown' && index === 0));
  const lines = rest.slice(0, mostOpen).flatMap((reason) => question(reason, style));
  const more = rest.length - mostOpen;
  return more > 0 ? [...lines, ...question(`and ${more} more`, style)] : lines;
}

function question(text: string, style: Style): string[] {
  return marked(`${style.status('unknown', '?')} ${text}`, 2, style);
}

const seenFrom: Readonly<Record<VantageKind, string>> = {
  'off-link': 'Seen from off-link',
  'same-network': 'Seen from the same network',
  'same-host': 'Seen from the same host',
  unknown: 'Where this was seen from is not known',
};

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
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  const notes = findings.filter(({ severity }) => severity === 'info');
  return [
    ...paragraph(`${seenFrom[vantage.kind]}: ${vantage.because}.`, 2, style),
    ...oneOfEach(notes).flatMap(({ cause, code }) => paragraph(`${cause} ${style.dim(code)}`, 2, style)),
    ...paragraph(style.dim([...figures, seconds].map(unbroken).join(', ')), 2, style),
  ];
}

/** A note holds for many servers alike. */
function oneOfEach(notes: readonly FindingReport[]): FindingReport[] {
  return notes.filter(({ code }, index) => notes.findIndex((each) => each.code === code) === index);
}
