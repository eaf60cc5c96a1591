import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { valuesOf } from '../../src/coturn/directive.ts';
import { hasOption } from '../../src/coturn/options.ts';
import { parseDirectives } from '../../src/coturn/parse.ts';
import { renderConfig } from '../../src/coturn/render.ts';
import { knownVersions } from '../../src/coturn/versions.ts';
import { Secret } from '../../src/model/secret.ts';

const minimal = 'realm: example.org\nauth: { secret: { env: S } }\n';
const secrets = [new Secret('s3cret')];

function render(yaml: string, options: { version?: string; host?: string; redact?: boolean } = {}): string {
  return renderConfig(parseConfig(minimal + yaml, 'rtc-ops.yaml'), { version: '4.6.1', secrets, ...options });
}

/** The values of the directives of one name. */
function values(name: string, ...rendering: Parameters<typeof render>): string[] {
  return valuesOf(parseDirectives(render(...rendering)), name);
}

function names(...rendering: Parameters<typeof render>): string[] {
  return parseDirectives(render(...rendering)).map(({ name }) => name);
}

describe('renderConfig', () => {
  it('asks for credentials, hides its version, and opens nothing more than it must', () => {
    const rendered = names('');
    for (const name of [
      'use-auth-secret',
      'fingerprint',
      'no-multicast-peers',
      'no-tcp-relay',
      'no-cli',
      'no-software-attribute',
      'no-tls',
      'no-dtls',
      'no-rfc5780',
    ]) {
      expect(rendered).toContain(name);
    }
    expect(values('realm', '')).toEqual(['example.org']);
    expect(values('static-auth-secret', '')).toEqual(['s3cret']);
    expect(values('stale-nonce', '')).toEqual(['600']);
    expect([...values('min-port', ''), ...values('max-port', '')]).toEqual(['49152', '65535']);
  });

  it.each(knownVersions)('has only options that coturn %s knows', (version) => {
    const everything = `
hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1] }]
tls: { cert: /c, key: /k }
quotas: { userQuota: 1, totalQuota: 2, maxBps: 3, bpsCapacity: 4 }
peers: { allow: [127.0.0.0/8, 10.0.0.0/8], deny: [198.51.100.7] }
logging: { to: /var/log/turn.log, verbose: true }`;
    for (const yaml of ['', 'profile: stun-only', 'logging: { to: stdout }', everything]) {
      expect(names(yaml, { version }).filter((name) => !hasOption(version, name))).toEqual([]);
    }
  });

  it('differs between versions where it must', () => {
    const tls = 'tls: { cert: /c, key: /k }';
    const [old, debian, current] = ['4.5.2', '4.6.1', '4.17'].map((version) => names(tls, { version }));
    const lacking = (more: string[] = [], less: string[] = []): string[] =>
      more.filter((name) => !less.includes(name));
    expect(lacking(debian, old)).toEqual([
      'no-rfc5780',
      'no-stun-backward-compatibility',
      'response-origin-only-with-rfc5780',
    ]);
    expect(lacking(old, debian)).toEqual([]);
    expect(lacking(debian, current)).toEqual([
      'no-tlsv1',
      'no-tlsv1_1',
      'no-dtls',
      'no-cli',
      'no-software-attribute',
      'no-rfc5780',
      'no-stun-backward-compatibility',
      'response-origin-only-with-rfc5780',
    ]);
    expect(lacking(current, debian)).toEqual([]);
  });

  it('relays nothing for stun-only, and still knows no anonymous user', () => {
    const rendered = names('profile: stun-only');
    expect(rendered).toEqual(expect.arrayContaining(['stun-only', 'lt-cred-mech', 'realm']));
    expect(rendered).not.toContain('min-port');
    expect(render('profile: stun-only')).not.toContain('s3cret');
  });

  it('takes every secret of a rotation', () => {
    const config = parseConfig(minimal, 'rtc-ops.yaml');
    const text = renderConfig(config, { version: '4.6.1', secrets: [new Secret('new'), new Secret('old')] });
    expect(valuesOf(parseDirectives(text), 'static-auth-secret')).toEqual(['new', 'old']);
  });

  it('hides the secrets when asked to', () => {
    expect(render('', { redact: true })).toBe(
      render('').replace('static-auth-secret=s3cret', '# static-auth-secret=[redacted]'),
    );
  });

  it('writes no relay without a secret', () => {
    const config = parseConfig(minimal, 'rtc-ops.yaml');
    expect(() => renderConfig(config, { version: '4.6.1', secrets: [] })).toThrow('without a secret');
  });

  it('refuses an unknown version', () => {
    expect(() => render('', { version: '4.18.0' })).toThrow('coturn 4.18.0 is not a known version');
  });
});

