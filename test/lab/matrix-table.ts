import type { CaseResult } from './matrix-run.ts';

/** One line for each case: whether the probe was right, how long it took, and the memory of its largest process. */
export function caseTable(results: ReadonlyMap<string, CaseResult>): string {
  const rows = [...results].map(([name, { wrong, report, durationMs, deadlineMs, memory }]) => [
    name,
    wrong.length === 0 ? 'right' : 'WRONG',
    report.verdict,
    `${(durationMs / 1000).toFixed(1)} s${durationMs > deadlineMs ? ' (late)' : ''}`,
    `${memory.largestMiB.toFixed(0)} MiB`,
  ]);
  return alignedTable([['case', '', 'verdict', 'took', 'memory'], ...rows]);
}

/** What came of many runs of one case. */
export interface CaseTally {
  readonly name: string;
  right: number;
  /** Called healthy, and it is not. */
  wrongHealthy: number;
  /** Anything else that is not so. */
  wrongCause: number;
  slowestMs: number;
  /** How often it took longer than it may. */
  late: number;
  /** What was wrong, each once. */
  readonly wrong: Set<string>;
}

/** Case × right, wrong healthy, wrong cause; then what was wrong. */
export function tallyTable(tallies: readonly CaseTally[]): string {
  const rows = tallies.map(({ name, right, wrongHealthy, wrongCause, slowestMs, late }) => [
    name,
    `${right}`,
    `${wrongHealthy}`,
    `${wrongCause}`,
    `${(slowestMs / 1000).toFixed(1)} s`,
    `${late}`,
  ]);
  const sum = (of: (tally: CaseTally) => number): string =>
    `${tallies.reduce((total, each) => total + of(each), 0)}`;
  const total = [
    'all',
    sum(({ right }) => right),
    sum((each) => each.wrongHealthy),
    sum((each) => each.wrongCause),
    '',
    sum((each) => each.late),
  ];
  const heads = ['case', 'right', 'wrong healthy', 'wrong cause', 'slowest', 'late'];
  const wrong = tallies.flatMap(({ name, wrong: lines }) => [...lines].map((line) => `${name}: ${line}`));
  return [alignedTable([heads, ...rows, total]), ...wrong].join('\n');
}

function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
