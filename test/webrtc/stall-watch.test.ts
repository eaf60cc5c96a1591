import { expect, it, describe, onTestFinished } from 'vitest';
import { StallWatch } from '../../src/webrtc/stall-watch.ts';

/** A watch on two clocks that the test moves. */
function watchOn(): { watch: StallWatch; pass: (runningMs: number, suspendedMs?: number) => void } {
  let running = 1000;
  let boot = 5000;
  const watch = new StallWatch({ runningMs: () => running, bootMs: () => boot });
  onTestFinished(() => watch.close());
  return {
    watch,
    pass: (runningMs, suspendedMs = 0) => {
      running += runningMs;
      boot += runningMs + suspendedMs;
    },
  };
}

describe('StallWatch', () => {
  it('sees no stall where it looks in time', () => {
    const { watch, pass } = watchOn();
    pass(20);
    expect(watch.longestMs).toBe(0);
  });

  it('keeps the longest time that nobody looked', () => {
    const { watch, pass } = watchOn();
    for (const [ms, longestMs] of [
      [320, 300],
      [1520, 1500],
      [200, 1500],
    ] as const) {
      pass(ms);
      expect(watch.longestMs).toBe(longestMs);
    }
  });

  it('sees that the machine slept', () => {
    const { watch, pass } = watchOn();
    pass(20, 900_000);
    expect(watch.longestMs).toBe(900_000);
  });

  it('takes two clocks that are a little apart for no sleep', () => {
    const { watch, pass } = watchOn();
    pass(20, 30);
    expect(watch.longestMs).toBe(0);
  });

  it('looks by itself', async () => {
    let looks = 0;
    const watch = new StallWatch({ runningMs: () => looks++, bootMs: () => 0 });
    onTestFinished(() => watch.close());
    await expect.poll(() => looks).toBeGreaterThan(3);
  });
});