describe('addresses', () => {
  const nat = 'hosts: [{ name: h, addresses: [203.0.113.1/172.16.0.10, "2001:db8::1"] }]\n';

  it('are those of the host: inside to listen and relay, outside to hand out', () => {
    expect(values('listening-ip', nat)).toEqual(['172.16.0.10', '2001:db8::1']);
    expect(values('relay-ip', nat)).toEqual(['172.16.0.10', '2001:db8::1']);
    expect(values('external-ip', nat)).toEqual(['203.0.113.1/172.16.0.10']);
  });

  it('are those that are asked for', () => {
    const asked = `${nat}listen: { addresses: [0.0.0.0] }\nrelay: { addresses: [172.16.0.10, "2001:db8::1"] }`;
    expect(values('listening-ip', asked)).toEqual(['0.0.0.0']);
    expect(values('relay-ip', asked)).toEqual(['172.16.0.10', '2001:db8::1']);
  });

  it('are left to coturn when none is known', () => {
    expect(values('listening-ip', 'hosts: [h]')).toEqual([]);
    expect(values('relay-ip', 'hosts: [h]')).toEqual([]);
  });

  it('are never all of them to relay from', () => {
    expect(() => render('listen: { addresses: ["::"] }')).toThrow(
      'coturn would hand out :: as its relay address',
    );
  });

  it('are those of the host that is named', () => {
    const two = 'hosts: [{ name: a, addresses: [203.0.113.1] }, { name: b, addresses: [203.0.113.2] }]';
    expect(values('listening-ip', two, { host: 'b' })).toEqual(['203.0.113.2']);
    expect(() => render(two)).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('a, b') }),
    );
    expect(() => render(two, { host: 'c' })).toThrow('c is none of the hosts');
  });
});

describe('listeners', () => {
  it.each([
    ['listen: { udp: 3479, tcp: 3479 }', ['listening-port=3479'], ['no-udp', 'no-tcp']],
    ['listen: { tcp: off }', ['listening-port=3478', 'no-tcp'], ['no-udp']],
    ['listen: { udp: off }', ['listening-port=3478', 'no-udp'], ['no-tcp']],
    [
      'listen: { udp: off, tcp: off, tls: 443 }\ntls: { cert: /c.pem, key: /k.pem }',
      ['tls-listening-port=443', 'no-udp', 'no-tcp', 'cert=/c.pem', 'pkey=/k.pem', 'no-tlsv1', 'no-tlsv1_1'],
      ['no-tls', 'listening-port=3478'],
    ],
  ])('%s', (yaml, there, missing) => {
    const lines = render(yaml).split('\n');
    expect(lines).toEqual(expect.arrayContaining(there));
    for (const line of missing) expect(lines).not.toContain(line);
  });
});

describe('logging', () => {
  it.each([
    ['', ['syslog', 'no-stdout-log'], ['verbose']],
    ['logging: { to: stdout, verbose: true }', ['log-file=stdout', 'verbose'], ['syslog']],
    [
      'logging: { to: /var/log/turn.log }',
      ['log-file=/var/log/turn.log', 'simple-log', 'no-stdout-log'],
      ['syslog'],
    ],
  ])('%s', (yaml, there, missing) => {
    const lines = render(yaml).split('\n');
    expect(lines).toEqual(expect.arrayContaining(there));
    for (const line of missing) expect(lines).not.toContain(line);
  });
});
