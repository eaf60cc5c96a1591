import { reasonOf } from '../model/error.ts';

/** How many ticks there were. */
export interface Paced {
  /** Ticks whose time had come when it ended. */
  readonly due: number;
  /** Of those, the ticks that were left out. */
  readonly skipped: number;
}

export interface PaceOptions {
  readonly intervalMs: number;
  readonly durationMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** `index` counts intervals from 0. */
  readonly tick: (index: number) => void;
  /** A clock that never goes back; that of the system when absent. */
  readonly nowMs?: () => number;
}

// A timer of Node fires up to a millisecond late, never early, but its delay is cut to whole milliseconds.
const earlyMs = 0.3;
// After a longer stall (the machine slept) the ticks that were missed are left out: making them up would be a flood.
const longestCatchUpMs = 1000;

/**
 * Calls `tick` at a steady rate: every tick is due at a multiple of the interval after the first, so that lateness of
 * timers does not add up. Resolves when the last one was made, or when aborted; rejects with what `tick` throws.
 */
export async function pace(options: PaceOptions): Promise<Paced> {
  const { intervalMs, durationMs, signal, tick, nowMs = () => performance.now() } = options;
  const startedAt = nowMs();
  const ticks = Math.round(durationMs / intervalMs);
  let index = 0;
  let made = 0;
  await new Promise<void>((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const run = (): void => {
      const elapsedMs = nowMs() - startedAt;
      if (elapsedMs - index * intervalMs > longestCatchUpMs) index = Math.floor(elapsedMs / intervalMs);
      try {
        if (index < ticks && elapsedMs >= index * intervalMs - earlyMs) {
          made++;
          tick(index++);
        }
      } catch (error) {
        signal.removeEventListener('abort', finish);
        reject(error instanceof Error ? error : new Error(reasonOf(error)));
        return;
      }
      if (index >= ticks) finish();
      else timer = setTimeout(run, Math.max(0, startedAt + index * intervalMs - nowMs()));
    };
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
    else run();
  });
  const due = Math.min(ticks, Math.max(index, Math.ceil((nowMs() - startedAt) / intervalMs)));
  return { due, skipped: due - made };
}
