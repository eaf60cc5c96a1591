import type { RtpStreamFacts } from '../../model/capture-facts.ts';

// A stream that is none (random bytes with the right first bits) has no sequence.
const fewestPackets = 5;
const mostStreams = 64;
const clockRates = [8000, 16_000, 48_000, 90_000] as const;
// RFC 3550 §A.1: a jump beyond it is a stream that began anew.
const largestDropout = 3000;

interface Stream {
  readonly ssrc: number;
  readonly isFromA: boolean;
  payloadType: number;
  packets: number;
  inOrder: number;
  bytes: number;
  cycles: number;
  highest: number;
  /** Extended number of the first packet since the last jump. */
  base: number;
  expectedBefore: number;
  firstTimestamp: number;
  lastTimestamp: number;
  /** Ticks since the first packet, through wrapping. */
  ticks: number;
  readonly firstAtMs: number | null;
  lastAtMs: number | null;
  longestGapMs: number;
  /** J, and the highest J, in ms, for each of `clockRates`. */
  readonly jitter: Float64Array;
  readonly highestJitter: Float64Array;
}

/** RTP by SSRC and direction (RFC 3550 §5.1, §6.4.1, §A.3); encrypted payloads (SRTP) have the same header in clear. */
export class RtpStreams {
  readonly #streams = new Map<number, Stream>();

  /** Takes what RFC 7983 calls RTP, when it has a header of version 2. */
  take(
    bytes: Uint8Array,
    start: number,
    end: number,
    atMs: number | null,
    isFromA: boolean,
    wireBytes: number,
  ): void {
    if (end - start < 12) return;
    const at = (offset: number): number => bytes[start + offset] ?? 0;
    const ssrc = ((at(8) << 24) | (at(9) << 16) | (at(10) << 8) | at(11)) >>> 0;
    const timestamp = ((at(4) << 24) | (at(5) << 16) | (at(6) << 8) | at(7)) >>> 0;
    const sequence = (at(2) << 8) | at(3);
    const key = isFromA ? ssrc : -ssrc - 1;
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      if (this.#streams.size >= mostStreams) this.#dropWeakest();
      this.#streams.set(key, begin(ssrc, isFromA, at(1) & 0x7f, sequence, timestamp, atMs, wireBytes));
      return;
    }
    stream.packets++;
    stream.bytes += wireBytes;
    stream.payloadType = at(1) & 0x7f;
    count(stream, sequence);
    measure(stream, timestamp, atMs);
  }

  /** Random bytes make a stream of one packet each; real ones stay. */
  #dropWeakest(): void {
    let weakest: number | null = null;
    let fewest = Infinity;
    for (const [key, { packets }] of this.#streams) {
      if (packets >= fewest) continue;
      weakest = key;
      fewest = packets;
    }
    if (weakest !== null) this.#streams.delete(weakest);
  }

  facts(): RtpStreamFacts[] {
    return [...this.#streams.values()]
      .filter(({ packets, inOrder }) => packets >= fewestPackets && inOrder * 2 > packets)
      .map(streamFacts);
  }
}

function begin(
  ssrc: number,
  isFromA: boolean,
  payloadType: number,
  sequence: number,
  timestamp: number,
  atMs: number | null,
  bytes: number,
): Stream {
  return {
    ssrc,
    isFromA,
    payloadType,
    packets: 1,
    inOrder: 1,
    bytes,
    cycles: 0,
    highest: sequence,
    base: sequence,
    expectedBefore: 0,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    ticks: 0,
    firstAtMs: atMs,
    lastAtMs: atMs,
    longestGapMs: 0,
    jitter: new Float64Array(clockRates.length),
    highestJitter: new Float64Array(clockRates.length),
  };
}

function count(stream: Stream, sequence: number): void {
  const ahead = (sequence - stream.highest) & 0xffff;
  if (ahead === 0) return;
  if (ahead < largestDropout) {
    if (sequence < stream.highest) stream.cycles += 0x10000;
    stream.highest = sequence;
    stream.inOrder++;
  } else if (ahead <= 0x10000 - 100) {
    stream.expectedBefore += stream.cycles + stream.highest - stream.base + 1;
    stream.cycles = 0;
    stream.base = sequence;
    stream.highest = sequence;
  }
}

function measure(stream: Stream, timestamp: number, atMs: number | null): void {
  const step = (timestamp - stream.lastTimestamp) | 0;
  stream.ticks += step;
  stream.lastTimestamp = timestamp;
  if (atMs === null || stream.lastAtMs === null) return;
  const sinceMs = atMs - stream.lastAtMs;
  if (sinceMs > stream.longestGapMs) stream.longestGapMs = sinceMs;
  stream.lastAtMs = atMs;
  for (let index = 0; index < clockRates.length; index++) {
    const transitMs = sinceMs - (step * 1000) / (clockRates[index] ?? 1);
    const jitter = (stream.jitter[index] ?? 0) + (Math.abs(transitMs) - (stream.jitter[index] ?? 0)) / 16;
    stream.jitter[index] = jitter;
    if (jitter > (stream.highestJitter[index] ?? 0)) stream.highestJitter[index] = jitter;
  }
}

function streamFacts(stream: Stream): RtpStreamFacts {
  const { ssrc, isFromA, payloadType, packets, bytes, longestGapMs, firstAtMs, lastAtMs } = stream;
  const expected = stream.expectedBefore + stream.cycles + stream.highest - stream.base + 1;
  const index = rateIndex(stream);
  return {
    ssrc,
    isFromA,
    payloadType,
    packets,
    bytes,
    lost: Math.max(0, expected - packets),
    clockRateHz: index === null ? null : (clockRates[index] ?? null),
    jitterMs: index === null ? null : (stream.highestJitter[index] ?? null),
    longestGapMs,
    firstAtMs,
    lastAtMs,
  };
}

/** The known rate that the timestamps run at, within a tenth; null when they run at none. */
function rateIndex({ ticks, firstAtMs, lastAtMs }: Stream): number | null {
  const elapsedMs = (lastAtMs ?? 0) - (firstAtMs ?? 0);
  if (elapsedMs < 200) return null;
  const rate = (ticks / elapsedMs) * 1000;
  const index = clockRates.findIndex((known) => Math.abs(rate - known) < known / 10);
  return index < 0 ? null : index;
}
