import { StunDecodeError } from './decode-error.ts';

/** Type and length (RFC 8489 §14). */
export const attributeHeaderBytes = 4;

/** The attributes that seal a message; `encodeMessage` makes them, `integrity.ts` checks them. */
export const sealType = {
  messageIntegrity: 0x0008,
  messageIntegritySha256: 0x001c,
  fingerprint: 0x8028,
} as const;

/** An attribute as it was received, known or not. */
export interface RawAttribute {
  readonly type: number;
  /** The value without its padding: a view on the message's bytes. */
  readonly value: Uint8Array;
  /** Offset of the attribute's header in the message. */
  readonly offset: number;
}

/** A received message, as far as its attributes go. */
export interface AttributeList {
  readonly transactionId: Uint8Array;
  readonly attributes: readonly RawAttribute[];
}

/** The reading half of a codec. */
export interface AttributeDecoder<T> {
  /** 16 bits; below 0x8000 the receiver must understand it (RFC 8489 §14). */
  readonly type: number;
  /** As the RFC writes it, for people: `XOR-MAPPED-ADDRESS`. */
  readonly name: string;
  /** @throws StunDecodeError with an offset from the start of the value. */
  decode(value: Uint8Array, transactionId: Uint8Array): T;
}

/** The bytes of one attribute type ↔ its value. Padding is not part of the bytes. */
export interface AttributeCodec<T> extends AttributeDecoder<T> {
  /** @throws RangeError when the attribute cannot carry the value. */
  encode(value: T, transactionId: Uint8Array): Uint8Array;
}

/** What `encodeMessage` needs of an attribute; made by `put`. */
export interface EncodableAttribute {
  readonly type: number;
  /** The value without padding. */
  readonly encode: (transactionId: Uint8Array) => Uint8Array;
}

/** An attribute for `encodeMessage`. */
export function put<T>(codec: AttributeCodec<T>, value: T): EncodableAttribute {
  return { type: codec.type, encode: (transactionId) => codec.encode(value, transactionId) };
}

/** An attribute of any type with ready-made bytes, for what has no codec. */
export function putRaw(type: number, value: Uint8Array): EncodableAttribute {
  return { type, encode: () => value };
}

/**
 * The value of the first attribute of this type that counts: repetitions are ignored (RFC 8489 §14), and so is what
 * stands behind the integrity (see `countingAttributes`).
 *
 * @throws StunDecodeError when the value is malformed; its offset is that in the message.
 */
export function read<T>(message: AttributeList, codec: AttributeDecoder<T>): T | undefined {
  const attribute = firstAttribute(message, codec.type);
  return attribute && decodeValue(message, attribute, codec);
}

/** Like `read`, for what may stand more than once: XOR-PEER-ADDRESS in CreatePermission (RFC 8656 §10). */
export function readAll<T>(message: AttributeList, codec: AttributeDecoder<T>): T[] {
  return countingAttributes(message)
    .filter(({ type }) => type === codec.type)
    .map((attribute) => decodeValue(message, attribute, codec));
}

/**
 * The attributes that a reader takes notice of. After MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT
 * count, after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT (RFC 8489 §9, §14.5), and nothing after FINGERPRINT, which
 * must be the last (§14.7): no HMAC covers what follows, so anyone on the path could have added it. That holds where
 * the caller has no key to check with, too. `message.attributes` still has all of them, for a dump.
 *
 * One case is stricter than §9, which lets a MESSAGE-INTEGRITY behind MESSAGE-INTEGRITY-SHA256 cover what stands between
 * the two: `verifyIntegrity` checks the first of them alone.
 */
export function countingAttributes(message: AttributeList): RawAttribute[] {
  let seal = 0;
  return message.attributes.filter(({ type }) => {
    const counts = countsBehind(seal, type);
    seal = Math.max(seal, sealOrder(type));
    return counts;
  });
}

/** The first attribute of a type that counts, without building a list: this is on the path of every packet. */
export function firstAttribute(message: AttributeList, type: number): RawAttribute | undefined {
  let seal = 0;
  for (const attribute of message.attributes) {
    if (attribute.type === type && countsBehind(seal, type)) {
      return attribute;
    }
    seal = Math.max(seal, sealOrder(attribute.type));
  }
  return undefined;
}

/** Whether an attribute counts when the seals before it went up to `seal`. */
function countsBehind(seal: number, type: number): boolean {
  return seal === 0 || sealOrder(type) > seal;
}

/** The order in which the seals close a message; 0 for every other attribute. */
function sealOrder(type: number): number {
  switch (type) {
    case sealType.messageIntegrity:
      return 1;
    case sealType.messageIntegritySha256:
      return 2;
    case sealType.fingerprint:
      return 3;
    default:
      return 0;
  }
}

function decodeValue<T>(message: AttributeList, attribute: RawAttribute, codec: AttributeDecoder<T>): T {
  try {
    return codec.decode(attribute.value, message.transactionId);
  } catch (error) {
    if (error instanceof StunDecodeError) {
      const offset = attribute.offset + attributeHeaderBytes + error.offset;
      throw new StunDecodeError(error.reason, `${codec.name}: ${error.message}`, offset);
    }
    throw error;
  }
}
