import type { Attempt } from '../model/observations.ts';

// The kernel sends a SYN at 0, 1 and 3 s, and a STUN request goes out at 0, 0.5 and 1.5 s (RFC 8489 §6.2.1): after so
// long, a server that is there and answers elsewhere has missed three of them.
const leastWaitMs = 3200;
// An answer takes one round trip; a TLS handshake up to three.
const roundTrips = 4;

/**
 * The listeners of one address. When one of them has answered, how long an answer takes is known, and silence of the
 * others need not be waited for to the full deadline.
 */
export class Neighbourhood {
  #rttMs: number | null = null;
  readonly #waiting = new Set<(rttMs: number) => void>();

  /** Tells of an answer; a slow one, or one whose round trip is not known, changes nothing. */
  answered(step: Attempt<{ readonly rttMs: number | null }>): void {
    if (step.state !== 'done' || step.value.rttMs === null || this.#rttMs !== null) return;
    this.#rttMs = step.value.rttMs;
    for (const shorten of this.#waiting) shorten(this.#rttMs);
  }

  /** A listener begins to be asked: the signal ends its wait early. To be left when it has answered, or has not. */
  join(): { readonly hurry: AbortSignal; leave: () => void } {
    const began = performance.now();
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const shorten = (rttMs: number): void => {
      const leftMs = leastWaitMs + roundTrips * rttMs - (performance.now() - began);
      timer = setTimeout(() => controller.abort(), Math.max(0, leftMs));
    };
    this.#waiting.add(shorten);
    if (this.#rttMs !== null) shorten(this.#rttMs);
    return {
      hurry: controller.signal,
      leave: () => {
        clearTimeout(timer);
        this.#waiting.delete(shorten);
      },
    };
  }
}
