import type { Endpoint } from '../model/endpoint.ts';
import type { Failure } from '../model/observations.ts';
import type { TransportKind } from '../model/turn-uri.ts';

/** Bytes to and from one remote endpoint over UDP, TCP or TLS. Knows nothing of STUN. */
export interface Transport {
  readonly kind: TransportKind;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** UDP: one datagram. TCP, TLS: bytes of the stream. After an end of the transport it does nothing. */
  send(bytes: Uint8Array): void;
  /** The one receiver: a whole datagram, or a chunk of the stream. */
  onBytes: (bytes: Uint8Array) => void;
  /**
   * The one receiver of a premature end: the stream was closed, or an ICMP error came back. Called at most
   * once, and never after `close()`.
   */
  onClosed: (failure: Failure) => void;
  close(): void;
}

export interface ConnectOptions {
  readonly remote: Endpoint;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Brings the deadline forward to when it is aborted. */
  readonly hurry?: AbortSignal;
}
