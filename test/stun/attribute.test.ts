import { describe, expect, it } from 'vitest';
import { xorPeerAddress } from '../../src/stun/address-attributes.ts';
import { countingAttributes, put, putRaw, read, readAll, sealType } from '../../src/stun/attribute.ts';
import { nonce, realm } from '../../src/stun/authentication-attributes.ts';
import { errorCode, software } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method, type StunMessage } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const sha1 = putRaw(sealType.messageIntegrity, new Uint8Array(20));
const sha256 = putRaw(sealType.messageIntegritySha256, new Uint8Array(32));
const fingerprint = putRaw(sealType.fingerprint, new Uint8Array(4));

function messageOf(...attributes: Parameters<typeof encodeMessage>[0]['attributes'] & object): StunMessage {
  return decodeMessage(encodeMessage({ class: 'success', method: method.allocate, attributes }));
}

describe('read', () => {
  it('takes the first of several', () => {
    expect(read(messageOf(put(lifetime, 1), put(lifetime, 2)), lifetime)).toBe(1);
  });

  it('says nothing where there is none', () => {
    expect(read(messageOf(put(lifetime, 1)), software)).toBeUndefined();
    expect(read(messageOf(), software)).toBeUndefined();
  });

  it('places the error in the message', () => {
    const message = messageOf(put(software, 'abc'), putRaw(errorCode.type, Uint8Array.of(0, 0, 9, 0)));
    expect(decodeErrorOf(() => read(message, errorCode))).toMatchObject({
      reason: 'attribute-value',
      // 20 bytes of header, 8 of SOFTWARE, 4 of the attribute's header, the third byte of its value.
      offset: 34,
      message: 'ERROR-CODE: class 1 and number 0 are no error code',
    });
  });

  it('does not look at a malformed attribute that nobody asked for', () => {
    const message = messageOf(putRaw(errorCode.type, Uint8Array.of(1)), put(lifetime, 5));
    expect(read(message, lifetime)).toBe(5);
  });
});

describe('readAll', () => {
  it('gives all of a type, in order', () => {
    const peers = [
      { address: '192.0.2.1', port: 1 },
      { address: '2001:db8::2', port: 2 },
    ];
    const message = messageOf(...peers.map((peer) => put(xorPeerAddress, peer)), put(lifetime, 1));
    expect(readAll(message, xorPeerAddress)).toEqual(peers);
    expect(readAll(message, software)).toEqual([]);
  });

  it('ignores what stands behind the integrity', () => {
    const peer = { address: '192.0.2.1', port: 1 };
    const message = messageOf(put(xorPeerAddress, peer), sha1, put(xorPeerAddress, peer));
    expect(readAll(message, xorPeerAddress)).toHaveLength(1);
  });
});

describe('what stands behind a seal', () => {
  it.each([
    ['MESSAGE-INTEGRITY', sha1],
    ['MESSAGE-INTEGRITY-SHA256', sha256],
    ['FINGERPRINT', fingerprint],
  ])('is ignored after %s', (_, seal) => {
    const message = messageOf(put(realm, 'ours'), seal, put(realm, 'injected'), put(nonce, 'injected'));
    expect(read(message, realm)).toBe('ours');
    expect(read(message, nonce)).toBeUndefined();
    expect(message.attributes).toHaveLength(4);
  });

  it.each([
    ['both and a fingerprint', [sha1, sha256, fingerprint], [0, 1, 2]],
    ['the fingerprint alone', [sha1, fingerprint], [0, 1]],
    ['not the weaker behind the stronger', [sha256, sha1, fingerprint], [0, 2]],
    ['not a second one', [sha1, sha1, fingerprint, fingerprint], [0, 2]],
    ['nothing behind the fingerprint', [fingerprint, sha1, sha256], [0]],
  ])('%s counts', (_, seals, expected) => {
    const message = messageOf(...seals);
    const counting = countingAttributes(message);
    expect(counting.map((attribute) => message.attributes.indexOf(attribute))).toEqual(expected);
  });
});
