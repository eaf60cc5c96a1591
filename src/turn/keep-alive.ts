import { AttemptError } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';

// RFC 8656 §8 suggests a refresh about a minute before the end, which leaves room for all retransmissions of one request;
// short lifetimes are refreshed at half time.
const leadSeconds = 60;
// A server that grants next to nothing must not be asked in a loop, and a timer of Node holds 24.8 days at most (a
// longer one fires at once, while a lifetime goes up to 136 years).
const leastDelaySeconds = 0.5;
const mostDelaySeconds = 86_400;

/** How long after a (re)fresh the next one is due, in milliseconds. */
export function refreshDelayMs(lifetimeSeconds: number): number {
  const delaySeconds = Math.max(lifetimeSeconds / 2, lifetimeSeconds - leadSeconds);
  return Math.min(mostDelaySeconds, Math.max(leastDelaySeconds, delaySeconds)) * 1000;
}

// Most of the waiting was done for the answer; an answer that is wrong, and wrong at once, must not be asked for in a loop.
const repeatDelayMs = 200;

export interface KeepAliveOptions {
  readonly lifetimeSeconds: number;
  /** Extends the thing; gives its new lifetime in seconds. Rejects with AttemptError. */
  readonly refresh: () => Promise<number>;
  readonly onLost: (failure: Failure) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

// What came back was no answer: the server may have done it nevertheless, or may do it when asked again.
const unanswered: ReadonlySet<Failure['kind']> = new Set(['timeout', 'malformed', 'integrity']);

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
      if (unanswered.has(error.failure.kind) && performance.now() < expiresAt) schedule(repeatDelayMs);
      else onLost(error.failure);
    }
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  if (!signal.aborted) schedule(refreshDelayMs(lifetimeSeconds));
}
