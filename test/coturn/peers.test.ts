import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { peerDirectives } from '../../src/coturn/peers.ts';
import type { CoturnVersion } from '../../src/coturn/versions.ts';

function lines(peers = '{}', relayed: readonly string[] = [], version: CoturnVersion = '4.6.1'): string[] {
  const yaml = `realm: r\nauth: { secret: { env: S } }\npeers: ${peers}`;
  return peerDirectives(parseConfig(yaml, 'rtc-ops.yaml'), relayed, version).map(({ name, value }) =>
    value === true ? name : `${name}=${String(value)}`,
  );
}

type Range = readonly [number[], number[]];

function rangesOf(directives: readonly string[]): Range[] {
  return directives
    .filter((line) => line.startsWith('denied-peer-ip='))
    .map((line): Range => {
      const [first = '', last = first] = line.replace('denied-peer-ip=', '').split('-');
      return [ipaddr.parse(first).toByteArray(), ipaddr.parse(last).toByteArray()];
    });
}

const denied = rangesOf(lines());

/** ioa_addr_in_range() of coturn before 4.16: IPv6 is compared byte by byte. */
function isDeniedBefore416(address: string, ranges = denied): boolean {
  const bytes = ipaddr.parse(address).toByteArray();
  const number = (each: number[]): number => each.reduce((sum, byte) => sum * 256 + byte, 0);
  return ranges.some(([first, last]) => {
    if (first.length !== bytes.length) return false;
    if (bytes.length === 4) return number(first) <= number(bytes) && number(bytes) <= number(last);
    return bytes.every((byte, index) => (first[index] ?? 0) <= byte && byte <= (last[index] ?? 0));
  });
}

/** `a00:1` for 10.0.0.1; in dotted form ipaddr.js takes it for an IPv4-mapped address. */
function hex([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

describe('peerDirectives', () => {
  it.each([
    '10.1.2.3',
    '100.100.100.200',
    '127.0.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::a00:1',
    '::a00:0',
    '::a01:0',
    '::a00:100',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '2001:0:1::1',
    '2002:a00:1::1',
    'fd00:ec2::254',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
  ])('denies %s', (address) => {
    expect(isDeniedBefore416(address)).toBe(true);
  });

  it.each(['8.8.8.8', '100.128.0.1', '172.32.0.1', '203.0.113.5', '2001:db8::1', '2606:4700::1', '2a00::1'])(
    'leaves %s alone',
    (address) => {
      expect(isDeniedBefore416(address)).toBe(false);
    },
  );

  it('denies every IPv4-compatible address, by the way that coturn compares', () => {
    const bytes = fc.array(fc.constantFrom(0, 0, 1, 127, 255), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(
        bytes.filter((each) => each.some((byte) => byte > 0)),
        (four) => {
          expect(isDeniedBefore416(`::${hex(four)}`)).toBe(true);
        },
      ),
    );
  });

  it('begins no range with zeros, which coturn takes for everything', () => {
    for (const [first] of denied) expect(first.some((byte) => byte > 0)).toBe(true);
  });

  it('writes exceptions and more denials as first-last', () => {
    const written = lines('{ allow: [10.1.0.0/16, 10.9.9.9], deny: [198.51.100.0/24] }');
    expect(written).toContain('allowed-peer-ip=10.1.0.0-10.1.255.255');
    expect(written).toContain('allowed-peer-ip=10.9.9.9');
    expect(written).toContain('denied-peer-ip=198.51.100.0-198.51.100.255');
    expect(written.filter((line) => line.includes('/'))).toEqual([]);
  });

  it('opens loopback only when it is asked for', () => {
    expect(lines()).not.toContain('allow-loopback-peers');
    expect(lines('{ allow: [127.0.0.2] }')).toContain('allow-loopback-peers');
    expect(lines('{ allow: ["::1"] }')).toContain('allow-loopback-peers');
  });

  it('lets users of a relay with a private address reach each other', () => {
    const allowed = lines('{}', ['192.168.1.10', '203.0.113.1', '127.0.0.1']).filter((line) =>
      line.startsWith('allow'),
    );
    expect(allowed).toEqual(['allowed-peer-ip=192.168.1.10']);
  });

  it('denies all but those that are named', () => {
    const all = lines('{ only: [203.0.113.7, 10.0.0.0/24, "2001:db8::7"] }', ['10.0.0.9']);
    expect(all.filter((line) => line.startsWith('allowed-peer-ip='))).toEqual([
      'allowed-peer-ip=203.0.113.7',
      'allowed-peer-ip=10.0.0.0-10.0.0.255',
      'allowed-peer-ip=2001:db8::7',
    ]);
    const ranges = rangesOf(all);
    for (const address of ['8.8.8.8', '1.0.0.0', '2001:db8::1', '2a00::', '2606:4700::', '3fff::1', '::1']) {
      expect([address, isDeniedBefore416(address, ranges)]).toEqual([address, true]);
    }
  });

  it('refuses an exception that the version cannot make', () => {
    expect(lines('{ allow: [169.254.1.1, "fd00::/8"] }', [], '4.13.0')).toContain(
      'allowed-peer-ip=169.254.1.1',
    );
    expect(() => lines('{ allow: ["fd00::/8"] }', [], '4.13.1')).toThrow(
      'coturn 4.13.1 never relays to fc00::-fdff:ffff:',
    );
  });
});
