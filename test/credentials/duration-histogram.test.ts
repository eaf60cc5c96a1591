import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { durationHistogram } from '../../src/credentials/duration-histogram.ts';

describe('a histogram of durations', () => {
  it('reads as that of prom-client with the same observations', async () => {
    const buckets = [0.0005, 0.001, 0.05, 1, 5];
    const registry = new Registry();
    const theirs = new Histogram({ name: 'seconds', help: 'How long.', buckets, registers: [registry] });
    const ours = durationHistogram('seconds', 'How long.', buckets);
    expect(ours.text()).toBe(await registry.metrics());
    // Bounds themselves, what lies beside them, none and beyond.
    for (const seconds of [0, 0.0005, 0.00051, 0.001, 0.3, 0.3, 1, 5, 5.5, 1e6, ...buckets]) {
      theirs.observe(seconds);
      ours.observe(seconds);
    }
    expect(ours.text()).toBe(await registry.metrics());
  });
});
