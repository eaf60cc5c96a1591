import type { DirectionCounts, TurnFlowFacts, TurnMethod } from '../../model/capture-facts.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { xorMappedAddress, xorPeerAddress, xorRelayedAddress } from '../../stun/address-attributes.ts';
import { read, readAll, type AttributeCodec } from '../../stun/attribute.ts';
import {
  messageIntegrity,
  messageIntegritySha256,
  realm,
  username,
} from '../../stun/authentication-attributes.ts';
import { StunDecodeError } from '../../stun/decode-error.ts';
import { errorCode, software } from '../../stun/message-attributes.ts';
import { method, type StunMessage } from '../../stun/message.ts';
import { channelNumber, lifetime } from '../../stun/relay-attributes.ts';
import { Transactions } from './transactions.ts';

const mostPeers = 64;
const mostAsked = 256;
const longestText = 200;

interface Peer {
  readonly address: string;
  isPermitted: boolean;
  refusedWith: number | null;
  sent: number;
  received: number;
}

const methodNames = new Map<number, TurnMethod>([
  [method.allocate, 'allocate'],
  [method.refresh, 'refresh'],
  [method.createPermission, 'createPermission'],
  [method.channelBind, 'channelBind'],
]);

/** What a TURN client and its server say to each other over one five-tuple (RFC 8656). */
export class TurnTrack {
  readonly isClientA: boolean;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly #requests = {
    allocate: new Transactions(),
    refresh: new Transactions(),
    createPermission: new Transactions(),
    channelBind: new Transactions(),
  };
  readonly #peers = new Map<string, Peer>();
  readonly #channels = new Map<number, Endpoint>();
  /** What CreatePermission and ChannelBind ask for, until the answer. */
  readonly #asked = new Map<
    string,
    { readonly peers: readonly Endpoint[]; readonly channel: number | null }
  >();
  #username: string | null = null;
  #realm: string | null = null;
  #software: string | null = null;
  #allocatedAtMs: number | null = null;
  #relayed: Endpoint | null = null;
  #mapped: Endpoint | null = null;
  #lifetimeS: number | null = null;
  #lastGrantAtMs: number | null = null;
  #releasedAtMs: number | null = null;
  #toPeers = { packets: 0, bytes: 0 };
  #fromPeers = { packets: 0, bytes: 0 };
  #lastToPeersAtMs: number | null = null;
  #lastFromPeersAtMs: number | null = null;

  constructor(isClientA: boolean, client: Endpoint, server: Endpoint) {
    this.isClientA = isClientA;
    this.client = client;
    this.server = server;
  }

  /** Takes a request or an answer; false for a method that is not TURN's. */
  take(message: StunMessage, id: string, atMs: number | null): boolean {
    const name = methodNames.get(message.method);
    if (name === undefined) return false;
    if (message.class === 'request') this.#request(name, message, id, atMs);
    else if (message.class !== 'indication') this.#answer(name, message, id, atMs);
    return true;
  }

  #request(name: TurnMethod, message: StunMessage, id: string, atMs: number | null): void {
    const signed = has(message, messageIntegrity.type) || has(message, messageIntegritySha256.type);
    this.#requests[name].request(id, atMs, signed);
    this.#username = textIn(message, username) ?? this.#username;
    if (name !== 'createPermission' && name !== 'channelBind') return;
    const peers = attempt(() => readAll(message, xorPeerAddress)) ?? [];
    const channel = name === 'channelBind' ? (attempt(() => read(message, channelNumber)) ?? null) : null;
    if (this.#asked.size < mostAsked) this.#asked.set(id, { peers, channel });
    // Data can overtake the answer, and a capture can lack it.
    const [bound] = peers;
    if (channel !== null && bound !== undefined && !this.#channels.has(channel)) this.#bind(channel, bound);
  }

  #answer(name: TurnMethod, message: StunMessage, id: string, atMs: number | null): void {
    const code = message.class === 'error' ? (attempt(() => read(message, errorCode))?.code ?? 0) : null;
    this.#requests[name].answer(id, atMs, code);
    this.#realm = textIn(message, realm) ?? this.#realm;
    this.#software = textIn(message, software) ?? this.#software;
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    for (const { address } of asked?.peers ?? []) {
      const peer = this.#peer(address);
      if (peer === null) continue;
      if (code === null) peer.isPermitted = true;
      // The challenge and a stale nonce say nothing of the peer.
      else if (code !== 401 && code !== 438 && code !== 0) peer.refusedWith = code;
    }
    const [bound] = asked?.peers ?? [];
    const channel = asked?.channel ?? null;
    if (code === null && channel !== null && bound !== undefined) this.#bind(channel, bound);
    if (code === null && (name === 'allocate' || name === 'refresh')) this.#granted(name, message, atMs);
  }

  #bind(channel: number, peer: Endpoint): void {
    if (this.#channels.size < mostAsked) this.#channels.set(channel, peer);
  }

  #granted(name: 'allocate' | 'refresh', message: StunMessage, atMs: number | null): void {
    const granted = attempt(() => read(message, lifetime)) ?? null;
    this.#lifetimeS = granted ?? this.#lifetimeS;
    this.#lastGrantAtMs = atMs;
    if (granted === 0) this.#releasedAtMs = atMs;
    if (name === 'refresh') return;
    this.#allocatedAtMs = atMs;
    this.#releasedAtMs = null;
    this.#relayed = attempt(() => read(message, xorRelayedAddress)) ?? null;
    this.#mapped = attempt(() => read(message, xorMappedAddress)) ?? null;
  }

  /** The peer that a channel is bound to; null where its binding was not seen. */
  peerOf(channel: number): Endpoint | null {
    return this.#channels.get(channel) ?? null;
  }

  /** The address that stands for the client towards its peers. */
  get relayed(): Endpoint | null {
    return this.#relayed;
  }

  data(peer: Endpoint | null, bytes: number, isToPeer: boolean, atMs: number | null): void {
    const counts = isToPeer ? this.#toPeers : this.#fromPeers;
    counts.packets++;
    counts.bytes += bytes;
    if (isToPeer) this.#lastToPeersAtMs = atMs;
    else this.#lastFromPeersAtMs = atMs;
    const known = peer === null ? null : this.#peer(peer.address);
    if (known === null) return;
    if (isToPeer) known.sent++;
    else known.received++;
  }

  #peer(address: string): Peer | null {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    if (this.#peers.size >= mostPeers) return null;
    const peer = { address, isPermitted: false, refusedWith: null, sent: 0, received: 0 };
    this.#peers.set(address, peer);
    return peer;
  }

  facts(endMs: number | null): TurnFlowFacts {
    const { allocate, refresh, createPermission, channelBind } = this.#requests;
    const copy = ({ packets, bytes }: DirectionCounts): DirectionCounts => ({ packets, bytes });
    return {
      isClientA: this.isClientA,
      client: this.client,
      server: this.server,
      requests: {
        allocate: allocate.facts(endMs),
        refresh: refresh.facts(endMs),
        createPermission: createPermission.facts(endMs),
        channelBind: channelBind.facts(endMs),
      },
      signedRefused: allocate.signedRefused,
      username: this.#username,
      realm: this.#realm,
      software: this.#software,
      allocatedAtMs: this.#allocatedAtMs,
      relayed: this.#relayed,
      mapped: this.#mapped,
      lifetimeS: this.#lifetimeS,
      lastGrantAtMs: this.#lastGrantAtMs,
      releasedAtMs: this.#releasedAtMs,
      peers: [...this.#peers.values()].map((peer) => ({ ...peer })),
      toPeers: copy(this.#toPeers),
      fromPeers: copy(this.#fromPeers),
      lastFromPeersAtMs: this.#lastFromPeersAtMs,
      lastToPeersAtMs: this.#lastToPeersAtMs,
    };
  }
}

function has(message: StunMessage, type: number): boolean {
  return message.attributes.some((attribute) => attribute.type === type);
}

function textIn(message: StunMessage, codec: AttributeCodec<string>): string | null {
  return attempt(() => read(message, codec))?.slice(0, longestText) ?? null;
}

/** A malformed value is as none: what counts is what can be read. */
export function attempt<T>(reading: () => T): T | null {
  try {
    return reading();
  } catch (error) {
    if (error instanceof StunDecodeError) return null;
    throw error;
  }
}
