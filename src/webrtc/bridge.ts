import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { sameAddress, sameEndpoint, type Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import { xorPeerAddress, xorRelayedAddress } from '../stun/address-attributes.ts';
import { put, read, readAll, type EncodableAttribute } from '../stun/attribute.ts';
import { nonce, realm } from '../stun/authentication-attributes.ts';
import { decodeChannelData, encodeChannelData, isChannelData } from '../stun/channel-data.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { longTermKey, verifyIntegrity } from '../stun/integrity.ts';
import { errorCode } from '../stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method, type StunMessage } from '../stun/message.ts';
import { channelNumber, channelNumbers, data, lifetime } from '../stun/relay-attributes.ts';
import type { Allocation } from '../turn/allocation.ts';
import { InboundGate } from './inbound-gate.ts';

export interface BridgeOptions {
  /** What stands behind the bridge. The agent's Allocate is answered when this settles. */
  readonly allocation: Promise<Allocation>;
  /** The loopback address to listen on, of the family that the agent's socket has. */
  readonly address: '127.0.0.1' | '::1';
  /** The only peer of the agent; without one, no peer is reachable. */
  readonly peer?: Endpoint;
  /** What the agent is told instead of the relay address and the peer's, for addresses of which it can make nothing. */
  readonly shown?: { readonly relayed: Endpoint; readonly peer: Endpoint };
  /** Put between the relay and the agent: gives what takes a packet and may hold it back, drop or repeat it. */
  readonly inbound?: (deliver: Deliver) => Deliver;
}

export type Deliver = (payload: Uint8Array) => void;

const localRealm = 'rtc-ops bridge';
// The agent refreshes on its own idea of time (libjuice ignores what it is told); the real lifetime is kept elsewhere.
const localLifetimeSeconds = 600;
const socketBufferBytes = 1 << 20;

/**
 * A TURN server (RFC 8656) on loopback for one ICE agent, backed by an allocation that our own client holds on the
 * real server.
 *
 * libjuice speaks TURN over UDP alone, says nothing of why it failed, gives up on a dead server after 23.5 s, never
 * frees what it allocated, ignores the granted lifetime, and follows a redirect past us. Here it meets a server that
 * answers at once and always, while everything that takes time or can fail happens between `Allocation` and the real
 * server. The credential is random and of this one agent, so that no other program on this machine can use the relay.
 */
export class Bridge {
  /** What the agent is configured with. */
  readonly server: {
    readonly hostname: string;
    readonly port: number;
    readonly username: string;
    readonly password: string;
  };
  readonly statistics = {
    /** Packets of the agent to the peer. */
    toPeer: 0,
    /** Packets of the peer to the agent, as they came from the relay. */
    fromPeer: 0,
    /** Packets that came or went past the peer filter: ICE checks of other candidate pairs, strangers. */
    filtered: 0,
  };

  /** The bridge itself has failed (never the server behind it), and is closed. */
  onError: (error: Error) => void = () => {};

  readonly #socket: Socket;
  readonly #key: Uint8Array;
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #allocation: Promise<Allocation>;
  readonly #peer: Endpoint | null;
  /** The peer as the agent knows it. */
  readonly #shownPeer: Endpoint | null;
  readonly #shownRelayed: Endpoint | null;
  readonly #inbound: Deliver;
  readonly #gate = new InboundGate((payload) => this.#toAgent(payload));
  #granted: Allocation | null = null;
  /** The one 5-tuple that has authenticated itself (RFC 8656 §5). */
  #agent: RemoteInfo | null = null;
  #channel: number | null = null;
  /** The transaction that was answered with 401 last. */
  #challenged: string | null = null;
  #open = true;

  /**
   * Listens on a free port of the loopback interface.
   * @throws Error of the system when it cannot
   */
  static async open(options: BridgeOptions): Promise<Bridge> {
    const socket = createSocket({
      type: options.address === '::1' ? 'udp6' : 'udp4',
      recvBufferSize: socketBufferBytes,
      sendBufferSize: socketBufferBytes,
    });
    try {
      socket.bind(0, options.address);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new Bridge(socket, options);
  }

  private constructor(socket: Socket, options: BridgeOptions) {
    this.server = {
      hostname: options.address,
      port: socket.address().port,
      username: randomBytes(12).toString('hex'),
      password: randomBytes(24).toString('hex'),
    };
    this.#key = longTermKey(this.server.username, localRealm, this.server.password);
    this.#socket = socket;
    this.#allocation = options.allocation;
    this.#peer = options.peer ?? null;
    this.#shownPeer = options.shown?.peer ?? this.#peer;
    this.#shownRelayed = options.shown?.relayed ?? null;
    const deliver: Deliver = (payload) => this.#gate.pass(payload);
    this.#inbound = options.inbound?.(deliver) ?? deliver;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    socket.on('error', (error) => this.#fail(error));
    // A rejection is told to the agent when it asks.
    options.allocation.then((allocation) => this.#attach(allocation)).catch(() => {});
  }

  #fail(error: Error): void {
    if (!this.#open) return;
    this.close();
    this.onError(error);
  }

  /** Lets the peer's packets through to the agent, which must know the peer's candidates (see `InboundGate`). */
  admitPeer(): void {
    this.#gate.admitPeer();
  }

  /** Lets DTLS through as well, when the agent's own has been started. */
  admitHandshake(): void {
    this.#gate.admitHandshake();
  }

  /** Ends the bridge; the allocation behind it stays. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#granted) this.#granted.onData = () => {};
    this.#socket.close();
  }

  #attach(allocation: Allocation): void {
    if (!this.#open) return;
    this.#granted = allocation;
    allocation.onData = (peer, payload) => {
      // A permission is for an address, all its ports: the agent's own checks, sent around the relay, come in as well
      // when client and relay share an address, and would make a pair that is no relay's.
      if (this.#peer === null || !sameEndpoint(peer, this.#peer)) {
        this.statistics.filtered++;
        return;
      }
      this.statistics.fromPeer++;
      this.#inbound(payload);
    };
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    try {
      if (isChannelData(bytes)) {
        const { channel, payload } = decodeChannelData(bytes);
        if (this.#isAgent(from) && channel === this.#channel && this.#shownPeer) {
          this.#toPeer(this.#shownPeer, payload);
        }
        return;
      }
      const message = decodeMessage(bytes);
      if (message.class === 'request') this.#answer(message, from);
      else if (message.class === 'indication' && message.method === method.send && this.#isAgent(from)) {
        const peer = read(message, xorPeerAddress);
        const payload = read(message, data);
        if (peer !== undefined && payload !== undefined) this.#toPeer(peer, payload);
      }
    } catch (error) {
      // Anything on this machine can send to a loopback port; what is not TURN is not for us.
      if (!(error instanceof StunDecodeError)) throw error;
    }
  }

  #answer(request: StunMessage, from: RemoteInfo): void {
    if (!this.#isAuthentic(request)) {
      // It is repeated when this process was held up, and its answer is under way. A second 401, after the request was
      // signed by the first, would tell libjuice that its credential is wrong.
      const id = Buffer.from(request.transactionId).toString('hex');
      if (id === this.#challenged) return;
      this.#challenged = id;
      const challenge = [put(realm, localRealm), put(nonce, this.#nonce)];
      this.#refuse(request, from, { code: 401, reason: 'Unauthenticated' }, challenge);
      return;
    }
    if (this.#agent !== null && !this.#isAgent(from)) {
      this.#refuse(request, from, { code: 441, reason: 'Wrong Credentials' });
      return;
    }
    this.#agent = from;
    switch (request.method) {
      case method.allocate:
        this.#answerAllocate(request, from).catch((error: Error) => this.#fail(error));
        break;
      case method.refresh:
        this.#grant(request, from, [put(lifetime, localLifetimeSeconds)]);
        break;
      case method.createPermission:
        if (readAll(request, xorPeerAddress).every((peer) => this.#isPeerAddress(peer)))
          this.#grant(request, from, []);
        else this.#refuse(request, from, forbidden);
        break;
      case method.channelBind:
        this.#answerChannelBind(request, from);
        break;
      default:
        this.#refuse(request, from, { code: 400, reason: 'Bad Request' });
    }
  }

  async #answerAllocate(request: StunMessage, from: RemoteInfo): Promise<void> {
    try {
      const { relayed } = await this.#allocation;
      // Without XOR-MAPPED-ADDRESS: over TCP and TLS it would be that of the stream, and over UDP that of our own
      // socket; as a server-reflexive candidate of the agent both would be lies.
      const told = this.#shownRelayed ?? relayed;
      this.#grant(request, from, [put(xorRelayedAddress, told), put(lifetime, localLifetimeSeconds)]);
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      this.#refuse(request, from, refusalFor(error));
    }
  }

  #answerChannelBind(request: StunMessage, from: RemoteInfo): void {
    const channel = read(request, channelNumber);
    const peer = read(request, xorPeerAddress);
    const valid = channel !== undefined && channel >= channelNumbers.first && channel <= channelNumbers.last;
    if (!valid || peer === undefined) {
      this.#refuse(request, from, { code: 400, reason: 'Bad Request' });
    } else if (this.#shownPeer === null || !sameEndpoint(peer, this.#shownPeer)) {
      this.#refuse(request, from, forbidden);
    } else {
      this.#channel = channel;
      this.#grant(request, from, []);
    }
  }

  #isAuthentic(request: StunMessage): boolean {
    // The key is made of the user name too (RFC 8489 §9.2.2).
    return read(request, nonce) === this.#nonce && verifyIntegrity(request, this.#key) === 'valid';
  }

  #isAgent(from: RemoteInfo): boolean {
    return this.#agent !== null && from.port === this.#agent.port && from.address === this.#agent.address;
  }

  #isPeerAddress({ address }: Endpoint): boolean {
    return this.#shownPeer !== null && sameAddress(address, this.#shownPeer.address);
  }

  #toPeer(peer: Endpoint, payload: Uint8Array): void {
    const isThePeer = this.#shownPeer !== null && sameEndpoint(peer, this.#shownPeer);
    if (this.#granted === null || this.#peer === null || !isThePeer) {
      this.statistics.filtered++;
      return;
    }
    this.statistics.toPeer++;
    this.#granted.send(this.#peer, payload);
  }

  #toAgent(payload: Uint8Array): void {
    if (this.#agent === null || this.#shownPeer === null) return;
    const bytes =
      this.#channel === null
        ? encodeMessage({
            class: 'indication',
            method: method.data,
            attributes: [put(xorPeerAddress, this.#shownPeer), put(data, payload)],
          })
        : encodeChannelData(this.#channel, payload, { padded: false });
    this.#send(bytes, this.#agent);
  }

  #grant(request: StunMessage, to: RemoteInfo, attributes: readonly EncodableAttribute[]): void {
    const { method: requestMethod, transactionId } = request;
    const integrity = { key: this.#key };
    this.#send(
      encodeMessage({ class: 'success', method: requestMethod, transactionId, attributes, integrity }),
      to,
    );
  }

  #refuse(
    request: StunMessage,
    to: RemoteInfo,
    error: { code: number; reason: string },
    more: readonly EncodableAttribute[] = [],
  ): void {
    const { method: requestMethod, transactionId } = request;
    const attributes = [put(errorCode, error), ...more];
    this.#send(encodeMessage({ class: 'error', method: requestMethod, transactionId, attributes }), to);
  }

  #send(bytes: Uint8Array, to: RemoteInfo): void {
    if (this.#open) this.#socket.send(bytes, to.port, to.address);
  }
}

const forbidden = { code: 403, reason: 'Forbidden' };

/** The real error code where there is one, except those that would set the agent in motion again (300, 401, 438). */
function refusalFor({ failure }: AttemptError): { code: number; reason: string } {
  if (failure.kind === 'stun-error' && ![300, 400, 401, 438].includes(failure.code)) {
    return { code: failure.code, reason: failure.reason };
  }
  return { code: 500, reason: 'Server Error' };
}
