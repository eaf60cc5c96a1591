import { sealType, type AttributeCodec } from './attribute.ts';
import {
  descriptionCodec,
  encodeText,
  invalidValue,
  requireInteger,
  textCodec,
  textOf,
  uint32Codec,
} from './attribute-value.ts';
import { putUint16, uint16At } from './wire.ts';

/** RFC 8489 §14.14. */
export const software = descriptionCodec(0x8022, 'SOFTWARE', 509);
/** RFC 8489 §14.16: the name that the certificate of ALTERNATE-SERVER has to carry. */
export const alternateDomain = textCodec(0x8003, 'ALTERNATE-DOMAIN', 255);
/** RFC 8489 §14.7, the raw value: `verifyFingerprint` checks it, `encodeMessage` makes it. */
export const fingerprint = uint32Codec(sealType.fingerprint, 'FINGERPRINT');

export interface ErrorCode {
  /** 300–699. */
  readonly code: number;
  /** For people only, and often empty: judge the code. */
  readonly reason: string;
}

/** RFC 8489 §14.8. */
export const errorCode: AttributeCodec<ErrorCode> = {
  type: 0x0009,
  name: 'ERROR-CODE',
  encode: (value) => encodeErrorCode(value, 0),
  decode: decodeErrorCode,
};

/** The layout that ERROR-CODE shares with ADDRESS-ERROR-CODE (RFC 8656 §18.12), which has a family in the first octet. */
export function encodeErrorCode({ code, reason }: ErrorCode, firstOctet: number): Uint8Array {
  requireInteger('an error code', code, 300, 699);
  const hundreds = Math.floor(code / 100);
  return Buffer.concat([
    Buffer.of(firstOctet, 0, hundreds, code % 100),
    encodeText('a reason phrase', reason, 509),
  ]);
}

export function decodeErrorCode(value: Uint8Array): ErrorCode {
  if (value.length < 4) {
    throw invalidValue(`${value.length} bytes are too few for an error code`);
  }
  const hundreds = (value[2] ?? 0) & 0x07;
  const rest = value[3] ?? 0;
  if (hundreds < 3 || hundreds > 6 || rest > 99) {
    throw invalidValue(`class ${hundreds} and number ${rest} are no error code`, 2);
  }
  // A broken reason phrase must not hide the code.
  return { code: hundreds * 100 + rest, reason: textOf(value.subarray(4)) };
}

/** RFC 8489 §14.13: the attribute types that a 420 error is about. */
export const unknownAttributes: AttributeCodec<readonly number[]> = {
  type: 0x000a,
  name: 'UNKNOWN-ATTRIBUTES',
  encode(types) {
    const bytes = Buffer.alloc(types.length * 2);
    for (const [index, type] of types.entries()) {
      requireInteger('an attribute type', type, 0, 0xffff);
      putUint16(bytes, index * 2, type);
    }
    return bytes;
  },
  decode(value) {
    if (value.length % 2 !== 0) {
      throw invalidValue(`${value.length} bytes are no list of 16-bit numbers`);
    }
    return Array.from({ length: value.length / 2 }, (_, index) => uint16At(value, index * 2));
  },
};
