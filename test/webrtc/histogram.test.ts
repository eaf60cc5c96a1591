import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/webrtc/histogram.ts';

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('Histogram', () => {
  it('has no distribution before the first value', () => {
    expect(new Histogram().distribution()).toBeNull();
    expect(new Histogram().quantile(0.5)).toBeNull();
  });

  it('is exact for one value', () => {
    expect(histogramOf([12.345]).distribution()).toEqual({
      min: 12.345,
      p50: 12.345,
      p95: 12.345,
      max: 12.345,
    });
  });

  it('is within one percent of the true quantiles, from microseconds to minutes', () => {
    const delays = fc.array(fc.double({ min: 0.001, max: 600_000, noNaN: true }), {
      minLength: 1,
      maxLength: 500,
    });
    fc.assert(
      fc.property(delays, fc.constantFrom(0, 0.25, 0.5, 0.95, 1), (values, q) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? NaN;
        const quantile = histogramOf(values).quantile(q) ?? NaN;
        expect(Math.abs(quantile - exact) / exact).toBeLessThan(0.01);
      }),
    );
  });

  it('keeps the extremes exactly', () => {
    const distribution = histogramOf([3, 1, 4, 1, 5, 9, 2, 6]).distribution();
    expect(distribution).toMatchObject({ min: 1, max: 9 });
  });

  it('takes a negative value, and one beyond its range', () => {
    expect(histogramOf([-5, 1e9]).distribution()).toMatchObject({ min: 0, max: 1e9 });
  });
});
