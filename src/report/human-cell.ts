import { listenerChecks, type CheckId } from '../model/check.ts';
import { cellWordOf, type Finding } from '../model/finding.ts';
import type { CheckReport } from '../model/report.ts';
import { severityMark, statusMark, widthOf, type Style } from './human-style.ts';

/** A check that failed with a warning leaves users served, and is marked as such. */
export function markOf({ status, severity }: CheckReport): string {
  return status === 'failed' && severity === 'warning' ? severityMark.warning : statusMark[status];
}

export function colored(check: CheckReport, text: string, style: Style): string {
  return check.status === 'failed' && check.severity === 'warning'
    ? style.severity('warning', text)
    : style.status(check.status, text);
}

/**
 * A cell of the table: `✔ 12 ms`, `✖ private`, `✔ ✖ ?`. What does not fit into `width` is left out; a mark always
 * fits.
 */
export function cell(
  checks: readonly CheckReport[],
  width: number,
  style: Style,
  findings: readonly Finding[] = [],
): string {
  const [first] = checks;
  if (first === undefined) return '';
  const only = checks.length === 1 ? first : decisive(checks);
  if (only === null) return checks.map((check) => colored(check, markOf(check), style)).join(' ');
  if (only.status === 'skipped') return '';
  const mark = markOf(only);
  const text = `${mark} ${textOf(only, findings)}`.trimEnd();
  return colored(only, widthOf(text) <= width ? text : mark, style);
}

function textOf({ status, detail, findings: [code] }: CheckReport, findings: readonly Finding[]): string {
  if (status !== 'failed') return detail === null ? '' : shortened(detail);
  const told = findings.find((each) => each.code === code);
  return told === undefined ? '' : cellWordOf(told);
}

/** Only the first part fits a cell: `127.0.0.1, for this machine only` → `127.0.0.1`. */
function shortened(detail: string): string {
  const [first = ''] = detail.split(', ');
  return first;
}

/** The one check that stands for its row: the first that is not good, else the one with the figure. */
function decisive(checks: readonly CheckReport[]): CheckReport | null {
  const figure = checks.find(({ id }) => withFigure.has(id));
  if (figure === undefined) return null;
  const bad = checks.find(({ status }) => status !== 'passed' && status !== 'skipped');
  return bad ?? (figure.status === 'skipped' ? (checks[0] ?? null) : figure);
}

const withFigure: ReadonlySet<CheckId> = new Set(
  listenerChecks.filter(({ hasFigure }) => hasFigure === true).map(({ id }) => id),
);
