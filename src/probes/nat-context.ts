import type { Endpoint } from '../model/endpoint.ts';
import type { EncodableAttribute } from '../stun/attribute.ts';
import type { Clock } from './attempt.ts';
import type { BindingAnswer, BindingSocket } from './binding-socket.ts';

export interface NatProbeOptions {
  readonly clock: Clock;
  /** The longest idle time of a binding to try; null: none is tried. */
  readonly lifetimeMs: number | null;
  /** How long one answer is waited for, of which silence can be a result; 1.8 s when absent. */
  readonly answerMs?: number;
  readonly signal: AbortSignal;
}

/** What every step needs. */
export interface NatProbeContext extends NatProbeOptions {
  readonly server: Endpoint;
  /** A socket that is closed with the probe. */
  readonly open: () => Promise<BindingSocket>;
  readonly request: (
    socket: BindingSocket,
    to: Endpoint,
    attributes?: readonly EncodableAttribute[],
  ) => Promise<BindingAnswer>;
}
