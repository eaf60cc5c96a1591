import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  delayImpairment,
  lossImpairment,
  mosOf,
  mosOfRating,
  mouthToEarDelayMs,
  ratingOf,
} from '../../src/webrtc/e-model.ts';

describe('ratingOf', () => {
  it('is 93.2 for a perfect network, the R of ITU-T G.107 with every default', () => {
    expect(ratingOf(0, 0)).toBe(93.2);
  });

  // ITU-T G.114, figure 1, is this curve; the values are read off the formula of G.107 §7.4.
  it.each([
    [100, 0],
    [150, 0.1],
    [200, 3.1],
    [300, 14.8],
    [400, 24.1],
    [500, 30.8],
  ])('loses for %i ms what the formula says: %f', (delayMs, impairment) => {
    expect(delayImpairment(delayMs)).toBeCloseTo(impairment, 0);
  });

  it('loses some four points for each of the first percents of loss', () => {
    expect(lossImpairment(0)).toBe(0);
    expect(lossImpairment(0.01)).toBeCloseTo(95 / 26.1, 10);
    expect(lossImpairment(0.05)).toBeCloseTo(475 / 30.1, 10);
  });

  it('never rises with delay or loss, and stays within its scale', () => {
    const delays = fc.double({ min: 0, max: 5000, noNaN: true });
    const losses = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(delays, delays, losses, losses, (a, b, p, q) => {
        const better = ratingOf(Math.min(a, b), Math.min(p, q));
        const worse = ratingOf(Math.max(a, b), Math.max(p, q));
        expect(worse).toBeLessThanOrEqual(better + 1e-9);
        expect(worse).toBeGreaterThanOrEqual(0);
        expect(better).toBeLessThanOrEqual(93.2);
      }),
    );
  });
});

describe('mosOfRating', () => {
  // ITU-T G.107 Annex B, table B.1.
  it.each([
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [93.2, 4.41],
  ])('turns R = %f into MOS %f', (rating, mos) => {
    expect(Math.abs(mosOfRating(rating) - mos)).toBeLessThan(0.01);
  });

  it('is 1 at the bottom and 4.5 at the top, and nowhere outside', () => {
    expect(mosOfRating(0)).toBe(1);
    expect(mosOfRating(100)).toBe(4.5);
    fc.assert(
      fc.property(fc.double({ min: -50, max: 150, noNaN: true }), (rating) => {
        expect(mosOfRating(rating)).toBeGreaterThanOrEqual(1);
        expect(mosOfRating(rating)).toBeLessThanOrEqual(4.5);
      }),
    );
  });
});

describe('mouthToEarDelayMs', () => {
  it('adds packet, look-ahead and a buffer of one packet to a steady network', () => {
    expect(mouthToEarDelayMs({ min: 30, p50: 30, p95: 30, max: 30 })).toBe(30 + 20 + 6.5 + 20);
  });

  it('buffers what the slowest packets but five of a hundred need', () => {
    expect(mouthToEarDelayMs({ min: 30, p50: 50, p95: 90, max: 400 })).toBe(90 + 20 + 6.5);
  });
});

describe('mosOf', () => {
  it('is good on loopback and bad at 10 % loss', () => {
    const near = { min: 0.3, p50: 0.5, p95: 1, max: 3 };
    expect(mosOf(near, 0)).toBeCloseTo(4.41, 2);
    expect(mosOf(near, 0.1)).toBeLessThan(3.5);
    expect(mosOf({ min: 600, p50: 610, p95: 650, max: 900 }, 0)).toBeLessThan(3);
  });
});
