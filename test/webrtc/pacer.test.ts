import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pace, type Paced } from '../../src/webrtc/pacer.ts';

const never = new AbortController().signal;

/**
 * Runs `pace` with a tick every 20 ms on a clock that stands still but for timers, and for the time that a tick takes.
 * @param takesMs by the index of the tick
 */
async function paced(
  durationMs: number,
  takesMs: (index: number) => number,
): Promise<Paced & { ticks: { index: number; atMs: number }[] }> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let workMs = 0;
  const nowMs = (): number => performance.now() + workMs;
  const startedAt = nowMs();
  const ticks: { index: number; atMs: number }[] = [];
  const pacing = pace({
    intervalMs: 20,
    durationMs,
    signal: never,
    nowMs,
    tick: (index) => {
      ticks.push({ index, atMs: nowMs() - startedAt });
      workMs += takesMs(index);
    },
  });
  await vi.runAllTimersAsync();
  return { ...(await pacing), ticks };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('pace', () => {
  it('ticks as often as the duration has intervals, and does not drift', async () => {
    const { ticks, due, skipped } = await paced(1000, () => 3);
    expect(ticks.map(({ index }) => index)).toEqual(upTo(50));
    // With a timer that starts anew after each tick the last one would be late by 150 ms.
    for (const { index, atMs } of ticks) expect(Math.abs(atMs - index * 20)).toBeLessThan(1);
    expect({ due, skipped }).toEqual({ due: 50, skipped: 0 });
  });

  it('keeps to the clock of the system, and is never early', async () => {
    const startedAt = performance.now();
    const early: number[] = [];
    const tick = (index: number): void => {
      if (performance.now() - startedAt < index * 20 - 1) early.push(index);
    };
    expect(await pace({ intervalMs: 20, durationMs: 200, signal: never, tick })).toEqual({
      due: 10,
      skipped: 0,
    });
    expect(early).toEqual([]);
  });

  it('catches up after a short stall', async () => {
    const { ticks, skipped } = await paced(600, (index) => (index === 5 ? 200 : 0));
    expect(ticks.map(({ index }) => index)).toEqual(upTo(30));
    expect(ticks[6]?.atMs).toBeCloseTo(300, -1);
    expect(skipped).toBe(0);
  });

  it('leaves out what a long sleep has missed, and says so', async () => {
    const { ticks, due, skipped } = await paced(1600, (index) => (index === 5 ? 1200 : 0));
    // Tick 6 was due at 120 ms; it is 1300 ms.
    expect(ticks.map(({ index }) => index)).toEqual([...upTo(6), ...upTo(80).slice(65)]);
    expect({ due, skipped }).toEqual({ due: 80, skipped: 59 });
  });

  it('says so when the sleep lasts to the end', async () => {
    const { ticks, due, skipped } = await paced(400, (index) => (index === 5 ? 5000 : 0));
    expect(ticks.length).toBe(6);
    expect({ due, skipped }).toEqual({ due: 20, skipped: 14 });
  });

  it('ends when aborted, and counts what was due until then', async () => {
    const abort = new AbortController();
    let ticks = 0;
    const ended = await pace({
      intervalMs: 20,
      durationMs: 60_000,
      signal: abort.signal,
      nowMs: () => ticks * 20,
      tick: () => {
        if (++ticks === 3) abort.abort();
      },
    });
    expect(ticks).toBe(3);
    expect(ended).toEqual({ due: 3, skipped: 0 });
  });

  it('rejects with what a tick throws', async () => {
    const tick = (): never => {
      throw new Error('no more');
    };
    await expect(pace({ intervalMs: 20, durationMs: 100, signal: never, tick })).rejects.toThrow('no more');
  });
});
