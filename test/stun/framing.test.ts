import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { put } from '../../src/stun/attribute.ts';
import { decodeChannelData, encodeChannelData } from '../../src/stun/channel-data.ts';
import { StreamFramer } from '../../src/stun/framing.ts';
import { software } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import { data } from '../../src/stun/relay-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const response = encodeMessage({
  class: 'success',
  method: method.binding,
  attributes: [put(software, 'a server')],
  fingerprint: true,
});

function channelData(length: number, padded = true): Uint8Array {
  return encodeChannelData(0x4001, new Uint8Array(length).fill(0x5a), { padded });
}

function hexOf(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => Buffer.from(frame).toString('hex'));
}

/** Cuts at the given places; equal places make empty chunks. */
function chunksOf(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b),
    stream.length,
  ];
  return places.slice(1).map((end, index) => Uint8Array.from(stream.subarray(places[index], end)));
}

/** What one stream gives, cut into these chunks. */
function outcomeOf(chunks: readonly Uint8Array[]): unknown {
  const framer = new StreamFramer();
  const frames: string[] = [];
  for (const chunk of chunks) {
    const thrown = decodeErrorOf(() => frames.push(...hexOf(framer.push(chunk))));
    expect(framer.pendingBytes).toBeLessThanOrEqual(65_551);
    expect(thrown === null || thrown === framer.failure).toBe(true);
  }
  const failure = framer.failure && [framer.failure.reason, framer.failure.offset, framer.failure.message];
  return { frames, failure };
}

const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');

describe('a chunk of whole frames', () => {
  it('gives each, ChannelData without its padding', () => {
    const framer = new StreamFramer();
    const frames = framer.push(
      Buffer.concat([response, channelData(5), response, channelData(0), channelData(8)]),
    );
    expect(hexOf(frames)).toEqual(
      hexOf([response, channelData(5, false), response, channelData(0), channelData(8)]),
    );
    expect(framer.pendingBytes).toBe(0);
    expect(decodeMessage(frames[0] ?? new Uint8Array()).method).toBe(method.binding);
    expect(decodeChannelData(frames[1] ?? new Uint8Array()).payload).toHaveLength(5);
  });

  it('copies nothing', () => {
    const chunk = Uint8Array.from(Buffer.concat([response, channelData(5)]));
    expect(new StreamFramer().push(chunk).map(({ buffer }) => buffer === chunk.buffer)).toEqual([true, true]);
  });
});

describe('a frame in parts', () => {
  it('comes out when its last byte is there', () => {
    const framer = new StreamFramer();
    expect(framer.push(response.subarray(0, 3))).toEqual([]);
    expect(framer.pendingBytes).toBe(3);
    expect(framer.push(response.subarray(3, -1))).toEqual([]);
    expect(framer.pendingBytes).toBe(response.length - 1);
    expect(hexOf(framer.push(response.subarray(-1)))).toEqual(hexOf([response]));
    expect(framer.pendingBytes).toBe(0);
  });

  it('of ChannelData waits for the padding', () => {
    const framer = new StreamFramer();
    framer.push(response);
    expect(framer.push(channelData(5).subarray(0, 9))).toEqual([]);
    expect(framer.push(channelData(5).subarray(9, 11))).toEqual([]);
    expect(hexOf(framer.push(channelData(5).subarray(11)))).toEqual(hexOf([channelData(5, false)]));
  });

  it('is not changed by what the caller does to the chunks afterwards', () => {
    const framer = new StreamFramer();
    const begin = Uint8Array.from(response.subarray(0, 10));
    framer.push(begin);
    begin.fill(0xff);
    expect(hexOf(framer.push(response.subarray(10)))).toEqual(hexOf([response]));
  });

  it('the frames of one framer do not share a buffer', () => {
    const framer = new StreamFramer();
    const push = (frame: Uint8Array) =>
      [frame.subarray(0, 7), frame.subarray(7)].flatMap((part) => framer.push(part));
    const first = push(response);
    push(channelData(100));
    expect(hexOf(first)).toEqual(hexOf([response]));
  });
});

