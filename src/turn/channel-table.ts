import { formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import { channelNumbers } from '../stun/relay-attributes.ts';

/** Which channel number of an allocation stands for which peer (RFC 8656 §12). */
export class ChannelTable {
  readonly #numbers = new Map<string, number>();
  readonly #peers = new Map<number, Endpoint>();
  readonly #bound = new Set<number>();

  /**
   * A number for a peer, the same at every try: a server that did bind it, and whose answer was lost, refuses another
   * one (RFC 8656 §12.2).
   * @throws RangeError when all 4096 are taken
   */
  numberOf(peer: Endpoint): number {
    const known = this.#numbers.get(formatEndpoint(peer));
    if (known !== undefined) return known;
    const channel = channelNumbers.first + this.#numbers.size;
    if (channel > channelNumbers.last) {
      throw new RangeError('an allocation has at most 4096 channels (RFC 8656 §12)');
    }
    this.#numbers.set(formatEndpoint(peer), channel);
    this.#peers.set(channel, peer);
    return channel;
  }

  /** The server has confirmed it. */
  markBound(channel: number): void {
    this.#bound.add(channel);
  }

  /** The channel that packets to a peer can take; undefined before the server has confirmed one. */
  boundTo(peer: Endpoint): number | undefined {
    const channel = this.#numbers.get(formatEndpoint(peer));
    return channel !== undefined && this.#bound.has(channel) ? channel : undefined;
  }

  /** Whose packets come on a channel, before the confirmation too: they may overtake it (RFC 8656 §12). */
  peerOf(channel: number): Endpoint | undefined {
    return this.#peers.get(channel);
  }
}
