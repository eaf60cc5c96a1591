import type { Outcome } from '../../model/check.ts';
import type { Series, StreamFacts } from '../../model/call-recording.ts';
import { passed, skipped, unknown } from '../outcome.ts';
import { failedCall } from './outcome.ts';
import {
  audioStreams,
  expected,
  flowOf,
  hasSource,
  negotiated,
  statesOf,
  wasConnected,
  type RecordedCall,
} from './recorded-call.ts';
import { growthOf, lastOf, unchangedForMs } from './series.ts';

/** Sound is judged where there are some seconds of it. */
const leastMs = 5000;

// Energy per second of totalAudioEnergy: rooms have 5e-9 to 4e-8, people who talk 1e-6 to 7e-3; in between the size of
// the packets tells.
const noise = 1e-7;
const quiet = 1e-6;
const silentBytes = 40;
const speechBytes = 50;

function notReady(call: RecordedCall): Outcome | null {
  if (!wasConnected(call)) return skipped('no path was found');
  const dtls = statesOf(call, 'dtls');
  const isConnected = dtls.includes('connected') || statesOf(call, 'connection').includes('connected');
  if (dtls.length > 0 && !isConnected) return skipped('no keys were agreed on');
  return null;
}

/** `audio-sent`: audio leaves, with something in it, and arrives. */
export function judgeSending(call: RecordedCall): Outcome {
  if (!expected(call).send) return skipped('nothing was to be sent');
  const notYet = notReady(call);
  if (notYet !== null) return notYet;
  const flow = flowOf(call, 'outbound');
  if (flow.ever === null) return unknown('the recording has no figures of what was sent');
  if (flow.lately === false || (!flow.ever && flow.forMs >= leastMs)) return judgeNothingSent(call);
  if (!flow.ever) return unknown('nothing was sent yet where the recording ends');
  return judgeRemote(call) ?? judgeSource(call) ?? passed(flowText(call, 'outbound'));
}

function judgeNothingSent(call: RecordedCall): Outcome {
  const streams = audioStreams(call, 'outbound');
  if (streams.some(({ usesDtx }) => usesDtx))
    return unknown('nothing was sent lately, which the codec may do in silence (DTX)');
  const counters = streams.flatMap(({ series }) => series.packetsSent ?? []);
  const forMs = Math.min(...counters.map(unchangedForMs));
  const direction = negotiated(call);
  const because = streams.every(({ isActive }) => isActive === false)
    ? 'the encoding is switched off'
    : // Firefox does not tell what is attached.
      call.source.engine !== 'firefox' && !streams.some((stream) => hasSource(call, stream))
      ? 'no track is attached to the sender'
      : direction === 'recvonly' || direction === 'inactive'
        ? `audio was negotiated ${direction}`
        : call.source.engine === 'firefox'
          ? 'the sender gives nothing'
          : 'a track is attached, and gives nothing';
  return failedCall(call, 'OUTBOUND_ZERO', { forMs, because });
}

const reportsAfterMs = 10_000;
// Receivers report every 5 s, at random from half to one and a half of it (RFC 3550 §6.3.1).
const lateReportMs = 9000;
const missingReportMs = 20_000;

function judgeRemote(call: RecordedCall): Outcome | null {
  const sent = audioStreams(call, 'outbound').filter(
    ({ series }) => (growthOf(series.packetsSent)?.delta ?? 0) > 0,
  );
  for (const { series, remoteReportedAtMs } of sent) {
    const forMs = growthOf(series.packetsSent)?.forMs ?? 0;
    const fraction = lastOf(series.remoteFractionLost);
    if (fraction !== null && fraction >= 0.9) {
      return failedCall(call, 'REMOTE_GETS_NOTHING', { forMs, lossRatio: fraction });
    }
    const silentForMs = reportedBefore(series.packetsSent, remoteReportedAtMs);
    if (silentForMs >= lateReportMs) {
      const severity = silentForMs >= missingReportMs ? 'error' : 'warning';
      return failedCall(call, 'REMOTE_GETS_NOTHING', { forMs: silentForMs, lossRatio: null }, { severity });
    }
    const isReported = series.remotePacketsLost !== undefined || series.remoteRoundTripTime !== undefined;
    const isUnheard = flowOf(call, 'inbound').ever === false;
    // Servers and Firefox may send no report; where nothing comes back either, that is no excuse.
    if (!isReported && isUnheard && forMs >= reportsAfterMs) {
      return failedCall(call, 'REMOTE_GETS_NOTHING', { forMs, lossRatio: null });
    }
  }
  return null;
}

/** For how long it was sent after the last report of the other end; 0 where there was none. */
function reportedBefore(sent: Series | undefined, reportedAtMs: number | null): number {
  const end = sent?.atMs.at(-1);
  return reportedAtMs === null || end === undefined ? 0 : end - reportedAtMs;
}

function judgeSource(call: RecordedCall): Outcome | null {
  const used = new Set(audioStreams(call, 'outbound').flatMap(({ sourceId }) => sourceId ?? []));
  const sources = call.facts.sources.filter(
    ({ kind, id }) => kind === 'audio' && (used.size === 0 || used.has(id)),
  );
  const loudness = sources.flatMap(
    ({ series }) => energyOf(series.totalAudioEnergy, series.totalSamplesDuration) ?? [],
  );
  const [loudest] = loudness.toSorted((a, b) => b.perSecond - a.perSecond);
  if (loudest === undefined || loudest.forMs < leastMs) return null;
  const bytes = bytesPerPacket(audioStreams(call, 'outbound'), 'packetsSent', 'bytesSent');
  const isSilent =
    loudest.perSecond < noise || (loudest.perSecond < quiet && bytes !== null && bytes <= silentBytes);
  return isSilent
    ? failedCall(call, 'MIC_SILENT', { forMs: loudest.forMs, isMuted: loudest.perSecond === 0 })
    : null;
}

