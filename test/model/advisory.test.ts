import { describe, expect, it } from 'vitest';
import { holesOf, packagesOf, packageState } from '../../src/model/advisory.ts';

describe('the holes of a release', () => {
  it.each([
    ['4.5.1.1', ['CVE-2020-6061/6062', 'CVE-2020-4067', 'CVE-2020-26262'], ['CVE-2018-4056']],
    ['4.5.1.3', ['CVE-2020-26262'], ['CVE-2020-4067']],
    [
      '4.6.1',
      ['CVE-2026-40613', 'CVE-2026-73215'],
      ['CVE-2025-69217', 'coturn issue 2043', 'CVE-2020-26262'],
    ],
    ['4.17.1', ['coturn issue 2043'], ['CVE-2026-73215']],
  ])('%s', (release, has, hasNot) => {
    const ids: string[] = holesOf(release).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(has));
    for (const id of hasNot) expect(ids).not.toContain(id);
  });

  it('4.18.0: none is known', () => {
    expect(holesOf('4.18.0')).toEqual([]);
  });
});

describe('a package', () => {
  const of2020 = { id: 'CVE-2020-26262', date: '2021-01' };
  const of2026 = { id: 'CVE-2026-40613', date: '2026-04' };
  it.each([
    // Debian 12 made it three years before; a rebuild of Ubuntu changes nothing.
    ['4.6.1-1', of2026, 'open'],
    ['4.6.1-1build4', of2026, 'open'],
    ['4.6.1-1+b1', of2026, 'open'],
    ['1:4.6.1-1', of2026, 'open'],
    // Nobody has read what these have closed.
    ['4.6.1-1+deb12u1', of2026, 'unknown'],
    ['4.5.2-3.1ubuntu0.22.04.2', of2026, 'unknown'],
    ['4.6.1-3', of2026, 'unknown'],
    ['4.6.2-4.fc38', of2026, 'unknown'],
    // DSA-4829.
    ['4.5.1.1-1.1+deb10u2', of2020, 'closed'],
    ['4.5.1.1-1.1+deb10u2', of2026, 'open'],
    // Made in the month of the fix, or after it.
    ['4.12.0-1', { id: 'x', date: '2026-06' }, 'unknown'],
    ['4.18.0-1', of2026, 'unknown'],
  ])('%s, %o: %s', (packaged, hole, state) => {
    expect(packageState(packaged, hole)).toBe(state);
  });

  it('is known by the number of its release', () => {
    expect(packagesOf('4.6.1').map(({ version }) => version)).toEqual(['4.6.1-1', '4.6.1-2']);
    expect(packagesOf('4.5.1.1').map(({ version }) => version)).toEqual(['4.5.1.1-1.1+deb10u2']);
    expect(packagesOf('4.16.0')).toEqual([]);
  });
});
