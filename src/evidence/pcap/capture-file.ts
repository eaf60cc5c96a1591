import { RtcOpsError } from '../../model/error.ts';

/** Where a packet lies, and what the capture says of it. Valid until the next one. */
export interface CapturedPacket {
  bytes: Buffer;
  start: number;
  end: number;
  /** LINKTYPE_… number. */
  linkType: number;
  /** Milliseconds since 1970; null for blocks without a time. */
  atMs: number | null;
  /** As it was on the wire. */
  originalLength: number;
}

interface Interface {
  readonly linkType: number;
  readonly msPerUnit: number;
  readonly offsetMs: number;
}

// Beyond any snaplen that a program writes; a length above it is no length.
const longestRecord = 64 * 2 ** 20;

const pcapMagics = new Map<number, { readonly isLittle: boolean; readonly msPerUnit: number }>([
  [0xd4c3b2a1, { isLittle: true, msPerUnit: 1e-3 }],
  [0xa1b2c3d4, { isLittle: false, msPerUnit: 1e-3 }],
  [0x4d3cb2a1, { isLittle: true, msPerUnit: 1e-6 }],
  [0xa1b23c4d, { isLittle: false, msPerUnit: 1e-6 }],
]);
const sectionHeader = 0x0a0d0d0a;

/** `pcap` or `pcapng` by the first four bytes; null for neither. */
export function captureFormat(head: Buffer): 'pcap' | 'pcapng' | null {
  if (head.length < 4) return null;
  const magic = head.readUInt32BE(0);
  if (magic === sectionHeader) return 'pcapng';
  return pcapMagics.has(magic) ? 'pcap' : null;
}

/**
 * Cuts a capture into packets: pcap (draft-ietf-opsawg-pcap) in both byte orders, with micro- and nanoseconds, and pcapng
 * (draft-ietf-opsawg-pcapng) with any number of sections and interfaces. Holds one record at a time.
 */
