import { describe, expect, it } from 'vitest';
import { formOf, judgeTime } from '../../src/model/credential-time.ts';

const nowSeconds = 1_780_315_200;

describe('judgeTime', () => {
  it.each<[string, readonly string[], number | null]>([
    [`${nowSeconds}:x`, [], nowSeconds],
    [`${nowSeconds - 1}`, ['expired'], nowSeconds - 1],
    ['x:1700000000', ['swapped', 'expired'], 1_700_000_000],
    [`x:${nowSeconds}000`, ['swapped', 'time-unit'], nowSeconds],
    ['3600', ['lifetime'], null],
    ['3600:x', ['lifetime'], null],
    ['900000000000000:x', ['time-too-large'], null],
    [`${nowSeconds}%3Ax`, ['separator'], nowSeconds],
    [`${nowSeconds}/x:y`, ['separator'], nowSeconds],
    [`${nowSeconds}.5`, ['fraction'], nowSeconds],
    [`${nowSeconds}.25:x`, ['fraction'], nowSeconds],
    [`${nowSeconds - 1}.25-x`, ['fraction', 'separator', 'expired'], nowSeconds - 1],
    [`${nowSeconds}x`, ['no-time'], null],
    ['20260102-x', ['no-time'], null],
    ['alice', ['no-time'], null],
    ['alice:12345', ['no-time'], null],
  ])('%s', (username, kinds, expiresAt) => {
    const judged = judgeTime(username, nowSeconds);
    expect(judged.problems.map(({ kind }) => kind)).toEqual(kinds);
    expect(judged.expiresAt).toBe(expiresAt);
  });
});

describe('formOf', () => {
  it.each([
    ['1700000000', 'time-limited'],
    ['1700000000:x', 'time-limited'],
    ['3600:x', 'time-limited'],
    ['x:1700000000', 'time-limited'],
    ['1700000000%3ax', 'time-limited'],
    ['1700000000.5', 'time-limited'],
    ['100-x', 'static'],
    ['3600', 'either'],
    ['alice', 'static'],
    ['alice:12345', 'static'],
  ])('%s: %s', (username, form) => {
    expect(formOf(username)).toBe(form);
  });
});
