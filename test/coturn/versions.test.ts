import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../src/model/release.ts';
import { knownVersions, parseVersion } from '../../src/coturn/versions.ts';

describe('parseVersion', () => {
  it('takes each known version, and a line for the newest of it', () => {
    expect(knownVersions.map(parseVersion)).toEqual(knownVersions);
    expect(parseVersion('4.6')).toBe('4.6.3');
    expect(parseVersion('4.17')).toBe('4.17.2');
  });

  it.each(['4', '4.1', '4.6.', '4.6.9', '4.19.0', '5.0.0', '', 'latest'])(
    'refuses %j with the list',
    (text) => {
      expect(() => parseVersion(text)).toThrow(
        expect.objectContaining({ code: 'usage', hint: expect.stringContaining('4.5.2, 4.6.0, 4.6.1') }),
      );
    },
  );
});

describe('compareVersions', () => {
  it('compares numbers, not letters', () => {
    expect(compareVersions('4.10.0', '4.9.0')).toBeGreaterThan(0);
    expect(compareVersions('4.5.1.2', '4.5.2')).toBeLessThan(0);
    expect(compareVersions('4.6', '4.6.0')).toBe(0);
  });

  it('orders the known versions', () => {
    expect([...knownVersions].toSorted(compareVersions)).toEqual(knownVersions);
  });
});
