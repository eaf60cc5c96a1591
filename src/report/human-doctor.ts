import type { NetworkLine } from '../model/client-network.ts';
import type { DoctorFinding, DoctorReport, NotExamined } from '../model/doctor-report.ts';
import { printable, printableData } from '../model/printable.ts';
import { findingLines, labelled, textColumn } from './human-finding.ts';
import {
  marked,
  padded,
  paragraph,
  severityMark,
  styleFor,
  unbroken,
  verdictMark,
  widthOf,
  type Style,
} from './human-style.ts';
import { targetTables } from './human-table.ts';
import { printableReport } from './printable-report.ts';

export interface DoctorHumanOptions {
  readonly color: boolean;
  readonly columns: number;
  /** Also what is less urgent in full, and every check of the probe. */
  readonly all: boolean;
}

/** What is wrong, how it is known, what to type; then what else there is, and what was not looked at. */
export function renderDoctorHuman(given: DoctorReport, options: DoctorHumanOptions): string {
  const style = styleFor(options);
  const report = printableDoctor(given);
  const roots = report.findings.filter(({ causeId }) => causeId === null);
  const isBroken = roots.some(({ severity, isHardening }) => severity === 'error' && !isHardening);
  const isUrgent = (root: DoctorFinding): boolean =>
    options.all ||
    (!root.isHardening && root.severity === 'error') ||
    (!isBroken && root.severity !== 'info' && !root.isHardening) ||
    (root.isHardening && root.severity === 'error' && !isBroken);
  const urgent = roots.filter(isUrgent);
  const rest = roots.filter((root) => !urgent.includes(root));
  const sections = [
    headline(report, style),
    symptomLines(report, style),
    ...foldAlike(urgent).map((alike) => section(alike, report, style)),
    restLines(rest, style),
    networkSection(report.client?.network ?? [], style),
    ...(options.all && given.client !== null ? targetTables(printableReport(given.client.probe), style) : []),
    notExaminedLines(report.notExamined, style),
    footer(report, options, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** What servers and files have put into it commands no terminal. A fix stays in its lines. */
function printableDoctor(report: DoctorReport): DoctorReport {
  const findings = report.findings.map((each) => ({
    ...printableData(each),
    fix: each.fix.split('\n').map(printable).join('\n'),
  }));
  return {
    ...report,
    headline: printable(report.headline),
    notExamined: printableData(report.notExamined),
    findings,
  };
}

function headline({ verdict, headline: text }: DoctorReport, style: Style): string[] {
  const mark = `${verdictMark[verdict]} ${verdict}`;
  const [first = '', ...more] = paragraph(text, widthOf(mark) + 3, style);
  return [`${style.verdict(verdict, mark)}   ${first.trimStart()}`, ...more];
}

function symptomLines({ symptom, findings }: DoctorReport, style: Style): string[] {
  if (symptom === null) return [];
  if (symptom.advice !== null) {
    return [
      ...paragraph(`Users say: ${symptom.text}. Nothing that was found leads to just that.`, 2, style),
      ...paragraph(`Next: ${symptom.advice}.`, 2, style),
    ];
  }
  const [top] = findings;
  const explaining = findings.filter(({ id }) => symptom.explainedBy.includes(id));
  const others = explaining.filter(({ code }) => code !== top?.code).map(({ title }) => title);
  const isTop = top !== undefined && explaining.includes(top);
  const named = [...(isTop ? ['what stands first'] : []), ...new Set(others)];
  return paragraph(`Users say: ${symptom.text}. It comes of ${named.join('; or of: ')}.`, 2, style);
}

/** Of one fault at several places the first is told in full. */
function foldAlike(roots: readonly DoctorFinding[]): DoctorFinding[][] {
  const byCode = new Map<string, DoctorFinding[]>();
  for (const root of roots) byCode.set(root.code, [...(byCode.get(root.code) ?? []), root]);
  return [...byCode.values()];
}

function section([root, ...alike]: readonly DoctorFinding[], report: DoctorReport, style: Style): string[] {
  if (root === undefined) return [];
  const effects = below(root, report).flatMap((effect) =>
    paragraph(`${effect.title} ${style.dim(`${effect.code}${saidBy(effect, root)}`)}`, textColumn, style),
  );
  const also = alike.flatMap((each) => paragraph(each.title, textColumn, style));
  return [
    ...findingLines(root, style),
    ...labelled('Also', also, style),
    ...labelled('Effect', effects, style),
  ];
}

/** By whom it was seen, where that is not who saw the cause. */
function saidBy(effect: DoctorFinding, root: DoctorFinding): string {
  const [side] = effect.seenFrom;
  if (effect.seenFrom.length !== 1 || root.seenFrom.includes(side ?? 'client')) return '';
  return side === 'client' ? ', seen from here' : ', seen on the server';
}

/** All that follows from it, directly or not. */
function below(root: DoctorFinding, { findings }: DoctorReport): DoctorFinding[] {
  const direct = findings.filter(({ causeId }) => causeId === root.id);
  return direct.flatMap((each) => [each, ...below(each, { findings } as DoctorReport)]);
}

/** What can wait, by name. */
function restLines(rest: readonly DoctorFinding[], style: Style): string[] {
  if (rest.length === 0) return [];
  const codes = new Map<string, DoctorFinding[]>();
  for (const each of rest) codes.set(each.code, [...(codes.get(each.code) ?? []), each]);
  return [
    ...paragraph(style.bold(`Less urgent: ${counted(rest)}`), 2, style),
    ...[...codes.values()].flatMap(([first, ...more]) => {
      if (first === undefined) return [];
      const mark = style.severity(first.severity, severityMark[first.severity]);
      const times = more.length === 0 ? '' : ` (${more.length + 1} times)`;
      return marked(`${mark} ${first.title}${times} ${style.dim(unbroken(first.code))}`, 4, style);
    }),
  ];
}

const severityNames = { error: 'error', warning: 'warning', info: 'note' } as const;

function counted(findings: readonly DoctorFinding[]): string {
  return (['error', 'warning', 'info'] as const)
    .map((severity) => ({ severity, count: findings.filter((each) => each.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severityNames[severity]}${count === 1 ? '' : 's'}`)
    .join(', ');
}

const networkLabels: Readonly<Record<NetworkLine['id'], string>> = {
  addresses: 'addresses',
  nat: 'NAT',
  ipv6: 'IPv6',
  leaves: 'leaves it',
  'captive-portal': 'captive portal',
};

const networkLabelWidth = 4 + Math.max(...Object.values(networkLabels).map((label) => label.length)) + 2;

function networkSection(lines: readonly NetworkLine[], style: Style): string[] {
  if (lines.length === 0) return [];
  return [
    `  ${style.bold('The network of this machine')}`,
    ...lines.flatMap(({ id, status, text }) => {
      const label = padded(`    ${networkLabels[id]}`, networkLabelWidth);
      const mark = status === 'unknown' ? `${style.status('unknown', '?')} ` : '';
      const [first = '', ...more] = paragraph(`${mark}${printable(text)}`, networkLabelWidth, style);
      return [label + first.slice(networkLabelWidth), ...more];
    }),
  ];
}

const mostOpen = 8;

function notExaminedLines(open: readonly NotExamined[], style: Style): string[] {
  if (open.length === 0) return [];
  const shown = open.slice(0, mostOpen);
  const more = open.length - shown.length;
  return [
    `  ${style.bold('Not examined')}`,
    ...shown.flatMap(({ what, because, how }) =>
      marked(
        `${style.status('unknown', '?')} ${what}: ${because}${how === null ? '' : `; ${how}`}`,
        4,
        style,
      ),
    ),
    ...(more > 0 ? [`    ${style.status('unknown', '?')} and ${more} more, which --format json has`] : []),
  ];
}

function footer(report: DoctorReport, { all }: DoctorHumanOptions, style: Style): string[] {
  const seconds = `${(report.durationMs / 1000).toFixed(1)} s`;
  if (report.client === null) return [`  ${style.dim(seconds)}`];
  const { checks, targets } = report.client.probe;
  const every = [...checks, ...targets.flatMap((target) => target.checks)];
  const figures = (['passed', 'failed', 'unknown', 'skipped'] as const).flatMap((status) => {
    const count = every.filter((check) => check.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  const hint = all ? '' : '; --all shows them';
  return paragraph(
    style.dim(
      `From here ${every.length} ${every.length === 1 ? 'check' : 'checks'}: ${figures.join(', ')}${hint}. ${seconds}`,
    ),
    2,
    style,
  );
}
