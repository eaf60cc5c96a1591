import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Neighbourhood } from '../../src/probes/neighbourhood.ts';
import { done, failed, silence } from '../support/facts.ts';

const answered = (rttMs: number | null) => done({ rttMs });

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('the wait for a silent listener', () => {
  it('is not shortened while none of its neighbours has answered', () => {
    const neighbours = new Neighbourhood();
    const { hurry } = neighbours.join();
    neighbours.answered(failed(silence));
    vi.advanceTimersByTime(60_000);
    expect(hurry.aborted).toBe(false);
  });

  it('ends 3.2 s and four round trips after its own begin, whenever the neighbour answers', () => {
    const neighbours = new Neighbourhood();
    const early = neighbours.join();
    vi.advanceTimersByTime(1000);
    neighbours.answered(answered(50));
    const late = neighbours.join();
    vi.advanceTimersByTime(2399);
    expect([early.hurry.aborted, late.hurry.aborted]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([early.hurry.aborted, late.hurry.aborted]).toEqual([true, false]);
    vi.advanceTimersByTime(1000);
    expect(late.hurry.aborted).toBe(true);
  });

  it('ends at once when the neighbour answers later than that', () => {
    const neighbours = new Neighbourhood();
    const { hurry } = neighbours.join();
    vi.advanceTimersByTime(4500);
    neighbours.answered(answered(10));
    vi.advanceTimersByTime(0);
    expect(hurry.aborted).toBe(true);
  });

  it('is not shortened by an answer whose round trip is not known, nor after it was left', () => {
    const neighbours = new Neighbourhood();
    const { hurry, leave } = neighbours.join();
    neighbours.answered(answered(null));
    vi.advanceTimersByTime(5000);
    expect(hurry.aborted).toBe(false);
    neighbours.answered(answered(10));
    leave();
    vi.advanceTimersByTime(5000);
    expect(hurry.aborted).toBe(false);
  });
});
