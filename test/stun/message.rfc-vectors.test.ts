import { describe, expect, it } from 'vitest';
import { xorMappedAddress } from '../../src/stun/address-attributes.ts';
import { put, read, type EncodableAttribute } from '../../src/stun/attribute.ts';
import {
  nonce,
  passwordAlgorithm,
  passwordAlgorithmNumber,
  realm,
  securityFeaturesOf,
  userhash,
  username,
} from '../../src/stun/authentication-attributes.ts';
import { iceControlled, priority } from '../../src/stun/ice-attributes.ts';
import {
  longTermKey,
  shortTermKey,
  userhashOf,
  verifyFingerprint,
  verifyIntegrity,
  verifyMessageIntegrity,
  verifyMessageIntegritySha256,
} from '../../src/stun/integrity.ts';
import { software } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage } from '../../src/stun/message.ts';
import {
  longTermRequest,
  request,
  responseOverIpv4,
  responseOverIpv6,
  userhashRequest,
} from './rfc-vectors.ts';

describe('RFC 5769', () => {
  it('2.1: a request with a short-term credential', () => {
    const message = decodeMessage(request.bytes);
    expect(message).toMatchObject({ class: 'request', method: 0x001 });
    expect(Buffer.from(message.transactionId).toString('hex')).toBe('b7e7a701bc34d686fa87dfae');
    expect(read(message, software)).toBe('STUN test client');
    expect(read(message, priority)).toBe(0x6e0001ff);
    expect(read(message, iceControlled)).toBe(0x932ff9b151263b36n);
    expect(read(message, username)).toBe(request.username);
    expect(verifyIntegrity(message, shortTermKey(request.password))).toBe('valid');
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it('2.2: a response over IPv4', () => {
    const message = decodeMessage(responseOverIpv4.bytes);
    expect(message).toMatchObject({ class: 'success', method: 0x001 });
    expect(read(message, software)).toBe('test vector');
    expect(read(message, xorMappedAddress)).toEqual({ address: '192.0.2.1', port: 32853 });
    expect(verifyIntegrity(message, shortTermKey(responseOverIpv4.password))).toBe('valid');
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it('2.3: a response over IPv6', () => {
    const message = decodeMessage(responseOverIpv6.bytes);
    expect(message).toMatchObject({ class: 'success', method: 0x001 });
    expect(read(message, xorMappedAddress)).toEqual({
      address: '2001:db8:1234:5678:11:2233:4455:6677',
      port: 32853,
    });
    expect(verifyIntegrity(message, shortTermKey(responseOverIpv6.password))).toBe('valid');
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it('2.4: a request with a long-term credential', () => {
    const vector = longTermRequest;
    const message = decodeMessage(vector.bytes);
    expect(read(message, username)).toBe(vector.username);
    expect(read(message, nonce)).toBe(vector.nonce);
    expect(read(message, realm)).toBe(vector.realm);
    const key = longTermKey(vector.username, vector.realm, vector.password);
    expect(verifyMessageIntegrity(message, key)).toBe('valid');
    expect(verifyIntegrity(message, key)).toBe('valid');
    expect(verifyFingerprint(message)).toBe('absent');
  });

  it('2.4 is what we encode', () => {
    const { transactionId } = decodeMessage(longTermRequest.bytes);
    const { password, ...said } = longTermRequest;
    const bytes = encodeMessage({
      class: 'request',
      method: 0x001,
      transactionId,
      attributes: [put(username, said.username), put(nonce, said.nonce), put(realm, said.realm)],
      integrity: { key: longTermKey(said.username, said.realm, password) },
    });
    expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(said.bytes).toString('hex'));
  });
});

describe('RFC 8489 B.1', () => {
  const vector = userhashRequest;
  const key = longTermKey(vector.username, vector.realm, vector.password, 'sha256');

  it('verifies with MESSAGE-INTEGRITY-SHA256 and USERHASH', () => {
    const message = decodeMessage(vector.bytes);
    expect(read(message, userhash)).toEqual(userhashOf(vector.username, vector.realm));
    expect(read(message, nonce)).toBe(vector.nonce);
    expect(securityFeaturesOf(vector.nonce)).toEqual({ passwordAlgorithms: false, usernameAnonymity: true });
    expect(read(message, passwordAlgorithm)?.number).toBe(passwordAlgorithmNumber.sha256);
    expect(verifyMessageIntegritySha256(message, key)).toBe('valid');
    expect(verifyIntegrity(message, key)).toBe('valid');
    expect(verifyMessageIntegrity(message, key)).toBe('absent');
  });

  it('is what we encode', () => {
    const { transactionId } = decodeMessage(vector.bytes);
    const attributes: EncodableAttribute[] = [
      put(userhash, userhashOf(vector.username, vector.realm)),
      put(nonce, vector.nonce),
      put(realm, vector.realm),
      put(passwordAlgorithm, { number: passwordAlgorithmNumber.sha256, parameters: new Uint8Array() }),
    ];
    const integrity = { key, algorithm: 'sha256' } as const;
    const bytes = encodeMessage({ class: 'request', method: 0x001, transactionId, attributes, integrity });
    expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(vector.bytes).toString('hex'));
  });
});

describe('a changed vector', () => {
  const vectors = { request, responseOverIpv4, responseOverIpv6 };

  it.each(Object.entries(vectors))('%s: any flipped bit before an HMAC breaks it', (_, vector) => {
    const key = shortTermKey(vector.password);
    const hmacAt = vector.bytes.length - 8 - 24;
    for (let bit = 0; bit < hmacAt * 8; bit++) {
      const bytes = Uint8Array.from(vector.bytes);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(survives(bytes, key), `bit ${bit}`).toBe(false);
    }
  });

  it('a wrong password is seen', () => {
    expect(verifyIntegrity(decodeMessage(request.bytes), shortTermKey('wrong'))).toBe('invalid');
  });
});

/** Whether the bytes still decode and still carry a right HMAC. */
function survives(bytes: Uint8Array, key: Uint8Array): boolean {
  try {
    return verifyIntegrity(decodeMessage(bytes), key) === 'valid';
  } catch {
    return false;
  }
}
