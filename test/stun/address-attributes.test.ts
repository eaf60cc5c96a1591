import { describe, expect, it } from 'vitest';
import { mappedAddress, xorMappedAddress } from '../../src/stun/address-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const transactionId = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('an address on the wire', () => {
  // The two of RFC 5769 §2.2 and §2.3.
  it.each([
    ['192.0.2.1', '00018055c0000201', '0001a147e112a643'],
    [
      '2001:db8:1234:5678:11:2233:4455:6677',
      '0002805520010db8123456780011223344556677',
      '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
    ],
  ])('%s', (address, plain, xored) => {
    const endpoint = { address, port: 32853 };
    expect(hexOf(mappedAddress.encode(endpoint, transactionId))).toBe(plain);
    expect(hexOf(xorMappedAddress.encode(endpoint, transactionId))).toBe(xored);
    expect(mappedAddress.decode(Buffer.from(plain, 'hex'), transactionId)).toEqual(endpoint);
    expect(xorMappedAddress.decode(Buffer.from(xored, 'hex'), transactionId)).toEqual(endpoint);
  });

  it('ignores the first byte (RFC 8489 §14.1)', () => {
    const value = Buffer.from('ff018055c0000201', 'hex');
    expect(mappedAddress.decode(value, transactionId)).toEqual({ address: '192.0.2.1', port: 32853 });
  });

  it('leaves the received bytes alone', () => {
    const value = Buffer.from('0001a147e112a643', 'hex');
    xorMappedAddress.decode(value, transactionId);
    expect(hexOf(value)).toBe('0001a147e112a643');
  });

  it.each([
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    // A zone means something on one machine only; the wire has no place for it.
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s comes back as %s, as RFC 5952 writes it', (address, expected) => {
    const value = xorMappedAddress.encode({ address, port: 1 }, transactionId);
    expect(value).toHaveLength(20);
    expect(xorMappedAddress.decode(value, transactionId).address).toBe(expected);
  });

  it.each(['example.org', '', '192.0.2', '192.0.2.256', '[::1]', '192.0.2.1:80'])(
    'refuses to encode %j',
    (address) => {
      expect(() => mappedAddress.encode({ address, port: 1 }, transactionId)).toThrow(RangeError);
    },
  );

  it.each([-1, 65536, 1.5, Number.NaN])('refuses to encode port %d', (port) => {
    expect(() => mappedAddress.encode({ address: '192.0.2.1', port }, transactionId)).toThrow(RangeError);
  });

  it.each([
    ['', 0],
    ['000180', 0],
    ['00018055', 0],
    ['00018055c00002', 0],
    ['00018055c000020100', 0],
    ['00028055c0000201', 0],
    ['00038055c0000201', 1],
    ['00008055c0000201', 1],
  ])('refuses to decode %j', (hex, offset) => {
    const failure = decodeErrorOf(() => mappedAddress.decode(Buffer.from(hex, 'hex'), transactionId));
    expect(failure).toMatchObject({ reason: 'attribute-value', offset });
  });
});
