import { uptime } from 'node:os';

const intervalMs = 20;
// The time since boot comes in hundredths of a second, and reading two clocks takes its time.
const leastSuspensionMs = 1000;

export interface Clocks {
  /** Stands still while the machine is suspended (CLOCK_MONOTONIC). */
  readonly runningMs: () => number;
  /** Goes on while the machine is suspended (CLOCK_BOOTTIME). */
  readonly bootMs: () => number;
}

const systemClocks: Clocks = { runningMs: () => performance.now(), bootMs: () => uptime() * 1000 };

/**
 * Finds out for how long this process did not run: its thread was busy, it was stopped, or the machine slept. What is
 * measured across such a time says nothing about anyone else.
 */
export class StallWatch {
  readonly #clocks: Clocks;
  readonly #timer: NodeJS.Timeout;
  readonly #begun: { readonly runningMs: number; readonly bootMs: number };
  #seenMs: number;
  #longestMs = 0;

  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks;
    this.#begun = { runningMs: clocks.runningMs(), bootMs: clocks.bootMs() };
    this.#seenMs = this.#begun.runningMs;
    this.#timer = setInterval(() => this.#look(), intervalMs);
  }

  /** The longest such time so far; 0 on a machine that has nothing else to do. */
  get longestMs(): number {
    this.#look();
    const { runningMs, bootMs } = this.#clocks;
    const suspendedMs = bootMs() - this.#begun.bootMs - (runningMs() - this.#begun.runningMs);
    return suspendedMs < leastSuspensionMs ? this.#longestMs : Math.max(this.#longestMs, suspendedMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = this.#clocks.runningMs();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#seenMs - intervalMs);
    this.#seenMs = nowMs;
  }
}
