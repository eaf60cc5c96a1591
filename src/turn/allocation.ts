import { formatEndpoint, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Failure } from '../model/observations.ts';
import { xorMappedAddress, xorPeerAddress, xorRelayedAddress } from '../stun/address-attributes.ts';
import { put, read, type EncodableAttribute } from '../stun/attribute.ts';
import { encodeChannelData } from '../stun/channel-data.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import {
  channelNumber,
  data as dataAttribute,
  lifetime as lifetimeAttribute,
  requestedAddressFamily,
  requestedTransport,
} from '../stun/relay-attributes.ts';
import { keepAlive } from './keep-alive.ts';
import { openConnection, type TurnServer } from './server.ts';
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

// RFC 8489 §10 warns of redirection loops and leaves the bound to us.
const mostRedirects = 3;
const udp = 17; // IANA protocol number, REQUESTED-TRANSPORT
const firstChannel = 0x4000; // RFC 8656 §12
const lastChannel = 0x4fff;
const rememberedRequests = 100;
// What a request gets that is made after the allocation has ended.
const ended = new AttemptError({ kind: 'closed', bytesReceived: 0 });

export interface AllocateOptions extends RequestOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  /** Family of the relay address; the server's default (IPv4, RFC 8656 §7.2) when absent. */
  readonly family?: Family;
  readonly lifetimes?: Lifetimes;
  /** Alternates that were followed already; those that follow are added. */
  readonly redirects?: Endpoint[];
}

export type AllocateOnOptions = Omit<AllocateOptions, 'server' | 'credential' | 'redirects'>;

/** One request to the server as it went: for reports and statistics. */
export interface RequestRecord {
  readonly method: number;
  readonly rttMs: number | null;
  /** Error code of the answer; null for success, or when there was none. */
  readonly code: number | null;
}

/**
 * Connects to a server and allocates a relay address there, following 300 Try-Alternate. The connection belongs to
 * the allocation and ends with it.
 * @throws AttemptError
 */
export async function allocate(options: AllocateOptions): Promise<Allocation> {
  const deadline = performance.now() + options.timeoutMs;
  const redirects = options.redirects ?? [];
  for (let server = options.server; ;) {
    const timeoutMs = Math.max(1, deadline - performance.now());
    const { connection } = await openConnection(server, { timeoutMs, signal: options.signal }).ready;
    try {
      const session = new TurnSession(connection, options.credential);
      return await allocateOn(
        session,
        { ...options, timeoutMs: Math.max(1, deadline - performance.now()) },
        redirects,
      );
    } catch (error) {
      connection.close();
      if (!(error instanceof TryAlternateError) || redirects.length === mostRedirects) throw error;
      redirects.push(error.alternate);
      server = { ...server, endpoint: error.alternate };
    }
  }
}

/**
 * Allocates over a connection that is open already.
 * @throws AttemptError; TryAlternateError when the server sends us elsewhere
 */
