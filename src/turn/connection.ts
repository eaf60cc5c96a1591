import { AttemptError, previewOf } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';
import type { Transport } from '../net/transport.ts';
import { decodeChannelData, isChannelData } from '../stun/channel-data.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { StreamFramer } from '../stun/framing.ts';
import { verifyFingerprint } from '../stun/integrity.ts';
import { decodeMessage, looksLikeStun, type StunMessage } from '../stun/message.ts';

export interface Exchange {
  readonly message: StunMessage;
  /** From the last transmission to the answer (after a retransmission the true value may be larger). */
  readonly rttMs: number;
  /** Transmissions. */
  readonly sent: number;
}

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether a response is to be believed; one that is not counts as not received (RFC 8489 §9.2.5). */
  readonly accept?: (response: StunMessage) => boolean;
}

interface Pending {
  readonly settle: (result: Exchange | AttemptError) => void;
  readonly accept: ((response: StunMessage) => boolean) | undefined;
  lastSentAt: number;
  sent: number;
}

// RFC 8489 §6.2.1: the initial RTO should be 500 ms or more when nothing is known of the path…
const initialRtoMs = 500;
// …and follow RFC 6298 once it is; below 100 ms a busy event loop would look like a loss.
const leastRtoMs = 100;
// Something answers, but not STUN: the real answer gets this long to arrive as well.
const strangeReplyGraceMs = 300;

/**
 * STUN over one transport: matches responses to requests, retransmits over UDP, and hands on indications and
 * channel data. Closing it ends every pending request.
 */
export class StunConnection {
  readonly transport: Transport;
  onIndication: (message: StunMessage) => void = () => {};
  onChannelData: (channel: number, payload: Uint8Array) => void = () => {};
  /** The transport has ended by itself. Pending requests have been rejected with the same failure before. */
  onClosed: (failure: Failure) => void = () => {};

  readonly #pending = new Map<string, Pending>();
  readonly #framer: StreamFramer | null;
  #rtoMs = initialRtoMs;
  #strange: Failure | null = null;
  #streamIsStun = false;
  #ended: Failure | null = null;

  constructor(transport: Transport) {
    this.transport = transport;
    this.#framer = transport.kind === 'udp' ? null : new StreamFramer();
    transport.onBytes = (bytes) => this.#receive(bytes);
    transport.onClosed = (failure) => this.#end(this.#strange ?? failure);
  }

  get isReliable(): boolean {
    return this.#framer !== null;
  }

