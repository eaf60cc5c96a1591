import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InterarrivalJitter, LossReport, SequenceTracker } from '../../src/webrtc/rtp-statistics.ts';

function observed(numbers: readonly number[]): SequenceTracker {
  const tracker = new SequenceTracker();
  for (const number of numbers) tracker.observe(number & 0xffff);
  return tracker;
}

const consecutive = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

describe('SequenceTracker', () => {
  it('counts a stream without faults across the wrap of 16 bits', () => {
    const tracker = observed(consecutive(0xfff0, 200_000));
    expect(tracker).toMatchObject({ received: 200_000, duplicates: 0, reordered: 0, stale: 0 });
    expect(tracker.expected).toBe(200_000);
    // RFC 3550 §6.4.1: the lower half is the number itself, the upper half counts the wraps.
    expect(tracker.extendedHighest).toBe(0xfff0 + 199_999);
  });

  it('tells a loss from a reordering', () => {
    const tracker = observed([1, 2, 4, 3, 6]);
    expect(tracker).toMatchObject({ received: 5, reordered: 1, duplicates: 0, expected: 6 });
  });

  it('does not let duplicates hide losses', () => {
    const tracker = observed([1, 1, 1, 3, 3]);
    expect(tracker).toMatchObject({ received: 2, duplicates: 3, expected: 3 });
  });

  it('knows a duplicate of a reordered packet', () => {
    expect(observed([1, 3, 2, 2, 3, 1])).toMatchObject({ received: 3, reordered: 1, duplicates: 3 });
  });

  it('counts packets before the first that came', () => {
    const tracker = observed([3, 1, 2, 4]);
    expect(tracker).toMatchObject({ received: 4, reordered: 2, expected: 4 });
  });

  it('reorders across the wrap', () => {
    expect(observed([0xfffe, 0, 0xffff, 1])).toMatchObject({ received: 4, reordered: 1, expected: 4 });
  });

  it('counts an outage of minutes as loss, not as a new start', () => {
    const tracker = observed([...consecutive(0, 10), ...consecutive(20_000, 10)]);
    expect(tracker).toMatchObject({ received: 20, duplicates: 0, expected: 20_010 });
  });

  it('does not take the remains of an earlier lap for a duplicate', () => {
    // 1000 packets, a gap longer than the window, and then packets at the same places of the ring.
    const late = consecutive(0, 1000).map((number) => number + 2 * 4096);
    const tracker = observed([...consecutive(0, 1000), 9191, ...late.slice(0, 999)]);
    expect(tracker.duplicates).toBe(0);
    expect(tracker.received).toBe(2000);
  });

  it('calls stale what is too late to be told apart', () => {
    const tracker = observed([...consecutive(0, 5000), 100]);
    expect(tracker).toMatchObject({ received: 5000, stale: 1, duplicates: 0, reordered: 0 });
  });

  it('agrees with a tracker that remembers everything', () => {
    const streams = fc
      .tuple(
        fc.integer({ min: 0, max: 0xffff }),
        fc.array(
          fc.record({ lost: fc.boolean(), copies: fc.integer({ min: 1, max: 3 }), late: fc.nat(50) }),
          { minLength: 1, maxLength: 300 },
        ),
      )
      .map(([start, packets]) =>
        packets
          .flatMap(({ lost, copies, late }, index) =>
            lost
              ? []
              : Array.from({ length: copies }, (_, copy) => ({ index, at: index + late * (copy + 1) })),
          )
          .toSorted((a, b) => a.at - b.at)
          .map(({ index }) => start + index),
      );
    fc.assert(
      fc.property(streams, (numbers) => {
        const seen = new Set<number>();
        let highest = -1;
        let reordered = 0;
        for (const number of numbers) {
          if (!seen.has(number) && number < highest) reordered++;
          seen.add(number);
          highest = Math.max(highest, number);
        }
        const tracker = observed(numbers);
        expect(tracker.received).toBe(seen.size);
        expect(tracker.duplicates).toBe(numbers.length - seen.size);
        expect(tracker.reordered).toBe(reordered);
        if (seen.size > 0) expect(tracker.expected).toBe(highest - Math.min(...seen) + 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('InterarrivalJitter', () => {
  it('is nothing when the transit is steady', () => {
    const jitter = new InterarrivalJitter();
    for (let packet = 0; packet < 100; packet++) jitter.observe(packet * 20, packet * 20 + 55);
    expect(jitter).toMatchObject({ ms: 0, maxMs: 0 });
  });

  it('does not count lateness of the sender', () => {
    const jitter = new InterarrivalJitter();
    for (const sentMs of [0, 20, 47, 60, 95]) jitter.observe(sentMs, sentMs + 10);
    expect(jitter.ms).toBe(0);
  });

  it('follows RFC 3550 A.8', () => {
    const jitter = new InterarrivalJitter();
    jitter.observe(0, 10);
    jitter.observe(20, 46); // |D| = 16
    expect(jitter.ms).toBeCloseTo(1, 12);
    jitter.observe(40, 50); // |D| = 16
    expect(jitter.ms).toBeCloseTo(1 + 15 / 16, 12);
    jitter.observe(60, 70); // |D| = 0
    expect(jitter.ms).toBeCloseTo((1 + 15 / 16) * (15 / 16), 12);
    expect(jitter.maxMs).toBeCloseTo(1 + 15 / 16, 12);
  });

  it('remembers a burst that J has forgotten at the end', () => {
    const jitter = new InterarrivalJitter();
    for (let packet = 0; packet < 200; packet++) {
      const inBurst = packet >= 80 && packet < 100;
      jitter.observe(packet * 20, packet * 20 + (inBurst && packet % 2 === 1 ? 90 : 10));
    }
    expect(jitter.ms).toBeLessThan(1);
    // 20 of the 199 differences are 80 ms.
    expect(jitter.variation.quantile(0.95)).toBeCloseTo(80, 0);
    expect(jitter.variation.quantile(0.85)).toBe(0);
    // Each difference raises the sum of all later J by itself, but for what is still to come at the end.
    expect(jitter.meanMs).toBeCloseTo((20 * 80) / 199, 0);
  });

  it('comes to the mean difference of two random delays', () => {
    // Delays even in 0…w: E|D| = w / 3.
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
    const jitter = new InterarrivalJitter();
    let sum = 0;
    for (let packet = 0; packet < 20_000; packet++) {
      jitter.observe(packet * 20, packet * 20 + 30 * random());
      sum += jitter.ms;
    }
    expect(sum / 20_000).toBeGreaterThan(9.5);
    expect(sum / 20_000).toBeLessThan(10.5);
  });
});

describe('LossReport', () => {
  it('gives the loss since the last report in 1/256, and all of it', () => {
    const tracker = new SequenceTracker();
    const report = new LossReport();
    for (const number of consecutive(0, 100)) if (number % 4 !== 1) tracker.observe(number);
    expect(report.take(tracker)).toEqual({ fractionLost: 64, cumulativeLost: 25 });
    for (const number of consecutive(100, 100)) if (number % 2 === 1) tracker.observe(number);
    expect(report.take(tracker)).toEqual({ fractionLost: 128, cumulativeLost: 75 });
    for (const number of consecutive(200, 100)) tracker.observe(number);
    expect(report.take(tracker)).toEqual({ fractionLost: 0, cumulativeLost: 75 });
  });

  it('goes below zero with duplicates, as RFC 3550 A.3 says', () => {
    const tracker = observed([1, 2, 2, 2]);
    expect(new LossReport().take(tracker)).toEqual({ fractionLost: 0, cumulativeLost: -2 });
  });

  it('reports nothing before the first packet', () => {
    expect(new LossReport().take(new SequenceTracker())).toEqual({ fractionLost: 0, cumulativeLost: 0 });
  });
});
