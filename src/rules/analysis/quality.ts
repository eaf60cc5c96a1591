import type { Outcome } from '../../model/check.ts';
import type { Finding } from '../../model/finding.ts';
import type { Series, StreamFacts } from '../../model/call-recording.ts';
import { passed, skipped, unknown } from '../outcome.ts';
import { judgePlaying, judgeSending } from './media.ts';
import { mosOfSpan } from './mos.ts';
import { failedCall } from './outcome.ts';
import { audioStreams, flowOf, selectedPair, type RecordedCall } from './recorded-call.ts';
import { growthOf, median, valueAt, windowsOf } from './series.ts';

const spanMs = 10_000;
// The first seconds of every call have holes: the buffer is empty, and the level is not set.
const startMs = 2000;

/** From where a figure is told, and from where it is an error: what Opus conceals, and where words are lost. */
const limits = {
  loss: { usual: 0.03, bad: 0.08 },
  jitterMs: { usual: 50, bad: 100 },
  bufferMs: { usual: 250, bad: 500 },
  rttMs: { usual: 300, bad: 500 },
  concealment: { usual: 0.03, bad: 0.08 },
  // ITU-T G.109: below 3.6 many users are dissatisfied, below 3.1 nearly all.
  mos: { usual: 3.6, bad: 3.1 },
} as const;

/** The figures of one direction, over the whole of the recording. */
export interface QualityFigures {
  readonly direction: 'sent' | 'received';
  readonly lossRatio: number | null;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
  readonly mos: number | null;
  readonly worstMos: number | null;
}

/** `audio-good`: loss, jitter, delay and what follows from them are such that one can talk. */
export function judgeQuality(call: RecordedCall): Outcome {
  if (flowOf(call, 'inbound').ever !== true && flowOf(call, 'outbound').ever !== true)
    return skipped('no audio flowed');
  const trip = tripFindings(call);
  const findings = [
    ...figuresOf(call).flatMap((figures) => directionFindings(call, figures, trip)),
    ...trip,
    ...delayFindings(call),
    ...deviceFindings(call),
  ];
  if (findings.length > 0) return { status: 'failed', findings };
  const mos = figuresOf(call).flatMap((each) => each.mos ?? []);
  if (mos.length > 0) return passed(`MOS ${Math.min(...mos).toFixed(1)}`);
  return isSilent(call, 'sent') || isSilent(call, 'received')
    ? skipped('there was only silence to be heard')
    : unknown('the recording is too short to tell');
}

/** Whether what flows is known to be silence, of which no opinion score is to be had. */
function isSilent(call: RecordedCall, direction: QualityFigures['direction']): boolean {
  const outcome = direction === 'sent' ? judgeSending(call) : judgePlaying(call);
  const code = direction === 'sent' ? 'MIC_SILENT' : 'INBOUND_SILENT';
  return outcome.status === 'failed' && outcome.findings.some((each) => each.code === code);
}

function withoutScore(figures: QualityFigures): QualityFigures {
  return { ...figures, mos: null, worstMos: null };
}

/** What was measured of each direction that audio flowed in. */
export function figuresOf(call: RecordedCall): QualityFigures[] {
  const rttMs = roundTripMs(call);
  const inbound = audioStreams(call, 'inbound').filter(flows('packetsReceived'));
  const outbound = audioStreams(call, 'outbound').filter(flows('packetsSent'));
  return [
    ...outbound.slice(0, 1).map((stream) => sentFigures(stream, rttMs)),
    ...inbound
      .toSorted((a, b) => received(b) - received(a))
      .slice(0, 1)
      .map((stream) => receivedFigures(stream, rttMs)),
  ].map((figures) => (isSilent(call, figures.direction) ? withoutScore(figures) : figures));
}

function flows(metric: 'packetsReceived' | 'packetsSent') {
  return ({ series }: StreamFacts): boolean => (growthOf(series[metric])?.delta ?? 0) > 0;
}

function received({ series }: StreamFacts): number {
  return growthOf(series.packetsReceived)?.delta ?? 0;
}

