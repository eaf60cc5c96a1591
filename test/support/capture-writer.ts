import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Endpoint } from '../../src/model/endpoint.ts';

/** A packet of a capture that a test writes. */
export interface WrittenPacket {
  /** Seconds since 1970. */
  readonly at: number;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
  readonly protocol?: 'udp' | 'tcp';
  /** Flags and sequence number of a TCP segment. */
  readonly tcp?: { readonly flags: number; readonly sequence: number };
  readonly ttl?: number;
}

export function udpBytes({ from, to, payload }: WrittenPacket): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([header, payload]);
}

function tcpBytes({ from, to, payload, tcp }: WrittenPacket): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(tcp?.sequence ?? 0, 4);
  header[12] = 5 << 4;
  header[13] = tcp?.flags ?? 16;
  return Buffer.concat([header, payload]);
}

const addressBytes = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

/** An IP packet; its addresses say the version. */
export function ipBytes(packet: WrittenPacket): Buffer {
  const isTcp = packet.protocol === 'tcp';
  const inner = isTcp ? tcpBytes(packet) : udpBytes(packet);
  return ipAround(packet.from.address, packet.to.address, isTcp ? 6 : 17, inner, { ttl: packet.ttl ?? 64 });
}

export function ipAround(
  from: string,
  to: string,
  protocol: number,
  inner: Uint8Array,
  { ttl = 64, id = 1, fragment = 0 }: { ttl?: number; id?: number; fragment?: number } = {},
): Buffer {
  const addresses = Buffer.concat([addressBytes(from), addressBytes(to)]);
  if (isIPv6(from)) {
    const header = Buffer.alloc(8);
    header[0] = 0x60;
    header.writeUInt16BE(inner.length, 4);
    header[6] = protocol;
    header[7] = ttl;
    return Buffer.concat([header, addresses, inner]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + inner.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE(fragment, 6);
  header[8] = ttl;
  header[9] = protocol;
  return Buffer.concat([header, addresses, inner]);
}

export interface Framed {
  readonly at: number;
  readonly bytes: Buffer;
  /** As it was on the wire; that of `bytes` if not given. */
  readonly originalLength?: number;
}

/** A pcap file of raw IP packets (LINKTYPE_RAW), or of frames of another link type. */
export function pcapOf(
  packets: readonly Framed[],
  { linkType = 101, isLittle = true, isNano = false } = {},
): Buffer {
  const put = (buffer: Buffer, value: number, at: number): number =>
    isLittle ? buffer.writeUInt32LE(value, at) : buffer.writeUInt32BE(value, at);
  const head = Buffer.alloc(24);
  put(head, isNano ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  put(head, linkType, 20);
  const records = packets.flatMap(({ at, bytes, originalLength }) => {
    const record = Buffer.alloc(16);
    put(record, Math.floor(at), 0);
    put(record, Math.round((at % 1) * (isNano ? 1e9 : 1e6)), 4);
    put(record, bytes.length, 8);
    put(record, originalLength ?? bytes.length, 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}

function block(type: number, body: Buffer): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(12 + padded.length, 4);
  return Buffer.concat([head, padded, head.subarray(4)]);
}

/** A pcapng file: a section, an interface with times in nanoseconds, packets, statistics. */
export function pcapngOf(packets: readonly Framed[], { linkType = 101, dropped = 0 } = {}): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  const described = Buffer.alloc(20);
  described.writeUInt16LE(linkType, 0);
  described.writeUInt16LE(9, 8);
  described.writeUInt16LE(1, 10);
  described[12] = 9;
  const statistics = Buffer.alloc(24);
  statistics.writeUInt16LE(5, 12);
  statistics.writeUInt16LE(8, 14);
  statistics.writeBigUInt64LE(BigInt(dropped), 16);
  const written = packets.map(({ at, bytes, originalLength }) => {
    const head = Buffer.alloc(20);
    const nanos = BigInt(Math.round(at * 1e6)) * 1000n;
    head.writeUInt32LE(Number(nanos >> 32n), 4);
    head.writeUInt32LE(Number(nanos & 0xffffffffn), 8);
    head.writeUInt32LE(bytes.length, 12);
    head.writeUInt32LE(originalLength ?? bytes.length, 16);
    return block(6, Buffer.concat([head, bytes]));
  });
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, described), ...written, block(5, statistics)]);
}
