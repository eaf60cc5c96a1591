import { AttemptError } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';

// Five transmissions over a second: on a path with 20 % loss each way all of one kind are lost once in 80,000.
export const resendMs = 200;
export const mostTransmissions = 5;

/**
 * Sends again and again until it arrives, for the first time after `afterMs`. UDP gives no promise: a single loss must
 * not become a verdict.
 * @throws AttemptError `timeout` a second after the first transmission; the reason of `signal` when aborted
 */
export async function repeated<T>(
  transmit: () => void,
  listen: (arrived: (value: T) => void) => void,
  signal: AbortSignal,
  afterMs = 0,
): Promise<T> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      listen(resolve);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      let sent = 0;
      const next = (): void => {
        if (sent === mostTransmissions) {
          const silence: Failure = { kind: 'timeout', afterMs: resendMs * mostTransmissions, sent };
          reject(new AttemptError(silence));
          return;
        }
        sent++;
        transmit();
        timer = setTimeout(next, resendMs);
      };
      if (afterMs === 0) next();
      else timer = setTimeout(next, afterMs);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