function receivedFigures({ series }: StreamFacts, rttMs: number | null): QualityFigures {
  const lost = Math.max(0, growthOf(series.packetsLost)?.delta ?? 0);
  const got = growthOf(series.packetsReceived)?.delta ?? 0;
  const jitterMs = inMs(median(series.jitter?.values ?? []));
  const whole = ratio(lost, lost + got);
  const spans = windowsOf(series.packetsReceived, spanMs).map(({ atMs, delta }) => {
    const lostIn = series.packetsLost === undefined ? 0 : between(series.packetsLost, atMs, atMs + spanMs);
    const lossRatio = ratio(Math.max(0, lostIn), delta + Math.max(0, lostIn)) ?? 0;
    return mosOfSpan({ lossRatio, jitterMs: jitterMs ?? 0, rttMs: rttMs ?? 0 });
  });
  // What is shorter than a span is one.
  const shortSpan =
    whole === null ? [] : [mosOfSpan({ lossRatio: whole, jitterMs: jitterMs ?? 0, rttMs: rttMs ?? 0 })];
  return {
    direction: 'received',
    lossRatio: whole,
    jitterMs,
    rttMs,
    mos: median(spans.length > 0 ? spans : shortSpan),
    worstMos: shortSpan.length === 0 ? null : Math.min(...spans, ...shortSpan),
  };
}

function sentFigures({ series }: StreamFacts, rttMs: number | null): QualityFigures {
  const sent = growthOf(series.packetsSent)?.delta ?? 0;
  const lost = growthOf(series.remotePacketsLost)?.delta;
  const fractions = series.remoteFractionLost?.values ?? [];
  const lossRatio =
    lost === undefined || sent === 0
      ? fractions.length === 0
        ? null
        : fractions.reduce((sum, each) => sum + each, 0) / fractions.length
      : Math.min(1, Math.max(0, lost) / sent);
  const jitterMs = inMs(median(series.remoteJitter?.values ?? []));
  const mos =
    lossRatio === null ? null : mosOfSpan({ lossRatio, jitterMs: jitterMs ?? 0, rttMs: rttMs ?? 0 });
  return { direction: 'sent', lossRatio, jitterMs, rttMs, mos, worstMos: mos };
}

