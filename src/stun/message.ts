import { randomBytes } from 'node:crypto';
import { attributeHeaderBytes, sealType, type EncodableAttribute, type RawAttribute } from './attribute.ts';
import { fingerprintOf, hmacBytes, hmacOf, type IntegrityAlgorithm } from './checksum.ts';
import { StunDecodeError } from './decode-error.ts';
import { paddedLength, putUint16, putUint32, uint16At, uint32At } from './wire.ts';

export type MessageClass = 'request' | 'indication' | 'success' | 'error';

/**
 * A received message. Everything in it is a view on `bytes`, which stay as they came in: integrity and fingerprint
 * are checked on them, never on a second encoding.
 */
export interface StunMessage {
  readonly class: MessageClass;
  /** 12 bits, see `method`. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** All of them, in order, unknown types and repetitions included. `read` applies the rules on which ones count. */
  readonly attributes: readonly RawAttribute[];
  /** The bytes as received. */
  readonly bytes: Uint8Array;
}

export interface MessageToEncode {
  readonly class: MessageClass;
  readonly method: number;
  /** 12 bytes; random if absent. */
  readonly transactionId?: Uint8Array;
  /** In the order of the wire. */
  readonly attributes?: readonly EncodableAttribute[];
  /**
   * Appends MESSAGE-INTEGRITY (`sha1`, the default), MESSAGE-INTEGRITY-SHA256, or both, which is how a first request
   * with a short-term credential is sent (RFC 8489 §9.1.2).
   */
  readonly integrity?: { readonly key: Uint8Array; readonly algorithm?: IntegrityAlgorithm | 'both' };
  /** Appends FINGERPRINT. */
  readonly fingerprint?: boolean;
}

/** RFC 8489 §18.2, RFC 8656 §17, RFC 6062 §6.1. */
export const method = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
  connect: 0x00a,
  connectionBind: 0x00b,
  connectionAttempt: 0x00c,
} as const;

export const magicCookie = 0x2112a442;
export const cookieBytes: Uint8Array = Uint8Array.of(0x21, 0x12, 0xa4, 0x42);
export const headerBytes = 20;
export const transactionIdBytes = 12;

// Indexed by the two class bits C1 C0 of the message type (RFC 8489 §5, figure 3).
const classes: readonly MessageClass[] = ['request', 'indication', 'success', 'error'];

export function newTransactionId(): Uint8Array {
  return randomBytes(transactionIdBytes);
}

/** Whether a packet claims to be STUN: room for a header, two zero bits and the magic cookie (RFC 8489 §5, §6.3). */
export function looksLikeStun(bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && (bytes[0] ?? 0) < 0x40 && uint32At(bytes, 4) === magicCookie;
}

/**
 * Decodes exactly one message, copying nothing. Only the structure is checked here: values are decoded by `read`,
 * integrity and fingerprint by `integrity.ts`.
 *
 * @throws StunDecodeError for any bytes that are not one whole message (RFC 8489 §5, §6.3, §14), and nothing else.
 */
