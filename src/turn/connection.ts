import { AttemptError, previewOf } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';
import type { Transport } from '../net/transport.ts';
import { unknownRequiredAttributes } from '../stun/attribute-registry.ts';
import { decodeChannelData, isChannelData } from '../stun/channel-data.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { StreamFramer } from '../stun/framing.ts';
import { verifyFingerprint } from '../stun/integrity.ts';
import { decodeMessage, type StunMessage } from '../stun/message.ts';

export interface Exchange {
  readonly message: StunMessage;
  /** Null after a retransmission: which of the transmissions was answered is not known (RFC 6298 §3). */
  readonly rttMs: number | null;
  /** Transmissions. */
  readonly sent: number;
}

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Brings the deadline forward to when it is aborted. */
  readonly hurry?: AbortSignal;
  /** How long an answer is still waited for after an abort; not at all when absent. */
  readonly graceMs?: number;
  /** Why a response is not to be believed, or null. One that is not counts as not received (RFC 8489 §9.2.5). */
  readonly distrust?: (response: StunMessage) => string | null;
}

// RFC 8489 §6.2.1: the initial RTO should be 500 ms or more when nothing is known of the path…
const initialRtoMs = 500;
// …and follow RFC 6298 once it is (three times the first round trip); below 100 ms a busy event loop would look like
// a loss. What was learnt is stale after ten minutes.
const leastRtoMs = 100;
// Longer, and too few transmissions fit before a deadline of some seconds.
const mostRtoMs = 1500;
const rtoStaleMs = 600_000;
// Rc of RFC 8489 §6.2.1; a deadline that is later still is waited for.
const mostTransmissions = 7;
// An answer came that is none: the real one, which takes the same way, gets this long to arrive as well.
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

  readonly #pending = new Map<string, Transaction>();
  readonly #framer: StreamFramer | null;
  #rto = { ms: initialRtoMs, baseMs: initialRtoMs, isBackedOff: false, learntAt: 0 };
  /** Whether a response has been believed: from then on, garbage is a stranger's and not what serves that port. */
  #answered = false;
  #ended: Failure | null = null;

  constructor(transport: Transport) {
    this.transport = transport;
    this.#framer = transport.kind === 'udp' ? null : new StreamFramer();
    transport.onBytes = (bytes) => this.#receive(bytes);
    transport.onClosed = (failure) => this.#end(failure);
  }

  get isReliable(): boolean {
    return this.#framer !== null;
  }

  /**
   * Sends an encoded request until it is answered (RFC 8489 §6.2.1 over UDP, once over TCP and TLS §6.2.2).
   * Success and error responses alike are answers.
   * @throws AttemptError `timeout`, `system`, `closed`, `tls`, `malformed` or `integrity`; the abort reason when aborted
   */
  async exchange(request: Uint8Array, options: ExchangeOptions): Promise<Exchange> {
    const { signal, graceMs = 0 } = options;
    signal.throwIfAborted();
    if (this.#ended) throw new AttemptError(this.#ended);
    const id = transactionKey(request.subarray(8, 20));
    const transaction = new Transaction(options);
    const onAbort = (): void => transaction.abort(signal.reason as Error, graceMs);
    const onHurry = (): void => transaction.expire();
    signal.addEventListener('abort', onAbort, { once: true });
    options.hurry?.addEventListener('abort', onHurry, { once: true });
    this.#pending.set(id, transaction);
    try {
      const send = (): void => this.transport.send(request);
      transaction.start(send, this.isReliable ? null : this.#rtoMs());
      if (options.hurry?.aborted === true) transaction.expire();
      return await transaction.result;
    } finally {
      signal.removeEventListener('abort', onAbort);
      options.hurry?.removeEventListener('abort', onHurry);
      this.#pending.delete(id);
    }
  }

  /** Sends an indication or channel data: no answer, no retransmission. */
  send(bytes: Uint8Array): void {
    this.transport.send(bytes);
  }

  close(): void {
    this.transport.close();
    if (this.#ended) return;
    this.#ended = { kind: 'closed', bytesReceived: 0 };
    this.#rejectAll(this.#ended);
  }

  /**
   * Karn's algorithm (RFC 6298 §3): after a retransmission the round trip is ambiguous, and the RTO stays backed off for
   * one request (§5.5 to §5.7), so that a path that is slower than the RTO is measured by that. When it had to be repeated
   * as well, packets are lost, and to wait longer for each would leave too few of them before a deadline.
   */
  #learn(rttMs: number | null, sent: number, now: number): void {
    const { baseMs, isBackedOff } = this.#rto;
    if (rttMs !== null) {
      const ms = Math.min(mostRtoMs, Math.max(leastRtoMs, 3 * rttMs));
      this.#rto = { ms, baseMs: ms, isBackedOff: false, learntAt: now };
    } else if (isBackedOff) {
      this.#rto = { ms: baseMs, baseMs, isBackedOff: false, learntAt: now };
    } else {
      const ms = Math.min(mostRtoMs, this.#rtoMs() * 2 ** (sent - 1));
      this.#rto = { ms, baseMs, isBackedOff: true, learntAt: now };
    }
  }

  #rtoMs(): number {
    return performance.now() - this.#rto.learntAt < rtoStaleMs ? this.#rto.ms : initialRtoMs;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#framer === null) {
      this.#receiveFrame(bytes);
      return;
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
    // What is no frame has no end either: nothing that follows could be read.
    if (this.#framer.failure) this.#fail(malformedFailure(this.#framer.failure, bytes));
  }

  #receiveFrame(bytes: Uint8Array): void {
    // A receiver of an earlier frame of this chunk may have closed the connection.
    if (this.#ended) return;
    if (isChannelData(bytes)) {
      const frame = this.#decoded(bytes, decodeChannelData);
      if (frame) this.onChannelData(frame.channel, frame.payload);
      return;
    }
    const message = this.#decoded(bytes, decodeMessage);
    if (message === null) return;
    if (message.class !== 'indication') this.#receiveResponse(message);
    // With an attribute that has to be understood and is not, an indication is discarded (RFC 8489 §6.3.2).
    else if (demandsOf(message).length === 0) this.onIndication(message);
  }

  #decoded<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T | null {
    try {
      return decode(bytes);
    } catch (error) {
      if (!(error instanceof StunDecodeError)) throw error;
      if (this.#answered) return null;
      const failure = malformedFailure(error, bytes);
      for (const transaction of this.#pending.values()) this.#doubt(transaction, failure);
      return null;
    }
  }

  #receiveResponse(message: StunMessage): void {
    const transaction = this.#pending.get(transactionKey(message.transactionId));
    if (transaction === undefined) return; // to a request that was given up, or answered already
    const doubt = doubtOf(message, transaction);
    if (doubt !== null) {
      this.#doubt(transaction, doubt);
      return;
    }
    this.#answered = true;
    const demands = demandsOf(message);
    if (demands.length > 0) {
      const types = demands.map((type) => `0x${type.toString(16).padStart(4, '0')}`).join(', ');
      const detail = `a response that cannot be understood without the unknown attributes ${types} (RFC 8489 §6.3.3)`;
      const failure: Failure = { kind: 'malformed', detail, preview: previewOf(message.bytes) };
      transaction.settle(new AttemptError(failure));
      return;
    }
    const now = performance.now();
    const { sent } = transaction;
    const rttMs = now - transaction.lastSentAt;
    this.#learn(sent === 1 ? rttMs : null, sent, now);
    transaction.settle({ message, rttMs: sent === 1 ? rttMs : null, sent });
  }

  /** Something came as an answer and is none. On a stream it was the only one; elsewhere another may follow. */
  #doubt(transaction: Transaction, failure: Failure): void {
    if (this.isReliable) transaction.settle(new AttemptError(failure));
    else transaction.doubt(failure);
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
    for (const transaction of this.#pending.values()) transaction.settle(new AttemptError(failure));
  }
}

/** One request on its way, with its timers, until it is settled. */
class Transaction {
  readonly result: Promise<Exchange>;
  readonly distrust: ExchangeOptions['distrust'];
  lastSentAt = 0;
  sent = 0;
  readonly #timeoutMs: number;
  #startedAt = 0;
  #strange: Failure | null = null;
  #resolve: (exchange: Exchange) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly #timers: Partial<Record<'retransmission' | 'deadline' | 'grace' | 'abort', NodeJS.Timeout>> = {};
  #settled = false;

  constructor({ timeoutMs, distrust }: ExchangeOptions) {
    this.#timeoutMs = timeoutMs;
    this.distrust = distrust;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Transmits; with an RTO again and again, each time after twice as long. */
  start(send: () => void, rtoMs: number | null): void {
    this.#startedAt = performance.now();
    this.#timers.deadline = setTimeout(() => this.expire(this.#timeoutMs), this.#timeoutMs);
    this.#transmit(send, rtoMs);
  }

  /** No answer came in time, or for as long as it was worth waiting. */
  expire(afterMs = Math.round(performance.now() - this.#startedAt)): void {
    this.settle(new AttemptError(this.#strange ?? { kind: 'timeout', afterMs, sent: this.sent }));
  }

  #transmit(send: () => void, rtoMs: number | null): void {
    this.sent++;
    this.lastSentAt = performance.now();
    send();
    if (rtoMs === null || this.#settled || this.sent === mostTransmissions) return;
    this.#timers.retransmission = setTimeout(() => this.#transmit(send, rtoMs * 2), rtoMs);
  }

  /** Remembers what came instead of an answer: it explains the time-out, which comes sooner now. */
  doubt(failure: Failure): void {
    if (this.#strange !== null) return;
    this.#strange = failure;
    this.#timers.grace = setTimeout(() => this.settle(new AttemptError(failure)), strangeReplyGraceMs);
  }

  /** Ends it with `reason`, unless the answer comes within `graceMs`. */
  abort(reason: Error, graceMs: number): void {
    if (graceMs === 0) this.settle(reason);
    else this.#timers.abort = setTimeout(() => this.settle(reason), graceMs);
  }

  /** Only the first call counts. */
  settle(result: Exchange | Error): void {
    this.#settled = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    if (result instanceof Error) this.#reject(result);
    else this.#resolve(result);
  }
}

/** Why a message with the id of a request is not its answer; null when it is. */
function doubtOf(message: StunMessage, { distrust }: Transaction): Failure | null {
  if (message.class === 'request') {
    const detail = 'the request itself came back: that port echoes what it gets';
    return { kind: 'malformed', detail, preview: previewOf(message.bytes) };
  }
  if (verifyFingerprint(message) === 'invalid') {
    return { kind: 'integrity', detail: 'a response arrived with a wrong FINGERPRINT' };
  }
  try {
    const detail = distrust?.(message) ?? null;
    return detail === null ? null : { kind: 'integrity', detail };
  } catch (error) {
    if (!(error instanceof StunDecodeError)) throw error;
    return malformedFailure(error, message.bytes);
  }
}

// SOURCE-ADDRESS and REFLECTED-FROM of RFC 3489, which old servers still send beside the mapped
// address. They demand nothing: RFC 8489 §18.3.1 has them as reserved.
const historic: ReadonlySet<number> = new Set([0x0004, 0x000b]);

/** The unknown attributes without which a message must not be processed (RFC 8489 §6.3). */
function demandsOf(message: StunMessage): number[] {
  return unknownRequiredAttributes(message).filter((type) => !historic.has(type));
}

function transactionKey(transactionId: Uint8Array): string {
  return Buffer.from(transactionId.buffer, transactionId.byteOffset, transactionId.length).toString('latin1');
}

/** A `Failure` for bytes that came as an answer and could not be read. */
export function malformedFailure(error: StunDecodeError, bytes: Uint8Array): Failure {
  return { kind: 'malformed', detail: `not a STUN answer (${error.message})`, preview: previewOf(bytes) };
}
