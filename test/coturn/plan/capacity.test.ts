import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capacityFor } from '../../../src/coturn/plan/capacity.ts';
import type { Usage } from '../../../src/model/plan-report.ts';

const speech: Usage = {
  users: 100,
  minutes: 50_000,
  relayedRatio: 0.2,
  bitrateBps: 32_000,
  frameMs: 20,
};

describe('capacityFor', () => {
  it('reckons speech as it is on the wire', () => {
    const { stream } = capacityFor(speech);
    // 80 bytes of Opus, 12 RTP, 10 SRTP, 8 UDP, 20 IPv4, fifty times a second, and 5 % RTCP; 4 more of ChannelData.
    expect(stream.packetsPerSecond).toBe(50);
    expect(stream.peerBps).toBeCloseTo((80 + 50) * 8 * 50 * 1.05, 6);
    expect(stream.clientBps).toBeCloseTo((80 + 54) * 8 * 50 * 1.05, 6);
  });

  it('counts each relayed stream once on each side', () => {
    const { stream, peak, month } = capacityFor(speech);
    expect(peak.relayedUsers).toBe(20);
    expect(peak.bps).toBeCloseTo(20 * (stream.clientBps + stream.peerBps), 6);
    expect(peak.packetsPerSecond).toBe(20 * 2 * 50);
    expect(month.relayedMinutes).toBe(10_000);
    expect(month.bytes).toBeCloseTo((10_000 * 60 * (stream.clientBps + stream.peerBps)) / 8, 3);
    expect(month.clientBytes).toBeCloseTo((10_000 * 60 * stream.clientBps) / 8, 3);
  });

  it('sizes the ports for everybody, whoever is relayed in the end', () => {
    expect(capacityFor(speech).relay).toEqual({
      ports: 400,
      range: { min: 65_136, max: 65_535 },
      addresses: 1,
    });
    expect(capacityFor({ ...speech, relayedRatio: 1 }).relay.ports).toBe(400);
    expect(capacityFor({ ...speech, users: 20_000 }).relay).toEqual({
      ports: 80_000,
      range: null,
      addresses: 2,
    });
  });

  it('splits video into packets that fit', () => {
    expect(capacityFor({ ...speech, bitrateBps: 1_500_000 }).stream.packetsPerSecond).toBe(171);
  });

  it('asks for at least one core, and for more when there is more to relay', () => {
    expect(capacityFor(speech).machine.cores).toBe(1);
    expect(capacityFor({ ...speech, users: 1000, relayedRatio: 1 }).machine.cores).toBe(4);
  });

  it('never shrinks when use grows', () => {
    const usage = fc.record({
      users: fc.integer({ min: 1, max: 100_000 }),
      minutes: fc.integer({ min: 0, max: 1e9 }),
      relayedRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      bitrateBps: fc.integer({ min: 6000, max: 20_000_000 }),
      frameMs: fc.integer({ min: 3, max: 120 }),
    });
    fc.assert(
      fc.property(usage, (less) => {
        const more = { ...less, users: less.users * 2, minutes: less.minutes * 2 };
        const [a, b] = [capacityFor(less), capacityFor(more)];
        expect(b.relay.ports).toBeGreaterThanOrEqual(a.relay.ports);
        expect(b.peak.bps).toBeGreaterThanOrEqual(a.peak.bps);
        expect(b.month.bytes).toBeGreaterThanOrEqual(a.month.bytes);
        expect(b.machine.cores).toBeGreaterThanOrEqual(a.machine.cores);
        expect(b.machine.memoryBytes).toBeGreaterThan(a.machine.memoryBytes);
      }),
    );
  });
});
