import type { TransactionFacts } from '../../model/capture-facts.ts';

interface Pending {
  readonly atMs: number | null;
  readonly isSigned: boolean;
}

// RFC 8489 §6.2.1: a client with the default timers gives up after 39.5 s. What is older gets no answer any more.
const mostPending = 256;
/** An answer may still come to what is younger than this where a capture ends. */
const graceMs = 1500;

/** Requests of one method from one side, and what became of them. */
export class Transactions {
  readonly #pending = new Map<string, Pending>();
  readonly #errors = new Map<number, number>();
  #requests = 0;
  #repetitions = 0;
  #succeeded = 0;
  #forgotten = 0;
  #rttMs: number | null = null;
  #signedRefused = 0;

  /** Signed requests that were refused with 401. */
  get signedRefused(): number {
    return this.#signedRefused;
  }

  request(id: string, atMs: number | null, isSigned: boolean): void {
    if (this.#pending.has(id)) {
      this.#repetitions++;
      return;
    }
    const oldest = this.#pending.keys().next().value;
    if (this.#pending.size >= mostPending && oldest !== undefined) {
      this.#pending.delete(oldest);
      this.#forgotten++;
    }
    this.#requests++;
    this.#pending.set(id, { atMs, isSigned });
  }

  /** `code` is null for a success, and 0 where the capture has cut it off. An answer to what was asked before the capture began counts as one too. */
  answer(id: string, atMs: number | null, code: number | null): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined && pending.atMs !== null && atMs !== null)
      this.#rttMs ??= Math.max(0, atMs - pending.atMs);
    if (code === null) this.#succeeded++;
    else if (code !== 0 && (this.#errors.has(code) || this.#errors.size < 16))
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    if (code === 401 && pending?.isSigned === true) this.#signedRefused++;
  }

  facts(endMs: number | null): TransactionFacts {
    const late = [...this.#pending.values()].filter(
      ({ atMs }) => atMs === null || endMs === null || endMs - atMs >= graceMs,
    );
    return {
      requests: this.#requests,
      repetitions: this.#repetitions,
      succeeded: this.#succeeded,
      errors: [...this.#errors].map(([code, count]) => ({ code, count })),
      unanswered: this.#forgotten + late.length,
      rttMs: this.#rttMs,
    };
  }
}