  /**
   * Sends an encoded request until it is answered (RFC 8489 §6.2.1 over UDP, once over TCP and TLS §6.2.2).
   * Success and error responses alike are answers.
   * @throws AttemptError `timeout`, `system`, `closed`, `malformed` or `integrity`; the abort reason when aborted
   */
  async exchange(request: Uint8Array, { timeoutMs, signal, accept }: ExchangeOptions): Promise<Exchange> {
    signal.throwIfAborted();
    if (this.#ended) throw new AttemptError(this.#ended);
    const id = transactionKey(request.subarray(8, 20));
    const timers: { retransmit?: NodeJS.Timeout; deadline?: NodeJS.Timeout } = {};
    let onAbort = (): void => {};
    try {
      return await new Promise<Exchange>((resolve, reject) => {
        const pending: Pending = {
          settle: (result) => (result instanceof AttemptError ? reject(result) : resolve(result)),
          accept,
          lastSentAt: 0,
          sent: 0,
        };
        this.#pending.set(id, pending);
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
        timers.deadline = setTimeout(() => {
          const silence: Failure = { kind: 'timeout', afterMs: timeoutMs, sent: pending.sent };
          reject(new AttemptError(this.#strange ?? silence));
        }, timeoutMs);
        const transmit = (rtoMs: number): void => {
          pending.sent++;
          pending.lastSentAt = performance.now();
          this.transport.send(request);
          if (!this.isReliable) timers.retransmit = setTimeout(() => transmit(rtoMs * 2), rtoMs);
        };
        transmit(this.#rtoMs);
      });
    } finally {
      clearTimeout(timers.retransmit);
      clearTimeout(timers.deadline);
      signal.removeEventListener('abort', onAbort);
      this.#pending.delete(id);
    }
  }

  /** Sends an indication or channel data: no answer, no retransmission. */
  send(bytes: Uint8Array): void {
    this.transport.send(bytes);
  }

  close(): void {
    this.transport.close();
    this.#rejectAll({ kind: 'closed', bytesReceived: 0 });
    this.#ended ??= { kind: 'closed', bytesReceived: 0 };
  }

  #receive(bytes: Uint8Array): void {
    if (this.#framer === null) {
      this.#receiveFrame(bytes);
      return;
    }
    // The first answer on a stream is STUN. Anything else (HTTP, SSH, a TLS alert) is known by its first bytes;
    // the framer could take it for the start of a long ChannelData and wait for the rest.
    if (!this.#streamIsStun) {
      const malformed = streamBeginsWrong(bytes);
      if (malformed) {
        this.#fail(malformed);
        return;
      }
      this.#streamIsStun = true;
    }
    let frames: Uint8Array[];
    try {
      frames = this.#framer.push(bytes);
    } catch (error) {
      if (!(error instanceof StunDecodeError)) throw error;
      this.#fail(malformedFailure(error, bytes));
      return;
    }
    for (const frame of frames) this.#receiveFrame(frame);
  }

  #receiveFrame(bytes: Uint8Array): void {
    try {
      if (isChannelData(bytes)) {
        const { channel, payload } = decodeChannelData(bytes);
        this.onChannelData(channel, payload);
        return;
      }
      this.#receiveMessage(decodeMessage(bytes));
    } catch (error) {
      if (!(error instanceof StunDecodeError)) throw error;
      this.#noteStrange(malformedFailure(error, bytes));
    }
  }

  #receiveMessage(message: StunMessage): void {
    if (message.class === 'indication') {
      this.onIndication(message);
      return;
    }
    const pending = this.#pending.get(transactionKey(message.transactionId));
    if (pending === undefined) return; // an answer to a request that was given up, or answered already
    if (message.class === 'request') {
      const detail = 'the request itself came back: that port echoes what it gets';
      this.#noteStrange({ kind: 'malformed', detail, preview: previewOf(message.bytes) });
      return;
    }
    if (verifyFingerprint(message) === 'invalid') {
      this.#noteStrange({ kind: 'integrity', detail: 'a response arrived with a wrong FINGERPRINT' });
      return;
    }
    if (pending.accept && !pending.accept(message)) {
      this.#noteStrange({ kind: 'integrity', detail: 'a response arrived with a wrong MESSAGE-INTEGRITY' });
      return;
    }
    const rttMs = performance.now() - pending.lastSentAt;
    // Karn's algorithm (RFC 6298 §3): after a retransmission the round trip is ambiguous.
    if (pending.sent === 1) this.#rtoMs = Math.min(initialRtoMs, Math.max(leastRtoMs, 3 * rttMs));
    pending.settle({ message, rttMs, sent: pending.sent });
  }

  /** Something that is no answer arrived. It is remembered for the time-out, which comes sooner now. */
  #noteStrange(failure: Failure): void {
    if (this.#strange !== null) return;
    this.#strange = failure;
    const waiting = [...this.#pending.values()];
    setTimeout(() => {
      for (const pending of waiting) pending.settle(new AttemptError(failure));
    }, strangeReplyGraceMs).unref();
  }

  #fail(failure: Failure): void {
    this.transport.close();
    this.#end(failure);
  }

  #end(failure: Failure): void {
    if (this.#ended) return;
    this.#ended = failure;
    this.#rejectAll(failure);
    this.onClosed(failure);
  }

  #rejectAll(failure: Failure): void {
    for (const pending of this.#pending.values()) pending.settle(new AttemptError(failure));
  }
}

function transactionKey(transactionId: Uint8Array): string {
  return Buffer.from(transactionId.buffer, transactionId.byteOffset, transactionId.length).toString('latin1');
}

/** A `Failure` for bytes that came as an answer and could not be read. */
export function malformedFailure(error: StunDecodeError, bytes: Uint8Array): Failure {
  return { kind: 'malformed', detail: `not a STUN answer (${error.message})`, preview: previewOf(bytes) };
}

function streamBeginsWrong(bytes: Uint8Array): Failure | null {
  // Shorter than a header: only the two leading bits can be judged yet (RFC 8489 §5).
  const wrong = bytes.length < 8 ? ((bytes[0] ?? 0) & 0xc0) !== 0 : !looksLikeStun(bytes);
  if (!wrong) return null;
  return { kind: 'malformed', detail: 'not a STUN answer', preview: previewOf(bytes) };
}
