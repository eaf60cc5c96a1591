// As many as libdatachannel itself would keep; a first flight is one ClientHello, in few fragments.
const mostPackets = 8;

/**
 * Keeps DTLS from an agent until its own DTLS has been started.
 *
 * One side's ICE connects some 50 ms before the other's, so its ClientHello comes early. libdatachannel 0.24.5 keeps it
 * and replays it in the middle of starting DTLS, where it meets one of two races: either it is taken before the state
 * says "connecting", and lies there until a timer finds it a second later (nine calls of ten); or a second thread
 * handles it, and the two wait for each other's lock for ever (two calls of a hundred): the thread that starts DTLS holds
 * libjuice's lock and wants that of DTLS, the other one answers the ClientHello and wants libjuice's.
 */
export class HandshakeGate {
  readonly #deliver: (payload: Uint8Array) => void;
  #held: Uint8Array[] | null = [];

  constructor(deliver: (payload: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  pass(payload: Uint8Array): void {
    if (this.#held === null || !isDtls(payload)) this.#deliver(payload);
    else if (this.#held.length < mostPackets) this.#held.push(Uint8Array.from(payload));
  }

  /** The agent's DTLS runs: it gets what was kept, and all that follows. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const payload of held) this.#deliver(payload);
  }
}

/** RFC 7983 §7: by the first byte. */
function isDtls([first = 0]: Uint8Array): boolean {
  return first >= 20 && first <= 63;
}
