import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/coturn/lint/lint.ts';
import { lintFacts, versionFacts } from '../../support/lint-facts.ts';

/** The holes that the lint tells of, by their severity. */
function holesIn(version: '4.6.1' | '4.5.2', packaged: string | null, lines = 'web-admin\n') {
  const facts = lintFacts(lines, versionFacts(version, { from: 'installed', packaged }));
  return lint(facts).flatMap(({ finding: { code, severity, evidence } }) =>
    code === 'VERSION_VULNERABLE' && 'advisory' in evidence ? [{ id: evidence.advisory, severity }] : [],
  );
}

describe('the holes of a package', () => {
  it('are holes where it was made before they were known', () => {
    for (const packaged of ['4.6.1-1', '4.6.1-1build4', '4.6.1-2']) {
      expect(holesIn('4.6.1', packaged)).toContainEqual({ id: 'coturn issue 1802', severity: 'warning' });
    }
  });

  it('are a note where nobody knows what it has closed', () => {
    for (const packaged of ['4.6.1-1+deb12u1', '4.5.2-3+deb11u1', '4.6.1-3', '4.6.1-4.fc38']) {
      const holes = holesIn(packaged.startsWith('4.5') ? '4.5.2' : '4.6.1', packaged);
      expect(holes.map(({ severity }) => severity)).toEqual(holes.map(() => 'info'));
      expect(holes.length).toBeGreaterThan(0);
    }
  });

  it('are not told where it has closed them', () => {
    const facts = versionFacts('4.5.2', { from: 'installed', release: '4.5.1.1' });
    const idsOf = (packaged: string): string[] =>
      lint(lintFacts('', { coturn: { ...facts.coturn, packaged } })).flatMap(({ finding: { evidence } }) =>
        'advisory' in evidence ? [evidence.advisory] : [],
      );
    expect(idsOf('4.5.1.1-1.1')).toContain('CVE-2020-26262');
    expect(idsOf('4.5.1.1-1.1+deb10u2')).not.toContain('CVE-2020-26262');
    expect(idsOf('4.5.1.1-1.1+deb10u2')).toContain('CVE-2026-68552');
  });

  it('of a coturn of no package are holes', () => {
    expect(holesIn('4.6.1', null)).toContainEqual({ id: 'coturn issue 1802', severity: 'warning' });
  });
});
