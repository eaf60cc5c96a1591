import type { Series } from '../../model/call-recording.ts';

/** How a counter grew over a span. */
export interface Growth {
  readonly delta: number;
  readonly forMs: number;
}

/** Over the last `windowMs`, or over all of it; null where less than two points are there. */
export function growthOf(series: Series | undefined, windowMs = Number.POSITIVE_INFINITY): Growth | null {
  if (series === undefined) return null;
  const { atMs, values } = series;
  const [endMs, last] = [atMs.at(-1), values.at(-1)];
  if (endMs === undefined || last === undefined) return null;
  const from = atMs.findIndex((time) => time >= endMs - windowMs);
  const [startMs, first] = [atMs[from], values[from]];
  if (startMs === undefined || first === undefined || startMs >= endMs) return null;
  return { delta: last - first, forMs: endMs - startMs };
}

/** A counter that began at zero: what it has now, whether or not it was seen to grow. */
export function lastOf(series: Series | undefined): number | null {
  return series?.values.at(-1) ?? null;
}

/** Since when the series has its last value. */
export function unchangedForMs({ atMs, values }: Series): number {
  const last = values.at(-1);
  const at = values.findLastIndex((value) => value !== last) + 1;
  return (atMs.at(-1) ?? 0) - (atMs[at] ?? 0);
}

export function median(values: readonly number[]): number | null {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** The spans of about `windowMs` that a counter was watched for, each with how it grew. */
export function windowsOf(series: Series | undefined, windowMs: number): { atMs: number; delta: number }[] {
  if (series === undefined) return [];
  const windows: { atMs: number; delta: number }[] = [];
  let from = 0;
  for (const [index, atMs] of series.atMs.entries()) {
    const [startMs, first, value] = [series.atMs[from], series.values[from], series.values[index]];
    if (startMs === undefined || first === undefined || value === undefined) continue;
    if (atMs - startMs < windowMs) continue;
    windows.push({ atMs: startMs, delta: value - first });
    from = index;
  }
  return windows;
}

/** The value of a series at a time, or the last one before. */
export function valueAt({ atMs, values }: Series, timeMs: number): number | null {
  const at = atMs.findLastIndex((time) => time <= timeMs);
  return values[at] ?? null;
}

/** Where a counter stood still for at least so long, and grew before and after. */
export function pausesOf(series: Series | undefined, leastMs: number): { startMs: number; endMs: number }[] {
  if (series === undefined) return [];
  const pauses: { startMs: number; endMs: number }[] = [];
  let grewAt: number | null = null;
  for (const [index, atMs] of series.atMs.entries()) {
    const grows = index > 0 && (series.values[index] ?? 0) > (series.values[index - 1] ?? 0);
    if (!grows) continue;
    const before = series.atMs[index - 1] ?? atMs;
    if (grewAt !== null && before - grewAt >= leastMs) pauses.push({ startMs: grewAt, endMs: before });
    grewAt = atMs;
  }
  return pauses;
}