export class CaptureFileReader {
  readonly #take: (packet: CapturedPacket) => void;
  readonly #packet: CapturedPacket = {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    linkType: 0,
    atMs: null,
    originalLength: 0,
  };
  #rest: Buffer = Buffer.alloc(0);
  #format: 'pcap' | 'pcapng' | null = null;
  #isLittle = true;
  #file: Interface = { linkType: 0, msPerUnit: 1e-3, offsetMs: 0 };
  #interfaces: Interface[] = [];
  #dropped = 0;
  #damage: string | null = null;

  constructor(take: (packet: CapturedPacket) => void) {
    this.#take = take;
  }

  get format(): 'pcap' | 'pcapng' {
    return this.#format ?? 'pcap';
  }

  /** Packets that the machine dropped, by its own count. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes the next bytes. Behind damage it takes no more.
   * @throws RtcOpsError `configuration` when the first bytes are those of no capture
   */
  push(chunk: Buffer): void {
    if (this.#damage !== null) return;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (this.#format === null) {
      if (bytes.length < 24) {
        this.#rest = bytes;
        return;
      }
      at = this.#begin(bytes);
    }
    const end = this.#format === 'pcap' ? this.#records(bytes, at) : this.#blocks(bytes, at);
    this.#rest = bytes.subarray(end);
  }

  /** What is wrong with the end of the file; null where it is whole. */
  end(): string | null {
    if (this.#damage !== null) return this.#damage;
    return this.#rest.length > 0 ? 'it ends within a packet' : null;
  }

  #begin(bytes: Buffer): number {
    this.#format = captureFormat(bytes);
    if (this.#format === null) throw new RtcOpsError('configuration', 'it is no capture of packets');
    if (this.#format === 'pcapng') return 0;
    const { isLittle, msPerUnit } = pcapMagics.get(bytes.readUInt32BE(0)) ?? {
      isLittle: true,
      msPerUnit: 1e-3,
    };
    this.#isLittle = isLittle;
    // The upper bits tell of the frame check sequence.
    this.#file = { linkType: this.#uint32(bytes, 20) & 0xffff, msPerUnit, offsetMs: 0 };
    return 24;
  }

  #records(bytes: Buffer, from: number): number {
    let at = from;
    const { linkType, msPerUnit } = this.#file;
    while (at + 16 <= bytes.length) {
      const length = this.#uint32(bytes, at + 8);
      if (length > longestRecord) {
        this.#damage = 'a packet in it has an impossible length; the rest is not read';
        return bytes.length;
      }
      const end = at + 16 + length;
      if (end > bytes.length) break;
      const atMs = this.#uint32(bytes, at) * 1000 + this.#uint32(bytes, at + 4) * msPerUnit;
      this.#emit(bytes, at + 16, end, linkType, atMs, this.#uint32(bytes, at + 12));
      at = end;
    }
    return at;
  }

  #blocks(bytes: Buffer, from: number): number {
    let at = from;
    while (at + 12 <= bytes.length) {
      const isSection = bytes.readUInt32BE(at) === sectionHeader;
      if (isSection) this.#section(bytes, at);
      const length = this.#uint32(bytes, at + 4);
      if (length < 12 || length > longestRecord || length % 4 !== 0) {
        this.#damage = 'a block in it has an impossible length; the rest is not read';
        return bytes.length;
      }
      if (at + length > bytes.length) break;
      if (!isSection) this.#block(bytes, at, at + length - 4);
      at += length;
    }
    return at;
  }

  #section(bytes: Buffer, at: number): void {
    this.#isLittle = bytes.readUInt32LE(at + 8) === 0x1a2b3c4d;
    this.#interfaces = [];
  }

  #block(bytes: Buffer, at: number, end: number): void {
    const body = at + 8;
    switch (this.#uint32(bytes, at)) {
      case 1:
        if (end - body >= 8) this.#interfaces.push(this.#interface(bytes, body, end));
        return;
      case 6: // enhanced packet
        if (end - body >= 20) this.#packetBlock(bytes, body, end, this.#uint32(bytes, body));
        return;
      case 2: // packet (obsolete): interface and drops in 16 bits each
        if (end - body >= 20) this.#packetBlock(bytes, body, end, this.#uint16(bytes, body));
        return;
      case 3: {
        // simple packet: of the first interface, without a time
        const original = this.#uint32(bytes, body);
        const start = body + 4;
        this.#emit(
          bytes,
          start,
          Math.min(end, start + original),
          this.#interfaces[0]?.linkType ?? -1,
          null,
          original,
        );
        return;
      }
      case 5:
        this.#options(bytes, body + 12, end, (code, valueAt, length) => {
          // isb_ifdrop
          if (code === 5 && length === 8) this.#dropped += this.#uint64(bytes, valueAt);
        });
        return;
      default:
        return;
    }
  }

  #packetBlock(bytes: Buffer, body: number, end: number, index: number): void {
    const known = this.#interfaces[index];
    const captured = this.#uint32(bytes, body + 12);
    const start = body + 20;
    if (start + captured > end) {
      this.#damage = 'a packet in it is longer than its block; the rest is not read';
      return;
    }
    const units = this.#uint32(bytes, body + 4) * 2 ** 32 + this.#uint32(bytes, body + 8);
    const atMs = known === undefined ? null : units * known.msPerUnit + known.offsetMs;
    this.#emit(bytes, start, start + captured, known?.linkType ?? -1, atMs, this.#uint32(bytes, body + 16));
  }

  #interface(bytes: Buffer, body: number, end: number): Interface {
    let msPerUnit = 1e-3;
    let offsetMs = 0;
    this.#options(bytes, body + 8, end, (code, valueAt, length) => {
      // if_tsresol: a power of ten, or with its highest bit of two
      if (code === 9 && length >= 1) {
        const resolution = bytes[valueAt] ?? 6;
        msPerUnit = 1000 / (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution);
      }
      if (code === 14 && length === 8) offsetMs = this.#uint64(bytes, valueAt) * 1000;
    });
    return { linkType: this.#uint16(bytes, body), msPerUnit, offsetMs };
  }

  #options(
    bytes: Buffer,
    from: number,
    end: number,
    take: (code: number, at: number, length: number) => void,
  ): void {
    for (let at = from; at + 4 <= end;) {
      const code = this.#uint16(bytes, at);
      const length = this.#uint16(bytes, at + 2);
      if (code === 0 || at + 4 + length > end) return;
      take(code, at + 4, length);
      at += 4 + Math.ceil(length / 4) * 4;
    }
  }

  #emit(
    bytes: Buffer,
    start: number,
    end: number,
    linkType: number,
    atMs: number | null,
    original: number,
  ): void {
    const packet = this.#packet;
    packet.bytes = bytes;
    packet.start = start;
    packet.end = end;
    packet.linkType = linkType;
    packet.atMs = atMs;
    packet.originalLength = original;
    this.#take(packet);
  }

  #uint16(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  #uint32(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #uint64(bytes: Buffer, at: number): number {
    return Number(this.#isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  }
}
