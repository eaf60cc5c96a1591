import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChannelData, encodeChannelData, isChannelData } from '../../src/stun/channel-data.ts';
import { decodeErrorOf } from './decode-error-of.ts';

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('encodeChannelData', () => {
  it.each([
    [0, false, '40010000'],
    [3, false, '40010003010101'],
    [3, true, '4001000301010100'],
    [4, true, '4001000401010101'],
    [5, true, '400100050101010101000000'],
    [0, true, '40010000'],
  ])('%i bytes, padded: %s', (length, padded, hex) => {
    const encoded = encodeChannelData(0x4001, new Uint8Array(length).fill(1), { padded });
    expect(Buffer.from(encoded).toString('hex')).toBe(hex);
  });

  it('takes the channels of RFC 8656 §12 and no other', () => {
    const encode = (channel: number) => () => encodeChannelData(channel, new Uint8Array(), { padded: false });
    expect(encode(0x4000)()).toEqual(Buffer.of(0x40, 0, 0, 0));
    expect(encode(0x4fff)()).toEqual(Buffer.of(0x4f, 0xff, 0, 0));
    for (const channel of [0x3fff, 0x5000, -1, 0x14000, 0x4000 + 0.5, Number.NaN]) {
      expect(encode(channel), String(channel)).toThrow(RangeError);
    }
  });

  it('takes up to 65535 bytes', () => {
    const encoded = encodeChannelData(0x4000, new Uint8Array(65_535), { padded: true });
    expect(encoded).toHaveLength(65_540);
    expect(decodeChannelData(encoded).payload).toHaveLength(65_535);
    expect(() => encodeChannelData(0x4000, new Uint8Array(65_536), { padded: true })).toThrow(RangeError);
  });
});

describe('decodeChannelData', () => {
  it('gives back what was encoded, padded or not, by reference', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0x4000, max: 0x4fff }),
        fc.uint8Array({ maxLength: 2000 }),
        fc.boolean(),
        (channel, payload, padded) => {
          const encoded = encodeChannelData(channel, payload, { padded });
          const decoded = decodeChannelData(encoded);
          expect(decoded.channel).toBe(channel);
          expect([...decoded.payload]).toEqual([...payload]);
          expect(decoded.payload.buffer).toBe(encoded.buffer);
          expect(isChannelData(encoded)).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['', 'too-short', 0],
    ['400000', 'too-short', 3],
    ['3fff 0000', 'not-channel-data', 0],
    ['5000 0000', 'not-channel-data', 0],
    ['ffff 0000', 'not-channel-data', 0],
    ['0001 0000', 'not-channel-data', 0],
    ['4000 0001', 'truncated', 4],
    ['4000 ffff 00', 'truncated', 5],
    ['4000 0004 01020304 00', 'trailing-bytes', 8],
    ['4000 0001 01020304 00', 'trailing-bytes', 5],
    ['4000 0000 00000000', 'trailing-bytes', 4],
  ])('refuses %s', (hex, reason, offset) => {
    expect(decodeErrorOf(() => decodeChannelData(bytes(hex)))).toMatchObject({ reason, offset });
  });

  it('any bytes are a message or a StunDecodeError', () => {
    const prefixed = fc.uint8Array({ maxLength: 20 }).map((tail) => Uint8Array.of(0x40, 0x01, 0x00, ...tail));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), prefixed), (received) => {
        const failure = decodeErrorOf(() => decodeChannelData(received));
        expect(failure === null || failure.offset <= received.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('isChannelData', () => {
  it.each([
    ['4000 0000', true],
    ['4fff 0000', true],
    ['3fff 0000', false],
    ['5000 0000', false],
    ['8000 0000', false],
    ['400000', false],
    ['', false],
  ])('%s: %s', (hex, expected) => {
    expect(isChannelData(bytes(hex))).toBe(expected);
  });
});
