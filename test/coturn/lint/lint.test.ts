import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LintFacts } from '../../../src/coturn/lint/facts.ts';
import { lint, notJudged } from '../../../src/coturn/lint/lint.ts';
import { coturnOptions } from '../../../src/coturn/options.ts';
import { knownVersions } from '../../../src/coturn/versions.ts';
import { configCatalog } from '../../../src/model/catalog/config.ts';
import { configWordsOf, type ConfigFindingCode } from '../../../src/model/config-finding.ts';
import {
  codes,
  fileFacts,
  findingOf,
  found,
  hostFactsWith,
  leaf,
  lintFacts,
  node,
  service,
  textWith,
  versionFacts,
} from '../../support/lint-facts.ts';

interface Case {
  readonly lines: readonly string[];
  readonly without?: RegExp;
  readonly facts?: Partial<LintFacts>;
}

/** What provokes a finding, and the nearest thing that does not. */
type Pair = readonly [wrong: Case, right: Case];

const on417 = versionFacts('4.17.1');
const tls = ['cert=/etc/turn/fullchain.pem', 'pkey=/etc/turn/privkey.pem', 'no-tlsv1', 'no-tlsv1_1'];
const noTls = /^no-d?tls$/;
const relayHere = /^listening-ip/;
const chain = { error: null, certificates: [leaf, leaf], keyFingerprint: null, isEncrypted: false };
const key = { error: null, certificates: [], keyFingerprint: 'aa', isEncrypted: false };

function withFiles(cert: object, pkey: object = {}): Case {
  const files = {
    '/etc/turn/fullchain.pem': fileFacts(0o644, { pem: chain, ...cert }),
    '/etc/turn/privkey.pem': fileFacts(0o640, { pem: key, ...pkey }, 105),
  };
  return { lines: tls, without: noTls, facts: { host: hostFactsWith({ files }) } };
}

const closedDirectory = [
  node('/', 0o755),
  node('/etc', 0o755),
  node('/etc/letsencrypt/live', 0o700),
  node('/etc/f', 0o644),
];
const secretLine = /^(?:use-auth-secret|static-auth-secret)/;
const inside = [{ interface: 'eth0', address: '10.0.0.5', prefixLength: 24 }];

