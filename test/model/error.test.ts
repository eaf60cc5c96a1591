import { describe, expect, it } from 'vitest';
import { reasonOf, RtcOpsError, type RtcOpsErrorCode } from '../../src/model/error.ts';

describe('RtcOpsError', () => {
  it.each<[RtcOpsErrorCode, number]>([
    ['usage', 2],
    ['configuration', 3],
    ['tool-failed', 4],
    ['bug', 70],
    ['interrupted', 130],
  ])('%s exits with %d', (code, exit) => {
    expect(new RtcOpsError(code, 'x').exitCode).toBe(exit);
  });

  it('carries a hint and a cause, or neither', () => {
    const cause = new Error('deeper');
    const full = new RtcOpsError('usage', 'wrong', { hint: 'do this', cause });
    expect(full).toMatchObject({ name: 'RtcOpsError', message: 'wrong', hint: 'do this', cause });
    const bare = new RtcOpsError('usage', 'wrong');
    expect(bare.hint).toBeUndefined();
    expect('cause' in bare).toBe(false);
  });
});

it('reasonOf gives the text of anything thrown', () => {
  expect([reasonOf(new Error('a')), reasonOf('b'), reasonOf(3), reasonOf(undefined)]).toEqual([
    'a',
    'b',
    '3',
    'undefined',
  ]);
});
