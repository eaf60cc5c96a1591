/** The fixed header of RTP (RFC 3550 §5.1). */
export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, in units of the payload's clock. */
  readonly timestamp: number;
  /** 32 bits. */
  readonly ssrc: number;
}

export interface RtpPacket extends RtpHeader {
  /** Without contributing sources, header extension and padding. */
  readonly payload: Uint8Array;
}

const version = 2;
const headerBytes = 12;

/** Numbers beyond their field's width wrap around, as counters in RTP do. */
export function encodeRtp(header: RtpHeader, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  bytes.writeUInt8(version << 6, 0);
  bytes.writeUInt8((header.marker ? 0x80 : 0) | (header.payloadType & 0x7f), 1);
  bytes.writeUInt16BE(header.sequenceNumber & 0xffff, 2);
  bytes.writeUInt32BE(header.timestamp >>> 0, 4);
  bytes.writeUInt32BE(header.ssrc >>> 0, 8);
  bytes.set(payload, headerBytes);
  return bytes;
}

/**
 * The header alone. SRTP leaves it in clear (RFC 3711 §3.1), so this reads protected packets too.
 * Null when it is none.
 */
export function decodeRtpHeader(packet: Uint8Array): RtpHeader | null {
  if (packet.length < headerBytes || kindOfMedia(packet) !== 'rtp') return null;
  const bytes = view(packet);
  const second = bytes.readUInt8(1);
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequenceNumber: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
  };
}

/** A whole packet; null when its lengths are wrong (RFC 3550 A.1) or when it is no RTP. */
export function decodeRtp(packet: Uint8Array): RtpPacket | null {
  const header = decodeRtpHeader(packet);
  if (header === null) return null;
  const bytes = view(packet);
  const first = bytes.readUInt8(0);
  let start = headerBytes + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return null;
    // §5.3.1: the extension's length counts 32-bit words behind its own header.
    start += 4 + 4 * bytes.readUInt16BE(start + 2);
  }
  const padding = (first & 0x20) === 0 ? 0 : bytes.readUInt8(bytes.length - 1);
  const end = bytes.length - padding;
  // §5.1: the padding's last octet counts itself.
  if (((first & 0x20) !== 0 && padding === 0) || start > end) return null;
  return { ...header, payload: packet.subarray(start, end) };
}

/**
 * What a datagram of an ICE transport carries: RFC 7983 §7 tells media (128–191) from STUN and DTLS by the first
 * byte, RFC 5761 §4 tells RTCP (packet types 192–223) from RTP by the second. Null for no media.
 */
export function kindOfMedia(packet: Uint8Array): 'rtp' | 'rtcp' | null {
  const [first = 0, second = 0] = packet;
  if (packet.length < 2 || first >> 6 !== version) return null;
  return second >= 192 && second <= 223 ? 'rtcp' : 'rtp';
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
