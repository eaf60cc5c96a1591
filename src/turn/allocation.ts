import { setMaxListeners } from 'node:events';
import { formatEndpoint, sameEndpoint, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';
import { xorPeerAddress } from '../stun/address-attributes.ts';
import { put, read, type EncodableAttribute } from '../stun/attribute.ts';
import { encodeChannelData } from '../stun/channel-data.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import {
  channelNumber,
  data as dataAttribute,
  lifetime as lifetimeAttribute,
  relayProtocol,
  requestedAddressFamily,
  requestedTransport,
} from '../stun/relay-attributes.ts';
import { ChannelTable } from './channel-table.ts';
import { grantIn, type Grant } from './grant.ts';
import { keepAlive } from './keep-alive.ts';
import { openConnection, type TurnServer } from './server.ts';
import { AllocationStatistics } from './statistics.ts';
import {
  reading,
  TryAlternateError,
  TurnSession,
  type Answer,
  type RequestOptions,
  type TurnCredential,
} from './session.ts';

/** How long permissions and channels live, in seconds. */
export interface Lifetimes {
  readonly permissionSeconds: number;
  readonly channelSeconds: number;
}

// RFC 8656 §9 and §12: fixed, and not told by the server. A server that was configured otherwise needs other values here.
const standardLifetimes: Lifetimes = { permissionSeconds: 300, channelSeconds: 600 };

// RFC 8489 §10 forbids loops; the length of a chain is left to us.
const mostRedirects = 3;
// RFC 8656 §7.4: a 5-tuple that the server has in use already, as that of a client that died. Three are tried.
const mostMismatches = 3;
// How long an abort waits for the answer to an Allocate, and for its release.
const abortGraceMs = 500;
// RFC 8656 §3.2. A server that allows less than that grants what it allows; asked for exactly that, coturn 4.6 would
// grant this nevertheless.
const defaultLifetimeSeconds = 600;

export interface AllocateOptions extends RequestOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  /** Family of the relay address; the server's default (IPv4, RFC 8656 §7.2) when absent. */
  readonly family?: Family;
  readonly lifetimes?: Lifetimes;
  /** How long each request of the allocation may take; `timeoutMs` when absent. */
  readonly requestTimeoutMs?: number;
  /** Alternates that were followed already; those that follow are added. */
  readonly redirects?: Endpoint[];
  /** False: 300 Try-Alternate is thrown as the TryAlternateError that it is. */
  readonly followRedirects?: boolean;
}

export type AllocateOnOptions = Omit<
  AllocateOptions,
  'server' | 'credential' | 'redirects' | 'followRedirects'
>;

/**
 * Connects to a server and allocates a relay address there, following 300 Try-Alternate, all within `timeoutMs`. The
 * connection belongs to the allocation and ends with it. An abort frees what has been granted meanwhile, and so may take
 * a second.
 * @throws AttemptError; the reason of `signal` when aborted
 */
export async function allocate(options: AllocateOptions): Promise<Allocation> {
  const deadline = performance.now() + options.timeoutMs;
  const leftMs = (): number => Math.max(1, Math.round(deadline - performance.now()));
  const redirects = options.redirects ?? [];
  const asked = [options.server.endpoint, ...redirects];
  let mismatches = 0;
  for (let server = options.server; ;) {
    const opening = openConnection(server, { timeoutMs: leftMs(), signal: options.signal });
    const { connection } = await opening.ready;
    const session = new TurnSession(connection, options.credential);
    try {
      const requestTimeoutMs = options.requestTimeoutMs ?? options.timeoutMs;
      return await allocateOn(session, { ...options, timeoutMs: leftMs(), requestTimeoutMs }, redirects);
    } catch (error) {
      connection.close();
      if (isMismatch(error) && ++mismatches < mostMismatches) continue;
      if (!(error instanceof TryAlternateError) || options.followRedirects === false) throw error;
      if (redirects.length === mostRedirects) throw error;
      const { alternate } = error;
      if (asked.some((endpoint) => sameEndpoint(endpoint, alternate))) throw error;
      asked.push(alternate);
      redirects.push(alternate);
      server = alternateOf(server, error);
    }
  }
}

