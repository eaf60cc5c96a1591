import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/stun/crc32.ts';

describe('crc32', () => {
  it.each([
    ['', 0],
    // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('%j', (text, expected) => {
    expect(crc32(Buffer.from(text))).toBe(expected);
  });

  it('stops at the given end', () => {
    expect(crc32(Buffer.from('123456789abc'), 9)).toBe(0xcbf43926);
  });
});
