import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.ts';
import { lint } from '../../../src/coturn/lint/lint.ts';
import { renderConfig } from '../../../src/coturn/render.ts';
import { compareVersions } from '../../../src/model/release.ts';
import { knownVersions, type CoturnVersion } from '../../../src/coturn/versions.ts';
import { RtcOpsError } from '../../../src/model/error.ts';
import { Secret } from '../../../src/model/secret.ts';
import { arbitraryYaml, elsewhere, secretsFor } from '../../support/arbitrary-config.ts';
import { lintFacts, versionFacts } from '../../support/lint-facts.ts';

const secrets = ['4e8f7a9c3b5d1e0f28a7f3c5e9b1d204', '8a7f3c5e9b1d2046e8f7a9c3b5d1e0f2'].map(
  (each) => new Secret(each),
);

it('of what render writes for any config and version there is no error and no warning', () => {
  fc.assert(
    fc.property(arbitraryYaml(elsewhere), fc.constantFrom(...knownVersions), (text, version) => {
      for (const rendered of renderedHosts(text, version)) {
        const facts = lintFacts(rendered, versionFacts(version));
        const serious = lint(facts).filter(({ finding }) => finding.severity !== 'info');
        expect(serious.map(({ finding }) => [finding.code, finding.evidence])).toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});

/** One for each host; none where the version or the addresses do not allow for it, which is said. */
function renderedHosts(text: string, version: CoturnVersion): string[] {
  const config = parseConfig(text, 'rtc-ops.yaml');
  const names = config.hosts.length === 0 ? [undefined] : config.hosts.map(({ name }) => name);
  return names.flatMap((host) => {
    try {
      return [renderConfig(config, { version, host, ...secretsFor(config) })];
    } catch (error) {
      if (!(error instanceof RtcOpsError) || error.code !== 'configuration') throw error;
      expect(error.message).toMatch(/^(?:listen|logging|prometheus)(?:\.\w+)?: coturn /);
      return [];
    }
  });
}

it('and none of the holes of its version is opened by it beyond what all have', () => {
  const text = 'realm: example.org\nauth: { secret: { env: S } }\ntls: { cert: /c, key: /k }\n';
  for (const version of knownVersions) {
    const rendered = renderConfig(parseConfig(text, 'rtc-ops.yaml'), { version, secrets });
    const facts = lintFacts(rendered, versionFacts(version, { from: 'installed' }));
    const holes = lint(facts).filter(({ finding }) => finding.code === 'VERSION_VULNERABLE');
    const ids = holes.map(({ finding }) =>
      finding.code === 'VERSION_VULNERABLE' && 'advisory' in finding.evidence
        ? finding.evidence.advisory
        : '',
    );
    // DTLS, the web admin, OAuth, Redis and mobility are off.
    const unavoidable = new Set([
      ...['CVE-2025-69217', 'CVE-2026-68552', 'CVE-2026-73215'],
      ...['coturn 4.15.0 (integrity)', 'coturn issue 2043'],
    ]);
    expect(ids.filter((id) => !unavoidable.has(id))).toEqual([]);
    if (compareVersions(version, '4.16.0') === 0) expect(ids).toEqual(['CVE-2026-73215']);
  }
});
