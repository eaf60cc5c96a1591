import { describe, expect, it } from 'vitest';
import { pace } from '../../src/webrtc/pacer.ts';

const never = new AbortController().signal;

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('pace', () => {
  it('ticks as often as the duration has intervals, and does not drift', async () => {
    const ticks: { index: number; atMs: number }[] = [];
    const startedAt = performance.now();
    await pace({
      intervalMs: 20,
      durationMs: 1000,
      signal: never,
      tick: (index) => ticks.push({ index, atMs: performance.now() - startedAt }),
    });
    expect(ticks.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    for (const { index, atMs } of ticks) expect(atMs - index * 20).toBeGreaterThan(-1);
    // With a timer that starts anew after each tick the last one would be late by tens of milliseconds.
    const latest = ticks.slice(-10).map(({ index, atMs }) => atMs - index * 20);
    expect(Math.min(...latest)).toBeLessThan(8);
  });

  it('catches up after a short stall', async () => {
    const indexes: number[] = [];
    await pace({
      intervalMs: 20,
      durationMs: 600,
      signal: never,
      tick: (index) => {
        indexes.push(index);
        if (index === 5) busyFor(200);
      },
    });
    expect(indexes.length).toBe(30);
  });

  it('leaves out what a long sleep has missed', async () => {
    const indexes: number[] = [];
    await pace({
      intervalMs: 20,
      durationMs: 1600,
      signal: never,
      tick: (index) => {
        indexes.push(index);
        if (index === 5) busyFor(1200);
      },
    });
    expect(indexes[6]).toBeGreaterThan(60);
    expect(indexes.at(-1)).toBe(79);
    expect(indexes.length).toBeLessThan(30);
  });

  it('ends when aborted', async () => {
    const abort = new AbortController();
    let ticks = 0;
    await pace({
      intervalMs: 20,
      durationMs: 60_000,
      signal: abort.signal,
      tick: () => {
        if (++ticks === 3) abort.abort();
      },
    });
    expect(ticks).toBe(3);
  });

  it('rejects with what a tick throws', async () => {
    const tick = (): never => {
      throw new Error('no more');
    };
    await expect(pace({ intervalMs: 20, durationMs: 100, signal: never, tick })).rejects.toThrow('no more');
  });
});
