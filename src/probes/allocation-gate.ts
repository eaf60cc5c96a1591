import pLimit from 'p-limit';
import { wait } from './wait.ts';

/** coturn 4.6 confirms a release at once; quota and port it gives back when it deletes the session, about a second later. */
export const usualFreeingMs = 1500;

/**
 * Keeps a probe from using up a quota by itself. Everything runs at once until a server refuses something for want of
 * quota; from then on each thing runs with no other allocation of this probe on the server, and what was refused is
 * tried once more. What is refused even then, others have used up, or the quota is that small.
 */
export class AllocationGate {
  readonly #signal: AbortSignal;
  readonly #freeingMs: number;
  readonly #running = new Set<Promise<unknown>>();
  readonly #alone = pLimit(1);
  #isNarrow = false;
  /** Refused when nothing of ours had been on the server yet: waiting again would change nothing. */
  #isSpent = false;
  #hasUsed = false;

  /** @param freeingMs how long a server may take to give back what was released */
  constructor(signal: AbortSignal, freeingMs = usualFreeingMs) {
    this.#signal = signal;
    this.#freeingMs = freeingMs;
  }

  /**
   * Runs `work`, which frees what it allocates; once more when `wasRefused` says that the quota was in its way.
   * @throws what `work` throws; the reason of the signal when aborted while waiting
   */
  async run<T>(work: () => Promise<T>, wasRefused: (result: T) => boolean): Promise<T> {
    if (this.#isNarrow) return this.#alone(async () => this.#withoutOthers(work, wasRefused));
    const first = work();
    this.#running.add(first);
    let result: T;
    try {
      result = await first;
    } finally {
      this.#running.delete(first);
    }
    if (!wasRefused(result)) {
      this.#hasUsed = true;
      return result;
    }
    this.#isNarrow = true;
    return this.#alone(async () => (this.#isSpent ? result : this.#afterFreeing(work, wasRefused)));
  }

  async #withoutOthers<T>(work: () => Promise<T>, wasRefused: (result: T) => boolean): Promise<T> {
    await Promise.allSettled(this.#running);
    const result = await work();
    if (wasRefused(result)) return this.#isSpent ? result : this.#afterFreeing(work, wasRefused);
    this.#hasUsed = true;
    this.#isSpent = false;
    return result;
  }

  async #afterFreeing<T>(work: () => Promise<T>, wasRefused: (result: T) => boolean): Promise<T> {
    await Promise.allSettled(this.#running);
    await wait(this.#freeingMs, this.#signal);
    const result = await work();
    if (!wasRefused(result)) this.#hasUsed = true;
    this.#isSpent = !this.#hasUsed;
    return result;
  }
}
