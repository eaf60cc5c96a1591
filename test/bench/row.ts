/** What a row of the table says: our figure, and what it is held against. */
export interface BenchRow {
  readonly what: string;
  /** Our figure, in `unit`. */
  readonly ours: number;
  readonly unit: 'ms' | 's' | 'MB' | 'per s';
  /** The peer's figure or the floor, in the same unit; null where only our own figure is limited. */
  readonly against: { readonly name: string; readonly figure: number } | null;
  /** What has to hold for ours ÷ against or, where nothing is against it, for our figure; null for what is only told. */
  readonly limit: { readonly atMost: number } | { readonly atLeast: number } | null;
}

/** Measures one row. */
export type Bench = () => Promise<BenchRow>;

export function ratioOf({ ours, against }: BenchRow): number | null {
  // A figure too small for its unit is no measure.
  return against === null || against.figure === 0 ? null : ours / against.figure;
}

/** Whether the limit holds; null when there is none. */
export function holds(row: BenchRow): boolean | null {
  if (row.limit === null) return null;
  const judged = ratioOf(row) ?? row.ours;
  return 'atMost' in row.limit ? judged <= row.limit.atMost : judged >= row.limit.atLeast;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
