import type { Distribution } from '../model/observations.ts';

// 1 % wide buckets from 1 µs to 1000 s (in milliseconds): a quantile is at most half a percent off, in 8 kB.
const leastMs = 0.001;
const mostMs = 1e6;
const growth = Math.log(1.01);
const bucketCount = Math.ceil(Math.log(mostMs / leastMs) / growth) + 1;

/** A distribution of durations in constant memory, however many are added. */
export class Histogram {
  readonly #buckets = new Uint32Array(bucketCount);
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  /** Milliseconds; a negative value counts as 0. */
  add(valueMs: number): void {
    const value = Math.max(0, valueMs);
    this.#count++;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const bucket = bucketOf(value);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The value below or at which the fraction `q` (0 to 1) of all values lies; null when there are none. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, middleOf(bucket)));
    }
    return this.#max;
  }

  /** Null when nothing was added. */
  distribution(): Distribution | null {
    const p50 = this.quantile(0.5);
    const p95 = this.quantile(0.95);
    if (p50 === null || p95 === null) return null;
    return { min: this.#min, p50, p95, max: this.#max };
  }
}

function bucketOf(value: number): number {
  if (value <= leastMs) return 0;
  return Math.min(bucketCount - 1, Math.ceil(Math.log(value / leastMs) / growth));
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : leastMs * Math.exp((bucket - 0.5) * growth);
}
