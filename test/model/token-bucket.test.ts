import { expect, it } from 'vitest';
import { tokenBucket } from '../../src/model/token-bucket.ts';

it('lets a burst through, then so many a second', () => {
  const bucket = tokenBucket(3, 2);
  const taken = (nowMs: number, times: number): number =>
    Array.from({ length: times }, () => bucket.take(nowMs)).filter(Boolean).length;
  expect(taken(1000, 10)).toBe(3);
  expect(bucket.isFull(1000)).toBe(false);
  expect(taken(1400, 10)).toBe(0);
  expect(taken(2000, 10)).toBe(2);
  expect(taken(60_000, 10)).toBe(3);
  expect(bucket.isFull(90_000)).toBe(true);
});
