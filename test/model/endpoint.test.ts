import { describe, expect, it } from 'vitest';
import {
  addressIn,
  bracketed,
  familyOf,
  formatEndpoint,
  inNetwork,
  sameAddress,
  sameEndpoint,
  scopeOf,
} from '../../src/model/endpoint.ts';

describe('scopeOf', () => {
  it.each([
    ['203.0.113.10', 'global'],
    ['192.0.2.1', 'global'],
    ['8.8.8.8', 'global'],
    ['192.88.99.1', 'global'],
    ['2001:db8::1', 'global'],
    ['2600::1', 'global'],
    ['64:ff9b::808:808', 'global'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'global'],
    ['192.168.255.255', 'private'],
    ['fd00::1', 'private'],
    ['fec0::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['100.64.0.1', 'cgnat'],
    ['100.127.255.255', 'cgnat'],
    ['100.128.0.1', 'global'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['198.18.0.1', 'reserved'],
    ['198.20.0.1', 'global'],
    ['240.0.0.1', 'reserved'],
    ['100::1', 'reserved'],
  ])('%s is %s', (address, scope) => {
    expect(scopeOf(address)).toBe(scope);
  });
});

describe('addresses', () => {
  it.each([
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['2001:DB8::1', '2001:db8:0::1', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.10', false],
    ['::1', '127.0.0.1', false],
    // An mDNS candidate hides its address.
    ['5f7f0c4e.local', '5f7f0c4e.local', true],
    ['5f7f0c4e.local', '192.0.2.1', false],
  ])('%s and %s are the same: %s', (a, b, same) => {
    expect(sameAddress(a, b)).toBe(same);
    expect(sameAddress(b, a)).toBe(same);
  });

  it('have a family', () => {
    expect([familyOf('192.0.2.1'), familyOf('2001:db8::1'), familyOf('::ffff:192.0.2.1')]).toEqual([4, 6, 6]);
  });

  it('lie in a network of their family', () => {
    expect(inNetwork('192.0.2.77', '192.0.2.1', 24)).toBe(true);
    expect(inNetwork('192.0.3.77', '192.0.2.1', 24)).toBe(false);
    expect(inNetwork('192.0.2.2', '192.0.2.1', 32)).toBe(false);
    expect(inNetwork('2001:db8::2', '2001:db8::1', 64)).toBe(true);
    expect(inNetwork('::1', '127.0.0.1', 8)).toBe(false);
    expect(inNetwork('::ffff:192.0.2.77', '192.0.2.1', 24)).toBe(true);
  });
});

describe('endpoints', () => {
  it('are written with IPv6 in brackets', () => {
    expect(formatEndpoint({ address: '192.0.2.1', port: 3478 })).toBe('192.0.2.1:3478');
    expect(formatEndpoint({ address: '2001:db8::1', port: 3478 })).toBe('[2001:db8::1]:3478');
    expect(bracketed('turn.example.com')).toBe('turn.example.com');
  });

  it('are the same with the same port alone', () => {
    const a = { address: '::1', port: 1 };
    expect(sameEndpoint(a, { address: '0::1', port: 1 })).toBe(true);
    expect(sameEndpoint(a, { address: '::1', port: 2 })).toBe(false);
  });
});

describe('addressIn', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:3478', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]:3478', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['turn.example.org:3478', null],
    ['', null],
    ['7', null],
  ])('%j: %j', (text, address) => {
    expect(addressIn(text)).toBe(address);
  });
});
