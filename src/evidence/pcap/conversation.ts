import type { FlowFacts, TransactionFacts } from '../../model/capture-facts.ts';
import { formatEndpoint, type Endpoint } from '../../model/endpoint.ts';
import { xorPeerAddress } from '../../stun/address-attributes.ts';
import { read } from '../../stun/attribute.ts';
import { username } from '../../stun/authentication-attributes.ts';
import { errorCode } from '../../stun/message-attributes.ts';
import {
  decodeMessage,
  looksLikeStun,
  method,
  type MessageClass,
  type StunMessage,
} from '../../stun/message.ts';
import { data as dataAttribute } from '../../stun/relay-attributes.ts';
import { DtlsProgress } from './dtls-progress.ts';
import { RtpStreams } from './rtp-streams.ts';
import { Transactions } from './transactions.ts';
import { attempt, TurnTrack } from './turn-track.ts';

const mostPeers = 64;
const stunHeaderBytes = 20;
const turnPorts = new Set([3478, 3479, 5349, 5350]);

/** A message on its way: where it lies, and how long it was on the wire. */
export interface Datagram {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Above `end` where the capture cut it. */
  readonly wireEnd: number;
  readonly atMs: number | null;
  readonly isFromA: boolean;
}

/** What two sides of a five-tuple say to each other, told apart as RFC 7983 §7 does. A relay's holds those that it carries. */
export class Conversation {
  readonly a: Endpoint;
  readonly b: Endpoint;
  readonly #isInner: boolean;
  #binding: { readonly a: Transactions; readonly b: Transactions } | null = null;
  #isIce = false;
  #cutMessages = 0;
  #turn: TurnTrack | null = null;
  #dtls: DtlsProgress | null = null;
  #rtp: RtpStreams | null = null;
  #rtcp = { fromA: 0, fromB: 0 };
  #inner: Map<string, InnerFlow> | null = null;

  constructor(a: Endpoint, b: Endpoint, isInner = false) {
    this.a = a;
    this.b = b;
    this.#isInner = isInner;
  }

  get turn(): TurnTrack | null {
    return this.#turn;
  }

  /** What the relay carries; none where this is no relay's. */
  get inner(): readonly InnerFlow[] {
    return this.#inner === null ? [] : [...this.#inner.values()];
  }

  /** Whether anything of calls is in it. */
  get isTelling(): boolean {
    return (
      this.#binding !== null ||
      this.#turn !== null ||
      this.#dtls !== null ||
      (this.#rtp?.facts().length ?? 0) > 0
    );
  }

  take(datagram: Datagram): void {
    const { bytes, start, end, wireEnd, atMs, isFromA } = datagram;
    const first = bytes[start] ?? 0;
    if (start >= end) return;
    if (first >= 128 && first < 192) {
      const type = bytes[start + 1] ?? 0;
      if (type >= 192 && type <= 223) {
        if (isFromA) this.#rtcp.fromA++;
        else this.#rtcp.fromB++;
      } else (this.#rtp ??= new RtpStreams()).take(bytes, start, end, atMs, isFromA, wireEnd - start);
    } else if (first >= 64 && first < 80) {
      if (!this.#isInner) this.#channelData(datagram);
    } else if (first >= 20 && first < 64) {
      if (first >= 32 ? this.#dtls !== null : bytes[start + 1] === 0xfe) {
        (this.#dtls ??= new DtlsProgress()).take(bytes, start, end, atMs, isFromA);
      }
    } else if (first < 4) {
      this.#stun(datagram);
    }
  }

  #stun(datagram: Datagram): void {
    const { bytes, start, end, wireEnd, atMs, isFromA } = datagram;
    const view = bytes.subarray(start, end);
    if (!looksLikeStun(view)) return;
    const whole = attempt(() => decodeMessage(view));
    if (whole === null && end >= wireEnd) return;
    const message = whole ?? headerOf(view);
    if (whole === null && message.class !== 'indication') this.#cutMessages++;
    const id = bytes.toString('latin1', start + 8, start + stunHeaderBytes);
    if (message.method === method.binding) {
      this.#takeBinding(message, id, atMs, isFromA);
      return;
    }
    if (this.#isInner) return;
    // Requests and Send come from the client, answers and Data from the server.
    const isFromClient = message.class === 'request' || message.method === method.send;
    this.#turn ??= new TurnTrack(
      isFromClient === isFromA,
      isFromClient === isFromA ? this.a : this.b,
      isFromClient === isFromA ? this.b : this.a,
    );
    if (this.#turn.take(message, id, atMs)) return;
    if (message.class === 'indication') this.#indication(message, datagram);
  }

  #takeBinding(message: StunMessage, id: string, atMs: number | null, isFromA: boolean): void {
    if (message.class === 'indication') return;
    this.#binding ??= { a: new Transactions(), b: new Transactions() };
    const asker = this.#binding[isFromA === (message.class === 'request') ? 'a' : 'b'];
    if (message.class === 'request') {
      if (attempt(() => read(message, username)) !== undefined) this.#isIce = true;
      asker.request(id, atMs, false);
      return;
    }
    const code = message.class === 'error' ? (attempt(() => read(message, errorCode))?.code ?? 0) : null;
    asker.answer(id, atMs, code);
  }

  #indication(message: StunMessage, datagram: Datagram): void {
    if (message.method !== method.send && message.method !== method.data) return;
    const peer = attempt(() => read(message, xorPeerAddress)) ?? null;
    const payload = attempt(() => read(message, dataAttribute)) ?? null;
    if (payload === null) return;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#relayed(peer, { ...datagram, bytes, start: 0, end: bytes.length, wireEnd: bytes.length });
  }

  /** RFC 8656 §12.4: the number, the length, the data. */
  #channelData(datagram: Datagram): void {
    const { bytes, start, end, wireEnd, isFromA } = datagram;
    if (end - start < 4) return;
    const channel = bytes.readUInt16BE(start);
    const length = bytes.readUInt16BE(start + 2);
    if (start + 4 + length > Math.max(wireEnd, end)) return;
    const track = (this.#turn ??= this.#trackByPort());
    if (track === null) return;
    const peer = track.peerOf(channel) ?? { address: `channel ${channel.toString(16)}`, port: 0 };
    const payloadEnd = start + 4 + length;
    this.#relayed(peer, {
      ...datagram,
      start: start + 4,
      end: Math.min(end, payloadEnd),
      wireEnd: payloadEnd,
      isFromA,
    });
  }

