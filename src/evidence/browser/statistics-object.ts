import type { Series } from '../../model/call-recording.ts';
import type { StatisticsObject } from './statistics.ts';

/** The last text of a member; null where it was never told. */
export function textOf(object: StatisticsObject, metric: string): string | null {
  return object.texts.get(metric)?.at(-1)?.text ?? null;
}

/** The last figure of a member; null where it was never told. */
export function figureOf(object: StatisticsObject, metric: string): number | null {
  return object.series.get(metric)?.values.at(-1) ?? null;
}

/** Those of the series that are there. */
export function seriesOf<M extends string>(
  object: StatisticsObject,
  metrics: readonly M[],
): Partial<Record<M, Series>> {
  const found: Partial<Record<M, Series>> = {};
  for (const metric of metrics) {
    const series = object.series.get(metric);
    if (series !== undefined && series.values.length > 0) found[metric] = series;
  }
  return found;
}

/** A series in another unit; without the points for which `convert` gives null. */
export function converted(series: Series, convert: (value: number) => number | null): Series {
  const atMs: number[] = [];
  const values: number[] = [];
  for (const [index, value] of series.values.entries()) {
    const next = convert(value);
    if (next === null) continue;
    atMs.push(series.atMs[index] ?? Number.NaN);
    values.push(next);
  }
  return { atMs, values };
}
