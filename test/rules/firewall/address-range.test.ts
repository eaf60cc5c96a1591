import { describe, expect, it } from 'vitest';
import { addressRange, holds, shareOfInternet } from '../../../src/rules/firewall/address-range.ts';

function share(family: 4 | 6, ...texts: readonly string[]): number {
  return shareOfInternet(
    texts.map(addressRange).filter((each) => each !== null),
    family,
  );
}

describe('addressRange', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.9/24', '192.0.2.255', true],
    ['192.0.2.1-192.0.2.9', '192.0.2.9', true],
    ['192.0.2.1-192.0.2.9', '192.0.2.10', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['0.0.0.0/0', '2001:db8::1', false],
  ])('%s holds %s: %s', (text, address, expected) => {
    const range = addressRange(text);
    expect(range !== null && holds(range, address)).toBe(expected);
  });

  it('is null for what is no address', () => {
    expect(addressRange('@set')).toBeNull();
    expect(addressRange('eth0-eth1')).toBeNull();
  });
});

describe('shareOfInternet', () => {
  it('adds up, counts what overlaps once, and knows the whole', () => {
    expect(share(4, '0.0.0.0/0')).toBe(1);
    expect(share(4, '0.0.0.0/1', '128.0.0.0/1')).toBe(1);
    expect(share(4, '0.0.0.0/1', '64.0.0.0/2')).toBe(0.5);
    expect(share(4, '10.0.0.0/8')).toBeCloseTo(1 / 256, 5);
    expect(share(6, '2000::/3')).toBe(1);
    expect(share(6, '::/0')).toBe(1);
    expect(share(6, 'fc00::/7')).toBe(0);
    expect(share(4, '2000::/3')).toBe(0);
  });
});
