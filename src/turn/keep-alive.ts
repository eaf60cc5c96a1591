import { AttemptError } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';

// A refresh a minute before the end leaves room for every retransmission of one request (RFC 8656 §8.3 asks for
// about that); short lifetimes are refreshed at half time.
const leadSeconds = 60;

/** How long after a (re)fresh the next one is due, in milliseconds. */
export function refreshDelayMs(lifetimeSeconds: number): number {
  return Math.max(lifetimeSeconds / 2, lifetimeSeconds - leadSeconds) * 1000;
}

export interface KeepAliveOptions {
  readonly lifetimeSeconds: number;
  /** Extends the thing; gives its new lifetime in seconds. Rejects with AttemptError. */
  readonly refresh: () => Promise<number>;
  readonly onLost: (failure: Failure) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Keeps something with a lifetime alive until `signal` is aborted. An unanswered refresh is repeated until the
 * lifetime is over; a refusal, or a closed connection, is final.
 */
export function keepAlive({ lifetimeSeconds, refresh, onLost, signal }: KeepAliveOptions): void {
  let expiresAt = performance.now() + lifetimeSeconds * 1000;
  let timer: NodeJS.Timeout;
  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => void renew(), delayMs);
  };
  const renew = async (): Promise<void> => {
    try {
      const lifetime = await refresh();
      if (signal.aborted) return;
      expiresAt = performance.now() + lifetime * 1000;
      schedule(refreshDelayMs(lifetime));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AttemptError)) throw error;
      if (error.failure.kind === 'timeout' && performance.now() < expiresAt) schedule(0);
      else onLost(error.failure);
    }
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  if (!signal.aborted) schedule(refreshDelayMs(lifetimeSeconds));
}