const pairs: Readonly<Record<ConfigFindingCode, Pair>> = {
  OPEN_RELAY_CONFIGURED: [
    { lines: ['lt-cred-mech=0'] },
    { lines: ['lt-cred-mech=0', 'static-auth-secret=4e8f7a9c3b5d1e0f28a7f3c5e9b1d204'] },
  ],
  NOBODY_CAN_LOG_IN: [
    { lines: ['lt-cred-mech'], without: secretLine },
    { lines: ['lt-cred-mech', 'user=alice:correct horse battery'], without: secretLine },
  ],
  AUTH_MECHANISMS_MIXED: [
    { lines: ['user=alice:correct horse battery'] },
    { lines: ['user=alice:correct horse battery'], without: secretLine },
  ],
  USER_MALFORMED: [
    { lines: ['user=alice', 'user=bob:correct horse battery'], without: secretLine },
    { lines: ['user=alice:correct horse battery'], without: secretLine },
  ],
  REALM_MISSING: [{ lines: [], without: /^realm/ }, { lines: [] }],
  WEAK_SECRET: [
    { lines: ['static-auth-secret=north'] },
    { lines: ['static-auth-secret=4e8f7a9c3b5d1e0f28a7f3c5e9b1d204'] },
  ],
  SECRET_READABLE: [
    { lines: [], facts: { host: hostFactsWith({ own: fileFacts(0o644) }) } },
    { lines: [], facts: { host: hostFactsWith() } },
  ],
  PRIVATE_PEERS_ALLOWED: [
    { lines: [], without: /^denied-peer-ip=10/ },
    { lines: ['allowed-peer-ip=10.0.0.7'] },
  ],
  METADATA_PEER_ALLOWED: [
    { lines: [], without: /^denied-peer-ip=169/ },
    { lines: ['denied-peer-ip=169.254.169.254'], without: /^denied-peer-ip=169/ },
  ],
  LOOPBACK_PEERS_ALLOWED: [{ lines: ['allow-loopback-peers'] }, { lines: ['allow-loopback-peers=0'] }],
  MULTICAST_PEERS_ALLOWED: [
    { lines: [], without: /^no-multicast/ },
    { lines: ['denied-peer-ip=224.0.0.0-239.255.255.255'], without: /^no-multicast/ },
  ],
  MAPPED_IPV6_BYPASS: [
    { lines: ['relay-ip=2001:db8::1'] },
    { lines: ['relay-ip=2001:db8::1', 'denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff'] },
  ],
  DENIED_RANGE_CIDR: [
    { lines: ['denied-peer-ip=198.51.100.0/24'] },
    { lines: ['denied-peer-ip=198.51.100.7'] },
  ],
  DENIED_RANGE_BOUNDLESS: [{ lines: ['denied-peer-ip=::'] }, { lines: ['denied-peer-ip=::1'] }],
  DENIED_RANGES_COVER_ALL: [
    { lines: ['denied-peer-ip=0.0.0.0-255.255.255.255'] },
    { lines: ['denied-peer-ip=0.0.0.0-255.255.255.255', 'allowed-peer-ip=203.0.113.9'] },
  ],
  DENIED_RANGE_EMPTY: [
    { lines: ['denied-peer-ip=198.51.100.9-198.51.100.8'] },
    { lines: ['denied-peer-ip=198.51.100.8-198.51.100.9'] },
  ],
  TCP_RELAY_ENABLED: [{ lines: [], without: /^no-tcp-relay/ }, { lines: [] }],
  EXTERNAL_IP_MISSING: [
    { lines: ['relay-ip=10.0.0.5'], without: relayHere },
    { lines: ['relay-ip=10.0.0.5', 'external-ip=203.0.113.10/10.0.0.5'], without: relayHere },
  ],
  EXTERNAL_IP_PRIVATE: [{ lines: ['external-ip=10.0.0.5'] }, { lines: ['external-ip=203.0.113.10'] }],
  EXTERNAL_IP_REPEATED: [
    { lines: ['external-ip=203.0.113.10', 'external-ip=203.0.113.11'] },
    { lines: ['external-ip=203.0.113.10/10.0.0.5', 'external-ip=203.0.113.11/10.0.0.6'] },
  ],
  EXTERNAL_IP_WITHOUT_PRIVATE: [
    { lines: ['external-ip=203.0.113.10', 'relay-ip=10.0.0.5'] },
    { lines: ['external-ip=203.0.113.10', 'relay-ip=10.0.0.5', 'allowed-peer-ip=10.0.0.5'] },
  ],
  RELAY_PORTS_INVERTED: [
    { lines: ['min-port=60000', 'max-port=50000'] },
    { lines: ['min-port=50000', 'max-port=60000'] },
  ],
  RELAY_PORTS_FEW: [
    { lines: ['min-port=50000', 'max-port=50399'], facts: { users: 101 } },
    { lines: ['min-port=50000', 'max-port=50399'], facts: { users: 100 } },
  ],
  RELAY_PORTS_COLLIDE: [{ lines: ['min-port=3478'] }, { lines: ['min-port=3479'] }],
  LISTENING_PORTS_OVERLAP: [
    { lines: [...tls, 'tls-listening-port=3478'], without: noTls },
    { lines: [...tls, 'tls-listening-port=443'], without: noTls },
  ],
  PORT_NEEDS_PRIVILEGE: [
    { lines: ['listening-port=443'], facts: { host: hostFactsWith() } },
    {
      lines: ['listening-port=443'],
      facts: { host: hostFactsWith({ service: { ...service, lowestPort: 0 } }) },
    },
  ],
  TLS_NOT_CONFIGURED: [
    { lines: ['cert=/etc/turn/c.pem'], without: noTls },
    { lines: tls, without: noTls },
  ],
  TLS_FILE_MISSING: [withFiles({ error: 'ENOENT', nodes: [node('/', 0o755)], pem: null }), withFiles({})],
  TLS_FILE_UNREADABLE: [withFiles({ nodes: closedDirectory }), withFiles({})],
  TLS_FILE_INVALID: [withFiles({ pem: key }), withFiles({})],
  TLS_FILE_LEAF_ONLY: [
    withFiles({ pem: { ...chain, certificates: [leaf] } }),
    withFiles({ pem: { ...chain, certificates: [{ ...leaf, namesIssuerUrl: false }] } }),
  ],
  TLS_FILE_EXPIRED: [
    withFiles({ pem: { ...chain, certificates: [{ ...leaf, notAfter: '2026-11-20T00:00:00.000Z' }, leaf] } }),
    withFiles({ pem: { ...chain, certificates: [{ ...leaf, notAfter: '2026-12-06T00:00:00.000Z' }, leaf] } }),
  ],
  TLS_KEY_MISMATCH: [withFiles({}, { pem: { ...key, keyFingerprint: 'bb' } }), withFiles({})],
  LEGACY_TLS: [
    { lines: tls.slice(0, 3), without: noTls },
    { lines: tls, without: noTls },
  ],
  TLS_NO_PROTOCOL: [
    { lines: [...tls, 'no-tlsv1_2'], without: noTls },
    { lines: [...tls, 'no-tlsv1_2=no'], without: noTls },
  ],
  VERSION_VULNERABLE: [
    { lines: ['web-admin', 'no-tcp'], facts: versionFacts('4.8.0', { from: 'installed' }) },
    {
      lines: ['web-admin', 'no-tcp'],
      facts: versionFacts('4.17.1', { from: 'installed', release: '4.18.0' }),
    },
  ],
  VERSION_EXPOSED: [
    { lines: [], without: /^no-software/ },
    { lines: [], without: /^no-software/, facts: on417 },
  ],
  NO_QUOTAS: [
    { lines: [], without: /quota/ },
    { lines: [], without: /^total-quota/ },
  ],
  ADMIN_EXPOSED: [
    { lines: ['cli-password=correct horse', 'cli-ip=203.0.113.10'], without: /^no-cli/ },
    { lines: ['cli-password=correct horse', 'cli-ip=127.0.0.2'], without: /^no-cli/ },
  ],
  ADMIN_PASSWORD_MISSING: [
    { lines: [], without: /^no-cli/ },
    { lines: ['cli-password=correct horse'], without: /^no-cli/ },
  ],
  RELAY_WITHOUT_PERMISSION: [{ lines: ['server-relay'] }, { lines: ['server-relay=off'] }],
  LOG_FILLS_DISK: [{ lines: ['verbose'] }, { lines: ['verbose', 'syslog'] }],
  CONFIG_OPTION_UNKNOWN: [{ lines: ['fingerprin'] }, { lines: ['fingerprint'] }],
  CONFIG_OPTION_TOO_NEW: [{ lines: ['rfc5780'] }, { lines: ['rfc5780'], facts: on417 }],
  CONFIG_OPTION_REMOVED: [{ lines: ['no-sslv3'], facts: on417 }, { lines: ['no-sslv3'] }],
  CONFIG_OPTION_IDLE: [{ lines: ['no-rfc5780'], facts: on417 }, { lines: ['no-rfc5780'] }],
  CONFIG_INLINE_COMMENT: [{ lines: ['proc-user=nobody # us'] }, { lines: ['# us', 'proc-user=nobody'] }],
  CONFIG_SEMICOLON: [{ lines: ['proc-user=nobody;'] }, { lines: ['proc-user=nobody'] }],
  CONFIG_QUOTE: [{ lines: ["server-name='a b'"] }, { lines: ['server-name="a b"'] }],
  CONFIG_LINE_TOO_LONG: [
    { lines: [`cipher-list=${'A'.repeat(1012)}`] },
    { lines: [`cipher-list=${'A'.repeat(1011)}`] },
  ],
  CONFIG_BYTE_ORDER_MARK: [
    { lines: [], facts: { text: `\ufeff${textWith([])}` } },
    { lines: ['# \ufeff in a comment'] },
  ],
  CONFIG_NUL: [{ lines: ['server-name=a\0b'] }, { lines: ['server-name=a0b'] }],
  CONFIG_LINE_ENDINGS: [
    { lines: ['fingerprint\rserver-name=a'] },
    { lines: ['fingerprint\r', 'server-name=a\r'] },
  ],
  CONFIG_VALUE_MISREAD: [{ lines: ['max-bps=64k'] }, { lines: ['max-bps=64000'] }],
  CONFIG_ALWAYS_ON: [{ lines: ['no-auth-pings=off'] }, { lines: ['log-binding=off'] }],
  CONFIG_VALUE_MISSING: [{ lines: ['max-bps'] }, { lines: ['stale-nonce'] }],
  CONFIG_ADDRESS_INVALID: [{ lines: ['relay-ip=203.0.113.10/24'] }, { lines: ['relay-ip=203.0.113.10'] }],
  CONFIG_PREVENTS_START: [{ lines: ['fingerprint=enabled'] }, { lines: ['fingerprint=Yes'] }],
  CONFIG_DUPLICATE: [
    { lines: ['max-bps=1', 'max-bps=2'] },
    { lines: ['static-auth-secret=4e8f7a9c3b5d1e0f28a7f3c5e9b1d204'] },
  ],
  CONFIG_CONTRADICTION: [
    { lines: ['log-file=/var/log/t', 'syslog'] },
    { lines: ['log-file=stdout', 'syslog'] },
  ],
  CONFIG_UNREADABLE: [
    { lines: [], facts: { host: hostFactsWith({ own: fileFacts(0o600) }) } },
    { lines: [], facts: { host: hostFactsWith({ own: fileFacts(0o600), service: { ...service, uid: 0 } }) } },
  ],
};

