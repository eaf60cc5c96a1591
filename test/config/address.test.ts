import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import {
  covers,
  overlaps,
  parseAddressPair,
  networkTexts,
  parseNetwork,
  type Network,
} from '../../src/config/address.ts';

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new Error(`${text} is no network`);
  return network;
}

describe('parseAddressPair', () => {
  it('takes one address for both sides', () => {
    expect(parseAddressPair('203.0.113.1')).toEqual({ public: '203.0.113.1', private: '203.0.113.1' });
  });

  it('takes the outside first', () => {
    expect(parseAddressPair('203.0.113.1/10.0.0.1')).toEqual({ public: '203.0.113.1', private: '10.0.0.1' });
    expect(parseAddressPair('2001:DB8:0::1/fd00::1')).toEqual({ public: '2001:db8::1', private: 'fd00::1' });
  });

  it.each(['', 'x', '1.2.3', '1.2.3.4/', '1.2.3.4/5', '1.2.3.4/::1', '1.2.3.4/1.2.3.4/1.2.3.4', '01.2.3.4'])(
    'refuses %j',
    (text) => {
      expect(parseAddressPair(text)).toBeNull();
    },
  );
});

describe('parseNetwork', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0', '10.255.255.255'],
    ['172.16.0.0/12', '172.16.0.0', '172.31.255.255'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7', '192.0.2.7'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['fe80::/10', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db8::/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'],
    ['::1', '::1', '::1'],
    ['::10.0.0.1', '::a00:1', '::a00:1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1', '::ffff:a00:1'],
    ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:200', '64:ff9b::c000:2ff'],
  ])('%s is %s to %s', (text, first, last) => {
    expect(parseNetwork(text)).toMatchObject({ first, last });
  });

  it.each([
    '',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/x',
    '::/129',
    'fe80::1/10',
    '10.0.0.0-10.0.0.9',
  ])('refuses %j', (text) => {
    expect(parseNetwork(text)).toBeNull();
  });

  it('has exactly the addresses that match the prefix', () => {
    const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 0, max: 32 }), (base, other, length) => {
        const start = ipaddr.IPv4.networkAddressFromCIDR(`${base.join('.')}/${length}`).toString();
        const network = networkOf(`${start}/${length}`);
        const inside = ipaddr.IPv4.parse(other.join('.')).match(ipaddr.IPv4.parse(start), length);
        expect(covers(network, networkOf(other.join('.')))).toBe(inside);
      }),
    );
  });
});

describe('two networks', () => {
  it('overlap when one lies in the other, and not when they are neighbours or of different families', () => {
    expect(overlaps(networkOf('10.0.0.0/8'), networkOf('10.1.0.0/16'))).toBe(true);
    expect(overlaps(networkOf('10.1.0.0/16'), networkOf('10.0.0.0/8'))).toBe(true);
    expect(overlaps(networkOf('10.0.0.0/9'), networkOf('10.128.0.0/9'))).toBe(false);
    expect(overlaps(networkOf('0.0.0.0/0'), networkOf('::/0'))).toBe(false);
  });

  it('cover each other one way only', () => {
    expect(covers(networkOf('fc00::/7'), networkOf('fd00::1'))).toBe(true);
    expect(covers(networkOf('fd00::1'), networkOf('fc00::/7'))).toBe(false);
  });
});

describe('networkTexts', () => {
  it.each([
    ['10.0.0.0', '10.255.255.255', ['10.0.0.0/8']],
    ['0.0.0.0', '255.255.255.255', ['0.0.0.0/0']],
    ['10.0.0.1', '10.0.0.1', ['10.0.0.1']],
    ['10.0.0.1', '10.0.0.6', ['10.0.0.1', '10.0.0.2/31', '10.0.0.4/31', '10.0.0.6']],
    ['fd00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['fd00::/8']],
    ['2001:db8::', '2001:db8::2', ['2001:db8::/127', '2001:db8::2']],
  ])('%s to %s', (first, last, texts) => {
    expect(networkTexts({ family: first.includes(':') ? 6 : 4, first, last })).toEqual(texts);
  });
});
