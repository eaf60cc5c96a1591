import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { optionOf } from '../../src/coturn/options.ts';
import {
  catalog,
  causesOf,
  cellWordOf,
  finding,
  findingCodes,
  headlineFor,
  sameSubject,
  wordsOf,
  type Finding,
  type FindingCode,
} from '../../src/model/finding.ts';

function example<C extends FindingCode>(code: C, overrides: object = {}): Finding {
  return finding(code, { ...catalog[code].example, ...overrides });
}

/** Where a step is done; what follows is typed or pasted as it stands. */
const places = [
  'in the application:',
  'on the server:',
  'here:',
  '/etc/turnserver.conf:',
  '/etc/turnserver.conf:12:',
  'from another network:',
  "on the peer's machine:",
];

/** A line of the configuration, wherever it belongs in it. */
const isConfigLine = ({ where }: Paste): boolean => where.startsWith('/etc/turnserver.conf:');

/** A line of JavaScript. */
const isCode = ({ where }: Paste): boolean => where === 'in the application:';

interface Paste {
  readonly code: FindingCode;
  readonly where: string;
  readonly text: string;
}

function pastesOf(code: FindingCode, overrides: object = {}): Paste[] {
  return wordsOf(example(code, overrides)).fix.flatMap((line) => {
    const [, where, text] = /^(\S.*?:) {2}(.+)$/.exec(line) ?? [];
    return where !== undefined && text !== undefined ? [{ code, where, text }] : [];
  });
}