/** `audio-received`: audio arrives, with something in it. */
export function judgeReceiving(call: RecordedCall): Outcome {
  if (!expected(call).recv) return skipped('nothing was to be received');
  const notYet = notReady(call);
  if (notYet !== null) return notYet;
  const flow = flowOf(call, 'inbound');
  const hasFigures = call.facts.streams.length > 0;
  if (flow.ever === null && !hasFigures) return unknown('the recording has no figures of what was received');
  const watchedMs = flow.ever === null ? flowOf(call, 'outbound').forMs : flow.forMs;
  if (flow.lately === false || (flow.ever !== true && watchedMs >= leastMs))
    return judgeNothingReceived(call, watchedMs);
  if (flow.ever !== true) return unknown('nothing had arrived yet where the recording ends');
  return passed(flowText(call, 'inbound'));
}

function judgeNothingReceived(call: RecordedCall, watchedMs: number): Outcome {
  const streams = audioStreams(call, 'inbound');
  const counters = streams.flatMap(({ series }) => series.packetsReceived ?? []);
  const forMs = counters.length === 0 ? watchedMs : Math.min(...counters.map(unchangedForMs));
  const remoteSends = streams.some(({ series }) => (growthOf(series.remotePacketsSent)?.delta ?? 0) > 0);
  const otherMedia = call.facts.streams.some(
    ({ kind, direction, series }) =>
      kind === 'video' && direction === 'inbound' && (growthOf(series.packetsReceived)?.delta ?? 0) > 0,
  );
  const paths = call.facts.pairs.flatMap(({ series }) => growthOf(series.bytesReceived, leastMs) ?? []);
  const isDead = paths.length > 0 && paths.every(({ delta }) => delta === 0);
  const where = remoteSends ? 'lost' : otherMedia ? 'not-sent' : isDead ? 'path' : 'unknown';
  return failedCall(call, 'INBOUND_ZERO', { forMs, where });
}

/** `audio-played`: what arrives is decoded, has sound in it, and is played. */
export function judgePlaying(call: RecordedCall): Outcome {
  if (!expected(call).recv) return skipped('nothing was to be received');
  const streams = audioStreams(call, 'inbound').filter(
    ({ series }) => (growthOf(series.packetsReceived)?.delta ?? 0) > 0,
  );
  if (streams.length === 0)
    return flowOf(call, 'inbound').ever === true
      ? unknown('it was recorded for too short a time')
      : skipped('no audio arrived');
  return judgeTaken(call, streams) ?? judgeSound(call, streams);
}

function judgeTaken(call: RecordedCall, streams: readonly StreamFacts[]): Outcome | null {
  const samples = streams.flatMap(({ series }) => growthOf(series.totalSamplesReceived) ?? []);
  const [first] = samples;
  if (first === undefined || first.forMs < leastMs || samples.some(({ delta }) => delta > 0)) return null;
  return failedCall(call, 'NOT_PLAYED', { forMs: first.forMs });
}

function judgeSound(call: RecordedCall, streams: readonly StreamFacts[]): Outcome {
  const heard = streams.flatMap((stream) => {
    const energy = energyOf(stream.series.totalAudioEnergy, stream.series.totalSamplesDuration);
    return energy === null ? [] : [energy];
  });
  const [loudest] = heard.toSorted((a, b) => b.perSecond - a.perSecond);
  if (loudest === undefined) return unknown('whether the packets had sound in them is not in the recording');
  if (loudest.forMs < leastMs) return unknown('it was recorded for too short a time');
  const bytes = bytesPerPacket(streams, 'packetsReceived', 'bytesReceived');
  const isOpus = streams.every(({ codec }) => codec === null || /opus/i.test(codec));
  if (
    loudest.perSecond === 0 &&
    call.source.engine === 'chromium' &&
    isOpus &&
    bytes !== null &&
    bytes >= speechBytes
  ) {
    return failedCall(call, 'PLAYOUT_MUTED', { forMs: loudest.forMs, bytesPerPacket: bytes });
  }
  const isSmall = isOpus && bytes !== null && bytes <= silentBytes;
  if (loudest.perSecond < noise || (loudest.perSecond < quiet && isSmall)) {
    return failedCall(call, 'INBOUND_SILENT', { forMs: loudest.forMs, bytesPerPacket: bytes });
  }
  return passed();
}

function energyOf(
  energy: Series | undefined,
  duration: Series | undefined,
): { perSecond: number; forMs: number } | null {
  const [joules, heard] = [growthOf(energy), growthOf(duration)];
  if (joules === null || heard === null || heard.delta <= 0) return null;
  return { perSecond: joules.delta / heard.delta, forMs: joules.forMs };
}

function bytesPerPacket(
  streams: readonly StreamFacts[],
  packets: 'packetsSent' | 'packetsReceived',
  bytes: 'bytesSent' | 'bytesReceived',
): number | null {
  const total = (metric: typeof packets | typeof bytes): number =>
    streams.reduce((sum, { series }) => sum + (growthOf(series[metric])?.delta ?? 0), 0);
  const count = total(packets);
  return count > 0 ? total(bytes) / count : null;
}

function flowText(call: RecordedCall, direction: StreamFacts['direction']): string {
  const metric = direction === 'outbound' ? 'packetsSent' : 'packetsReceived';
  const counts = audioStreams(call, direction).map(({ series }) => lastOf(series[metric]) ?? 0);
  return `${counts.reduce((sum, count) => sum + count, 0)} packets`;
}
