import { AttemptError } from '../model/failure.ts';
import type { Attempt } from '../model/observations.ts';

/** Milliseconds since the probe began. */
export type Clock = () => number;

/**
 * Runs one attempt and records when it was made, how long it took and how it ended. An abort, and whatever is no
 * `AttemptError`, passes through: it is no fact about a server.
 */
export async function attempt<T>(clock: Clock, work: () => Promise<T>): Promise<Attempt<T>> {
  const atMs = rounded(clock());
  const startedAt = clock();
  try {
    const value = await work();
    return { state: 'done', atMs, durationMs: rounded(clock() - startedAt), value };
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    return { state: 'failed', atMs, durationMs: rounded(clock() - startedAt), failure: error.failure };
  }
}

export function notTried(because: string): Attempt<never> {
  return { state: 'not-tried', because };
}

/** To a microsecond: what the clock can tell, without its noise in the report. */
export function rounded(ms: number): number;
export function rounded(ms: number | null): number | null;
export function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}
