import { describe, expect, it } from 'vitest';
import { durationText, isoTime, relativeTime } from '../../src/credentials/time-text.ts';

describe('times in words', () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3661, '1 h 1 min'],
    [3601, '1 h 1 s'],
    [90_061, '1 d 1 h'],
  ])('%d s are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it('are ahead of us or behind', () => {
    expect(relativeTime(60)).toBe('in 1 min');
    expect(relativeTime(-60)).toBe('1 min ago');
    expect(isoTime(1_767_326_645)).toBe('2026-01-02T04:04:05Z');
  });
});
