import { isUtf8 } from 'node:buffer';
import type { AttributeCodec } from './attribute.ts';
import { putUint32, uint32At } from './wire.ts';
import { StunDecodeError } from './decode-error.ts';

/** Codecs for the shapes of value that many attributes share. */

export function invalidValue(message: string, offset = 0): StunDecodeError {
  return new StunDecodeError('attribute-value', message, offset);
}

/** @throws StunDecodeError unless the value has exactly this many bytes. */
export function requireLength(value: Uint8Array, length: number): void {
  if (value.length !== length) {
    throw invalidValue(`${value.length} bytes instead of ${length}`);
  }
}

/** @throws RangeError unless `value` is an integer from `lowest` to `highest`. */
export function requireInteger(name: string, value: number, lowest: number, highest: number): void {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new RangeError(`${name} is an integer from ${lowest} to ${highest}, not ${value}`);
  }
}

/** Bytes with a meaning that is not ours to know; with `length`, exactly so many. */
export function bytesCodec(type: number, name: string, length?: number): AttributeCodec<Uint8Array> {
  return {
    type,
    name,
    encode(value) {
      if (length !== undefined && value.length !== length) {
        throw new RangeError(`${name} has ${length} bytes, not ${value.length}`);
      }
      return value;
    },
    decode(value) {
      if (length !== undefined) {
        requireLength(value, length);
      }
      return value;
    },
  };
}

/**
 * UTF-8 text. `longest` is the RFC's limit in bytes for a sender; a receiver is bounded by the message anyway and
 * takes what it gets.
 */
export function textCodec(type: number, name: string, longest: number): AttributeCodec<string> {
  return {
    type,
    name,
    encode: (value) => encodeText(name, value, longest),
    decode(value) {
      // These texts go back to the server byte for byte or into a key: a replacement character would break them.
      if (!isUtf8(value)) {
        throw invalidValue('not UTF-8');
      }
      return textOf(value);
    },
  };
}

/** Text that only a person reads: what is not UTF-8 in it becomes U+FFFD and spoils nothing else. */
export function descriptionCodec(type: number, name: string, longest: number): AttributeCodec<string> {
  return { type, name, encode: (value) => encodeText(name, value, longest), decode: textOf };
}

export function encodeText(name: string, text: string, longest: number): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > longest) {
    throw new RangeError(`${name} has at most ${longest} bytes, not ${bytes.length}`);
  }
  return bytes;
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

/** An unsigned 32-bit number. */
export function uint32Codec(type: number, name: string): AttributeCodec<number> {
  return {
    type,
    name,
    encode(value) {
      requireInteger(name, value, 0, 0xffffffff);
      const bytes = Buffer.allocUnsafe(4);
      putUint32(bytes, 0, value);
      return bytes;
    },
    decode(value) {
      requireLength(value, 4);
      return uint32At(value, 0);
    },
  };
}

/** An unsigned 64-bit number. */
export function uint64Codec(type: number, name: string): AttributeCodec<bigint> {
  return {
    type,
    name,
    encode(value) {
      if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
        throw new RangeError(`${name} has 64 bits, not ${value}`);
      }
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigUInt64BE(value);
      return bytes;
    },
    decode(value) {
      requireLength(value, 8);
      return (BigInt(uint32At(value, 0)) << 32n) | BigInt(uint32At(value, 4));
    },
  };
}

const nothing = new Uint8Array(0);

/** An attribute without a value, which says something by being there. */
export function flagCodec(type: number, name: string): AttributeCodec<true> {
  return {
    type,
    name,
    encode: () => nothing,
    decode(value) {
      requireLength(value, 0);
      return true;
    },
  };
}
