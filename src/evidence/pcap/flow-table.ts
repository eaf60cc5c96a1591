import type { FlowFacts, IcmpFacts } from '../../model/capture-facts.ts';
import { formatEndpoint, type Endpoint } from '../../model/endpoint.ts';
import { addressText } from './address-text.ts';
import { Conversation } from './conversation.ts';
import { addressOf, protocolNumber, type IpPacket } from './packet.ts';
import { TcpStream } from './tcp-stream.ts';

const mostFlows = 20_000;
const mostFacts = 200;
const mostIcmp = 8;

/** One five-tuple while its packets come in. */
class Flow {
  readonly transport: 'udp' | 'tcp';
  readonly conversation: Conversation;
  readonly tcp: TcpStream | null;
  readonly keys: readonly [string, string];
  readonly sent = { packets: 0, bytes: 0 };
  readonly received = { packets: 0, bytes: 0 };
  readonly icmp = new Map<string, IcmpFacts>();
  firstAtMs: number | null = null;
  lastAtMs: number | null = null;
  receivedTtl: number | null = null;

  constructor(transport: 'udp' | 'tcp', a: Endpoint, b: Endpoint, keys: readonly [string, string]) {
    this.transport = transport;
    this.conversation = new Conversation(a, b);
    this.tcp = transport === 'tcp' ? new TcpStream() : null;
    this.keys = keys;
  }

  /** Whether it says anything about calls; the rest of a network's traffic is left out. */
  get isTelling(): boolean {
    if (this.conversation.isTelling) return true;
    if (this.tcp === null) return false;
    const { syn, isAccepted, tls } = this.tcp.facts();
    const isTurnPort = [3478, 3479, 5349, 5350].includes(this.conversation.b.port);
    return (syn > 0 && !isAccepted) || (isTurnPort && tls !== null);
  }

  get isAccepted(): boolean {
    return this.tcp?.facts().isAccepted === true;
  }

  /** Whom it wants, as a text. */
  get target(): string {
    return `${this.transport} ${formatEndpoint(this.conversation.b)}`;
  }

  facts(endMs: number | null): FlowFacts[] {
    const { conversation, transport, firstAtMs, lastAtMs, receivedTtl } = this;
    return [
      {
        transport,
        a: conversation.a,
        b: conversation.b,
        relayedBy: null,
        firstAtMs,
        lastAtMs,
        sent: { ...this.sent },
        received: { ...this.received },
        receivedTtl,
        icmp: [...this.icmp.values()],
        tcp: this.tcp?.facts() ?? null,
        ...conversation.facts(endMs),
      },
      ...conversation.inner.map((inner) => inner.facts(endMs)),
    ];
  }
}

interface Entry {
  readonly flow: Flow;
  readonly isFromA: boolean;
}

/** All five-tuples of a capture, each under both of its directions. Holds at most 20,000; the oldest are finished first. */
export class FlowTable {
  readonly #entries = new Map<string, Entry>();
  readonly #order = new Set<Flow>();
  readonly #finished: FlowFacts[] = [];
  readonly #isEveryKept: boolean;
  readonly #mostFacts: number;
  #flowCount = 0;
  #leftOut = 0;
  #bothWays = 0;

  /** `every`: also those that say nothing about calls, and as many as a table holds. */
  constructor({ every = false } = {}) {
    this.#isEveryKept = every;
    this.#mostFacts = every ? mostFlows : mostFacts;
  }

  /** Those with packets in both directions. */
  get bothWays(): number {
    return this.#bothWays;
  }

  get flowCount(): number {
    return this.#flowCount;
  }

  /** Takes a packet with UDP, TCP or ICMP in it; false when its header is not whole. */
  take(packet: IpPacket): boolean {
    switch (packet.protocol) {
      case protocolNumber.udp:
        return this.#udp(packet);
      case protocolNumber.tcp:
        return this.#tcp(packet);
      default:
        return this.#icmp(packet);
    }
  }

