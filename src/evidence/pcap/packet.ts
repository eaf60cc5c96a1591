import { addressText } from './address-text.ts';
import type { CapturedPacket } from './capture-file.ts';
import { FragmentTable } from './fragments.ts';

export const protocolNumber = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/** An IP packet, whole or cut by the capture. Valid until the next one. */
export interface IpPacket {
  bytes: Buffer;
  /** Where its source address begins; its destination follows at once. */
  addresses: number;
  addressBytes: 4 | 16;
  protocol: number;
  ttl: number;
  /** What the IP header carries. */
  start: number;
  end: number;
  /** Where it would end on the wire. */
  wireEnd: number;
  atMs: number | null;
}

export type PacketOutcome = 'packet' | 'fragment' | 'other' | 'malformed' | 'unknown-link';

const ethernet = 1;
const nullLoopback = 0;
const openBsdLoopback = 108;
const linuxCooked = 113;
const linuxCooked2 = 276;
// DLT_RAW differs by system; LINKTYPE_RAW is 101.
const rawTypes = new Set([12, 14, 101, 228, 229]);
// Families of IPv6 on Linux, the BSDs and macOS.
const ipv6Families = new Set([10, 24, 28, 30]);

const etherType = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  provider: 0x88a8,
  qinq: 0x9100,
  pppoe: 0x8864,
} as const;

/** Takes link and IP headers off, and puts fragments together (RFC 791 §3.2, RFC 8200 §4.5). */
export class PacketParser {
  readonly packet: IpPacket = {
    bytes: Buffer.alloc(0),
    addresses: 0,
    addressBytes: 4,
    protocol: 0,
    ttl: 0,
    start: 0,
    end: 0,
    wireEnd: 0,
    atMs: null,
  };
  readonly fragments = new FragmentTable();

  /** Fills `packet` where it gives `packet`. */
  parse(captured: CapturedPacket): PacketOutcome {
    const { bytes, start, end, atMs } = captured;
    this.packet.atMs = atMs;
    switch (captured.linkType) {
      case ethernet:
        return start + 14 > end
          ? 'malformed'
          : this.#typed(bytes, start + 14, end, bytes.readUInt16BE(start + 12));
      case linuxCooked:
        return start + 16 > end
          ? 'malformed'
          : this.#typed(bytes, start + 16, end, bytes.readUInt16BE(start + 14));
      case linuxCooked2:
        return start + 20 > end
          ? 'malformed'
          : this.#typed(bytes, start + 20, end, bytes.readUInt16BE(start));
      case nullLoopback:
      case openBsdLoopback:
        return this.#loopback(bytes, start, end);
      default:
        return rawTypes.has(captured.linkType) ? this.#ip(bytes, start, end) : 'unknown-link';
    }
  }

