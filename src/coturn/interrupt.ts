import { setTimeout as sleep } from 'node:timers/promises';

const graceMs = 100;

/**
 * For a child process that ended unasked: whether `signal` is aborted, or is about to be. Ctrl-C reaches the child as it
 * reaches us, and its end may be seen first.
 */
export async function isInterrupted(signal: AbortSignal | undefined): Promise<boolean> {
  if (signal !== undefined && !signal.aborted) await sleep(graceMs);
  return signal?.aborted === true;
}
