import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { put, putRaw, read, sealType, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { username } from '../../src/stun/authentication-attributes.ts';
import { fingerprintOf } from '../../src/stun/checksum.ts';
import {
  longTermKey,
  shortTermKey,
  userhashOf,
  verifyFingerprint,
  verifyIntegrity,
  verifyMessageIntegrity,
  verifyMessageIntegritySha256,
} from '../../src/stun/integrity.ts';
import { decodeMessage, encodeMessage, method, type StunMessage } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';

const key = longTermKey('user', 'realm', 'pass');
const attributes = [put(username, 'user'), put(lifetime, 600)];
const base = { class: 'request', method: method.refresh, attributes } as const;

/** The message with another length field and more bytes behind it, as a sender that adds an attribute would leave it. */
function append(bytes: Uint8Array, ...more: EncodableAttribute[]): Uint8Array {
  const tail = encodeMessage({ ...base, attributes: more }).subarray(20);
  const longer = Buffer.concat([bytes, tail]);
  longer.writeUInt16BE(longer.length - 20, 2);
  return longer;
}

/** HMAC-SHA256 over the message as if it ended `length` bytes after the header of the attribute. */
function truncatedSha256(length: number): StunMessage {
  const covered = Buffer.from(encodeMessage(base));
  covered.writeUInt16BE(covered.length - 20 + 4 + length, 2);
  const hmac = createHmac('sha256', key).update(covered).digest().subarray(0, length);
  return decodeMessage(append(covered, putRaw(sealType.messageIntegritySha256, hmac)));
}

describe('keys', () => {
  it('long-term: the example of RFC 8489 §9.2.2', () => {
    expect(Buffer.from(key).toString('hex')).toBe('8493fbc53ba582fb4c044c456bdc40eb');
  });

  it('long-term with SHA-256: RFC 8489 §18.5.1.2', () => {
    const expected = createHash('sha256').update('user:realm:pass').digest();
    expect(longTermKey('user', 'realm', 'pass', 'sha256')).toEqual(expected);
  });

  it('prepares each part, so that two spellings of one password give one key', () => {
    const composed = longTermKey('\u00e9', 'r\u00e9alm', 'p\u00e4ss word');
    expect(longTermKey('e\u0301', 're\u0301alm', 'pa\u0308ss\u00a0word')).toEqual(composed);
    expect(userhashOf('e\u0301', 're\u0301alm')).toEqual(userhashOf('\u00e9', 'r\u00e9alm'));
    expect(shortTermKey('pa\u0308ss')).toEqual(shortTermKey('p\u00e4ss'));
  });

  it('short-term: the bytes of the password', () => {
    expect([...shortTermKey('aé')]).toEqual([0x61, 0xc3, 0xa9]);
  });
});

describe('what we encode', () => {
  it.each(['sha1', 'sha256'] as const)('%s, with a fingerprint', (algorithm) => {
    const message = decodeMessage(
      encodeMessage({ ...base, integrity: { key, algorithm }, fingerprint: true }),
    );
    expect(verifyIntegrity(message, key)).toBe('valid');
    expect(verifyIntegrity(message, longTermKey('user', 'realm', 'Pass'))).toBe('invalid');
    expect(verifyFingerprint(message)).toBe('valid');
    expect(verifyMessageIntegrity(message, key)).toBe(algorithm === 'sha1' ? 'valid' : 'absent');
    expect(verifyMessageIntegritySha256(message, key)).toBe(algorithm === 'sha256' ? 'valid' : 'absent');
    expect(read(message, lifetime)).toBe(600);
  });

  it('is SHA-1 unless said otherwise', () => {
    const message = decodeMessage(encodeMessage({ ...base, integrity: { key } }));
    expect(message.attributes.map(({ type }) => type)).toEqual([0x0006, 0x000d, 0x0008]);
  });

  it('both, in the order of RFC 8489 §14.5', () => {
    const bytes = encodeMessage({ ...base, integrity: { key, algorithm: 'both' }, fingerprint: true });
    const message = decodeMessage(bytes);
    expect(message.attributes.map(({ type }) => type)).toEqual([0x0006, 0x000d, 0x0008, 0x001c, 0x8028]);
    expect(verifyMessageIntegrity(message, key)).toBe('valid');
    expect(verifyMessageIntegritySha256(message, key)).toBe('valid');
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it('neither', () => {
    const message = decodeMessage(encodeMessage(base));
    expect(verifyIntegrity(message, key)).toBe('absent');
    expect(verifyFingerprint(message)).toBe('absent');
  });
});

describe('verifyIntegrity', () => {
  it('holds when attributes were added behind', () => {
    const bytes = append(encodeMessage({ ...base, integrity: { key } }), put(lifetime, 1));
    expect(verifyIntegrity(decodeMessage(bytes), key)).toBe('valid');
  });

  it('does not change the received bytes', () => {
    const bytes = encodeMessage({ ...base, integrity: { key }, fingerprint: true });
    const before = Buffer.from(bytes).toString('hex');
    verifyIntegrity(decodeMessage(bytes), key);
    expect(Buffer.from(bytes).toString('hex')).toBe(before);
  });

  it('covers the padding, too', () => {
    const bytes = encodeMessage({ ...base, attributes: [put(username, 'user!')], integrity: { key } });
    const changed = Uint8Array.from(bytes);
    changed[29] = 0x20;
    expect(read(decodeMessage(changed), username)).toBe('user!');
    expect(verifyIntegrity(decodeMessage(changed), key)).toBe('invalid');
  });

  it('judges the SHA-256 where both stand', () => {
    const bytes = encodeMessage({ ...base, integrity: { key, algorithm: 'both' } });
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    const message = decodeMessage(bytes);
    expect(verifyMessageIntegrity(message, key)).toBe('valid');
    expect(verifyIntegrity(message, key)).toBe('invalid');
  });

  it.each([0, 4, 16, 19, 21, 24])('refuses a MESSAGE-INTEGRITY of %i bytes', (length) => {
    const covered = Buffer.from(encodeMessage(base));
    covered.writeUInt16BE(covered.length - 20 + 4 + length, 2);
    const hmac = createHmac('sha1', key).update(covered).digest();
    const value = Buffer.concat([hmac, Buffer.alloc(8)]).subarray(0, length);
    const message = decodeMessage(append(covered, putRaw(sealType.messageIntegrity, value)));
    expect(verifyIntegrity(message, key)).toBe('invalid');
  });
});

describe('a MESSAGE-INTEGRITY-SHA256 that was cut', () => {
  it.each([16, 20, 24, 28] as const)('to %i bytes is refused unless allowed', (length) => {
    const message = truncatedSha256(length);
    expect(verifyIntegrity(message, key)).toBe('invalid');
    expect(verifyMessageIntegritySha256(message, key)).toBe('invalid');
    expect(verifyMessageIntegritySha256(message, key, length)).toBe('valid');
    expect(verifyMessageIntegritySha256(message, key, 32)).toBe('invalid');
    expect(verifyMessageIntegritySha256(message, longTermKey('user', 'realm', 'wrong'), 16)).toBe('invalid');
  });

  it('not at all is taken', () => {
    expect(verifyIntegrity(truncatedSha256(32), key)).toBe('valid');
  });

  it.each([0, 4, 12, 15, 17, 18, 19, 30, 31])('to %i bytes is never right', (length) => {
    expect(verifyMessageIntegritySha256(truncatedSha256(length), key, 16)).toBe('invalid');
  });

  it('and made longer is never right', () => {
    const covered = Buffer.from(encodeMessage(base));
    covered.writeUInt16BE(covered.length - 20 + 4 + 36, 2);
    const hmac = Buffer.concat([createHmac('sha256', key).update(covered).digest(), Buffer.alloc(4)]);
    const message = decodeMessage(append(covered, putRaw(sealType.messageIntegritySha256, hmac)));
    expect(verifyMessageIntegritySha256(message, key, 16)).toBe('invalid');
  });
});

describe('verifyFingerprint', () => {
  const bytes = encodeMessage({ ...base, fingerprint: true });

  it('is the CRC-32 of RFC 8489 §14.7', () => {
    expect(verifyFingerprint(decodeMessage(bytes))).toBe('valid');
    for (let index = 8; index < bytes.length; index++) {
      const changed = Uint8Array.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 0x10;
      let state: string;
      try {
        state = verifyFingerprint(decodeMessage(changed));
      } catch {
        state = 'malformed';
      }
      expect(state, `byte ${index}`).not.toBe('valid');
    }
  });

  // With the right CRC over everything before it, so that nothing but its place and its size is wrong.
  it.each([
    ['last and of 4 bytes', 4, 0, 'valid'],
    ['of 8 bytes', 8, 0, 'invalid'],
    ['of 3 bytes', 3, 0, 'invalid'],
    ['not last', 4, 1, 'invalid'],
  ])('%s (%i bytes, %i attributes behind it): %s', (_, size, behind, expected) => {
    const bare = encodeMessage(base);
    const more = Array.from({ length: behind }, () => put(lifetime, 1));
    const longer = append(bare, putRaw(sealType.fingerprint, new Uint8Array(size)), ...more);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(fingerprintOf(longer, bare.length));
    longer.set(crc.subarray(0, size), bare.length + 4);
    expect(verifyFingerprint(decodeMessage(longer))).toBe(expected);
  });
});
