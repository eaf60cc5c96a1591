import type { CaptureFacts, FlowFacts, RtpStreamFacts } from '../../model/capture-facts.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { evidence } from './flow-evidence.ts';

const fewestChecks = 5;
// Three ClientHello take 1 + 2 s (RFC 9147 §5.8.1); by then an answer is late.
const fewestHellos = 3;
const incompleteMs = 3000;
// A second of audio.
const fewestMedia = 50;
const highLossRatio = 0.02;
const highJitterMs = 50;
const longGapMs = 2000;
const audioRates = new Set<number | null>([8000, 16_000, 48_000]);

/** What a capture proves about the pairs of ICE, DTLS and the media on them. */
export function judgeMedia(facts: CaptureFacts): Finding[] {
  const isLossy = facts.packets.dropped > 0;
  return [
    ...checks(facts),
    ...facts.flows.flatMap((flow) => [
      ...dtls(facts, flow),
      ...direction(facts, flow),
      ...flow.rtp.flatMap((stream) => quality(facts, flow, stream, isLossy)),
    ]),
  ];
}

/** Pairs without an answer are normal as long as one works. */
function checks(facts: CaptureFacts): Finding[] {
  const pairs = facts.flows.filter(({ isIce }) => isIce);
  const isConnected = pairs.some(
    ({ bindingFromA, bindingFromB }) => bindingFromA.succeeded + bindingFromB.succeeded > 0,
  );
  if (isConnected) return [];
  return pairs.flatMap((flow) => {
    const isReversed = flow.bindingFromA.requests === 0;
    const asked = isReversed ? flow.bindingFromB : flow.bindingFromA;
    const tries = asked.requests + asked.repetitions;
    return tries >= fewestChecks && asked.unanswered > 0
      ? [finding('CAPTURE_CHECKS_UNANSWERED', evidence(facts, flow, tries, isReversed))]
      : [];
  });
}

function dtls(facts: CaptureFacts, flow: FlowFacts): Finding[] {
  const { dtls: progress } = flow;
  if (progress === null || progress.isEncrypted) return [];
  const isReversed = progress.client === 'b';
  const alert = progress.alerts.find((text) => !text.startsWith('close_notify'));
  if (alert !== undefined) {
    const [name = '', side] = alert.split(' from ');
    return [finding('CAPTURE_DTLS_ALERT', { ...evidence(facts, flow, 1, side === 'b'), alert: name })];
  }
  const base = evidence(facts, flow, progress.clientHellos, isReversed);
  if (!progress.isAnswered)
    return progress.clientHellos >= fewestHellos ? [finding('CAPTURE_DTLS_UNANSWERED', base)] : [];
  const lastedMs = (facts.lastAtMs ?? 0) - (progress.firstAtMs ?? 0);
  return progress.client !== null && lastedMs >= incompleteMs
    ? [finding('CAPTURE_DTLS_INCOMPLETE', base)]
    : [];
}

function direction(facts: CaptureFacts, flow: FlowFacts): Finding[] {
  const packets = (isFromA: boolean): number =>
    flow.rtp
      .filter((stream) => stream.isFromA === isFromA)
      .reduce((total, stream) => total + stream.packets, 0);
  const [there, back] = [packets(true), packets(false)];
  if (Math.max(there, back) < fewestMedia || Math.min(there, back) > 0) return [];
  // The other direction may go over a pair of its own.
  const isElsewhere = facts.flows.some(
    (other) =>
      other !== flow &&
      other.rtp.some((stream) => stream.packets >= fewestMedia && stream.isFromA === back > there),
  );
  if (isElsewhere) return [];
  return [finding('CAPTURE_RTP_ONE_WAY', evidence(facts, flow, Math.max(there, back), back > there))];
}

function quality(facts: CaptureFacts, flow: FlowFacts, stream: RtpStreamFacts, isLossy: boolean): Finding[] {
  const { packets, lost, jitterMs, longestGapMs, clockRateHz } = stream;
  if (packets < fewestMedia) return [];
  const base = {
    ...evidence(facts, flow, packets, !stream.isFromA),
    ssrc: stream.ssrc.toString(16).padStart(8, '0'),
  };
  const lossRatio = lost / (lost + packets);
  const isAudio = audioRates.has(clockRateHz);
  const hasPaused = isAudio && longestGapMs >= longGapMs;
  return [
    ...(lossRatio > highLossRatio && !isLossy
      ? [finding('CAPTURE_RTP_LOST', { ...base, measured: lossRatio, limit: highLossRatio })]
      : []),
    ...(isAudio && jitterMs !== null && jitterMs > highJitterMs && !hasPaused
      ? [finding('CAPTURE_RTP_JITTER', { ...base, measured: jitterMs, limit: highJitterMs })]
      : []),
    ...(hasPaused ? [finding('CAPTURE_RTP_GAP', { ...base, measured: longestGapMs, limit: longGapMs })] : []),
  ];
}