  #udp(packet: IpPacket): boolean {
    const { bytes, start, end, wireEnd, atMs } = packet;
    if (start + 8 > end) return false;
    const { flow, isFromA } = this.#flowOf(packet, 'udp');
    this.#count(flow, packet, isFromA, 8);
    // Zero is a length of its own for jumbograms; then the packet says it.
    const length = bytes.readUInt16BE(start + 4) || wireEnd - start;
    const payloadEnd = Math.min(wireEnd, start + Math.max(8, length));
    flow.conversation.take({
      bytes,
      start: start + 8,
      end: Math.min(end, payloadEnd),
      wireEnd: payloadEnd,
      atMs,
      isFromA,
    });
    return true;
  }

  #tcp(packet: IpPacket): boolean {
    const { bytes, start, end, atMs } = packet;
    if (start + 20 > end) return false;
    const { flow, isFromA } = this.#flowOf(packet, 'tcp');
    this.#count(flow, packet, isFromA, 20);
    for (const frame of flow.tcp?.take({ bytes, start, end, isFromA }) ?? []) {
      const whole = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
      flow.conversation.take({
        bytes: whole,
        start: 0,
        end: whole.length,
        wireEnd: whole.length,
        atMs,
        isFromA,
      });
    }
    return true;
  }

  #count(flow: Flow, { start, wireEnd, atMs, ttl }: IpPacket, isFromA: boolean, headerBytes: number): void {
    const counts = isFromA ? flow.sent : flow.received;
    if (!isFromA && counts.packets === 0) this.#bothWays++;
    counts.packets++;
    counts.bytes += Math.max(0, wireEnd - start - headerBytes);
    flow.firstAtMs ??= atMs;
    flow.lastAtMs = atMs;
    if (!isFromA && (flow.receivedTtl === null || ttl < flow.receivedTtl)) flow.receivedTtl = ttl;
  }

  #flowOf(packet: IpPacket, transport: 'udp' | 'tcp'): Entry {
    const { bytes, addresses, addressBytes, start } = packet;
    const key = keyOf(bytes, addresses, addressBytes, start, transport);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#order.size >= mostFlows) this.#finishOldest();
    const a = { address: addressOf(packet, 'source'), port: bytes.readUInt16BE(start) };
    const b = { address: addressOf(packet, 'destination'), port: bytes.readUInt16BE(start + 2) };
    const reverse = reverseKey(bytes, addresses, addressBytes, start, transport);
    const flow = new Flow(transport, a, b, [key, reverse]);
    this.#flowCount++;
    this.#order.add(flow);
    const entry = { flow, isFromA: true };
    this.#entries.set(reverse, { flow, isFromA: false });
    this.#entries.set(key, entry);
    return entry;
  }

  #finishOldest(): void {
    const oldest = this.#order.values().next().value;
    if (oldest === undefined) return;
    this.#order.delete(oldest);
    for (const key of oldest.keys) this.#entries.delete(key);
    if (this.#isEveryKept || oldest.isTelling) this.#keep(oldest.facts(oldest.lastAtMs));
  }

  #keep(facts: readonly FlowFacts[]): void {
    if (this.#finished.length + facts.length <= 5 * this.#mostFacts) this.#finished.push(...facts);
    else this.#leftOut += facts.length;
  }

  /** RFC 792, RFC 4443: the packet that it is about stands in it. */
  #icmp(packet: IpPacket): boolean {
    const { bytes, start, end, addressBytes } = packet;
    const kind = icmpKind(bytes[start] ?? 0, bytes[start + 1] ?? 0, addressBytes === 16);
    if (kind === null) return true;
    const inner = start + 8;
    const isV6 = (bytes[inner] ?? 0) >> 4 === 6;
    const headerBytes = isV6 ? 40 : ((bytes[inner] ?? 0) & 0xf) * 4;
    if (inner + headerBytes + 4 > end) return false;
    const protocol = bytes[inner + (isV6 ? 6 : 9)];
    if (protocol !== protocolNumber.udp && protocol !== protocolNumber.tcp) return true;
    const transport = protocol === protocolNumber.udp ? 'udp' : 'tcp';
    const addresses = inner + (isV6 ? 8 : 12);
    const entry = this.#entries.get(keyOf(bytes, addresses, isV6 ? 16 : 4, inner + headerBytes, transport));
    if (entry === undefined) return true;
    const from = addressText(bytes.subarray(packet.addresses, packet.addresses + addressBytes));
    const key = `${kind} ${from} ${entry.isFromA}`;
    const known = entry.flow.icmp.get(key);
    if (known !== undefined || entry.flow.icmp.size < mostIcmp) {
      entry.flow.icmp.set(key, { kind, from, isToA: entry.isFromA, count: (known?.count ?? 0) + 1 });
    }
    return true;
  }

  /** `endMs`: the time of the last packet of the capture. */
  finish(endMs: number | null): { readonly flows: readonly FlowFacts[]; readonly leftOut: number } {
    const accepting = new Set(
      [...this.#order].filter(({ isAccepted }) => isAccepted).map(({ target }) => target),
    );
    for (const flow of this.#order) {
      // A port that opened while the capture ran.
      const isOutlived = !flow.isAccepted && !flow.conversation.isTelling && accepting.has(flow.target);
      if (this.#isEveryKept || (flow.isTelling && !isOutlived)) this.#keep(flow.facts(endMs));
    }
    const ranked = this.#finished.toSorted((x, y) => weightOf(y) - weightOf(x));
    const flows = ranked
      .slice(0, this.#mostFacts)
      .toSorted((x, y) => (x.firstAtMs ?? 0) - (y.firstAtMs ?? 0));
    return { flows, leftOut: this.#leftOut + ranked.length - flows.length };
  }
}

/** What says most is kept. */
function weightOf({ turn, dtls, rtp, isIce, bindingFromA, bindingFromB }: FlowFacts): number {
  if (turn !== null) return 5;
  if (rtp.length > 0) return 4;
  if (dtls !== null) return 3;
  if (isIce) return 2;
  return bindingFromA.requests + bindingFromB.requests > 0 ? 1 : 0;
}

function keyOf(
  bytes: Buffer,
  addresses: number,
  addressBytes: number,
  ports: number,
  transport: string,
): string {
  return `${bytes.toString('latin1', addresses, addresses + 2 * addressBytes)}${bytes.toString('latin1', ports, ports + 4)}${transport}`;
}

function reverseKey(
  bytes: Buffer,
  addresses: number,
  addressBytes: number,
  ports: number,
  transport: string,
): string {
  const middle = addresses + addressBytes;
  const swapped =
    bytes.toString('latin1', middle, middle + addressBytes) + bytes.toString('latin1', addresses, middle);
  return `${swapped}${bytes.toString('latin1', ports + 2, ports + 4)}${bytes.toString('latin1', ports, ports + 2)}${transport}`;
}

function icmpKind(type: number, code: number, isV6: boolean): IcmpFacts['kind'] | null {
  if (isV6) {
    if (type === 2) return 'too-big';
    if (type === 3) return 'time-exceeded';
    if (type !== 1) return null;
    if (code === 4) return 'port-unreachable';
    return code === 1 || code === 5 || code === 6 ? 'prohibited' : 'unreachable';
  }
  if (type === 11) return 'time-exceeded';
  if (type !== 3) return null;
  if (code === 3) return 'port-unreachable';
  if (code === 4) return 'too-big';
  return code === 9 || code === 10 || code === 13 ? 'prohibited' : 'unreachable';
}
