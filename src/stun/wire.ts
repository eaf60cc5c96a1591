/** Network byte order and alignment (RFC 8489 §5, §14). The caller has checked that the bytes are there. */

export function uint16At(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

export function uint32At(bytes: Uint8Array, offset: number): number {
  return ((uint16At(bytes, offset) << 16) | uint16At(bytes, offset + 2)) >>> 0;
}

export function putUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function putUint32(bytes: Uint8Array, offset: number, value: number): void {
  putUint16(bytes, offset, value >>> 16);
  putUint16(bytes, offset + 2, value);
}

/** Rounded up to a multiple of four: where the next attribute or, on a stream, the next ChannelData message begins. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