function codesOf({ lines, without, facts = {} }: Case): string[] {
  return codes(facts.text ?? textWith(lines, without), facts);
}

describe('a finding comes of the line that provokes it, and not of the nearest innocent one', () => {
  it.each(Object.entries(pairs))('%s', (code, [wrong, right]) => {
    expect(codesOf(wrong)).toContain(code);
    expect(codesOf(right)).not.toContain(code);
  });

  it('for every code there is', () => {
    expect(Object.keys(pairs).toSorted()).toEqual(Object.keys(configCatalog).toSorted());
  });
});

describe('lint', () => {
  it('has nothing to say of a file that is in order', () => {
    expect(codes(textWith([]))).toEqual([]);
    expect(codes(textWith([]).replaceAll('\n', '\r\n'))).toEqual([]);
  });

  it('tells a comment of which coturn reads the end, and no other long one', () => {
    const comment = `#${'a'.repeat(1022)}`;
    // What is behind the cut counts: here it turns off what the secret above has turned on.
    expect(codes(textWith([`${comment}lt-cred-mech=0`]))).toEqual([
      'CONFIG_LINE_TOO_LONG',
      'OPEN_RELAY_CONFIGURED',
    ]);
    expect(
      found(textWith([`${comment}max-bps=64k`])).map(({ finding, edit }) => [finding.code, edit]),
    ).toEqual([
      ['CONFIG_LINE_TOO_LONG', null],
      ['CONFIG_VALUE_MISREAD', null],
    ]);
    const [, inRest] = found(textWith([`${comment}user=alice:hunter2 # x`]), {});
    expect(JSON.stringify(inRest)).not.toContain('hunter2');
    expect(codes(textWith([`static-auth-secret=${'4e8f7a9c3b5d1e0f'.repeat(64)} hunter2`]))).toEqual([
      'CONFIG_LINE_TOO_LONG',
    ]);
    expect(codes(textWith([comment, `${comment}${comment}`, `${comment}  `]))).toEqual([]);
  });

  it('says of port 0 that clients will not find it, and of none that is off by it', () => {
    expect(codes(textWith(['listening-port=0']))).toContain('CONFIG_VALUE_MISREAD');
    expect(codes(textWith(['alt-listening-port=0']))).toEqual([]);
  });

  it('adds up what several denied ranges leave', () => {
    const [low, high] = [
      'denied-peer-ip=1.0.0.0-127.255.255.255',
      'denied-peer-ip=128.0.0.0-239.255.255.255',
    ];
    expect(codes(textWith([low, high]))).toEqual(['DENIED_RANGES_COVER_ALL']);
    expect(codes(textWith([low]))).toEqual([]);
    expect(codes(textWith([low, high, 'allowed-peer-ip=198.51.100.9']))).toEqual([]);
  });

  it('says of an empty file that it is an open relay', () => {
    expect(codes('')).toContain('OPEN_RELAY_CONFIGURED');
  });

  it('goes by the order of the lines, with errors of the whole before and what is missing behind them', () => {
    const text = textWith(
      ['no-auth', 'fingerprin', 'max-bps=1k', 'verbose'],
      /^(?:no-tcp-relay|use-auth|static)/,
    );
    const lines = found(text).map(({ finding }) =>
      'column' in finding.evidence ? finding.evidence.line : null,
    );
    expect(lines).toEqual([16, 17, 18, 19, null]);
    expect(codes('verbose\n')[0]).toBe('OPEN_RELAY_CONFIGURED');
  });

  it('gives a place within the line that it shows', () => {
    const evidence = findingOf('realm=x\n  max-bps = 64k # a\n', 'CONFIG_INLINE_COMMENT').evidence;
    expect(evidence).toMatchObject({ line: 2, column: 13, endColumn: 20, text: '  max-bps = 64k # a' });
  });

  it('never throws, and keeps every place within its line, whatever the file holds', () => {
    const names = coturnOptions.map(({ name }) => name);
    const values = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '',
        '0',
        '::',
        '::-::1',
        '10.0.0.0/8',
        '10.0.0.0/99',
        '1.2.3.4-',
        '-',
        'a:b',
        '70000',
        '"',
        "'x'",
      ),
    );
    const line = fc.oneof(
      fc
        .tuple(fc.constantFrom(...names), fc.constantFrom('=', ' ', '\t', ''), values)
        .map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom(...knownVersions), (lines, version) => {
        for (const { finding } of lint(
          lintFacts(lines.join('\n'), versionFacts(version, { from: 'given' })),
        )) {
          const { evidence } = finding;
          if (!('column' in evidence)) throw new Error('no place');
          expect(evidence.column).toBeGreaterThanOrEqual(1);
          expect(evidence.endColumn).toBeGreaterThanOrEqual(evidence.column);
          expect(evidence.endColumn).toBeLessThanOrEqual(evidence.text.length + 1);
          for (const text of Object.values(configWordsOf(finding)).flat())
            expect(text).not.toMatch(/undefined|NaN/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('no secret is in a finding', () => {
  const secret = 'hunter2hunter2';
  it.each([
    `static-auth-secret=${secret}`,
    `static-auth-secret = "${secret}" # x`,
    `static-auth-secert=${secret}`,
    `static-auth-secret:${secret}`,
    `Static-Auth-Secret=${secret};`,
    `static-auth-secret='${secret}'`,
    `cli-passwd=${secret}`,
    `user=alice:${secret}`,
    `user alice:${secret};`,
    `user=${secret}`,
    `--user=alice:${secret}`,
    `psql-userdb="host=h user=u password=${secret}`,
    `redis-statsdb=password=${secret};`,
    `fingerprint\rstatic-auth-secret=${secret}\rrealm=x`,
    `realm=x static-auth-secret=${secret};`,
    `\ufeffstatic-auth-secret=${secret}`,
    `static-auth-secret=${secret}\0`,
  ])('%j', (line) => {
    const text = `${line}\n${line}\n`;
    expect(JSON.stringify(found(text).map(({ finding }) => [finding, configWordsOf(finding)]))).not.toContain(
      secret,
    );
  });
});

describe('notJudged', () => {
  it('says what was not looked at', () => {
    expect(notJudged(lintFacts(''))).toEqual([
      expect.stringContaining('--coturn-version'),
      expect.stringContaining('--here'),
    ]);
    const host = hostFactsWith({ service: null, files: { '/k': fileFacts(0o600, { error: 'EACCES' }) } });
    const reasons = notJudged(lintFacts('', { ...versionFacts('4.6.1', { from: 'given' }), host }));
    expect(reasons).toEqual([expect.stringContaining('No service'), expect.stringContaining('/k (EACCES)')]);
  });

  it('names a certificate whose path is relative', () => {
    const facts = lintFacts('cert=cert.pem\n', {
      ...versionFacts('4.6.1', { from: 'given' }),
      host: hostFactsWith(),
    });
    expect(notJudged(facts)).toEqual(['Not judged: the file of cert, whose path is relative.']);
  });

  it('is empty where everything was', () => {
    const facts = lintFacts('', { ...versionFacts('4.6.1', { from: 'given' }), host: hostFactsWith() });
    expect(notJudged(facts)).toEqual([]);
  });
});

describe('addresses of the machine', () => {
  it('count where the file names none', () => {
    const text = textWith([], relayHere);
    expect(codes(text, { host: hostFactsWith({ addresses: inside }) })).toEqual(['EXTERNAL_IP_MISSING']);
    expect(codes(text, { host: hostFactsWith() })).toEqual([]);
  });
});
