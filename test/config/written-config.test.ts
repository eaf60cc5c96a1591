import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { writtenConfig } from '../../src/config/written-config.ts';
import { arbitraryYaml, elsewhere } from '../support/arbitrary-config.ts';

it('reads as the config that it was written from', () => {
  fc.assert(
    fc.property(arbitraryYaml(elsewhere), (yaml) => {
      const config = parseConfig(yaml, 'rtc-ops.yaml');
      expect(parseConfig(JSON.stringify(writtenConfig(config)), 'again.yaml')).toEqual(config);
    }),
    { numRuns: 100 },
  );
});

it('reads so with certbot, and with addresses that are to be found', () => {
  const yaml = `realm: r
auth: { secret: { file: s } }
hosts: [{ name: a, addresses: auto }]
tls: { certbot: { email: a@example.org, names: [b.example.org], challenge: { dns: cloudflare, credentials: c.ini } } }`;
  const config = parseConfig(yaml, 'rtc-ops.yaml');
  expect(parseConfig(JSON.stringify(writtenConfig(config)), 'again.yaml')).toEqual(config);
});

it.each([
  'metered: { app: a, apiKey: { file: s } }',
  'cloudflare: { keyId: k, apiToken: { env: T }, endpoint: "https://proxy.example.com" }',
  'static: { urls: [google, turn:t.example.com], username: u, password: { file: p } }',
  'static: { urls: [google] }',
])('gives a provider back as it was written: %s', (text) => {
  const config = parseConfig(`provider: { ${text} }`, 'rtc-ops.yaml');
  expect(parseConfig(JSON.stringify(writtenConfig(config)), 'again.yaml')).toEqual(config);
});
