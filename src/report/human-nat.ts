import { checkIds, checkOf, type CheckId } from '../model/check.ts';
import type { NatReport, Report, SubjectCheckReport } from '../model/report.ts';
import { markOf } from './human-cell.ts';
import { marked, padded, paragraph, type Style } from './human-style.ts';

const labels = new Map(
  checkIds.flatMap((id): [CheckId, string][] => {
    const check = checkOf(id);
    return check.about === 'network' ? [[id, check.row]] : [];
  }),
);

const labelWidth = 4 + Math.max(...[...labels.values()].map((label) => label.length)) + 2;

/** The NAT of this network, a section for each address family. */
export function natSections(report: Report, style: Style): string[][] {
  return (report.nat ?? []).map((nat) => section(nat, report, style));
}

function section(nat: NatReport, { checks }: Report, style: Style): string[] {
  const own = checks.filter(({ id, subject }) => labels.has(id) && subject === `IPv${nat.family}`);
  const title = `NAT of this network, IPv${nat.family}, as ${nat.server} sees it`;
  const reasons = new Set(own.map(({ because }) => because));
  const isOpen = own.every(({ status }) => status === 'unknown') && reasons.size === 1;
  return [
    ...paragraph(style.bold(title), 2, style),
    ...(isOpen ? [] : own.flatMap((check) => row(check, style))),
    ...(isOpen
      ? marked(`${style.status('unknown', '?')} ${nat.summary}`, 4, style)
      : paragraph(nat.summary, 4, style)),
  ];
}

function row(check: SubjectCheckReport, style: Style): string[] {
  if (check.status === 'skipped') return [];
  const label = padded(`    ${labels.get(check.id) ?? ''}`, labelWidth);
  const text = `${style.status(check.status, markOf(check))} ${check.detail ?? check.because ?? ''}`;
  const [first = '', ...rest] = marked(text, labelWidth, style);
  return [label + first.slice(labelWidth), ...rest];
}