  /** The family is in the byte order of the machine that captured, which is not told: it is a small number. */
  #loopback(bytes: Buffer, start: number, end: number): PacketOutcome {
    if (start + 4 > end) return 'malformed';
    const family = Math.min(bytes.readUInt32LE(start), bytes.readUInt32BE(start));
    return family === 2 || ipv6Families.has(family) ? this.#ip(bytes, start + 4, end) : 'other';
  }

  #typed(bytes: Buffer, from: number, end: number, firstType: number): PacketOutcome {
    let at = from;
    let type = firstType;
    for (
      let tags = 0;
      tags < 4 && (type === etherType.vlan || type === etherType.provider || type === etherType.qinq);
      tags++
    ) {
      if (at + 4 > end) return 'malformed';
      type = bytes.readUInt16BE(at + 2);
      at += 4;
    }
    if (type === etherType.pppoe) return at + 8 > end ? 'malformed' : this.#ip(bytes, at + 8, end);
    return type === etherType.ipv4 || type === etherType.ipv6 ? this.#ip(bytes, at, end) : 'other';
  }

  #ip(bytes: Buffer, start: number, end: number): PacketOutcome {
    const version = (bytes[start] ?? 0) >> 4;
    if (version === 4) return this.#ipv4(bytes, start, end);
    return version === 6 ? this.#ipv6(bytes, start, end) : 'other';
  }

  #ipv4(bytes: Buffer, start: number, end: number): PacketOutcome {
    const headerBytes = ((bytes[start] ?? 0) & 0xf) * 4;
    if (headerBytes < 20 || start + headerBytes > end) return 'malformed';
    // Zero with segmentation offload: the packet is as long as what was captured.
    const total = bytes.readUInt16BE(start + 2) || end - start;
    if (total < headerBytes) return 'malformed';
    const packet = this.packet;
    packet.bytes = bytes;
    packet.addresses = start + 12;
    packet.addressBytes = 4;
    packet.protocol = bytes[start + 9] ?? 0;
    packet.ttl = bytes[start + 8] ?? 0;
    packet.start = start + headerBytes;
    packet.wireEnd = start + total;
    packet.end = Math.min(end, packet.wireEnd);
    const flags = bytes.readUInt16BE(start + 6);
    if ((flags & 0x3fff) === 0) return 'packet';
    return this.#fragment(`${bytes.readUInt16BE(start + 4)}`, (flags & 0x1fff) * 8, (flags & 0x2000) !== 0);
  }

  #ipv6(bytes: Buffer, start: number, end: number): PacketOutcome {
    if (start + 40 > end) return 'malformed';
    const packet = this.packet;
    packet.bytes = bytes;
    packet.addresses = start + 8;
    packet.addressBytes = 16;
    packet.ttl = bytes[start + 7] ?? 0;
    packet.wireEnd = start + 40 + (bytes.readUInt16BE(start + 4) || end - start - 40);
    packet.end = Math.min(end, packet.wireEnd);
    let next = bytes[start + 6] ?? 59;
    let at = start + 40;
    for (let headers = 0; headers < 8; headers++) {
      const isFragment = next === 44;
      // Hop-by-hop options, routing, destination options, mobility: length in 8 bytes beyond the first.
      const isSkipped = next === 0 || next === 43 || next === 60 || next === 135;
      const isAuthentication = next === 51;
      if (!isFragment && !isSkipped && !isAuthentication) break;
      if (at + 8 > packet.end) return 'malformed';
      const following = bytes[at] ?? 59;
      const length = bytes[at + 1] ?? 0;
      if (isFragment) {
        const word = bytes.readUInt16BE(at + 2);
        packet.protocol = following;
        packet.start = at + 8;
        // A whole packet in one fragment (RFC 6946).
        if ((word & 0xfff9) === 0) {
          next = following;
          at += 8;
          continue;
        }
        return this.#fragment(`${bytes.readUInt32BE(at + 4)}`, word & 0xfff8, (word & 1) !== 0);
      }
      at += isAuthentication ? (length + 2) * 4 : (length + 1) * 8;
      next = following;
    }
    if (at > packet.end) return 'malformed';
    packet.protocol = next;
    packet.start = at;
    return 'packet';
  }

  #fragment(id: string, offset: number, hasMore: boolean): PacketOutcome {
    const packet = this.packet;
    const { bytes, addresses, addressBytes, start, end, wireEnd, protocol } = packet;
    const both = bytes.subarray(addresses, addresses + 2 * addressBytes);
    const whole = this.fragments.add(`${both.toString('latin1')} ${protocol} ${id}`, {
      offset,
      bytes: bytes.subarray(start, end),
      isLast: !hasMore,
      isWhole: end === wireEnd,
    });
    if (whole === null) return 'fragment';
    packet.bytes = Buffer.concat([both, whole]);
    packet.addresses = 0;
    packet.start = both.length;
    packet.end = packet.bytes.length;
    packet.wireEnd = packet.end;
    return 'packet';
  }
}

/** The source, or the destination, of a packet as text. */
export function addressOf(
  { bytes, addresses, addressBytes }: IpPacket,
  which: 'source' | 'destination',
): string {
  const at = which === 'source' ? addresses : addresses + addressBytes;
  return addressText(bytes.subarray(at, at + addressBytes));
}
