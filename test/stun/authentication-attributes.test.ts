import { describe, expect, it } from 'vitest';
import {
  messageIntegritySha256,
  nonce,
  passwordAlgorithm,
  passwordAlgorithms,
  realm,
  securityFeaturesOf,
  username,
} from '../../src/stun/authentication-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const transactionId = new Uint8Array(12);

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('texts', () => {
  it('a username is sent as it stands in the key (RFC 8489 §14.3)', () => {
    expect([...username.encode('e\u0301\u3000', transactionId)]).toEqual([0xc3, 0xa9, 0x20]);
  });

  it('realm and nonce go back byte for byte', () => {
    const raw = Buffer.from('\ufeffre\u0301alm\u00a0"x"');
    for (const codec of [realm, nonce]) {
      expect([...codec.encode(codec.decode(raw, transactionId), transactionId)]).toEqual([...raw]);
    }
  });

  it('what is not UTF-8 is refused: it could not go back as it came', () => {
    for (const codec of [username, realm, nonce]) {
      expect(decodeErrorOf(() => codec.decode(bytes('61ff62'), transactionId))?.reason).toBe(
        'attribute-value',
      );
    }
  });

  it.each([
    ['USERNAME', username, 508],
    ['REALM', realm, 763],
    ['NONCE', nonce, 763],
  ] as const)('%s has its limit in bytes, not characters', (name, codec, longest) => {
    expect(codec.encode('a'.repeat(longest), transactionId)).toHaveLength(longest);
    expect(() => codec.encode(`${'a'.repeat(longest - 1)}é`, transactionId)).toThrow(
      new RangeError(`${name} has at most ${longest} bytes, not ${longest + 1}`),
    );
  });
});

describe('PASSWORD-ALGORITHMS', () => {
  it('pads the parameters of each', () => {
    const value = [
      { number: 2, parameters: new Uint8Array() },
      { number: 0x8001, parameters: Uint8Array.of(1, 2, 3, 4, 5) },
      { number: 1, parameters: new Uint8Array() },
    ];
    const encoded = passwordAlgorithms.encode(value, transactionId);
    expect(Buffer.from(encoded).toString('hex')).toBe('0002000080010005010203040500000000010000');
  });

  it('reads a last one whose padding is that of the attribute', () => {
    const value = passwordAlgorithms.decode(bytes('0002 0000 8001 0001 ff'), transactionId);
    expect(value.map(({ number }) => number)).toEqual([2, 0x8001]);
    expect(value.map(({ parameters }) => [...parameters])).toEqual([[], [0xff]]);
  });

  it.each([
    ['0002 00', 0],
    ['0002 0000 0001', 4],
    ['0002 0001', 2],
    ['0001 0000 0002 0005 01020304', 6],
  ])('refuses %s', (hex, offset) => {
    expect(decodeErrorOf(() => passwordAlgorithms.decode(bytes(hex), transactionId))).toMatchObject({
      reason: 'attribute-value',
      offset,
    });
  });
});

describe('PASSWORD-ALGORITHM', () => {
  it.each(['', '0002', '0002 0000 0001 0000', '0002 0004 010203'])('refuses %j', (hex) => {
    expect(decodeErrorOf(() => passwordAlgorithm.decode(bytes(hex), transactionId))?.reason).toBe(
      'attribute-value',
    );
  });
});

describe('MESSAGE-INTEGRITY-SHA256', () => {
  it.each([16, 20, 24, 28, 32])('may have %i bytes', (length) => {
    expect(messageIntegritySha256.decode(new Uint8Array(length), transactionId)).toHaveLength(length);
  });

  it.each([0, 12, 15, 17, 30, 33, 36])('has never %i bytes', (length) => {
    const decode = () => messageIntegritySha256.decode(new Uint8Array(length), transactionId);
    expect(decodeErrorOf(decode)?.reason).toBe('attribute-value');
  });
});

describe('securityFeaturesOf', () => {
  it.each([
    ['obMatJos2AAAAxyz', false, false],
    ['obMatJos2AAABxyz', true, false],
    ['obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA', false, true],
    ['obMatJos2AAAD', true, true],
    ['obMatJos2///8', false, false],
  ])('%s', (value, algorithms, anonymity) => {
    expect(securityFeaturesOf(value)).toEqual({
      passwordAlgorithms: algorithms,
      usernameAnonymity: anonymity,
    });
  });

  it.each(['', 'f//499k954d6OL34oL9FSTvy64sA', 'obMatJos2AAA', 'obMatJos2AA=A', 'xobMatJos2AAAB'])(
    '%j is the nonce of an older server',
    (value) => {
      expect(securityFeaturesOf(value)).toBeNull();
    },
  );
});
