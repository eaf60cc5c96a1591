import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioEndpoint, audioFacts } from '../../src/webrtc/audio-endpoint.ts';
import { decodeRtcp } from '../../src/webrtc/rtcp.ts';
import { SequenceTracker } from '../../src/webrtc/rtp-statistics.ts';
import { decodeRtp } from '../../src/webrtc/rtp.ts';

interface Sent {
  readonly packet: Buffer;
  readonly atMs: number;
}

/** Two ends whose packets are kept, so that a test can let them arrive when it likes. */
function pairOfEnds() {
  const out: { caller: Sent[]; callee: Sent[] } = { caller: [], callee: [] };
  const clock = { nowMs: 1000 };
  const end = (name: 'caller' | 'callee', ssrc: number): AudioEndpoint =>
    new AudioEndpoint({
      ssrc,
      cname: name,
      speech: [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)],
      send: (packet) => out[name].push({ packet, atMs: clock.nowMs }) > 0,
    });
  const ends = { caller: end('caller', 10), callee: end('callee', 11) };
  AudioEndpoint.pair(ends.caller, ends.callee);
  return { ...ends, out, clock };
}

const wire = new SequenceTracker();

describe('AudioEndpoint', () => {
  it('sends speech as RFC 7587 has it', () => {
    const { caller, out, clock } = pairOfEnds();
    for (let index = 0; index < 3; index++) caller.sendSpeech(index, (clock.nowMs += 20));
    const packets = out.caller.map(({ packet }) => decodeRtp(packet));
    expect(packets.map((packet) => packet?.payloadType)).toEqual([111, 111, 111]);
    expect(packets.map((packet) => packet?.marker)).toEqual([true, false, false]);
    expect(packets.map((packet) => packet?.payload.length)).toEqual([3, 2, 3]);
    const [first, second, third] = packets;
    const step = (a = first, b = second): (number | undefined)[] => [
      ((b?.sequenceNumber ?? 0) - (a?.sequenceNumber ?? 0)) & 0xffff,
      ((b?.timestamp ?? 0) - (a?.timestamp ?? 0)) >>> 0,
    ];
    expect(step()).toEqual([1, 960]);
    expect(step(second, third)).toEqual([1, 960]);
  });

  it('lets the timestamp, and not the sequence number, run on over a pause', () => {
    const { caller, out } = pairOfEnds();
    caller.sendSpeech(0, 0);
    caller.sendSpeech(100, 2000);
    const [first, second] = out.caller.map(({ packet }) => decodeRtp(packet));
    expect(((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe(100 * 960);
    expect(((second?.sequenceNumber ?? 0) - (first?.sequenceNumber ?? 0)) & 0xffff).toBe(1);
  });

  it('does not count what could not be sent', () => {
    const end = new AudioEndpoint({ ssrc: 1, cname: 'a', speech: [Uint8Array.of(1)], send: () => false });
    end.sendSpeech(0, 0);
    expect(end).toMatchObject({ sent: 0, firstSentMs: null });
  });

  it('ignores packets of another source, and rubbish', () => {
    const { caller, callee, out } = pairOfEnds();
    caller.sendSpeech(0, 0);
    const { packet } = out.caller[0] ?? { packet: Buffer.alloc(0) };
    packet.writeUInt32BE(99, 8);
    callee.receive(packet, 5);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => callee.receive(bytes, 5)));
    expect(callee.sequence.received).toBe(0);
  });

  it('gives delay, jitter, loss and round trip of a network that is known', () => {
    const { caller, callee, out, clock } = pairOfEnds();
    const oneWayMs = 30;
    const arrive = (): void => {
      for (const { packet, atMs } of out.caller.splice(0)) callee.receive(packet, atMs + oneWayMs);
      for (const { packet, atMs } of out.callee.splice(0)) caller.receive(packet, atMs + oneWayMs);
    };
    for (let index = 0; index < 100; index++) {
      clock.nowMs = 1000 + index * 20;
      caller.sendSpeech(index, clock.nowMs);
      callee.sendSpeech(index, clock.nowMs);
      if (index % 10 === 3) out.caller.pop(); // lost: one in ten, one way
      if (index % 25 === 5) for (const end of [caller, callee]) end.sendReport(clock.nowMs);
      arrive();
    }
    const there = audioFacts('caller-to-callee', caller, callee, wire);
    expect(there).toMatchObject({ sent: 100, received: 90, lossRatio: 0.1, duplicates: 0, reordered: 0 });
    expect(there.jitterMs).toBe(0);
    expect(there.delayMs).toEqual({ min: 30, p50: 30, p95: 30, max: 30 });
    expect(there.lastReceivedMs).toBe(99 * 20 + 30);
    expect(there.mos).toBeGreaterThan(3);
    expect(there.mos).toBeLessThan(3.5);
    const back = audioFacts('callee-to-caller', callee, caller, wire);
    expect(back).toMatchObject({ received: 100, lossRatio: 0 });
    for (const { rttMs } of [there, back]) expect(Math.abs((rttMs ?? NaN) - 60)).toBeLessThan(1);
  });

  it('says what it received in its reports', () => {
    const { caller, callee, out, clock } = pairOfEnds();
    for (let index = 0; index < 8; index++) caller.sendSpeech(index, (clock.nowMs += 20));
    for (const [index, { packet, atMs }] of out.caller.splice(0).entries()) {
      if (index % 4 !== 1) callee.receive(packet, atMs + 10);
    }
    callee.sendReport(clock.nowMs + 20);
    const [report, description] = decodeRtcp(out.callee[0]?.packet ?? Buffer.alloc(0)) ?? [];
    // It has sent nothing yet: a receiver report (RFC 3550 §6.4).
    expect(report).toMatchObject({
      type: 'receiver-report',
      ssrc: 11,
      reports: [{ ssrc: 10, fractionLost: 64, cumulativeLost: 2, jitter: 0, lastSenderReport: 0 }],
    });
    expect(description).toMatchObject({ chunks: [{ ssrc: 11, cname: 'callee' }] });
  });

  it('puts the instant of a sender report on the clock of the media', () => {
    const { caller, out } = pairOfEnds();
    caller.sendSpeech(0, 1000);
    caller.sendSpeech(1, 1023);
    caller.sendReport(1033);
    const [first] = out.caller.map(({ packet }) => decodeRtp(packet));
    const [report] = decodeRtcp(out.caller[2]?.packet ?? Buffer.alloc(0)) ?? [];
    if (report?.type !== 'sender-report') throw new Error('no sender report');
    expect(report).toMatchObject({ packets: 2, octets: 5, reports: [] });
    // The second packet, and 10 ms more.
    expect((report.rtpTimestamp - (first?.timestamp ?? 0)) >>> 0).toBe(960 + 480);
  });

  it('has nothing to say of a direction in which nothing came', () => {
    const { caller, callee } = pairOfEnds();
    caller.sendSpeech(0, 1000);
    expect(audioFacts('caller-to-callee', caller, callee, wire)).toMatchObject({
      sent: 1,
      received: 0,
      lossRatio: 1,
      delayMs: null,
      rttMs: null,
      mos: null,
      lastReceivedMs: null,
    });
  });

  it('counts six hours of packets without growing', () => {
    const { caller, callee, out, clock } = pairOfEnds();
    const packets = 6 * 3600 * 50;
    let usedBefore = 0;
    for (let index = 0; index < packets; index++) {
      caller.sendSpeech(index, (clock.nowMs += 20));
      const { packet, atMs } = out.caller.pop() ?? { packet: Buffer.alloc(0), atMs: 0 };
      if (index % 1000 !== 7) callee.receive(packet, atMs + 25);
      if (index === packets / 2) usedBefore = process.memoryUsage().heapUsed;
    }
    const facts = audioFacts('caller-to-callee', caller, callee, wire);
    expect(facts).toMatchObject({ sent: packets, received: packets * 0.999, duplicates: 0, reordered: 0 });
    expect(facts.delayMs?.p50).toBeCloseTo(25, 1);
    expect(process.memoryUsage().heapUsed - usedBefore).toBeLessThan(64e6);
  }, 30_000);
});
