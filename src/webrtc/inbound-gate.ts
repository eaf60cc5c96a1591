// More than comes within the moments that a gate is closed: some checks, and a ClientHello in few fragments.
const mostPackets = 16;

/**
 * Keeps packets of the other peer from an agent that is not ready for them, and hands them over once it is. Neither kind
 * may be lost: a check is sent again after half a second, a ClientHello after a whole one.
 *
 * Nothing passes before the agent knows the other peer's candidates. The other peer's first check can come earlier;
 * the agent would note its relay address as a peer-reflexive candidate, and call the pair that (RFC 8445 §7.3.1.3; one
 * call of three hundred).
 *
 * DTLS waits until the agent's own DTLS has been started. One side's ICE connects some 50 ms before the other's, so its
 * ClientHello comes early. libdatachannel 0.24.5 keeps it and replays it in the middle of starting DTLS, where it meets
 * one of two races: either it is taken before the state says "connecting", and lies there until a timer finds it a
 * second later (nine calls of ten); or a second thread handles it, and the two wait for each other's lock for ever (four
 * calls of ninety): the thread that starts DTLS holds libjuice's lock and wants that of DTLS, the other one answers the
 * ClientHello and wants libjuice's.
 */
export class InboundGate {
  readonly #deliver: (payload: Uint8Array) => void;
  #admitsPeer = false;
  #admitsHandshake = false;
  #held: Uint8Array[] = [];

  constructor(deliver: (payload: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  pass(payload: Uint8Array): void {
    if (this.#admits(payload)) this.#deliver(payload);
    else if (this.#held.length < mostPackets) this.#held.push(Uint8Array.from(payload));
  }

  /** The agent knows the candidates of the other peer. */
  admitPeer(): void {
    this.#admitsPeer = true;
    this.#passHeld();
  }

  /** The agent's own DTLS has been started. */
  admitHandshake(): void {
    this.#admitsHandshake = true;
    this.#passHeld();
  }

  #admits(payload: Uint8Array): boolean {
    return this.#admitsPeer && (this.#admitsHandshake || !isDtls(payload));
  }

  #passHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const payload of held) this.pass(payload);
  }
}

/** RFC 7983 §7: by the first byte. */
function isDtls([first = 0]: Uint8Array): boolean {
  return first >= 20 && first <= 63;
}
