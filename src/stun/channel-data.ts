import { requireInteger } from './attribute-value.ts';
import { paddedLength, putUint16, uint16At } from './wire.ts';
import { StunDecodeError } from './decode-error.ts';
import { channelNumbers } from './relay-attributes.ts';

/** Channel number and length (RFC 8656 §12.4). */
export const channelHeaderBytes = 4;

/** Whether a packet claims to be ChannelData: its first byte is 64–79 (RFC 8656 §12, table 3). */
export function isChannelData(bytes: Uint8Array): boolean {
  return bytes.length >= channelHeaderBytes && ((bytes[0] ?? 0) & 0xf0) === 0x40;
}

/**
 * Encodes a ChannelData message (RFC 8656 §12.4). Over TCP and TLS it has to be `padded` to a multiple of four bytes;
 * the length field does not count the padding (§12.5).
 *
 * @throws RangeError for a number outside 0x4000–0x4FFF or a payload over 65 535 bytes.
 */
export function encodeChannelData(
  channel: number,
  payload: Uint8Array,
  options: { readonly padded: boolean },
): Uint8Array {
  requireInteger('a channel number', channel, channelNumbers.first, channelNumbers.last);
  requireInteger('the payload length of ChannelData', payload.length, 0, 0xffff);
  const end = channelHeaderBytes + payload.length;
  const bytes = Buffer.allocUnsafe(options.padded ? paddedLength(end) : end);
  putUint16(bytes, 0, channel);
  putUint16(bytes, 2, payload.length);
  bytes.set(payload, channelHeaderBytes);
  bytes.fill(0, end);
  return bytes;
}

/**
 * Decodes one ChannelData message, copying nothing. The padding to a multiple of four may be there, as a UDP sender is
 * free to add it (RFC 8656 §12.5).
 *
 * @throws StunDecodeError for any bytes that are not one whole ChannelData message, and nothing else.
 */
export function decodeChannelData(bytes: Uint8Array): { channel: number; payload: Uint8Array } {
  if (bytes.length < channelHeaderBytes) {
    throw new StunDecodeError('too-short', `${bytes.length} bytes, a ChannelData header has 4`, bytes.length);
  }
  const channel = uint16At(bytes, 0);
  if (!isChannelData(bytes)) {
    throw new StunDecodeError('not-channel-data', `0x${channel.toString(16)} is no channel number`, 0);
  }
  const length = uint16At(bytes, 2);
  const end = channelHeaderBytes + length;
  if (end > bytes.length) {
    const present = bytes.length - channelHeaderBytes;
    throw new StunDecodeError('truncated', `length ${length}, but ${present} bytes follow`, bytes.length);
  }
  if (bytes.length > paddedLength(end)) {
    throw new StunDecodeError('trailing-bytes', `${bytes.length - end} bytes after the message`, end);
  }
  return { channel, payload: bytes.subarray(channelHeaderBytes, end) };
}
