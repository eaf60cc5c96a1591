import { readFileSync } from 'node:fs';

/** A file that is no Ogg Opus stream, or breaks its rules. */
export class OpusFileError extends Error {
  override readonly name = 'OpusFileError';
}

export interface OpusStream {
  readonly channels: number;
  /** Samples at 48 kHz to drop at the beginning. */
  readonly preSkip: number;
  readonly packets: readonly OpusPacket[];
}

export interface OpusPacket {
  readonly bytes: Uint8Array;
  readonly durationMs: number;
}

/*
 * speech.opus: nine seconds of English, 20 ms frames, mono, 48 kHz. Made with the packages espeak-ng, sox and
 * opus-tools of Debian 12 from the sentence "This is rtc ops. If you can hear this voice, then audio flows through
 * your relay, in both directions, and the words arrive whole and in order.":
 *   espeak-ng -v en-gb -s 150 -w a.wav -f sentence.txt && sox a.wav -r 48000 -c 1 b.wav &&
 *   opusenc --speech --framesize 20 --bitrate 32 --discard-comments --serial 1 b.wav speech.opus
 */
const speechFile = new URL('../../src/webrtc/speech.opus', import.meta.url);

/** The packets of the speech sample, each of 20 ms. */
export function readSpeech(): readonly OpusPacket[] {
  const { channels, packets } = readOggOpus(readFileSync(speechFile));
  if (channels !== 1 || packets.some(({ durationMs }) => durationMs !== 20)) {
    throw new OpusFileError(`${speechFile.pathname} is not mono with 20 ms packets`);
  }
  return packets;
}

/**
 * Reads a file with one Opus stream (RFC 7845) in Ogg (RFC 3533).
 * @throws OpusFileError for anything else: other streams beside or behind it, missing pages, wrong checksums
 */
export function readOggOpus(file: Uint8Array): OpusStream {
  const [head, tags, ...audio] = readOggPackets(file);
  const bytes = Buffer.from(head ?? []);
  // RFC 7845 §5.1: the version's major part, the upper four bits, must be 0.
  if (bytes.length < 19 || bytes.toString('latin1', 0, 8) !== 'OpusHead' || bytes.readUInt8(8) > 15) {
    throw new OpusFileError('the first packet is no OpusHead of version 0 (RFC 7845 §5.1)');
  }
  if (tags === undefined || Buffer.from(tags).toString('latin1', 0, 8) !== 'OpusTags') {
    throw new OpusFileError('the second packet is no OpusTags (RFC 7845 §5.2)');
  }
  return {
    channels: bytes.readUInt8(9),
    preSkip: bytes.readUInt16LE(10),
    packets: audio.map((packet) => ({ bytes: packet, durationMs: opusDurationMs(packet) })),
  };
}

interface OggPage {
  readonly continued: boolean;
  readonly first: boolean;
  readonly last: boolean;
  readonly serial: number;
  readonly sequence: number;
  readonly lacing: Uint8Array;
  readonly body: Uint8Array;
  readonly bytes: number;
}

/** The packets of a file that holds one logical stream. */
function readOggPackets(file: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let serial: number | null = null;
  let ended = false;
  for (let offset = 0, sequence = 0; offset < bytes.length; sequence++) {
    const page = readPage(bytes.subarray(offset), offset);
    serial ??= page.serial;
    if (ended || page.serial !== serial) throw new OpusFileError(`a second stream begins at byte ${offset}`);
    if (page.first !== (sequence === 0) || page.sequence !== sequence) {
      throw new OpusFileError(`page ${sequence} is missing before byte ${offset}`);
    }
    if (page.continued !== parts.length > 0) {
      throw new OpusFileError(`a packet is torn between pages at byte ${offset}`);
    }
    let start = 0;
    for (const length of page.lacing) {
      parts.push(page.body.subarray(start, start + length));
      start += length;
      // RFC 3533 §5: a segment shorter than 255 bytes ends its packet.
      if (length < 255) {
        packets.push(Buffer.concat(parts));
        parts = [];
      }
    }
    ended = page.last;
    offset += page.bytes;
  }
  if (!ended || parts.length > 0) throw new OpusFileError('the file ends in the middle of its stream');
  return packets;
}

const pageHeaderBytes = 27;

/** RFC 3533 §6. */
function readPage(bytes: Buffer, offset: number): OggPage {
  if (bytes.length < pageHeaderBytes || bytes.toString('latin1', 0, 4) !== 'OggS' || bytes[4] !== 0) {
    throw new OpusFileError(`no Ogg page at byte ${offset}`);
  }
  const flags = bytes.readUInt8(5);
  const bodyStart = pageHeaderBytes + bytes.readUInt8(26);
  const lacing = bytes.subarray(pageHeaderBytes, bodyStart);
  const length = bodyStart + lacing.reduce((sum, segment) => sum + segment, 0);
  if (length > bytes.length) throw new OpusFileError(`the page at byte ${offset} is cut off`);
  if (pageChecksum(bytes.subarray(0, length)) !== bytes.readUInt32LE(22)) {
    throw new OpusFileError(`the page at byte ${offset} has a wrong checksum`);
  }
  return {
    continued: (flags & 1) !== 0,
    first: (flags & 2) !== 0,
    last: (flags & 4) !== 0,
    serial: bytes.readUInt32LE(14),
    sequence: bytes.readUInt32LE(18),
    lacing,
    body: bytes.subarray(bodyStart, length),
    bytes: length,
  };
}

// Of each byte's effect on the checksum below.
const checksumTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** RFC 3533 §6: CRC-32 with generator 0x04c11db7, neither reflected nor inverted, over the page with a zero checksum. */
function pageChecksum(page: Buffer): number {
  let crc = 0;
  for (let index = 0; index < page.length; index++) {
    const byte = index >= 22 && index < 26 ? 0 : (page[index] ?? 0);
    crc = (crc << 8) ^ (checksumTable[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  }
  return crc >>> 0;
}

// RFC 6716 §3.1, table 2: frame durations of the 32 configurations, in ms.
const silkFramesMs = [10, 20, 40, 60] as const;
const hybridFramesMs = [10, 20] as const;
const celtFramesMs = [2.5, 5, 10, 20] as const;

/**
 * Duration of a packet, from its first byte (RFC 6716 §3.1) and its frame count (§3.2).
 * @throws OpusFileError for an empty or malformed packet
 */
export function opusDurationMs(packet: Uint8Array): number {
  const [toc, count] = packet;
  if (toc === undefined) throw new OpusFileError('an Opus packet has at least one byte (RFC 6716 §3.4, R1)');
  const configuration = toc >> 3;
  const frameMs =
    configuration < 12
      ? silkFramesMs[configuration % 4]
      : configuration < 16
        ? hybridFramesMs[configuration % 2]
        : celtFramesMs[configuration % 4];
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (count ?? 0) & 0x3f;
  const durationMs = (frameMs ?? 0) * frames;
  if (durationMs === 0 || durationMs > 120) {
    throw new OpusFileError(
      'an Opus packet lasts at most 120 ms and has one frame at least (RFC 6716 §3.4, R5)',
    );
  }
  return durationMs;
}