export function decodeMessage(bytes: Uint8Array): StunMessage {
  checkHeader(bytes);
  const type = uint16At(bytes, 0);
  return {
    class: classes[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request',
    method: ((type >> 2) & 0xf80) | ((type >> 1) & 0x70) | (type & 0xf),
    transactionId: bytes.subarray(8, headerBytes),
    attributes: decodeAttributes(bytes),
    bytes,
  };
}

function checkHeader(bytes: Uint8Array): void {
  if ((bytes[0] ?? 0) >= 0x40) {
    throw new StunDecodeError('not-stun', 'the first two bits are not zero', 0);
  }
  if (bytes.length < headerBytes) {
    throw new StunDecodeError(
      'too-short',
      `${bytes.length} bytes, a STUN header has ${headerBytes}`,
      bytes.length,
    );
  }
  if (uint32At(bytes, 4) !== magicCookie) {
    throw new StunDecodeError('magic-cookie', 'no STUN magic cookie', 4);
  }
  const length = uint16At(bytes, 2);
  if (length % 4 !== 0) {
    throw new StunDecodeError('length', `message length ${length} is no multiple of 4`, 2);
  }
  const present = bytes.length - headerBytes;
  if (length > present) {
    throw new StunDecodeError(
      'truncated',
      `message length ${length}, but ${present} bytes follow`,
      bytes.length,
    );
  }
  if (length < present) {
    const end = headerBytes + length;
    throw new StunDecodeError('trailing-bytes', `${present - length} bytes after the message`, end);
  }
}

function decodeAttributes(bytes: Uint8Array): RawAttribute[] {
  const attributes: RawAttribute[] = [];
  let offset = headerBytes;
  // The message length is a multiple of four and so is every step: a header always fits while bytes are left.
  while (offset < bytes.length) {
    const type = uint16At(bytes, offset);
    const length = uint16At(bytes, offset + 2);
    const start = offset + attributeHeaderBytes;
    const next = start + paddedLength(length);
    if (next > bytes.length) {
      const left = bytes.length - start;
      const text = `attribute 0x${type.toString(16).padStart(4, '0')} has length ${length}, but ${left} bytes are left`;
      throw new StunDecodeError('attribute-overrun', text, offset);
    }
    attributes.push({ type, value: bytes.subarray(start, start + length), offset });
    offset = next;
  }
  return attributes;
}

/**
 * Encodes a message: the attributes in the given order, then integrity, then the fingerprint.
 *
 * @throws RangeError for a value that its attribute cannot carry, or a message over 65 535 bytes: a mistake of the
 *   caller, never of the network.
 */
export function encodeMessage(message: MessageToEncode): Uint8Array {
  const transactionId = message.transactionId ?? newTransactionId();
  if (transactionId.length !== transactionIdBytes) {
    throw new RangeError(`a transaction id has ${transactionIdBytes} bytes, not ${transactionId.length}`);
  }
  const attributes = (message.attributes ?? []).map(({ type, encode }) => ({
    type,
    value: encode(transactionId),
  }));
  const algorithms = integrityAlgorithms(message);
  const length =
    attributes.reduce((sum, { value }) => sum + attributeHeaderBytes + paddedLength(value.length), 0) +
    algorithms.reduce((sum, algorithm) => sum + attributeHeaderBytes + hmacBytes[algorithm], 0) +
    (message.fingerprint === true ? attributeHeaderBytes + 4 : 0);
  if (length > 0xffff) {
    throw new RangeError(`a STUN message has at most 65535 bytes of attributes, not ${length}`);
  }

  const bytes = Buffer.allocUnsafe(headerBytes + length);
  putUint16(bytes, 0, messageType(message));
  putUint32(bytes, 4, magicCookie);
  bytes.set(transactionId, 8);
  let end = headerBytes;
  for (const { type, value } of attributes) {
    end = appendAttribute(bytes, end, type, value);
  }
  if (message.integrity !== undefined) {
    for (const algorithm of algorithms) {
      end = appendIntegrity(bytes, end, algorithm, message.integrity.key);
    }
  }
  putUint16(bytes, 2, length);
  if (message.fingerprint === true) {
    appendFingerprint(bytes, end);
  }
  return bytes;
}

function messageType(message: MessageToEncode): number {
  const c = classes.indexOf(message.class);
  const m = message.method;
  if (!Number.isInteger(m) || m < 0 || m > 0xfff) {
    throw new RangeError(`a STUN method has 12 bits, not ${m}`);
  }
  return ((m & 0xf80) << 2) | ((c & 2) << 7) | ((m & 0x70) << 1) | ((c & 1) << 4) | (m & 0xf);
}

function integrityAlgorithms({ integrity }: MessageToEncode): readonly IntegrityAlgorithm[] {
  if (integrity === undefined) {
    return [];
  }
  return integrity.algorithm === 'both' ? ['sha1', 'sha256'] : [integrity.algorithm ?? 'sha1'];
}

/** Writes an attribute at `offset`; returns where the next one begins. */
function appendAttribute(bytes: Uint8Array, offset: number, type: number, value: Uint8Array): number {
  putUint16(bytes, offset, type);
  putUint16(bytes, offset + 2, value.length);
  const start = offset + attributeHeaderBytes;
  const next = start + paddedLength(value.length);
  bytes.set(value, start);
  // Padding is zero on sending (RFC 8489 §14).
  bytes.fill(0, start + value.length, next);
  return next;
}

function appendIntegrity(
  bytes: Uint8Array,
  offset: number,
  algorithm: IntegrityAlgorithm,
  key: Uint8Array,
): number {
  // The length field that is hashed ends with this attribute, whatever follows it (RFC 8489 §14.5, §14.6).
  putUint16(bytes, 2, offset + attributeHeaderBytes + hmacBytes[algorithm] - headerBytes);
  const type = algorithm === 'sha1' ? sealType.messageIntegrity : sealType.messageIntegritySha256;
  return appendAttribute(bytes, offset, type, hmacOf(algorithm, key, bytes.subarray(0, offset)));
}

function appendFingerprint(bytes: Uint8Array, offset: number): void {
  putUint16(bytes, offset, sealType.fingerprint);
  putUint16(bytes, offset + 2, 4);
  putUint32(bytes, offset + attributeHeaderBytes, fingerprintOf(bytes, offset));
}
