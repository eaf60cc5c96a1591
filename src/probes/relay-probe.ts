import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Attempt, Failure, TargetFacts } from '../model/observations.ts';
import { openPeerSocket, type PeerSocket } from '../net/peer-socket.ts';
import { xorMappedAddress } from '../stun/address-attributes.ts';
import { read } from '../stun/attribute.ts';
import { encodeMessage, method } from '../stun/message.ts';
import type { Allocation } from '../turn/allocation.ts';
import { StunConnection } from '../turn/connection.ts';
import { reading } from '../turn/session.ts';
import { attempt, notTried, type Clock } from './attempt.ts';

export type RelayFacts = Pick<TargetFacts, 'inbound' | 'outbound' | 'reply'>;

interface RelayProbeOptions {
  readonly allocation: Allocation;
  /** A UDP listener to learn the peer's mapping from, when the relay does not show it. */
  readonly stunServer: Endpoint;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// Five transmissions over a second: on a path with 20 % loss each way all of one kind are lost once in 80,000.
const resendMs = 200;
const mostTransmissions = 5;

/**
 * What a relay is for, tried in the order that tells firewalls apart: a socket that the relay has never sent to
 * sends to the relay address first; then the relay sends to it; then it replies. A call between two relay addresses of
 * one server proves none of this, as its packets never leave that server.
 */
export async function probeRelay(options: RelayProbeOptions): Promise<RelayFacts> {
  const { allocation, clock, signal } = options;
  let peer: PeerSocket;
  try {
    peer = await openPeerSocket(allocation.relayed.address.includes(':') ? 6 : 4, signal);
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const because = `no socket for a peer could be opened: ${error.message}`;
    return { inbound: notTried(because), outbound: notTried(because), reply: notTried(because) };
  }
  try {
    const inbound = await attempt(clock, () => throughRelay(options, peer));
    // Its own mapping towards the relay, when a packet came through; else the one that STUN tells, which a NAT with
    // address-dependent mapping does not use for the relay.
    const mapping = inbound.state === 'done' ? inbound.value.seenFrom : await mappingOf(peer, options);
    if (mapping === null) {
      const because = 'nothing came in, and the address of the peer could not be learnt by STUN';
      return { inbound, outbound: notTried(because), reply: notTried(because) };
    }
    const outbound = await attempt(clock, () => fromRelay(options, peer, mapping));
    const reply = await attempt(clock, () => throughRelay(options, peer));
    return { inbound, outbound, reply };
  } finally {
    allocation.onData = () => {};
    peer.close();
  }
}

/** Peer → relay → client. */
function throughRelay(
  { allocation, signal }: RelayProbeOptions,
  peer: PeerSocket,
): Promise<{ seenFrom: Endpoint }> {
  const token = randomBytes(16);
  return repeated(
    () => peer.send(token, allocation.relayed),
    (arrived) => {
      allocation.onData = (from, payload) => {
        if (token.equals(payload)) arrived({ seenFrom: from });
      };
    },
    signal,
  );
}

/** Client → relay → peer. */
function fromRelay(
  { allocation, signal }: RelayProbeOptions,
  peer: PeerSocket,
  mapping: Endpoint,
): Promise<{ peer: Endpoint; from: Endpoint }> {
  const token = randomBytes(16);
  return repeated(
    () => allocation.send(mapping, token),
    (arrived) => {
      peer.onBytes = (bytes, from) => {
        if (token.equals(bytes)) arrived({ peer: mapping, from });
      };
    },
    signal,
  );
}

/** Sends again and again until it arrives. UDP gives no promise: a single loss must not become a verdict. */
async function repeated<T>(
  transmit: () => void,
  listen: (arrived: (value: T) => void) => void,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      listen(resolve);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      let sent = 0;
      const next = (): void => {
        if (sent === mostTransmissions) {
          const silence: Failure = { kind: 'timeout', afterMs: resendMs * mostTransmissions, sent };
          reject(new AttemptError(silence));
          return;
        }
        sent++;
        transmit();
        timer = setTimeout(next, resendMs);
      };
      next();
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The peer socket as a STUN server sees it; null when it does not answer. */
async function mappingOf(
  peer: PeerSocket,
  { stunServer, signal, clock }: RelayProbeOptions,
): Promise<Endpoint | null> {
  const connection = new StunConnection(peer.transportTo(stunServer));
  const request = encodeMessage({ class: 'request', method: method.binding, fingerprint: true });
  const answer: Attempt<Endpoint | undefined> = await attempt(clock, async () => {
    const { message } = await connection.exchange(request, {
      timeoutMs: resendMs * mostTransmissions,
      signal,
    });
    return reading(message, (response) => read(response, xorMappedAddress));
  });
  connection.close();
  return (answer.state === 'done' ? answer.value : null) ?? null;
}
