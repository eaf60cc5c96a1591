import { createHash, timingSafeEqual } from 'node:crypto';
import { attributeHeaderBytes, firstAttribute, sealType, type RawAttribute } from './attribute.ts';
import { putUint16, uint32At } from './wire.ts';
import { fingerprintOf, hmacBytes, hmacOf, type IntegrityAlgorithm } from './checksum.ts';
import { headerBytes, type StunMessage } from './message.ts';
import { opaqueString } from './opaque-string.ts';

export type IntegrityState = 'absent' | 'valid' | 'invalid';

/**
 * The key of the long-term credential mechanism (RFC 8489 §9.2.2, §18.5.1): 16 bytes for `md5`, 32 for `sha256`.
 * `sha256` is right only where the server offered it in PASSWORD-ALGORITHMS. All three parts are prepared with the
 * OpaqueString profile.
 */
export function longTermKey(
  username: string,
  realm: string,
  password: string,
  algorithm: 'md5' | 'sha256' = 'md5',
): Uint8Array {
  const text = `${opaqueString(username)}:${opaqueString(realm)}:${opaqueString(password)}`;
  return createHash(algorithm).update(text, 'utf8').digest();
}

/** The key of the short-term credential mechanism, which is the password itself (RFC 8489 §9.1.1). */
export function shortTermKey(password: string): Uint8Array {
  return Buffer.from(opaqueString(password), 'utf8');
}

/** The value of USERHASH, 32 bytes (RFC 8489 §14.4). */
export function userhashOf(username: string, realm: string): Uint8Array {
  return createHash('sha256')
    .update(`${opaqueString(username)}:${opaqueString(realm)}`, 'utf8')
    .digest();
}

/**
 * Checks the received bytes. Where both stand, MESSAGE-INTEGRITY-SHA256 decides and MESSAGE-INTEGRITY is not looked
 * at (RFC 8489 §9.1.3): the stronger one cannot be passed over.
 */
export function verifyIntegrity(message: StunMessage, key: Uint8Array): IntegrityState {
  const state = verifyMessageIntegritySha256(message, key);
  return state === 'absent' ? verifyMessageIntegrity(message, key) : state;
}

/** MESSAGE-INTEGRITY alone: HMAC-SHA1, always 20 bytes (RFC 8489 §14.5). */
export function verifyMessageIntegrity(message: StunMessage, key: Uint8Array): IntegrityState {
  const attribute = firstAttribute(message, sealType.messageIntegrity);
  if (attribute === undefined) {
    return 'absent';
  }
  return attribute.value.length === hmacBytes.sha1 && matches(message, attribute, 'sha1', key)
    ? 'valid'
    : 'invalid';
}

/**
 * MESSAGE-INTEGRITY-SHA256 alone. Its sender may cut the HMAC to 16, 20, 24 or 28 of its 32 bytes, but only where the
 * usage of STUN says so (RFC 8489 §14.6). TURN and ICE do not, so that nothing less than the whole is taken unless
 * `shortestBytes` allows it.
 */
export function verifyMessageIntegritySha256(
  message: StunMessage,
  key: Uint8Array,
  shortestBytes: 16 | 20 | 24 | 28 | 32 = 32,
): IntegrityState {
  const attribute = firstAttribute(message, sealType.messageIntegritySha256);
  if (attribute === undefined) {
    return 'absent';
  }
  const length = attribute.value.length;
  const allowed = length >= shortestBytes && length <= hmacBytes.sha256 && length % 4 === 0;
  return allowed && matches(message, attribute, 'sha256', key) ? 'valid' : 'invalid';
}

/** FINGERPRINT, which must be the last attribute (RFC 8489 §14.7). */
export function verifyFingerprint(message: StunMessage): IntegrityState {
  const attribute = firstAttribute(message, sealType.fingerprint);
  if (attribute === undefined) {
    return 'absent';
  }
  // Being last also means that the received length field is the one that the CRC covers.
  const right =
    attribute === message.attributes.at(-1) &&
    attribute.value.length === 4 &&
    uint32At(attribute.value, 0) === fingerprintOf(message.bytes, attribute.offset);
  return right ? 'valid' : 'invalid';
}

function matches(
  message: StunMessage,
  attribute: RawAttribute,
  algorithm: IntegrityAlgorithm,
  key: Uint8Array,
): boolean {
  const covered = Buffer.from(message.bytes.subarray(0, attribute.offset));
  // As if the message ended with this attribute: what follows was added after the HMAC was computed.
  putUint16(covered, 2, attribute.offset + attributeHeaderBytes + attribute.value.length - headerBytes);
  const expected = hmacOf(algorithm, key, covered).subarray(0, attribute.value.length);
  return timingSafeEqual(expected, attribute.value);
}
