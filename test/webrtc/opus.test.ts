import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpusFileError, opusDurationMs, readOggOpus, readSpeech } from '../../src/webrtc/opus.ts';

const file = readFileSync(new URL('../../src/webrtc/speech.opus', import.meta.url));

/** Offsets of the pages, by their capture pattern. */
function pagesOf(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf('OggS'); at >= 0; at = bytes.indexOf('OggS', at + 1)) offsets.push(at);
  return offsets;
}

describe('readSpeech', () => {
  it('is some seconds of speech in packets of 20 ms', () => {
    const packets = readSpeech();
    const seconds = (packets.length * 20) / 1000;
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(12);
    // Speech with variable bit rate: sizes follow the sound; silence or a tone would have one size.
    const sizes = packets.map(({ bytes }) => bytes.length);
    expect(new Set(sizes).size).toBeGreaterThan(30);
    expect(sizes.reduce((sum, size) => sum + size, 0) / seconds).toBeGreaterThan(2000);
  });
});

describe('readOggOpus', () => {
  it('reads what opusenc wrote', () => {
    const stream = readOggOpus(file);
    expect(stream).toMatchObject({ channels: 1, preSkip: 312 });
    expect(stream.packets.length).toBe(486);
  });

  it('refuses every file in which a byte was changed', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(file);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        expect(() => readOggOpus(damaged)).toThrow(OpusFileError);
      }),
    );
  });

  it('refuses every file that was cut off', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), (end) => {
        expect(() => readOggOpus(file.subarray(0, end))).toThrow(OpusFileError);
      }),
    );
  });

  it('refuses a file that lacks a page', () => {
    const pages = pagesOf(file);
    expect(pages.length).toBeGreaterThan(4);
    for (let index = 0; index < pages.length; index++) {
      const without = Buffer.concat([
        file.subarray(0, pages[index]),
        file.subarray(pages[index + 1] ?? file.length),
      ]);
      expect(() => readOggOpus(without), `page ${index}`).toThrow(OpusFileError);
    }
  });

  it('refuses a second stream behind the first', () => {
    expect(() => readOggOpus(Buffer.concat([file, file]))).toThrow(/second stream/);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('OggS is what it begins with, but not how it goes on.')],
  ])('refuses %s', (_what, bytes) => {
    expect(() => readOggOpus(bytes)).toThrow(OpusFileError);
  });
});

describe('opusDurationMs', () => {
  // RFC 6716 §3.1, table 2: configuration in the upper five bits, frame count code in the lower two.
  it.each([
    [[0 << 3], 10],
    [[1 << 3], 20],
    [[3 << 3], 60],
    [[11 << 3], 60],
    [[12 << 3], 10],
    [[15 << 3], 20],
    [[16 << 3], 2.5],
    [[31 << 3], 20],
    [[(31 << 3) | 1], 40],
    [[(31 << 3) | 2], 40],
    [[(16 << 3) | 3, 48], 120],
  ])('reads %j as %f ms', (bytes, durationMs) => {
    expect(opusDurationMs(Uint8Array.from(bytes))).toBe(durationMs);
  });

  it.each([[[]], [[(31 << 3) | 3]], [[(31 << 3) | 3, 0]], [[(3 << 3) | 3, 3]]])('refuses %j', (bytes) => {
    expect(() => opusDurationMs(Uint8Array.from(bytes))).toThrow(OpusFileError);
  });
});
