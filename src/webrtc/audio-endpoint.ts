import { randomInt } from 'node:crypto';
import type { AudioFacts } from '../model/observations.ts';
import { mosOf, packetMs } from './e-model.ts';
import { Histogram } from './histogram.ts';
import {
  decodeRtcp,
  encodeReceiverReport,
  encodeSenderReport,
  encodeSourceDescription,
  middleOf,
  ntpTime,
  roundTripMs,
  type ReportBlock,
} from './rtcp.ts';
import { InterarrivalJitter, LossReport, SequenceTracker } from './rtp-statistics.ts';
import { decodeRtp, encodeRtp, kindOfMedia } from './rtp.ts';

/** RFC 7587 §4.1: 48 kHz whatever the audio's bandwidth. */
export const clockRate = 48_000;
/** The dynamic payload type (RFC 3551 §6) that is written into the SDP. */
export const opusPayloadType = 111;
const samplesPerPacket = (clockRate / 1000) * packetMs;
// Sending times of the last packets, 163 s of them: later than that none arrives.
const rememberedPackets = 8192;

export interface AudioEndpointOptions {
  readonly ssrc: number;
  readonly cname: string;
  readonly speech: readonly Uint8Array[];
  /** Gives the packet to the track. False when it could not be sent. */
  readonly send: (packet: Buffer) => boolean;
}

/**
 * One end of the audio of a call: sends speech and reports, receives the other end's. Times are those of
 * `performance.now()`; its memory does not grow.
 */
export class AudioEndpoint {
  sent = 0;
  firstSentMs: number | null = null;
  lastReceivedMs: number | null = null;
  readonly sequence = new SequenceTracker();
  readonly jitter = new InterarrivalJitter();
  readonly delays = new Histogram();
  readonly #options: AudioEndpointOptions;
  readonly #roundTrips = new Histogram();
  readonly #lossReport = new LossReport();
  readonly #sentAt = new Float64Array(rememberedPackets);
  // RFC 3550 §5.1: both should be random at the start.
  readonly #firstSequence = randomInt(0x10000);
  readonly #firstTimestamp = randomInt(2 ** 32);
  #octets = 0;
  #lastIndex = 0;
  #remote: AudioEndpoint | null = null;
  #lastSenderReport: { readonly middle: number; readonly arrivedMs: number } | null = null;

  constructor(options: AudioEndpointOptions) {
    this.#options = options;
  }

  /** Makes two ends known to each other, so that each can tell when the other sent a packet. */
  static pair(a: AudioEndpoint, b: AudioEndpoint): void {
    a.#remote = b;
    b.#remote = a;
  }

  /** The median round trip so far, from report blocks of the other end about our packets. */
  get rttMs(): number | null {
    return this.#roundTrips.quantile(0.5);
  }

  /**
   * Sends the next packet of speech.
   * @param index place on the media's time line, in packets from the start of the call
   */
  sendSpeech(index: number, nowMs: number): void {
    const { speech, ssrc, send } = this.#options;
    const payload = speech[index % speech.length] ?? new Uint8Array();
    const packet = encodeRtp(
      {
        payloadType: opusPayloadType,
        // RFC 3551 §4.1: set on the first packet of a talkspurt.
        marker: this.sent === 0,
        sequenceNumber: this.#firstSequence + this.sent,
        timestamp: this.#firstTimestamp + index * samplesPerPacket,
        ssrc,
      },
      payload,
    );
    this.#sentAt[this.sent % rememberedPackets] = nowMs;
    if (!send(packet)) return;
    this.firstSentMs ??= nowMs;
    this.sent++;
    this.#octets += payload.length;
    this.#lastIndex = index;
  }

  /** Sends a compound RTCP packet: what we sent, what we received, who we are (RFC 3550 §6.1). */
  sendReport(nowMs: number): void {
    const { ssrc, cname, send } = this.#options;
    const reports = this.#reportBlocks(nowMs);
    const report =
      this.sent === 0
        ? encodeReceiverReport({ ssrc, reports })
        : encodeSenderReport({
            ssrc,
            ntp: wallClock(nowMs),
            rtpTimestamp: this.#timestampAt(nowMs),
            packets: this.sent,
            octets: this.#octets,
            reports,
          });
    send(Buffer.concat([report, encodeSourceDescription(ssrc, cname)]));
  }

