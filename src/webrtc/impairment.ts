/**
 * Faults put into the received media on purpose, so that tests know what the figures must be. Only RTP is touched:
 * STUN, DTLS and RTCP pass, so that the call itself is not in doubt. Ratios are probabilities, 0 to 1.
 */
export interface Impairment {
  /** The same seed gives the same faults. */
  readonly seed: number;
  readonly lossRatio?: number;
  readonly duplicateRatio?: number;
  /** A packet of these changes places with the one behind it. */
  readonly reorderRatio?: number;
  /** Each packet is held back for a time drawn evenly from this range. Overtakes happen when it is wider than 20 ms. */
  readonly delayMs?: { readonly min: number; readonly max: number };
}

/** What befalls one packet. */
export interface Fate {
  readonly dropped: boolean;
  readonly duplicated: boolean;
  /** It waits until the next packet has passed. */
  readonly swapped: boolean;
  readonly delayMs: number;
}

/**
 * The fates of a stream's packets, in order, without end.
 * @param stream tells the directions of one call apart
 */
export function* fatesOf(impairment: Impairment, stream: number): Generator<Fate, never> {
  const random = randomNumbers(impairment.seed * 31 + stream);
  const { lossRatio = 0, duplicateRatio = 0, reorderRatio = 0, delayMs = { min: 0, max: 0 } } = impairment;
  for (let swapped = false; ;) {
    // Every packet takes four numbers, so that one kind of fault does not shift the others.
    const [loss, duplicate, reorder, delay] = [random(), random(), random(), random()];
    // The partner of a swap passes unharmed: else there would be nothing to change places with.
    const partner: boolean = swapped;
    const dropped: boolean = !partner && loss < lossRatio;
    swapped = !partner && !dropped && reorder < reorderRatio;
    yield {
      dropped,
      duplicated: !partner && !dropped && !swapped && duplicate < duplicateRatio,
      swapped,
      delayMs: delayMs.min + delay * (delayMs.max - delayMs.min),
    };
  }
}

/** mulberry32, a small generator of known quality: 32 bits of state, numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A path on which packets meet their fates. */
export class ImpairedPath {
  readonly #fates: Iterator<Fate, never>;
  readonly #deliver: (packet: Uint8Array) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #held: { packet: Uint8Array; fate: Fate } | null = null;

  constructor(impairment: Impairment, stream: number, deliver: (packet: Uint8Array) => void) {
    this.#fates = fatesOf(impairment, stream);
    this.#deliver = deliver;
  }

  push(packet: Uint8Array): void {
    const fate = this.#fates.next().value;
    const held = this.#held;
    this.#held = null;
    if (fate.swapped) this.#held = { packet: Uint8Array.from(packet), fate };
    else this.#pass(packet, fate);
    if (held) this.#pass(held.packet, held.fate);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#held = null;
  }

  #pass(packet: Uint8Array, fate: Fate): void {
    if (fate.dropped) return;
    if (fate.delayMs === 0) {
      this.#deliver(packet);
      if (fate.duplicated) this.#deliver(packet);
      return;
    }
    const copy = Uint8Array.from(packet);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#deliver(copy);
      if (fate.duplicated) this.#deliver(copy);
    }, fate.delayMs);
    this.#timers.add(timer);
  }
}
