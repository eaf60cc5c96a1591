import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRtcp,
  encodeReceiverReport,
  encodeSenderReport,
  encodeSourceDescription,
  middleOf,
  ntpTime,
  roundTripMs,
  type ReportBlock,
} from '../../src/webrtc/rtcp.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const blocks: fc.Arbitrary<ReportBlock> = fc.record({
  ssrc: uint32,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
  highestSequenceNumber: uint32,
  jitter: uint32,
  lastSenderReport: uint32,
  delaySinceLastSenderReport: uint32,
});
const senderReports = fc.record({
  ssrc: uint32,
  ntp: fc.record({ seconds: uint32, fraction: uint32 }),
  rtpTimestamp: uint32,
  packets: uint32,
  octets: uint32,
  reports: fc.array(blocks, { maxLength: 31 }),
});

const block: ReportBlock = {
  ssrc: 0x0a0b0c0d,
  fractionLost: 64,
  cumulativeLost: -2,
  highestSequenceNumber: 0x0001ffff,
  jitter: 480,
  lastSenderReport: 0x11223344,
  delaySinceLastSenderReport: 65536,
};

describe('encodeSenderReport', () => {
  it('lays it out as RFC 3550 §6.4.1 draws it', () => {
    const report = encodeSenderReport({
      ssrc: 0xcafe0001,
      ntp: { seconds: 0xe0000001, fraction: 0x80000000 },
      rtpTimestamp: 0xdeadbeef,
      packets: 50,
      octets: 4000,
      reports: [block],
    });
    expect(report.toString('hex')).toBe(
      '81c8000c' +
        'cafe0001' +
        'e000000180000000' +
        'deadbeef' +
        '00000032' +
        '00000fa0' +
        '0a0b0c0d' +
        '40fffffe' +
        '0001ffff' +
        '000001e0' +
        '11223344' +
        '00010000',
    );
  });

  it('is undone by decodeRtcp', () => {
    fc.assert(
      fc.property(senderReports, (report) => {
        expect(decodeRtcp(encodeSenderReport(report))).toEqual([{ type: 'sender-report', ...report }]);
      }),
    );
  });

  it('keeps a loss that is too large for 24 bits at the limit (§6.4.1)', () => {
    const reports = [{ ...block, cumulativeLost: 0x1000000, fractionLost: 300 }];
    const [decoded] = decodeRtcp(encodeReceiverReport({ ssrc: 1, reports })) ?? [];
    expect(decoded).toMatchObject({ reports: [{ cumulativeLost: 0x7fffff, fractionLost: 255 }] });
  });
});

describe('decodeRtcp', () => {
  it('reads a compound of report, description and something else', () => {
    const bye = Buffer.from('81cb0001cafe0001', 'hex');
    const compound = Buffer.concat([
      encodeReceiverReport({ ssrc: 7, reports: [block] }),
      encodeSourceDescription(7, 'caller@example.org'),
      bye,
    ]);
    expect(decodeRtcp(compound)).toEqual([
      { type: 'receiver-report', ssrc: 7, reports: [block] },
      { type: 'source-description', chunks: [{ ssrc: 7, cname: 'caller@example.org' }] },
      { type: 'other', packetType: 203 },
    ]);
  });

  it('finds the CNAME of every length at its 32-bit boundary', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: 'grapheme' }), uint32, (cname, ssrc) => {
        const compound = Buffer.concat([
          encodeReceiverReport({ ssrc, reports: [] }),
          encodeSourceDescription(ssrc, cname),
        ]);
        expect(compound.length % 4).toBe(0);
        expect(decodeRtcp(compound)?.[1]).toEqual({ type: 'source-description', chunks: [{ ssrc, cname }] });
      }),
    );
  });

  it('reads several chunks and items that it does not know', () => {
    const chunks = '00000001' + '02036e6f6f' + '0101' + '61' + '00000000' + '00000002' + '010162' + '00';
    const sdes = Buffer.from(`82ca0006${chunks}`, 'hex');
    const compound = Buffer.concat([encodeReceiverReport({ ssrc: 1, reports: [] }), sdes]);
    expect(decodeRtcp(compound)?.[1]).toEqual({
      type: 'source-description',
      chunks: [
        { ssrc: 1, cname: 'a' },
        { ssrc: 2, cname: 'b' },
      ],
    });
  });

  it.each([
    ['nothing', ''],
    ['a compound that begins with a description', '81ca0002' + '00000001' + '01016100'],
    ['a compound that begins with something else', '81cb0001' + '00000001'],
    ['padding in the first packet', 'a0c90001' + '00000004'],
    ['version 1', '40c90001' + '00000001'],
    ['a length beyond the end', '80c90002' + '00000001'],
    ['bytes behind the last packet', '80c90001' + '00000001' + '00'],
    ['fewer report blocks than its count', '82c90001' + '00000001'],
    ['a sender report without sender information', '80c80001' + '00000001'],
    ['padding in a packet that is not the last', 'a0c90001' + '00000001' + '80c90001' + '00000001'],
    ['a description without an end', '80c90001' + '00000001' + '81ca0002' + '00000001' + '01026162'],
  ])('gives null for %s (RFC 3550 A.2)', (_what, hex) => {
    expect(decodeRtcp(Buffer.from(hex, 'hex'))).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 200, max: 204 }), (bytes, type) => {
        if (bytes.length > 3) {
          bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x1f);
          bytes[1] = type;
          bytes[2] = 0;
          bytes[3] = (bytes[3] ?? 0) % 30;
        }
        decodeRtcp(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('ntpTime', () => {
  it('counts from 1900', () => {
    // RFC 5905 figure 4: the first day of UNIX is 2 208 988 800 in era 0.
    expect(ntpTime(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(ntpTime(1500)).toEqual({ seconds: 2_208_988_801, fraction: 2 ** 31 });
  });
});

describe('roundTripMs', () => {
  it('gives the example of RFC 3550 §6.4.1, figure 2', () => {
    // A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, so 6.125 s.
    const now = { seconds: 0xb44db710, fraction: 0x80000000 };
    const report = { ...block, lastSenderReport: 0xb7052000, delaySinceLastSenderReport: 0x00054000 };
    expect(roundTripMs(now, report)).toBeCloseTo(6125, 6);
  });

  it('measures across the wrap of the middle 32 bits, which comes every 18 hours', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 41 }),
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        (sentAtMs, rttMs, heldMs) => {
          const report = {
            ...block,
            lastSenderReport: Math.max(1, middleOf(ntpTime(sentAtMs))),
            delaySinceLastSenderReport: Math.round((heldMs / 1000) * 65536),
          };
          const measured = roundTripMs(ntpTime(sentAtMs + rttMs + heldMs), report);
          expect(measured).not.toBeNull();
          expect(Math.abs((measured ?? NaN) - rttMs)).toBeLessThan(0.1);
        },
      ),
    );
  });

  it('is nothing, not eighteen hours, when rounding makes it less than nothing', () => {
    const now = { seconds: 5, fraction: 0 };
    const report = { ...block, lastSenderReport: middleOf(now), delaySinceLastSenderReport: 1 };
    expect(roundTripMs(now, report)).toBe(0);
  });

  it('is unknown while the far end has had no sender report', () => {
    expect(roundTripMs(ntpTime(0), { ...block, lastSenderReport: 0 })).toBeNull();
  });
});