function between(series: Series, fromMs: number, toMs: number): number {
  return (valueAt(series, toMs) ?? 0) - (valueAt(series, fromMs) ?? 0);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

function roundTripMs(call: RecordedCall): number | null {
  const pair = selectedPair(call)?.pair.series.currentRoundTripTime?.values ?? [];
  const reports = audioStreams(call, 'outbound').flatMap(
    ({ series }) => series.remoteRoundTripTime?.values ?? [],
  );
  return inMs(median(pair.length > 0 ? pair : reports));
}

/** A figure beyond its limit: a warning, or an error where it is bad. Loss of some packets tells little. */
function beyond(
  measured: number | null,
  { usual, bad }: { readonly usual: number; readonly bad: number },
): { measured: number; limit: number; severity: 'warning' | 'error' } | null {
  if (measured === null) return null;
  const isLess = bad < usual;
  const past = (limit: number): boolean => (isLess ? measured < limit : measured > limit);
  return past(usual) ? { measured, limit: usual, severity: past(bad) ? 'error' : 'warning' } : null;
}

function directionFindings(
  call: RecordedCall,
  figures: QualityFigures,
  trip: readonly Finding[],
): readonly Finding[] {
  const { direction, lossRatio, jitterMs, mos, worstMos } = figures;
  const found: Finding[] = [];
  const loss = beyond(lossRatio, limits.loss);
  if (loss !== null) {
    const { severity, ...measured } = loss;
    found.push(...failedCall(call, 'HIGH_LOSS', { ...measured, direction }, { severity }).findings);
  }
  const jitter = beyond(jitterMs, limits.jitterMs);
  if (jitter !== null) {
    const { severity, ...measured } = jitter;
    found.push(
      ...failedCall(call, 'HIGH_JITTER_DELAY', { ...measured, direction, what: 'jitter' }, { severity })
        .findings,
    );
  }
  const low = beyond(mos, limits.mos);
  if (low !== null) {
    const { severity, ...measured } = low;
    const cause = found[0] ?? trip[0];
    const causes = cause === undefined ? {} : { causedBy: cause.code };
    const evidence = { ...measured, direction, worst: worstMos ?? measured.measured };
    found.push(...failedCall(call, 'LOW_MOS', evidence, { severity, ...causes }).findings);
  }
  return found;
}

function tripFindings(call: RecordedCall): readonly Finding[] {
  const rtt = beyond(roundTripMs(call), limits.rttMs);
  if (rtt === null) return [];
  const { severity, ...measured } = rtt;
  return failedCall(call, 'HIGH_RTT', { ...measured, direction: 'path' }, { severity }).findings;
}

function delayFindings(call: RecordedCall): readonly Finding[] {
  const found: Finding[] = [];
  for (const { series } of audioStreams(call, 'inbound').filter(flows('packetsReceived')).slice(0, 1)) {
    const [delay, emitted] = [tail(series.jitterBufferDelay), tail(series.jitterBufferEmittedCount)];
    const buffer = beyond(
      delay === null || emitted === null ? null : inMs(ratio(delay, emitted)),
      limits.bufferMs,
    );
    if (buffer !== null) {
      const { severity, ...measured } = buffer;
      const evidence = { ...measured, direction: 'received', what: 'buffer' } as const;
      found.push(...failedCall(call, 'HIGH_JITTER_DELAY', evidence, { severity }).findings);
    }
    found.push(...concealmentFindings(call, series));
  }
  return found;
}

function concealmentFindings(call: RecordedCall, series: StreamFacts['series']): readonly Finding[] {
  const [made, silent, all] = [
    series.concealedSamples,
    series.silentConcealedSamples,
    series.totalSamplesReceived,
  ];
  const [concealed, samples] = [tail(made), tail(all)];
  if (concealed === null || samples === null) return [];
  const heard = beyond(ratio(concealed - (tail(silent) ?? 0), samples), limits.concealment);
  if (heard === null) return [];
  const { severity, ...measured } = heard;
  return failedCall(call, 'CONCEALMENT', { ...measured, direction: 'received' }, { severity }).findings;
}

/** How a counter grew after the start. */
function tail(series: Series | undefined): number | null {
  const first = series?.atMs[0];
  const last = series?.atMs.at(-1);
  if (series === undefined || first === undefined || last === undefined) return null;
  return growthOf(series, last - first - startMs)?.delta ?? null;
}

// A twentieth of a second in each second, which is heard as crackling.
const mostMadeUp = 0.05;
const mostPaths = { bps: 40_000, forMs: 5000 } as const;

function deviceFindings(call: RecordedCall): readonly Finding[] {
  const { playout } = call.facts;
  const [made, all] = [tail(playout?.synthesizedSamplesDuration), tail(playout?.totalSamplesDuration)];
  const gaps = made === null || all === null ? null : ratio(made, all);
  const found: Finding[] = [];
  if (gaps !== null && gaps > mostMadeUp)
    found.push(...failedCall(call, 'PLAYOUT_GLITCH', { ratio: gaps }).findings);
  const room = selectedPair(call)?.pair.series.availableOutgoingBitrate;
  const end = room?.atMs.at(-1) ?? 0;
  const late = room?.values.filter((_, index) => (room.atMs[index] ?? 0) >= end - mostPaths.forMs) ?? [];
  const isWatched = (growthOf(room)?.forMs ?? 0) >= mostPaths.forMs;
  const most = Math.max(...late);
  if (isWatched && late.length > 0 && most < mostPaths.bps) {
    const evidence = { measured: most, limit: mostPaths.bps, direction: 'sent' } as const;
    found.push(...failedCall(call, 'BWE_LOW', evidence).findings);
  }
  return found;
}

/** What the path is, where that is worth a word. */
export function pathFindings(call: RecordedCall): readonly Finding[] {
  const local = selectedPair(call)?.local;
  if (local === undefined || local === null) return [];
  const protocol = local.type === 'relay' ? local.relayProtocol : local.protocol;
  return protocol === 'tcp' || protocol === 'tls' ? failedCall(call, 'RELAY_TCP', { protocol }).findings : [];
}
