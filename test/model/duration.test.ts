import { describe, expect, it } from 'vitest';
import { durationText, durationTextOrNothing, parseDuration } from '../../src/model/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['150ms', 150],
    ['3s', 3000],
    ['1.5s', 1500],
    ['90m', 5_400_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
    [' 3s ', 3000],
    ['0.0004s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '3', '3 s', 's', '-3s', '3S', '3sec', '1h30m', '1e3s', '.5s', '3s3', 'Infinitys', '３s'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );
});

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [0.44, '0.4 ms'],
    [9.96, '10 ms'],
    [12.4, '12 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [1249, '1.2 s'],
  ])('%d ms: %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('is none where nothing was measured', () => {
    expect(durationTextOrNothing(null)).toBeUndefined();
    expect(durationTextOrNothing(3)).toBe('3 ms');
  });
});