describe.each(findingCodes)('%s', (code) => {
  const { fix, title, cause, proof } = wordsOf(example(code));
  const { explanation, references, confusedWith, severity } = catalog[code];
  const { otherExample }: { readonly otherExample?: object } = catalog[code];
  const others = otherExample === undefined ? [] : [wordsOf(finding(code, otherExample as never))];

  it('is told in whole words', () => {
    const told = others.flatMap((words) => [words.title, words.cause, words.proof, ...words.fix]);
    for (const text of [title, cause, proof, explanation, ...fix, ...confusedWith, ...told]) {
      expect(text).toMatch(/^\S.*\S$/);
      // Code has calls without arguments, and null where that is meant.
      if (!text.startsWith('in the application:'))
        expect(text).not.toMatch(/undefined|(?<!dev\/)null|NaN|\[object|\(\)|: \.|\.\./);
    }
    for (const text of [cause, proof, explanation]) expect(text).toMatch(/\.$/);
    expect(title).not.toMatch(/\.$/);
    for (const words of [{ title }, ...others]) expect(words.title.length).toBeLessThanOrEqual(76);
    expect(['error', 'warning', 'info']).toContain(severity);
  });

  it('has a fix, of sentences and of lines to paste', () => {
    expect(fix.length).toBeGreaterThan(0);
    for (const line of fix) {
      if (/ {2}/.test(line)) expect(places.some((place) => line.startsWith(`${place}  `))).toBe(true);
      expect(line.split('  ').length).toBeLessThanOrEqual(2);
    }
  });

  it('says what it is confused with, by codes that there are', () => {
    expect(confusedWith.length).toBeGreaterThan(0);
    // And why, not the code alone.
    for (const text of confusedWith) expect(text).toMatch(/^(?![A-Z_, ]+\.$).*[^.]\.$/);
    const told = [explanation, ...confusedWith].join('\n');
    const named = told.match(/\b[A-Z]{2,}(?:_[A-Z\d]+)+\b/g) ?? [];
    const ofOthers = ['CAP_NET_BIND_SERVICE', 'RLIMIT_NOFILE', 'SO_REUSEPORT'];
    expect(named.filter((each) => ![...findingCodes, ...ofOthers].includes(each))).toEqual([]);
    // What is not to be confused is another one.
    expect(confusedWith.join(' ')).not.toMatch(new RegExp(`\\b${code}\\b`));
  });

  it('says where it is written down', () => {
    if (code !== 'VANTAGE_TOO_CLOSE') expect(references.length).toBeGreaterThan(0);
    for (const reference of references)
      expect(reference).toMatch(
        /^(RFC \d+|ITU-T [A-Z]\.\d+|draft-\S+|coturn README\.turnserver|CVE-\d+-\d+|W3C [a-z-]+)( §\S+)?$/,
      );
  });

  it('writes IPv6 addresses as they belong', () => {
    const words = wordsOf(example(code, { host: '2001:db8::10', address: '2001:db8::10' }));
    for (const text of [words.title, words.cause, words.proof, ...words.fix]) {
      expect(text).not.toMatch(/(?<!\[)2001:db8::10:\d/);
    }
    expect(words.fix.join('\n')).not.toMatch(/-servername 2001|certbot \S+ \S+ -d 2001/);
  });
});

it.each(findingCodes)(
  '%s: what it does to a table and a headline is short, and it is no cause of itself',
  (code) => {
    const found = example(code);
    // `unreachable` is the longest; with its mark it fits two columns into 80.
    expect(cellWordOf(found)).toMatch(/^(\S.{0,9}\S)?$/);
    expect(headlineFor(found) ?? '').toMatch(/^(\S.{10,58}\w)?$/);
    expect(causesOf(code)).not.toContain(code);
  },
);

describe('the lines to paste', () => {
  const pastes = findingCodes.flatMap((code) => [
    ...pastesOf(code),
    ...pastesOf(code, { host: '203.0.113.10' }),
  ]);

  it('into a shell are what a shell reads', () => {
    const commands = pastes.filter((each) => !isConfigLine(each) && !isCode(each)).map(({ text }) => text);
    expect(commands.length).toBeGreaterThan(50);
    // A remark in brackets would be a syntax error.
    expect(() => execFileSync('sh', ['-n'], { input: commands.join('\n') })).not.toThrow();
    for (const command of commands) expect(command).not.toMatch(/…|\s{2}|<(?!\/dev\/null)/);
  });

  it('into turnserver.conf are one option each, with nothing behind it', () => {
    const lines = pastes.filter(isConfigLine);
    expect(lines.length).toBeGreaterThan(5);
    for (const { text } of lines) expect(text).toMatch(/^[a-z]+(-[a-z0-9]+)*(=\S+)?$/);
  });
});

describe('what is named in a fix', () => {
  it('are options that a coturn has', () => {
    const pastes = findingCodes.flatMap((code) => pastesOf(code));
    const patterns = pastes.flatMap(({ text }) => /^sudo grep -nE '\^\(([^)]+)\)'/.exec(text)?.[1] ?? []);
    const lines = pastes.filter(isConfigLine).map(({ text }) => text.replace(/=.*/, ''));
    const options = new Set([...patterns.flatMap((pattern) => pattern.split('|')), ...lines]);
    expect(options.size).toBeGreaterThan(40);
    expect([...options].filter((name) => optionOf(name) === undefined)).toEqual([]);
  });
});

describe('a finding', () => {
  const { example: evidence } = catalog.LOSS_HIGH;

  it('has the severity of its code, unless it is given another', () => {
    expect(finding('LOSS_HIGH', evidence)).toEqual({
      code: 'LOSS_HIGH',
      severity: 'error',
      evidence,
      subject: { kind: 'server', host: evidence.host, address: evidence.address },
      targets: [],
      causedBy: null,
    });
    const given = finding('LOSS_HIGH', evidence, {
      severity: 'warning',
      causedBy: 'SERVER_STOPPED',
      targets: ['a'],
    });
    expect(given).toMatchObject({ severity: 'warning', causedBy: 'SERVER_STOPPED', targets: ['a'] });
  });

  it('is about one server: a host at an address', () => {
    const at = (host: string, address: string): Finding => example('CALL_FAILED', { host, address });
    expect(sameSubject(at('a', '192.0.2.1'), example('LOSS_HIGH', { host: 'a', address: '192.0.2.1' }))).toBe(
      true,
    );
    expect(sameSubject(at('a', '192.0.2.1'), at('a', '192.0.2.2'))).toBe(false);
    expect(sameSubject(at('a', '192.0.2.1'), at('b', '192.0.2.1'))).toBe(false);
  });
});

describe('figures', () => {
  it.each<[FindingCode, number, number, string]>([
    ['LOSS_HIGH', 0.052, 0.03, '5.2 % did not arrive; the limit is 3 %'],
    ['LOSS_HIGH', 0.5, 0.03, '50 % did not arrive; the limit is 3 %'],
    // As many digits as it takes to see that the limit was missed.
    ['LOSS_HIGH', 0.0302, 0.03, '3.02 % did not arrive; the limit is 3 %'],
    ['JITTER_HIGH', 64.24, 50, 'jitter 64 ms, the limit is 50 ms'],
    ['JITTER_HIGH', 50.02, 50, 'jitter 50.02 ms, the limit is 50 ms'],
    ['RTT_HIGH', 412.4, 300, 'takes 412 ms; the limit is 300 ms'],
    ['MOS_LOW', 3.1, 3.6, 'MOS 3.1, the limit is 3.6'],
    ['MOS_LOW', 3.58, 3.6, 'MOS 3.58, the limit is 3.60'],
  ])('%s: %d, limit %d', (code, measured, limit, text) => {
    expect(wordsOf(example(code, { measured, limit })).cause).toContain(text);
  });
});

describe('words that depend on what was seen', () => {
  it.each<[FindingCode, object, RegExp]>([
    ['TLS_CERT_EXPIRES_SOON', { daysLeft: 0, hoursLeft: 23 }, /ends in 23 hours$/],
    ['TLS_CERT_EXPIRES_SOON', { daysLeft: 0, hoursLeft: 1 }, /ends in 1 hour$/],
    ['TLS_CERT_EXPIRES_SOON', { daysLeft: 0, hoursLeft: 0 }, /ends in less than an hour$/],
    ['TLS_CERT_EXPIRES_SOON', { daysLeft: 1 }, /ends in 1 day(?!s)/],
    [
      'RELAY_ADDRESS_PRIVATE',
      { scope: 'a loopback address', relayedAddress: '127.0.0.1' },
      /is a loopback address/,
    ],
    ['ALLOCATION_REFUSED', { code: 699, name: '' }, /refuses the allocation: 699$/],
    ['ALLOCATION_REFUSED', { code: 0, name: '' }, /refuses the allocation: an error without a code$/],
    ['NOT_A_TURN_SERVER', { kind: 'STUN' }, /is no STUN server$/],
    ['CREDENTIAL_SECRET_MISMATCH', { derived: false }, /refuses this username and password$/],
  ])('%s %j: title', (code, overrides, title) => {
    expect(wordsOf(example(code, overrides)).title).toMatch(title);
  });

  it.each<[FindingCode, object, string]>([
    [
      'RELAY_ADDRESS_PRIVATE',
      { relayedAddress: '10.0.0.5', publicAddress: '203.0.113.10' },
      '/etc/turnserver.conf:  external-ip=203.0.113.10/10.0.0.5',
    ],
    [
      'RELAY_ADDRESS_PRIVATE',
      { relayedAddress: 'fd00::5', publicAddress: '2001:db8::10' },
      '/etc/turnserver.conf:  external-ip=2001:db8::10/fd00::5',
    ],
    [
      'RELAY_ADDRESS_PRIVATE',
      { relayedAddress: '10.0.0.5', publicAddress: null },
      '/etc/turnserver.conf:  external-ip=PUBLIC-ADDRESS/10.0.0.5',
    ],
    ['RELAY_ADDRESS_MISMATCH', { from: '203.0.113.12' }, '/etc/turnserver.conf:  external-ip=203.0.113.12'],
    // A second daemon on the port can be the open one.
    ['ANONYMOUS_RELAY', { port: 3479 }, "on the server:  sudo ss -lnup 'sport = :3479'"],
    ['UDP_BLOCKED', { port: 3479 }, 'on the server:  sudo ufw allow 3479/udp'],
    // TLS is TCP to a packet filter.
    ['PORT_BLOCKED', { transport: 'tls', port: 443 }, 'on the server:  sudo ufw allow 443/tcp'],
    [
      'TLS_CERT_EXPIRED',
      { host: '203.0.113.10' },
      'here:  openssl s_client -connect 203.0.113.10:5349 -noservername </dev/null | openssl x509 -noout -dates',
    ],
    [
      'ALTERNATE_UNREACHABLE',
      { transport: 'tcp' },
      "here:  rtc-ops probe 'turn:203.0.113.11:3478?transport=tcp'",
    ],
    ['LOSS_HIGH', { transport: 'tls', port: 443 }, 'here:  mtr --report --tcp --port 443 203.0.113.10'],
    [
      'RELAY_PORTS_BLOCKED',
      { relayed: '[2001:db8::10]:49152' },
      'on the server:  sudo ufw allow 49152:65535/udp',
    ],
    // Outside of the default range there is a line in the configuration, and its range is not known.
    ['RELAY_PORTS_BLOCKED', { relayed: '203.0.113.10:49151' }, 'on the server:  sudo ufw allow MIN:MAX/udp'],
    [
      'RELAY_PORTS_STATEFUL_ONLY',
      { relayed: '[2001:db8::10]:20001' },
      'on the server:  sudo ufw allow MIN:MAX/udp',
    ],
    [
      'RELAY_PORTS_PARTLY_BLOCKED',
      { silent: [50000], answering: [20000] },
      'on the server:  sudo ufw allow MIN:MAX/udp',
    ],
  ])('%s %j: fix', (code, overrides, line) => {
    expect(wordsOf(example(code, overrides)).fix).toContain(line);
  });

  it('a loopback or unspecified relay address is no case for external-ip', () => {
    for (const relayedAddress of ['127.0.0.1', '0.0.0.0', '224.0.0.1']) {
      const { fix } = wordsOf(example('RELAY_ADDRESS_PRIVATE', { relayedAddress }));
      expect(fix.join('\n')).not.toMatch(/external-ip=\S/);
    }
  });
});
