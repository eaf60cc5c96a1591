import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttemptError } from '../../src/model/failure.ts';
import type { Failure } from '../../src/model/observations.ts';
import { keepAlive, refreshDelayMs } from '../../src/turn/keep-alive.ts';

describe('refreshDelayMs', () => {
  it.each([
    { lifetimeSeconds: 600, delaySeconds: 540 },
    { lifetimeSeconds: 300, delaySeconds: 240 },
    { lifetimeSeconds: 121, delaySeconds: 61 },
    { lifetimeSeconds: 60, delaySeconds: 30 },
    { lifetimeSeconds: 2, delaySeconds: 1 },
    { lifetimeSeconds: 0, delaySeconds: 0.5 },
    { lifetimeSeconds: 2 ** 32 - 1, delaySeconds: 86_400 },
  ])('is $delaySeconds s for $lifetimeSeconds s', ({ lifetimeSeconds, delaySeconds }) => {
    expect(refreshDelayMs(lifetimeSeconds)).toBe(delaySeconds * 1000);
  });

  it('is one that a timer of Node can hold', () => {
    expect(refreshDelayMs(2 ** 32 - 1)).toBeLessThan(2 ** 31);
  });
});

describe('keepAlive', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const timeout: Failure = { kind: 'timeout', afterMs: 5000, sent: 4 };

  /** Keeps something of 600 s alive; each refresh does what comes next in `steps`, the last one again and again. */
  function kept(steps: (number | Failure)[]) {
    const startedAt = performance.now();
    const refreshedAt: number[] = [];
    const lost: { failure: Failure; at: number }[] = [];
    const secondsSince = (): number => Math.round((performance.now() - startedAt) / 100) / 10;
    const abort = new AbortController();
    keepAlive({
      lifetimeSeconds: 600,
      refresh: async () => {
        refreshedAt.push(secondsSince());
        const step = steps[Math.min(refreshedAt.length, steps.length) - 1];
        if (typeof step === 'number') return step;
        if (step?.kind === 'timeout') await new Promise((resolve) => setTimeout(resolve, step.afterMs));
        throw new AttemptError(step ?? timeout);
      },
      onLost: (failure) => lost.push({ failure, at: secondsSince() }),
      signal: abort.signal,
    });
    return { refreshedAt, lost, abort };
  }

  it('refreshes a minute before the end of the lifetime that was granted last', async () => {
    const { refreshedAt, lost } = kept([600, 100, 600]);
    await vi.advanceTimersByTimeAsync(2_000_000);
    expect(refreshedAt.slice(0, 4)).toEqual([540, 1080, 1130, 1670]);
    expect(lost).toEqual([]);
  });

  it('asks again when there is no answer, and goes on when there is one', async () => {
    const { refreshedAt, lost } = kept([600, timeout, timeout, 600]);
    await vi.advanceTimersByTimeAsync(1_700_000);
    expect(refreshedAt).toEqual([540, 1080, 1085.2, 1090.4, 1630.4]);
    expect(lost).toEqual([]);
  });

  it('gives up at the end of the lifetime', async () => {
    const { refreshedAt, lost } = kept([timeout]);
    await vi.advanceTimersByTimeAsync(1_200_000);
    expect(lost).toEqual([{ failure: timeout, at: expect.closeTo(602.4, 0) }]);
    expect(refreshedAt).toHaveLength(12);
  });

  it.each<Failure>([
    { kind: 'malformed', detail: 'garbage', preview: '00' },
    { kind: 'integrity', detail: 'a wrong signature' },
  ])('takes what is no answer for none, and does not ask without a pause: $kind', async (failure) => {
    const { refreshedAt, lost } = kept([failure]);
    await vi.advanceTimersByTimeAsync(590_000);
    expect(lost).toEqual([]);
    expect(refreshedAt.length).toBeGreaterThan(100);
    expect(refreshedAt.length).toBeLessThan(300);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lost).toHaveLength(1);
  });

  it.each<Failure>([
    { kind: 'stun-error', code: 437, reason: '' },
    { kind: 'closed', bytesReceived: 10 },
    { kind: 'system', code: 'ECONNREFUSED', message: 'refused' },
  ])('gives up at once when it is refused or cut off: $kind', async (failure) => {
    const { refreshedAt, lost } = kept([failure]);
    await vi.advanceTimersByTimeAsync(1_200_000);
    expect(lost).toEqual([{ failure, at: 540 }]);
    expect(refreshedAt).toEqual([540]);
  });

  it('ends with its signal, before a refresh and during one', async () => {
    const before = kept([600]);
    const during = kept([timeout]);
    await vi.advanceTimersByTimeAsync(100_000);
    before.abort.abort();
    await vi.advanceTimersByTimeAsync(442_000);
    during.abort.abort();
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect([before.refreshedAt, during.refreshedAt]).toEqual([[], [540]]);
    expect([before.lost, during.lost]).toEqual([[], []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not begin when its signal has been aborted', () => {
    keepAlive({
      lifetimeSeconds: 600,
      refresh: async () => 600,
      onLost: () => {},
      signal: AbortSignal.abort(),
    });
    expect(vi.getTimerCount()).toBe(0);
  });
});
