import { describe, expect, it } from 'vitest';
import { checkIds, checkOf, checks, listenerChecks } from '../../src/model/check.ts';

describe.each(checkIds)('%s', (id) => {
  const check = checkOf(id);

  it('is told in a short statement, its row and its wait in a few words', () => {
    expect(check.title).toMatch(/^\S.{10,48}\w$/);
    expect('row' in check ? check.row : 'none').toMatch(/^\S.{2,23}\S$/);
    expect(check.waiting ?? 'none').toMatch(/^\S.{2,24}\S$/);
  });
});

describe('the checks of a listener', () => {
  it('have one figure a row at most', () => {
    const rows = listenerChecks.filter(({ hasFigure }) => hasFigure === true).map(({ row }) => row);
    expect(new Set(rows).size).toBe(rows.length);
  });

  it('decide for each kind of server by what every such listener has', () => {
    const decidingFor = (kind: 'TURN' | 'STUN'): string[] =>
      listenerChecks.filter(({ decides }) => decides === kind).map(({ about }) => about);
    expect(decidingFor('TURN')).toContain('relay');
    // A stun: URI has no relay, so that a check of one would never come about.
    expect(new Set(decidingFor('STUN'))).toEqual(new Set(['listener']));
  });

  it('are never decided by what nobody needs', () => {
    const free = listenerChecks.filter(
      ({ neededFor, decides }) => neededFor === null && decides !== undefined,
    );
    expect(free).toEqual([]);
  });

  it('have titles of their own', () => {
    const titles = Object.values(checks).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
