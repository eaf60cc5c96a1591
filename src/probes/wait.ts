import { setTimeout as sleep } from 'node:timers/promises';

/** @throws the reason of `signal` when aborted, and not the AbortError of Node.js, which nobody here knows */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