/** The server that a redirect names: over the same transport, with a certificate of the name that it tells (RFC 8489 §10). */
export function alternateOf(server: TurnServer, { alternate, domain }: TryAlternateError): TurnServer {
  return { ...server, endpoint: alternate, ...(domain === null ? {} : { servername: domain }) };
}

/** 437 Allocation Mismatch: what comes from another port may be granted (RFC 8656 §7.4). */
export function isMismatch(error: unknown): boolean {
  return error instanceof AttemptError && error.failure.kind === 'stun-error' && error.failure.code === 437;
}

/**
 * Allocates over a connection that is open already. An abort frees what has been granted meanwhile.
 * @throws AttemptError; TryAlternateError when the server sends us elsewhere; the reason of `signal` when aborted
 */
export async function allocateOn(
  session: TurnSession,
  options: AllocateOnOptions,
  redirects: readonly Endpoint[] = [],
): Promise<Allocation> {
  const attributes = [
    put(requestedTransport, relayProtocol.udp),
    ...(options.family === 6 ? [put(requestedAddressFamily, options.family)] : []),
  ];
  try {
    // After an abort the answer is still waited for: coturn 4.6 checks the first password in another thread, and would
    // take a request that frees the allocation before the one that makes it.
    const answer = await session.request(method.allocate, attributes, { ...options, graceMs: abortGraceMs });
    const grant = grantIn(answer.message, options.family);
    const allocation = new Allocation(session, options, answer, redirects, grant);
    if (options.signal.aborted) await allocation.release(abortGraceMs);
    options.signal.throwIfAborted();
    return allocation;
  } catch (error) {
    // Without an answer, or with one that is of no use, there may be an allocation nevertheless.
    if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error') session.abandon();
    options.signal.throwIfAborted();
    throw error;
  }
}

/**
 * A relay address on a server. From its making to `release()` it keeps itself alive: the allocation, each permission
 * and each channel.
 */
export class Allocation {
  readonly relayed: Endpoint;
  readonly mapped: Endpoint | null;
  readonly lifetimeSeconds: number;
  /** The server that granted it: behind a redirect another one than was asked. */
  readonly server: Endpoint;
  readonly redirects: readonly Endpoint[];
  /** Round trip of the authenticated Allocate. */
  readonly rttMs: number | null;
  /** Packets from peers. */
  onData: (peer: Endpoint, payload: Uint8Array) => void = () => {};
  /**
   * The server ended the allocation, or refused to extend it or one of its permissions or channels; nothing is kept
   * alive any more. Called at most once, and not after `release()`, which is still the caller's to do.
   */
  onLost: (failure: Failure) => void = () => {};
  readonly statistics = new AllocationStatistics();

  readonly #session: TurnSession;
  readonly #timeoutMs: number;
  readonly #lifetimes: Lifetimes;
  /** Aborted when the allocation is lost, released or given up; requests are rejected with its reason. */
  readonly #ended = new AbortController();
  #lost: Failure | null = null;
  readonly #permitted = new Set<string>();
  readonly #channels = new ChannelTable();
  /** By the text of the peer: what `bindChannel` gave, on its way or done. */
  readonly #bindings = new Map<string, Promise<number>>();
  #released: Promise<Failure | null> | null = null;

