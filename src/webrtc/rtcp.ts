/** What a receiver says of one source (RFC 3550 §6.4.1). */
export interface ReportBlock {
  /** The source it is about. */
  readonly ssrc: number;
  /** Lost since the previous report, in 1/256. */
  readonly fractionLost: number;
  /** 24 bits, signed: duplicates can make it negative. */
  readonly cumulativeLost: number;
  readonly highestSequenceNumber: number;
  /** In units of the payload's clock. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP time; 0 when none came yet. */
  readonly lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export interface SenderReport {
  readonly type: 'sender-report';
  readonly ssrc: number;
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly type: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

/** Source description with the one item that is mandatory, CNAME (RFC 3550 §6.5.1). */
export interface SourceDescription {
  readonly type: 'source-description';
  readonly chunks: readonly { readonly ssrc: number; readonly cname: string | null }[];
}

/** A packet type that is not read here (BYE, APP, feedback…). */
export interface OtherPacket {
  readonly type: 'other';
  readonly packetType: number;
}

export type RtcpPacket = SenderReport | ReceiverReport | SourceDescription | OtherPacket;

/** Seconds since 1900 and 2^-32 fractions (RFC 3550 §4). */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

const packetType = { senderReport: 200, receiverReport: 201, sourceDescription: 202 } as const;
const reportBlockBytes = 24;
const cnameItem = 1;
// RFC 5905 §6: NTP's epoch 1900 is 70 years, 17 of them leap years, before 1970.
const ntpEpochOffsetSeconds = 2_208_988_800;
const two32 = 2 ** 32;

/** From milliseconds since 1970. */
export function ntpTime(unixMs: number): NtpTime {
  const seconds = Math.floor(unixMs / 1000);
  return {
    seconds: (seconds + ntpEpochOffsetSeconds) % two32,
    fraction: Math.floor((unixMs / 1000 - seconds) * two32),
  };
}

/** The middle 32 bits, 1/65536 s, as LSR carries them. */
export function middleOf({ seconds, fraction }: NtpTime): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/**
 * Round trip from a report block that arrived at `now` (RFC 3550 §6.4.1: A − LSR − DLSR).
 * Null when the far end has had no sender report yet.
 */
export function roundTripMs(now: NtpTime, block: ReportBlock): number | null {
  if (block.lastSenderReport === 0) return null;
  const units = (middleOf(now) - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
  return Math.max(0, (units / 65536) * 1000);
}

export function encodeSenderReport(report: Omit<SenderReport, 'type'>): Buffer {
  const info = Buffer.alloc(20);
  info.writeUInt32BE(report.ntp.seconds >>> 0, 0);
  info.writeUInt32BE(report.ntp.fraction >>> 0, 4);
  info.writeUInt32BE(report.rtpTimestamp >>> 0, 8);
  info.writeUInt32BE(report.packets >>> 0, 12);
  info.writeUInt32BE(report.octets >>> 0, 16);
  return encodeReport(packetType.senderReport, report.ssrc, info, report.reports);
}

export function encodeReceiverReport(report: Omit<ReceiverReport, 'type'>): Buffer {
  return encodeReport(packetType.receiverReport, report.ssrc, Buffer.alloc(0), report.reports);
}

export function encodeSourceDescription(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname, 'utf8');
  if (text.length > 255) throw new RangeError('a CNAME has at most 255 octets (RFC 3550 §6.5)');
  // §6.5: the item list ends with one or more null octets, up to the next 32-bit boundary.
  const chunk = Buffer.alloc((4 + 2 + text.length + 1 + 3) & ~3);
  chunk.writeUInt32BE(ssrc >>> 0, 0);
  chunk.writeUInt8(cnameItem, 4);
  chunk.writeUInt8(text.length, 5);
  text.copy(chunk, 6);
  return Buffer.concat([header(packetType.sourceDescription, 1, chunk.length), chunk]);
}

function encodeReport(type: number, ssrc: number, info: Buffer, reports: readonly ReportBlock[]): Buffer {
  if (reports.length > 31) throw new RangeError('a report has at most 31 blocks (RFC 3550 §6.4.1)');
  const sender = Buffer.alloc(4);
  sender.writeUInt32BE(ssrc >>> 0, 0);
  const body = Buffer.concat([sender, info, ...reports.map(encodeBlock)]);
  return Buffer.concat([header(type, reports.length, body.length), body]);
}

function header(type: number, count: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt8(0x80 | count, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(bodyBytes / 4, 2);
  return bytes;
}

function encodeBlock(block: ReportBlock): Buffer {
  const bytes = Buffer.alloc(reportBlockBytes);
  bytes.writeUInt32BE(block.ssrc >>> 0, 0);
  bytes.writeUInt8(Math.min(255, block.fractionLost), 4);
  bytes.writeIntBE(Math.max(-0x800000, Math.min(0x7fffff, block.cumulativeLost)), 5, 3);
  bytes.writeUInt32BE(block.highestSequenceNumber >>> 0, 8);
  bytes.writeUInt32BE(block.jitter >>> 0, 12);
  bytes.writeUInt32BE(block.lastSenderReport >>> 0, 16);
  bytes.writeUInt32BE(block.delaySinceLastSenderReport >>> 0, 20);
  return bytes;
}

/**
 * Reads a compound packet. Null when it breaks the rules of RFC 3550 A.2 (first packet a report, no padding but in
 * the last, lengths that add up) or when a packet is shorter than its own counts.
 */
export function decodeRtcp(compound: Uint8Array): RtcpPacket[] | null {
  const bytes = Buffer.from(compound.buffer, compound.byteOffset, compound.length);
  const packets: RtcpPacket[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const first = bytes.readUInt8(offset);
    const type = bytes.readUInt8(offset + 1);
    const end = offset + 4 * (bytes.readUInt16BE(offset + 2) + 1);
    const padded = (first & 0x20) !== 0;
    if (first >> 6 !== 2 || end > bytes.length || (padded && end !== bytes.length)) return null;
    const isReport = type === packetType.senderReport || type === packetType.receiverReport;
    if (offset === 0 && (!isReport || padded)) return null;
    const packet = decodePacket(type, first & 0x1f, bytes.subarray(offset + 4, end));
    if (packet === null) return null;
    packets.push(packet);
    offset = end;
  }
  return offset === bytes.length && packets.length > 0 ? packets : null;
}

function decodePacket(type: number, count: number, body: Buffer): RtcpPacket | null {
  switch (type) {
    case packetType.senderReport:
      return decodeSenderReport(count, body);
    case packetType.receiverReport:
      if (body.length < 4 + count * reportBlockBytes) return null;
      return { type: 'receiver-report', ssrc: body.readUInt32BE(0), reports: decodeBlocks(count, body, 4) };
    case packetType.sourceDescription:
      return decodeSourceDescription(count, body);
    default:
      return { type: 'other', packetType: type };
  }
}

function decodeSenderReport(count: number, body: Buffer): SenderReport | null {
  if (body.length < 24 + count * reportBlockBytes) return null;
  return {
    type: 'sender-report',
    ssrc: body.readUInt32BE(0),
    ntp: { seconds: body.readUInt32BE(4), fraction: body.readUInt32BE(8) },
    rtpTimestamp: body.readUInt32BE(12),
    packets: body.readUInt32BE(16),
    octets: body.readUInt32BE(20),
    reports: decodeBlocks(count, body, 24),
  };
}

function decodeBlocks(count: number, body: Buffer, start: number): ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * reportBlockBytes;
    return {
      ssrc: body.readUInt32BE(at),
      fractionLost: body.readUInt8(at + 4),
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequenceNumber: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastSenderReport: body.readUInt32BE(at + 16),
      delaySinceLastSenderReport: body.readUInt32BE(at + 20),
    };
  });
}

function decodeSourceDescription(count: number, body: Buffer): SourceDescription | null {
  const chunks: { ssrc: number; cname: string | null }[] = [];
  let offset = 0;
  for (let index = 0; index < count; index++) {
    if (offset + 4 > body.length) return null;
    const ssrc = body.readUInt32BE(offset);
    let cname: string | null = null;
    let item = offset + 4;
    while (item < body.length && body[item] !== 0) {
      const length = body[item + 1];
      if (length === undefined || item + 2 + length > body.length) return null;
      if (body[item] === cnameItem) cname = body.toString('utf8', item + 2, item + 2 + length);
      item += 2 + length;
    }
    if (item >= body.length) return null;
    chunks.push({ ssrc, cname });
    offset = (item + 4) & ~3;
  }
  return { type: 'source-description', chunks };
}
