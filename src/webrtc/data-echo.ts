import type { DataChannel } from 'node-datachannel';
import type { CallFacts } from '../model/observations.ts';
import { Histogram } from './histogram.ts';
import { guarded, keep } from './native.ts';

/** The data channel beside the audio: the caller sends the time, the callee sends it back. */
export class DataEcho {
  #sent = 0;
  #received = 0;
  readonly #roundTrips = new Histogram();
  readonly #channel: DataChannel;

  /** @param channel the caller's end */
  constructor(channel: DataChannel, onError: (error: Error) => void) {
    this.#channel = keep(channel);
    channel.onMessage(
      guarded((message) => {
        this.#received++;
        this.#roundTrips.add(performance.now() - Number(message));
      }, onError),
    );
  }

  /** The callee's end. */
  static answer(channel: DataChannel, onError: (error: Error) => void): void {
    keep(channel);
    channel.onMessage(
      guarded((message) => {
        if (channel.isOpen() && typeof message === 'string') channel.sendMessage(message);
      }, onError),
    );
  }

  /** Sends one message, if the channel is open. */
  send(): void {
    if (this.#channel.isOpen() && this.#channel.sendMessage(String(performance.now()))) this.#sent++;
  }

  get isComplete(): boolean {
    return this.#received === this.#sent;
  }

  /** Null when the channel never opened. */
  facts(): CallFacts['dataChannel'] {
    if (this.#sent === 0) return null;
    return { sent: this.#sent, received: this.#received, rttMs: this.#roundTrips.quantile(0.5) };
  }
}