export async function allocateOn(
  session: TurnSession,
  options: AllocateOnOptions,
  redirects: readonly Endpoint[] = [],
): Promise<Allocation> {
  const attributes = [
    put(requestedTransport, udp),
    ...(options.family === 6 ? [put(requestedAddressFamily, options.family)] : []),
  ];
  const answer = await session.request(method.allocate, attributes, options);
  const granted = reading(answer.message, (message) => ({
    relayed: read(message, xorRelayedAddress),
    mapped: read(message, xorMappedAddress) ?? null,
    lifetimeSeconds: read(message, lifetimeAttribute),
  }));
  if (granted.relayed === undefined || granted.lifetimeSeconds === undefined) {
    const missing = granted.relayed === undefined ? 'XOR-RELAYED-ADDRESS' : 'LIFETIME';
    const detail = `the Allocate success response has no ${missing} (RFC 8656 §7.3)`;
    throw new AttemptError({ kind: 'malformed', detail, preview: 'incomplete' });
  }
  return new Allocation(session, options, answer, redirects, {
    relayed: granted.relayed,
    mapped: granted.mapped,
    lifetimeSeconds: granted.lifetimeSeconds,
  });
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
  readonly rttMs: number;
  /** Packets from peers. */
  onData: (peer: Endpoint, payload: Uint8Array) => void = () => {};
  /** The allocation has ended, and not by `release()`. Called at most once. */
  onLost: (failure: Failure) => void = () => {};
  readonly statistics = {
    sentPackets: 0,
    sentBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    /** The last ones, oldest first. */
    requests: [] as RequestRecord[],
  };

  readonly #session: TurnSession;
  readonly #timeoutMs: number;
  readonly #lifetimes: Lifetimes;
  readonly #ended = new AbortController();
  readonly #permitted = new Set<string>();
  readonly #channels = new Map<string, number>();
  readonly #peers = new Map<number, Endpoint>();

  constructor(
    session: TurnSession,
    options: AllocateOnOptions,
    answer: Answer,
    redirects: readonly Endpoint[],
    granted: { relayed: Endpoint; mapped: Endpoint | null; lifetimeSeconds: number },
  ) {
    this.relayed = granted.relayed;
    this.mapped = granted.mapped;
    this.lifetimeSeconds = granted.lifetimeSeconds;
    this.server = session.connection.transport.remote;
    this.redirects = redirects;
    this.rttMs = answer.rttMs;
    this.#session = session;
    this.#timeoutMs = options.timeoutMs;
    this.#lifetimes = options.lifetimes ?? standardLifetimes;
    this.#record(method.allocate, answer);
    session.connection.onIndication = (message) => this.#receiveIndication(message);
    session.connection.onChannelData = (channel, payload) => this.#receiveChannelData(channel, payload);
    session.connection.onClosed = (failure) => this.#lose(failure);
    this.#keepAlive(granted.lifetimeSeconds, () => this.refresh());
  }

  /**
   * Lets peers at these addresses send, whatever their port (RFC 8656 §9), and keeps it so.
   * @throws AttemptError, `stun-error` 403 when the server denies one of them
   */
  async permit(addresses: readonly string[]): Promise<void> {
    const request = async (): Promise<number> => {
      const peers = addresses.map((address) => put(xorPeerAddress, { address, port: 0 }));
      await this.#request(method.createPermission, peers);
      return this.#lifetimes.permissionSeconds;
    };
    this.#keepAlive(await request(), request);
    for (const address of addresses) this.#permitted.add(address);
  }

  /**
   * Binds a channel to a peer and keeps it bound; packets to that peer then cost 4 bytes instead of 36 or more.
   * Installs the permission too (RFC 8656 §12).
   * @returns the channel number
   * @throws AttemptError
   */
  async bindChannel(peer: Endpoint): Promise<number> {
    const bound = this.#channels.get(formatEndpoint(peer));
    if (bound !== undefined) return bound;
    const channel = firstChannel + this.#peers.size;
    if (channel > lastChannel) throw new RangeError('an allocation has at most 4096 channels (RFC 8656 §12)');
    const request = async (): Promise<number> => {
      await this.#request(method.channelBind, [put(channelNumber, channel), put(xorPeerAddress, peer)]);
      return this.#lifetimes.channelSeconds;
    };
    // Reserved before the answer: packets of the peer may overtake it.
    this.#peers.set(channel, peer);
    const lifetime = await request();
    this.#channels.set(formatEndpoint(peer), channel);
    this.#keepAlive(lifetime, request);
    // A channel's refresh extends its permission as well, but comes later than that permission ends.
    if (!this.#permitted.has(peer.address)) await this.permit([peer.address]);
    return channel;
  }

  /** Sends to a peer: as ChannelData once a channel is bound, as a Send indication until then. */
  send(peer: Endpoint, payload: Uint8Array): void {
    const { connection } = this.#session;
    const channel = this.#channels.get(formatEndpoint(peer));
    this.statistics.sentPackets++;
    this.statistics.sentBytes += payload.length;
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
    const { message } = await this.#request(method.refresh, [put(lifetimeAttribute, this.lifetimeSeconds)]);
    return reading(message, (response) => read(response, lifetimeAttribute)) ?? this.lifetimeSeconds;
  }

  /**
   * Frees the allocation (Refresh with lifetime 0) and closes the connection.
   * @returns why the server did not confirm it, or null when it did
   */
  async release(timeoutMs = this.#timeoutMs): Promise<Failure | null> {
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
    this.#ended.abort(ended);
    // Not under the caller's signal: an abort is the very moment at which this request must still be sent.
    const { signal } = new AbortController();
    const { message } = await this.#request(method.refresh, [put(lifetimeAttribute, 0)], {
      timeoutMs,
      signal,
    });
    return reading(message, (response) => read(response, lifetimeAttribute)) ?? 0;
  }

  /** Closes the connection. A server notices that on TCP and TLS; over UDP an allocation not freed stays until it expires. */
  close(): void {
    this.#ended.abort(ended);
    this.#session.connection.close();
  }

  async #request(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions = { timeoutMs: this.#timeoutMs, signal: this.#ended.signal },
  ): Promise<Answer> {
    try {
      const answer = await this.#session.request(requestMethod, attributes, options);
      this.#record(requestMethod, answer);
      return answer;
    } catch (error) {
      const failure = error instanceof AttemptError ? error.failure : null;
      this.#record(requestMethod, null, failure?.kind === 'stun-error' ? failure.code : null);
      throw error;
    }
  }

  #record(requestMethod: number, answer: Answer | null, code: number | null = null): void {
    const { requests } = this.statistics;
    if (requests.length === rememberedRequests) requests.shift();
    requests.push({ method: requestMethod, rttMs: answer?.rttMs ?? null, code });
  }

  #keepAlive(lifetimeSeconds: number, refresh: () => Promise<number>): void {
    const onLost = (failure: Failure): void => this.#lose(failure);
    keepAlive({ lifetimeSeconds, refresh, onLost, signal: this.#ended.signal });
  }

  #lose(failure: Failure): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(ended);
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
    const peer = this.#peers.get(channel);
    if (peer !== undefined) this.#deliver(peer, payload);
  }

  #deliver(peer: Endpoint, payload: Uint8Array): void {
    this.statistics.receivedPackets++;
    this.statistics.receivedBytes += payload.length;
    this.onData(peer, payload);
  }
}