  /** For a capture that begins in the middle of a call: channels alone are proof enough at the ports of TURN. */
  #trackByPort(): TurnTrack | null {
    if (turnPorts.has(this.b.port)) return new TurnTrack(true, this.a, this.b);
    return turnPorts.has(this.a.port) ? new TurnTrack(false, this.b, this.a) : null;
  }

  #relayed(peer: Endpoint | null, datagram: Datagram): void {
    const track = this.#turn;
    if (track === null) return;
    const isToPeer = datagram.isFromA === track.isClientA;
    const bytes = datagram.wireEnd - datagram.start;
    track.data(peer, bytes, isToPeer, datagram.atMs);
    if (peer === null) return;
    this.#inner ??= new Map<string, InnerFlow>();
    const key = formatEndpoint(peer);
    let flow = this.#inner.get(key);
    if (flow === undefined) {
      if (this.#inner.size >= mostPeers) return;
      flow = new InnerFlow(track, peer);
      this.#inner.set(key, flow);
    }
    flow.take({ ...datagram, isFromA: isToPeer });
  }

  facts(endMs: number | null): ConversationFacts {
    return {
      bindingFromA: this.#binding?.a.facts(endMs) ?? noTransactions,
      bindingFromB: this.#binding?.b.facts(endMs) ?? noTransactions,
      isIce: this.#isIce,
      cutMessages: this.#cutMessages,
      turn: this.#turn?.facts(endMs) ?? null,
      dtls: this.#dtls?.facts() ?? null,
      rtp: this.#rtp?.facts() ?? [],
      rtcp: { ...this.#rtcp },
    };
  }
}

type ConversationFacts = Pick<
  FlowFacts,
  'bindingFromA' | 'bindingFromB' | 'isIce' | 'cutMessages' | 'turn' | 'dtls' | 'rtp' | 'rtcp'
>;

const noTransactions: TransactionFacts = {
  requests: 0,
  repetitions: 0,
  succeeded: 0,
  errors: [],
  unanswered: 0,
  rttMs: null,
};

/** What a TURN client and one of its peers say to each other through the relay. */
class InnerFlow {
  readonly #track: TurnTrack;
  readonly #conversation: Conversation;
  readonly #sent = { packets: 0, bytes: 0 };
  readonly #received = { packets: 0, bytes: 0 };
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;

  constructor(track: TurnTrack, peer: Endpoint) {
    this.#track = track;
    this.#conversation = new Conversation(track.client, peer, true);
  }

  take(datagram: Datagram): void {
    const counts = datagram.isFromA ? this.#sent : this.#received;
    counts.packets++;
    counts.bytes += datagram.wireEnd - datagram.start;
    this.#firstAtMs ??= datagram.atMs;
    this.#lastAtMs = datagram.atMs;
    this.#conversation.take(datagram);
  }

  facts(endMs: number | null): FlowFacts {
    return {
      transport: 'udp',
      a: this.#conversation.a,
      b: this.#conversation.b,
      relayedBy: this.#track.server,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      sent: { ...this.#sent },
      received: { ...this.#received },
      receivedTtl: null,
      icmp: [],
      tcp: null,
      ...this.#conversation.facts(endMs),
    };
  }
}

const classes: readonly MessageClass[] = ['request', 'indication', 'success', 'error'];

/** Of a message that the capture cut, what its header says (RFC 8489 §5). */
function headerOf(view: Uint8Array): StunMessage {
  const type = ((view[0] ?? 0) << 8) | (view[1] ?? 0);
  return {
    class: classes[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request',
    method: ((type >> 2) & 0xf80) | ((type >> 1) & 0x70) | (type & 0xf),
    transactionId: view.subarray(8, stunHeaderBytes),
    attributes: [],
    bytes: view,
  };
}
