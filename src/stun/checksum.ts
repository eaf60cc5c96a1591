import { createHmac } from 'node:crypto';
import { crc32 } from './crc32.ts';

export type IntegrityAlgorithm = 'sha1' | 'sha256';

/** Length of the full HMAC in bytes. */
export const hmacBytes: Record<IntegrityAlgorithm, number> = { sha1: 20, sha256: 32 };

/** The CRC-32 is XORed with this, so that it differs from a CRC of the application's own (RFC 8489 §14.7). */
const fingerprintMask = 0x5354554e;

/**
 * The HMAC of MESSAGE-INTEGRITY (RFC 8489 §14.5) or MESSAGE-INTEGRITY-SHA256 (§14.6) over `covered`: the message
 * up to the attribute, with a header whose length field already counts the attribute itself.
 */
export function hmacOf(algorithm: IntegrityAlgorithm, key: Uint8Array, covered: Uint8Array): Uint8Array {
  return createHmac(algorithm, key).update(covered).digest();
}

/** The value of FINGERPRINT (RFC 8489 §14.7) over `bytes[0..end)`, where the attribute begins at `end`. */
export function fingerprintOf(bytes: Uint8Array, end: number): number {
  return (crc32(bytes, end) ^ fingerprintMask) >>> 0;
}
