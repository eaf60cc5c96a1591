import { describe, expect, it } from 'vitest';
import { pausesOf } from '../../../src/rules/analysis/series.ts';
import { everySecond } from '../../support/recorded-calls.ts';

const pauses = (...values: number[]): number[][] => {
  const series = everySecond(values.length, (second) => values[second] ?? 0);
  const [begin = 0] = series.atMs;
  return pausesOf(series, 2000).map(({ startMs, endMs }) => [startMs - begin, endMs - begin]);
};

describe('the pauses of a counter', () => {
  it.each([
    ['that grows', [0, 5, 10, 15], []],
    ['that stands still for long enough', [0, 5, 5, 5, 10], [[1000, 3000]]],
    ['that stands still for a moment', [0, 5, 5, 10], []],
    [
      'twice',
      [0, 5, 5, 5, 10, 10, 10, 15],
      [
        [1000, 3000],
        [4000, 6000],
      ],
    ],
    // What comes before the first and after the last is another matter.
    ['at the beginning', [0, 0, 0, 0, 5, 10], []],
    ['at the end', [0, 5, 5, 5, 5], []],
  ])('%s', (_, values, expected) => {
    expect(pauses(...values)).toEqual(expected);
  });
});