  constructor(
    session: TurnSession,
    options: AllocateOnOptions,
    answer: Answer,
    redirects: readonly Endpoint[],
    granted: Grant,
  ) {
    this.relayed = granted.relayed;
    this.mapped = granted.mapped;
    this.lifetimeSeconds = granted.lifetimeSeconds;
    this.server = session.connection.transport.remote;
    this.redirects = redirects;
    this.rttMs = answer.rttMs;
    this.#session = session;
    this.#timeoutMs = options.requestTimeoutMs ?? options.timeoutMs;
    this.#lifetimes = options.lifetimes ?? standardLifetimes;
    this.statistics.addRequest({ method: method.allocate, rttMs: answer.rttMs, code: null });
    session.connection.onIndication = (message) => this.#receiveIndication(message);
    session.connection.onChannelData = (channel, payload) => this.#receiveChannelData(channel, payload);
    session.connection.onClosed = (failure) => this.#lose(failure);
    this.#keepAlive(granted.lifetimeSeconds, () => this.refresh());
    // Each permission and each channel waits under it; a warning about many listeners would be noise.
    setMaxListeners(0, this.#ended.signal);
    const { signal } = options;
    const stop = (): void => this.#ended.abort(signal.reason);
    // An abort ends what is on its way and keeps nothing alive any more; freeing it is still the owner's part.
    signal.addEventListener('abort', stop, { once: true, signal: this.#ended.signal });
    if (signal.aborted) stop();
  }

  /** What `onLost` was, or would have been, told; null while nothing is lost. */
  get lost(): Failure | null {
    return this.#lost;
  }

  /**
   * Lets peers at these addresses send, whatever their port (RFC 8656 §9), and keeps it so.
   * @throws AttemptError, `stun-error` 403 when the server denies one of them
   */
  async permit(addresses: readonly string[]): Promise<void> {
    const request = async (asked: readonly string[]): Promise<number> => {
      const peers = asked.map((address) => put(xorPeerAddress, { address, port: 0 }));
      await this.#request(method.createPermission, peers);
      return this.#lifetimes.permissionSeconds;
    };
    const lifetime = await request(addresses);
    const added = addresses.filter((address) => !this.#permitted.has(address));
    for (const address of added) this.#permitted.add(address);
    if (added.length > 0) this.#keepAlive(lifetime, () => request(added));
  }

  /**
   * Binds a channel to a peer and keeps it bound; packets to that peer then cost 4 bytes instead of 36 or more.
   * Installs the permission too (RFC 8656 §12).
   * @returns the channel number
   * @throws AttemptError
   */
  async bindChannel(peer: Endpoint): Promise<number> {
    const key = formatEndpoint(peer);
    const known = this.#bindings.get(key);
    if (known) return known;
    const binding = this.#bind(peer);
    this.#bindings.set(key, binding);
    // What was refused, or not answered, can be tried again.
    binding.catch(() => this.#bindings.delete(key));
    return binding;
  }

  async #bind(peer: Endpoint): Promise<number> {
    const channel = this.#channels.numberOf(peer);
    const request = async (): Promise<number> => {
      await this.#request(method.channelBind, [put(channelNumber, channel), put(xorPeerAddress, peer)]);
      return this.#lifetimes.channelSeconds;
    };
    if (this.#channels.boundTo(peer) === undefined) {
      this.#keepAlive(await request(), request);
      this.#channels.markBound(channel);
    }
    // A channel's refresh extends its permission as well, but comes later than that permission ends.
    if (!this.#permitted.has(peer.address)) await this.permit([peer.address]);
    return channel;
  }

  /** Sends to a peer: as ChannelData once a channel is bound, as a Send indication until then. Nothing after the end. */
  send(peer: Endpoint, payload: Uint8Array): void {
    if (this.#ended.signal.aborted) return;
    const { connection } = this.#session;
    const channel = this.#channels.boundTo(peer);
    this.statistics.countSent(payload);
    connection.send(
      channel === undefined
        ? encodeMessage({
            class: 'indication',
            method: method.send,
            attributes: [put(xorPeerAddress, peer), put(dataAttribute, payload)],
          })
        : encodeChannelData(channel, payload, { padded: connection.isReliable }),
    );
  }

  /**
   * Extends the allocation now (RFC 8656 §8). It is also done by itself in time.
   * @returns the new lifetime in seconds
   * @throws AttemptError
   */
  async refresh(): Promise<number> {
    const wanted = Math.max(this.lifetimeSeconds, defaultLifetimeSeconds);
    const { message } = await this.#request(method.refresh, [put(lifetimeAttribute, wanted)]);
    return reading(message, (response) => read(response, lifetimeAttribute)) ?? this.lifetimeSeconds;
  }

  /**
   * Frees the allocation (Refresh with lifetime 0) and closes the connection. A second call waits for the first.
   * @returns why the server did not confirm it, or null when it did
   */
  release(timeoutMs = this.#timeoutMs): Promise<Failure | null> {
    this.#released ??= this.#release(timeoutMs);
    return this.#released;
  }

  async #release(timeoutMs: number): Promise<Failure | null> {
    try {
      await this.free(timeoutMs);
      return null;
    } catch (error) {
      if (error instanceof AttemptError) return error.failure;
      throw error;
    } finally {
      this.close();
    }
  }

  /**
   * Frees the allocation and leaves the connection open.
   *
   * coturn 4.6 confirms at once and deletes within about a second; until then a Refresh would revive it.
   * @returns the lifetime that the server confirmed: 0 (RFC 8656 §8.3)
   * @throws AttemptError
   */
  async free(timeoutMs = this.#timeoutMs): Promise<number> {
    this.#stop();
    // Not under the caller's signal: an abort is the very moment at which this request must still be sent.
    const { signal } = new AbortController();
    try {
      const release = [put(lifetimeAttribute, 0)];
      const { message } = await this.#request(method.refresh, release, { timeoutMs, signal });
      return reading(message, (response) => read(response, lifetimeAttribute)) ?? 0;
    } catch (error) {
      // 437: there is no such allocation, so that a request to delete it has succeeded (RFC 8656 §8.3). That is what a
      // retransmission gets when the first answer was lost.
      if (isMismatch(error)) return 0;
      throw error;
    }
  }

  /** Closes the connection. A server notices that on TCP and TLS; over UDP an allocation not freed stays until it expires. */
  close(): void {
    this.#stop();
    this.#session.connection.close();
  }

  /** Keeps nothing alive any more; a request that is on its way, or made from now on, is rejected. */
  #stop(failure: Failure = { kind: 'internal', detail: 'the allocation has been released' }): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(new AttemptError(failure));
  }

  async #request(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions = { timeoutMs: this.#timeoutMs, signal: this.#ended.signal },
  ): Promise<Answer> {
    try {
      const answer = await this.#session.request(requestMethod, attributes, options);
      this.statistics.addRequest({ method: requestMethod, rttMs: answer.rttMs, code: null });
      return answer;
    } catch (error) {
      const failure = error instanceof AttemptError ? error.failure : null;
      const code = failure?.kind === 'stun-error' ? failure.code : null;
      this.statistics.addRequest({ method: requestMethod, rttMs: null, code });
      throw error;
    }
  }

  #keepAlive(lifetimeSeconds: number, refresh: () => Promise<number>): void {
    const onLost = (failure: Failure): void => this.#lose(failure);
    keepAlive({ lifetimeSeconds, refresh, onLost, signal: this.#ended.signal });
  }

  #lose(failure: Failure): void {
    if (this.#ended.signal.aborted) return;
    this.#lost = failure;
    this.#stop(failure);
    this.onLost(failure);
  }

  #receiveIndication(message: StunMessage): void {
    if (message.method !== method.data) return;
    try {
      const peer = read(message, xorPeerAddress);
      const payload = read(message, dataAttribute);
      if (peer !== undefined && payload !== undefined) this.#deliver(peer, payload);
    } catch (error) {
      // A malformed indication is silently discarded (RFC 8656 §11.4).
      if (!(error instanceof StunDecodeError)) throw error;
    }
  }

  #receiveChannelData(channel: number, payload: Uint8Array): void {
    const peer = this.#channels.peerOf(channel);
    if (peer !== undefined) this.#deliver(peer, payload);
  }

  #deliver(peer: Endpoint, payload: Uint8Array): void {
    this.statistics.countReceived(payload);
    this.onData(peer, payload);
  }
}
