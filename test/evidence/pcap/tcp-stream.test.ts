import { describe, expect, it } from 'vitest';
import { TcpStream } from '../../../src/evidence/pcap/tcp-stream.ts';
import { encodeMessage, method } from '../../../src/stun/message.ts';

const first = encodeMessage({
  class: 'request',
  method: method.allocate,
  transactionId: Buffer.alloc(12, 1),
});
const second = encodeMessage({
  class: 'request',
  method: method.refresh,
  transactionId: Buffer.alloc(12, 2),
});
const both = Buffer.concat([first, second]);

/** The frames that come out of segments, each given by its offset and its bytes. */
function framesOf(segments: readonly (readonly [number, Uint8Array])[], from = 1000): string[] {
  const stream = new TcpStream();
  const take = (sequence: number, flags: number, payload: Uint8Array): Uint8Array[] => {
    const header = Buffer.alloc(20);
    header.writeUInt32BE(sequence >>> 0, 4);
    header[12] = 5 << 4;
    header[13] = flags;
    const bytes = Buffer.concat([header, payload]);
    return stream.take({ bytes, start: 0, end: bytes.length, isFromA: true });
  };
  take(from - 1, 2, Buffer.alloc(0));
  return segments.flatMap(([offset, payload]) =>
    take(from + offset, 24, payload).map((frame) => Buffer.from(frame).toString('hex')),
  );
}

const wanted = [first, second].map((frame) => Buffer.from(frame).toString('hex'));

describe('frames of a TCP stream', () => {
  it.each<[string, readonly (readonly [number, Uint8Array])[]]>([
    ['in one segment', [[0, both]]],
    [
      'in pieces',
      [
        [0, both.subarray(0, 7)],
        [7, both.subarray(7, 33)],
        [33, both.subarray(33)],
      ],
    ],
    [
      'that are repeated',
      [
        [0, first],
        [0, first],
        [20, second],
        [0, both],
      ],
    ],
    [
      'that are repeated with more behind them',
      [
        [0, both.subarray(0, 30)],
        [20, both.subarray(20)],
      ],
    ],
  ])('%s come once', (_what, segments) => {
    expect(framesOf(segments)).toEqual(wanted);
  });

  it('come through the end of the sequence numbers', () => {
    expect(
      framesOf(
        [
          [0, first],
          [20, second],
        ],
        2 ** 32 - 10,
      ),
    ).toEqual(wanted);
  });

  it('go on behind a hole, where a segment begins with one', () => {
    expect(
      framesOf([
        [0, first.subarray(0, 10)],
        [500, second],
      ]),
    ).toEqual(wanted.slice(1));
  });

  it('go on behind what is none, as where the capture begins within one', () => {
    const other = Buffer.from('GET / HTTP/1.1\r\n\r\n');
    expect(framesOf([[0, other]])).toEqual([]);
    expect(
      framesOf([
        [0, other],
        [other.length, second],
      ]),
    ).toEqual(wanted.slice(1));
  });
});
