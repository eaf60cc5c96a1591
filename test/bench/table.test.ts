import { describe, expect, it } from 'vitest';
import { holds, median, type BenchRow } from './row.ts';
import { tableOf } from './table.ts';

const row: BenchRow = {
  what: 'start',
  ours: 28,
  unit: 'ms',
  against: { name: 'node', figure: 20 },
  limit: { atMost: 1.4 },
};

describe('a limit', () => {
  it.each([
    ['holds up to its bound', row, true],
    ['is missed beyond it', { ...row, ours: 28.1 }, false],
    ['can be the least ratio', { ...row, limit: { atLeast: 3 } }, false],
    ['is for our figure where nothing is against it', { ...row, against: null, limit: { atMost: 30 } }, true],
    ['is missed by what was not measured', { ...row, ours: Number.NaN }, false],
    ['may be absent', { ...row, limit: null }, null],
  ])('%s', (_title, judged, expected) => {
    expect(holds(judged)).toBe(expected);
  });
});

it('is a table with a line for each row, aligned', () => {
  const alone: BenchRow = {
    what: 'a whole probe',
    ours: 1234.5,
    unit: 'ms',
    against: null,
    limit: { atMost: 400 },
  };
  expect(tableOf([row, alone]).split('\n')).toEqual([
    'what               ours  against        ratio     limit',
    'start           28.0 ms  node: 20.0 ms   1.40     ≤ 1.4  holds',
    'a whole probe  1,235 ms                        ≤ 400 ms  MISSED',
  ]);
});

it('takes the middle of what was measured', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
