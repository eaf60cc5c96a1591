import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.ts';
import { lint } from '../../../src/coturn/lint/lint.ts';
import { renderConfig } from '../../../src/coturn/render.ts';
import { compareVersions, knownVersions } from '../../../src/coturn/versions.ts';
import { Secret } from '../../../src/model/secret.ts';
import { lintFacts, versionFacts } from '../../support/lint-facts.ts';

const secrets = ['4e8f7a9c3b5d1e0f28a7f3c5e9b1d204', '8a7f3c5e9b1d2046e8f7a9c3b5d1e0f2'].map(
  (each) => new Secret(each),
);

/** Sections of rtc-ops.yaml, each there or not, in all combinations. */
const yaml = fc
  .tuple(
    fc.constantFrom('', 'profile: stun-only'),
    fc.constantFrom(
      '',
      'hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1] }]',
      'hosts: [{ name: h, addresses: [203.0.113.1, "2001:db8::1"] }]',
      'hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1, 203.0.113.2/10.0.0.2] }]',
    ),
    fc.constantFrom('', 'listen: { tcp: off }', 'listen: { udp: off }', 'listen: { udp: 443, tcp: 443 }'),
    fc.constantFrom('', 'tls: { cert: /etc/turn/c.pem, key: /etc/turn/k.pem }'),
    fc.constantFrom('', 'relay: { ports: 50000-59999 }'),
    fc.constantFrom(
      '',
      'quotas: { userQuota: 1, totalQuota: 2, maxBps: 3, bpsCapacity: 4 }',
      'quotas: { userQuota: 9 }',
    ),
    fc.constantFrom('', 'peers: { allow: [10.1.2.3], deny: [198.51.100.0/24, "2001:db8:1::/48"] }'),
    fc.constantFrom(
      '',
      'logging: { to: stdout }',
      'logging: { verbose: true }',
      'logging: { to: /var/log/turn.log, verbose: true }',
    ),
  )
  .map(
    (sections) =>
      `realm: example.org\nauth: { secret: { env: S } }\n${sections.filter(Boolean).join('\n')}\n`,
  );

it('of what render writes for any config and version there is no error and no warning', () => {
  fc.assert(
    fc.property(yaml, fc.constantFrom(...knownVersions), (text, version) => {
      const rendered = renderConfig(parseConfig(text, 'rtc-ops.yaml'), { version, secrets });
      const facts = lintFacts(rendered, versionFacts(version));
      const serious = lint(facts).filter(({ finding }) => finding.severity !== 'info');
      expect(serious.map(({ finding }) => [finding.code, finding.evidence])).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('and none of the holes of its version is opened by it beyond what all have', () => {
  const text = 'realm: example.org\nauth: { secret: { env: S } }\ntls: { cert: /c, key: /k }\n';
  for (const version of knownVersions) {
    const rendered = renderConfig(parseConfig(text, 'rtc-ops.yaml'), { version, secrets });
    const facts = lintFacts(rendered, versionFacts(version, { from: 'installed' }));
    const holes = lint(facts).filter(({ finding }) => finding.code === 'VERSION_VULNERABLE');
    const ids = holes.map(({ finding }) =>
      finding.code === 'VERSION_VULNERABLE' ? finding.evidence.advisory : '',
    );
    // DTLS, the web admin, OAuth, Redis and mobility are off.
    const unavoidable = new Set(['CVE-2025-69217', 'CVE-2026-68552', 'coturn issue 2043']);
    expect(ids.filter((id) => !unavoidable.has(id))).toEqual([]);
    if (compareVersions(version, '4.16.0') === 0) expect(ids).toEqual([]);
  }
});
