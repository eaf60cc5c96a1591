import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRtp, decodeRtpHeader, encodeRtp, kindOfMedia } from '../../src/webrtc/rtp.ts';

const headers = fc.record({
  // 64–95 with a marker is RTCP's place (RFC 5761 §4).
  payloadType: fc.integer({ min: 96, max: 127 }),
  marker: fc.boolean(),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  ssrc: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

describe('encodeRtp', () => {
  it('lays the header out as RFC 3550 §5.1 draws it', () => {
    const packet = encodeRtp(
      { payloadType: 111, marker: true, sequenceNumber: 0x1234, timestamp: 0xdeadbeef, ssrc: 0xcafe0001 },
      Uint8Array.of(1, 2, 3),
    );
    expect(packet.toString('hex')).toBe('80ef1234deadbeefcafe0001010203');
  });

  it('wraps numbers that have grown out of their fields', () => {
    const packet = decodeRtp(
      encodeRtp(
        { payloadType: 111, marker: false, sequenceNumber: 0x10005, timestamp: 2 ** 32 + 7, ssrc: 1 },
        new Uint8Array(),
      ),
    );
    expect(packet).toMatchObject({ sequenceNumber: 5, timestamp: 7 });
  });

  it('is undone by decodeRtp', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 1200 }), (header, payload) => {
        const decoded = decodeRtp(encodeRtp(header, payload));
        expect(decoded).toEqual({ ...header, payload: expect.anything() });
        expect(Buffer.from(decoded?.payload ?? [])).toEqual(Buffer.from(payload));
      }),
    );
  });
});

describe('decodeRtp', () => {
  const fixed = '90ef1234deadbeefcafe0001';

  it('leaves out contributing sources, header extension and padding', () => {
    // Two CSRCs, an extension of one word, payload 0102, padding of 3.
    const packet = Buffer.from(
      `b2ef1234deadbeefcafe00010000000a0000000bbede000111223344` + `0102` + `000003`,
      'hex',
    );
    expect(Buffer.from(decodeRtp(packet)?.payload ?? []).toString('hex')).toBe('0102');
  });

  it.each([
    ['an empty packet', ''],
    ['11 bytes', fixed.slice(0, 22)],
    ['version 1', `40${fixed.slice(2)}`],
    ['an extension that is not there', fixed],
    ['an extension that is cut off', `${fixed}bede0002${'00'.repeat(4)}`],
    ['contributing sources that are not there', `81${fixed.slice(2)}`],
    ['padding longer than the packet', `a0${fixed.slice(2)}00ff`],
    ['padding of no length', `a0${fixed.slice(2)}0000`],
  ])('gives null for %s', (_what, hex) => {
    expect(decodeRtp(Buffer.from(hex, 'hex'))).toBeNull();
  });

  it('never throws, and never reads beyond the packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        if (bytes.length > 0) bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x3f);
        const packet = decodeRtp(bytes);
        if (packet) expect(packet.payload.length).toBeLessThanOrEqual(bytes.length - 12);
      }),
    );
  });
});

describe('kindOfMedia', () => {
  it.each([
    ['STUN', '0001', null],
    ['DTLS', '16fe', null],
    ['ChannelData', '4000', null],
    ['RTP with the marker', '80ef', 'rtp'],
    ['a sender report', '80c8', 'rtcp'],
    ['transport feedback', '8fcd', 'rtcp'],
    ['one byte', '80', null],
  ])('tells %s', (_what, hex, kind) => {
    expect(kindOfMedia(Buffer.from(hex, 'hex'))).toBe(kind);
  });

  it('keeps RTCP from being read as RTP', () => {
    expect(decodeRtpHeader(Buffer.from('80c80006'.padEnd(56, '0'), 'hex'))).toBeNull();
  });
});