describe('any chunking', () => {
  const frame = fc.oneof(
    fc.integer({ min: 0, max: 300 }).map((length) => channelData(length)),
    fc
      .uint8Array({ maxLength: 300 })
      .map((payload) =>
        encodeMessage({ class: 'indication', method: method.data, attributes: [put(data, payload)] }),
      ),
  );

  it('gives the same frames', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (frames, cuts) => {
          const stream = Buffer.concat([response, ...frames]);
          const whole = new StreamFramer().push(stream);
          expect(whole).toHaveLength(frames.length + 1);
          const framer = new StreamFramer();
          const parts = chunksOf(stream, cuts).flatMap((chunk) => framer.push(chunk));
          expect(hexOf(parts)).toEqual(hexOf(whole));
          expect(framer.pendingBytes).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same frames byte by byte', () => {
    const stream = Buffer.concat([response, channelData(0), channelData(1), response, channelData(7)]);
    const framer = new StreamFramer();
    const frames = [...stream].flatMap((byte) => framer.push(Uint8Array.of(byte)));
    expect(hexOf(frames)).toEqual(hexOf(new StreamFramer().push(stream)));
  });

  it('of any bytes gives frames, then at most a StunDecodeError, and holds no more than one frame', () => {
    const tail = fc.oneof(fc.uint8Array({ maxLength: 60 }), frame);
    fc.assert(
      fc.property(fc.array(tail, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (tails, cuts) => {
        const stream = Buffer.concat(tails);
        const outcomes = [[], cuts].map((places) => outcomeOf(chunksOf(stream, places)));
        expect(outcomes[1]).toEqual(outcomes[0]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('another protocol', () => {
  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', 'not-turn'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'not-turn'],
    ['SMTP', '220 mail.example.org ESMTP\r\n', 'magic-cookie'],
    ['a TLS alert', '\x15\x03\x03\x00\x02\x02\x46', 'magic-cookie'],
    ['ChannelData before any response', '\x40\x01\x00\x04abcd', 'not-turn'],
    ['RTP', '\x80\x00\x00\x01', 'not-turn'],
    ['RFC 3489', '\x01\x01\x00\x24\x00\x00\x00\x00', 'magic-cookie'],
    ['STUN of a wrong length', '\x01\x01\x00\x25', 'length'],
  ])('%s is refused', (_, greeting, reason) => {
    expect(decodeErrorOf(() => new StreamFramer().push(text(greeting)))?.reason).toBe(reason);
  });

  it('is refused as soon as the first wrong byte is there', () => {
    const framer = new StreamFramer();
    expect(framer.push(text('\x01\x01\x00\x24\x21'))).toEqual([]);
    expect(decodeErrorOf(() => framer.push(text('\x13')))?.reason).toBe('magic-cookie');
  });

  it('after good frames: they come out first, then every call throws the same', () => {
    const framer = new StreamFramer();
    const frames = framer.push(Buffer.concat([response, channelData(4), text('\xff')]));
    expect(frames).toHaveLength(2);
    expect(framer.failure?.reason).toBe('not-turn');
    const failures = [response, new Uint8Array()].map((chunk) => decodeErrorOf(() => framer.push(chunk)));
    expect(failures).toEqual([framer.failure, framer.failure]);
  });

  it('leaves `failure` null while all is well', () => {
    const framer = new StreamFramer();
    framer.push(response);
    expect(framer.failure).toBeNull();
  });
});

describe('cost', () => {
  /** Milliseconds to read so many frames of ChannelData in chunks of one size. */
  function readingTimeMs(frameCount: number, dataBytes: number, chunkBytes = Infinity): number {
    const frames = Array.from({ length: frameCount }, () => channelData(dataBytes));
    const stream = Buffer.concat([response, ...frames]);
    const framer = new StreamFramer();
    const start = performance.now();
    let count = 0;
    for (let offset = 0; offset < stream.length; offset += chunkBytes) {
      count += framer.push(stream.subarray(offset, offset + chunkBytes)).length;
    }
    expect(count).toBe(frameCount + 1);
    return performance.now() - start;
  }

  // As ratios within one run, for a busy machine is slow at both.
  it('of a byte does not grow with what is pending before it', () => {
    // Copying the pending bytes at each chunk would move 32 KB for each, and not 32 bytes.
    expect(readingTimeMs(16, 65_532, 1)).toBeLessThan(20 * readingTimeMs(16_384, 60, 1));
  });

  it('of a frame does not grow with the frames that come in the same chunk', () => {
    readingTimeMs(10_000, 4);
    // Copying what follows at each frame would make it 10 times as much for 10 times as many: 100, and not 10.
    expect(readingTimeMs(200_000, 4)).toBeLessThan(60 * readingTimeMs(20_000, 4));
  });
});
