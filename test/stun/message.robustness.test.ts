import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownAttributes, unknownRequiredAttributes } from '../../src/stun/attribute-registry.ts';
import { countingAttributes, put, putRaw, read, readAll } from '../../src/stun/attribute.ts';
import { nonce, passwordAlgorithms, realm } from '../../src/stun/authentication-attributes.ts';
import { decodeChannelData, isChannelData } from '../../src/stun/channel-data.ts';
import { StunDecodeError } from '../../src/stun/decode-error.ts';
import {
  verifyFingerprint,
  verifyIntegrity,
  verifyMessageIntegrity,
  verifyMessageIntegritySha256,
} from '../../src/stun/integrity.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, looksLikeStun, method } from '../../src/stun/message.ts';
import { xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';
import {
  longTermRequest,
  request,
  responseOverIpv4,
  responseOverIpv6,
  userhashRequest,
} from './rfc-vectors.ts';

const key = Buffer.from('0123456789abcdef');

const goodMessages: Uint8Array[] = [
  ...[request, responseOverIpv4, responseOverIpv6, longTermRequest, userhashRequest].map(
    ({ bytes }) => bytes,
  ),
  encodeMessage({
    class: 'error',
    method: method.allocate,
    attributes: [
      put(errorCode, { code: 401, reason: 'Unauthorized' }),
      put(realm, 'example.org'),
      put(nonce, 'obMatJos2AAABadl7W7PeDU4hKE72jda'),
      put(passwordAlgorithms, [
        { number: 2, parameters: new Uint8Array() },
        { number: 1, parameters: new Uint8Array() },
      ]),
      put(xorRelayedAddress, { address: '2001:db8::1', port: 49152 }),
    ],
    integrity: { key, algorithm: 'both' },
    fingerprint: true,
  }),
  // Every attribute type, each with a value of eight zeros.
  encodeMessage({
    class: 'success',
    method: method.allocate,
    attributes: knownAttributes.map(({ type }) => putRaw(type, new Uint8Array(8))),
  }),
];

/** Everything that this room can do to bytes from the network. Returns whether they are a message. */
function exercise(bytes: Uint8Array): boolean {
  looksLikeStun(bytes);
  isChannelData(bytes);
  decodeErrorOf(() => decodeChannelData(bytes));
  const failure = decodeErrorOf(() => {
    const message = decodeMessage(bytes);
    const states = [
      verifyFingerprint(message),
      verifyIntegrity(message, key),
      verifyMessageIntegrity(message, key),
      verifyMessageIntegritySha256(message, key, 16),
    ];
    expect(['absent', 'valid', 'invalid']).toEqual(expect.arrayContaining(states));
    unknownRequiredAttributes(message);
    expect(countingAttributes(message).length).toBeLessThanOrEqual(message.attributes.length);
    for (const codec of knownAttributes) {
      const failures = [() => read(message, codec), () => readAll(message, codec)].map(decodeErrorOf);
      expect(failures.every((error) => error === null || error.offset <= bytes.length)).toBe(true);
    }
  });
  expect(failure === null || (failure.offset >= 0 && failure.offset <= bytes.length)).toBe(true);
  return failure === null;
}

/** A header that is right for whatever stands behind it. */
function withHeader(body: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([encodeMessage({ class: 'success', method: method.allocate }), body]);
  bytes.writeUInt16BE(body.length, 2);
  return bytes;
}

describe('any bytes give a message or a StunDecodeError', () => {
  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        exercise(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('random bytes behind a good header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        exercise(withHeader(body));
      }),
      { numRuns: 1000 },
    );
  });

  it('attributes of known types with random values, in any order', () => {
    const attribute = fc
      .tuple(fc.constantFrom(...knownAttributes), fc.uint8Array({ maxLength: 40 }))
      .map(([{ type }, value]) => putRaw(type, value));
    let messages = 0;
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 10 }), (attributes) => {
        messages += Number(exercise(encodeMessage({ class: 'error', method: method.refresh, attributes })));
      }),
      { numRuns: 1000 },
    );
    expect(messages).toBe(1000);
  });

  it('good messages with some bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...goodMessages),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (good, changes) => {
          const bytes = Uint8Array.from(good);
          for (const [place, value] of changes) {
            bytes[place % bytes.length] = value;
          }
          exercise(bytes);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('good messages with a part taken out, doubled or moved', () => {
    const cut = fc.nat({ max: 700 });
    fc.assert(
      fc.property(fc.constantFrom(...goodMessages), cut, cut, cut, (good, from, to, place) => {
        const part = good.subarray(from, to);
        exercise(Buffer.concat([good.subarray(0, place), part, good.subarray(place)]));
        exercise(Buffer.concat([good.subarray(0, from), good.subarray(to)]));
        exercise(withHeader(good.subarray(20 + from)));
      }),
      { numRuns: 1000 },
    );
  });

  it('the good messages are messages', () => {
    expect(goodMessages.map(exercise)).toEqual(goodMessages.map(() => true));
  });
});

describe('StunDecodeError', () => {
  it('is an Error that can be told by its name, its class and its reason', () => {
    const error = new StunDecodeError('length', 'why', 2);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'StunDecodeError',
      reason: 'length',
      offset: 2,
      message: 'why',
    });
  });
});
