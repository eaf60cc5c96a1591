// Audio is 50 packets a second: nothing at all for this long is no jitter.
const silenceMs = 2000;
const examineAgainMs = 5000;

/** Notices that nothing arrives any more, and has it examined. */
export class SilenceWatch {
  readonly #examine: () => Promise<void>;
  #received = 0;
  #changedMs: number | null = null;
  #examinedMs = -Infinity;

  constructor(examine: () => Promise<void>) {
    this.#examine = examine;
  }

  async look(nowMs: number, received: number): Promise<void> {
    if (received !== this.#received || this.#changedMs === null) {
      this.#received = received;
      this.#changedMs = nowMs;
    }
    if (nowMs - this.#changedMs < silenceMs || nowMs - this.#examinedMs < examineAgainMs) return;
    this.#examinedMs = nowMs;
    await this.#examine();
  }
}