  /** Takes what the track received: RTP or RTCP. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (kindOfMedia(bytes) === 'rtcp') this.#receiveReports(bytes, nowMs);
    else this.#receiveSpeech(bytes, nowMs);
  }

  #receiveSpeech(bytes: Uint8Array, nowMs: number): void {
    const packet = decodeRtp(bytes);
    const remote = this.#remote;
    if (packet === null || remote === null || packet.ssrc !== remote.#options.ssrc) return;
    const kind = this.sequence.observe(packet.sequenceNumber);
    this.lastReceivedMs = nowMs;
    const sentMs = remote.#sentAtMs(packet.sequenceNumber);
    if (kind === 'duplicate' || kind === 'stale' || sentMs === null) return;
    this.jitter.observe(sentMs, nowMs);
    this.delays.add(nowMs - sentMs);
  }

  #receiveReports(bytes: Uint8Array, nowMs: number): void {
    for (const packet of decodeRtcp(bytes) ?? []) {
      if (packet.type === 'sender-report') {
        this.#lastSenderReport = { middle: middleOf(packet.ntp), arrivedMs: nowMs };
      }
      if (packet.type !== 'sender-report' && packet.type !== 'receiver-report') continue;
      for (const block of packet.reports) {
        const rttMs = block.ssrc === this.#options.ssrc ? roundTripMs(wallClock(nowMs), block) : null;
        if (rttMs !== null) this.#roundTrips.add(rttMs);
      }
    }
  }

  #reportBlocks(nowMs: number): ReportBlock[] {
    const remote = this.#remote;
    if (remote === null || this.sequence.received === 0) return [];
    const last = this.#lastSenderReport;
    return [
      {
        ssrc: remote.#options.ssrc,
        ...this.#lossReport.take(this.sequence),
        highestSequenceNumber: this.sequence.extendedHighest,
        jitter: Math.round((this.jitter.ms * clockRate) / 1000),
        lastSenderReport: last?.middle ?? 0,
        delaySinceLastSenderReport: last ? Math.round(((nowMs - last.arrivedMs) / 1000) * 65536) : 0,
      },
    ];
  }

  #sentAtMs(sequenceNumber: number): number | null {
    const ago = (this.#firstSequence + this.sent - 1 - sequenceNumber) & 0xffff;
    const index = this.sent - 1 - ago;
    return ago < rememberedPackets && index >= 0 ? (this.#sentAt[index % rememberedPackets] ?? null) : null;
  }

  /** RFC 3550 §6.4.1: the same instant as the NTP time, on the media's clock. */
  #timestampAt(nowMs: number): number {
    const lastSentMs = this.#sentAt[(this.sent - 1) % rememberedPackets] ?? nowMs;
    const samples = this.#lastIndex * samplesPerPacket + ((nowMs - lastSentMs) * clockRate) / 1000;
    return (this.#firstTimestamp + Math.round(samples)) % 2 ** 32;
  }
}

/**
 * The figures of one direction.
 * @param wire the same packets as they came out of the relay: SRTP drops replays (RFC 3711 §3.3.2), so duplicates are
 *   only seen there
 */
export function audioFacts(
  direction: AudioFacts['direction'],
  sender: AudioEndpoint,
  receiver: AudioEndpoint,
  wire: SequenceTracker,
): AudioFacts {
  const { received, reordered } = receiver.sequence;
  const delayMs = receiver.delays.distribution();
  const lossRatio = sender.sent === 0 ? 0 : Math.max(0, sender.sent - received) / sender.sent;
  const { firstSentMs } = sender;
  const { lastReceivedMs } = receiver;
  return {
    direction,
    sent: sender.sent,
    received,
    lossRatio,
    duplicates: Math.max(wire.duplicates, receiver.sequence.duplicates),
    reordered,
    jitterMs: receiver.jitter.ms,
    jitterMeanMs: receiver.jitter.meanMs,
    jitterMaxMs: receiver.jitter.maxMs,
    delayVariationMs: receiver.jitter.variation.distribution(),
    delayMs,
    rttMs: sender.rttMs,
    mos: delayMs === null ? null : mosOf(delayMs, lossRatio),
    lastReceivedMs: firstSentMs === null || lastReceivedMs === null ? null : lastReceivedMs - firstSentMs,
  };
}

/** Steady wall-clock time: a clock that is set during the call must not show in a round trip. */
function wallClock(nowMs: number) {
  return ntpTime(performance.timeOrigin + nowMs);
}
