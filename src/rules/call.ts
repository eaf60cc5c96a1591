import type { Outcome } from '../model/check.ts';
import { describeFailure } from '../model/failure.ts';
import { finding, type Finding, type Severity } from '../model/finding.ts';
import type { AudioFacts, CallFacts, Target, TargetFacts } from '../model/observations.ts';
import type { Criteria } from './criteria.ts';
import { duration, failed, listenerOf, passed, skipped, unknown } from './outcome.ts';

type CallCheck = 'call-connects' | 'call-uses-relay' | 'call-audio' | 'call-quality';

/** The four checks of the loopback call. */
export function judgeCall({ target, call }: TargetFacts, criteria: Criteria): Record<CallCheck, Outcome> {
  if (call.state !== 'done') {
    const none = callNotMade(call);
    return { 'call-connects': none, 'call-uses-relay': none, 'call-audio': none, 'call-quality': none };
  }
  const facts = call.value;
  if (facts.connectMs === null) {
    const later = unknown('the call did not connect');
    const connects = judgeNoConnection(facts, target);
    return {
      'call-connects': connects,
      'call-uses-relay': later,
      'call-audio': later,
      'call-quality': later,
    };
  }
  const audio = judgeAudio(facts, target);
  return {
    'call-connects': passed(duration(facts.connectMs)),
    'call-uses-relay': judgePairs(facts, target),
    'call-audio': audio,
    'call-quality':
      audio.status === 'passed'
        ? judgeQuality(facts, target, criteria)
        : unknown('audio did not flow to the end of the call'),
  };
}

function callNotMade(call: Exclude<TargetFacts['call'], { state: 'done' }>): Outcome {
  if (call.state === 'failed') return unknown(`the call could not be made: ${describeFailure(call.failure)}`);
  return call.because === '--no-call' ? skipped(call.because) : unknown(call.because);
}

function judgeNoConnection(facts: CallFacts, target: Target): Outcome {
  const [lost] = facts.relay.lost;
  if (lost !== undefined && lost.failure.kind !== 'stun-error') {
    const evidence = { ...listenerOf(target), step: 'the call', seen: describeFailure(lost.failure) };
    return failed('SERVER_STOPPED', evidence, target);
  }
  const seen = [
    facts.connectError ?? 'no reason given',
    ...(lost ? [describeFailure(lost.failure)] : []),
  ].join('; ');
  return failed('CALL_FAILED', { ...listenerOf(target), seen }, target);
}

function judgePairs({ pairs }: CallFacts, target: Target): Outcome {
  if (pairs.length === 2 && pairs.every(({ relayed }) => relayed)) return passed();
  if (pairs.length === 0) return unknown('the selected pair is not known');
  const seen = pairs.map(({ local, remote }) => `${local} ↔ ${remote}`).join(', ');
  return failed('CALL_NOT_RELAYED', { ...listenerOf(target), pairs: seen }, target);
}

// Packets of the last moments can be under way when the call ends; silence for longer than this is an end.
const endSilenceMs = 400;

function judgeAudio(facts: CallFacts, target: Target): Outcome {
  const listener = listenerOf(target);
  const { audio } = facts;
  const silent = audio.filter(({ received }) => received === 0);
  if (audio.length === 0) return unknown('no audio was measured');
  const [lost] = facts.relay.lost;
  if (lost !== undefined) {
    const seen = `${describeFailure(lost.failure)}, ${duration(lost.atMs)} into the call`;
    return failed('SERVER_STOPPED', { ...listener, step: 'the call', seen }, target);
  }
  const [one] = silent;
  if (one !== undefined) {
    return silent.length === audio.length
      ? failed('AUDIO_SILENT', { ...listener, sent: one.sent }, target)
      : failed('AUDIO_ONE_WAY', { ...listener, silent: one.direction, sent: one.sent }, target);
  }
  const durationMs = Math.max(...audio.map(({ sent }) => sent)) * packetMs;
  const lastMs = Math.min(...audio.map(({ lastReceivedMs }) => lastReceivedMs ?? 0));
  const delayMs = Math.max(...audio.map(({ delayMs: delay }) => delay?.max ?? 0));
  if (durationMs - lastMs > endSilenceMs + delayMs) {
    return failed('AUDIO_INTERRUPTED', { ...listener, lastMs, durationMs }, target);
  }
  return passed(`${sum(audio.map(({ received }) => received))} packets`);
}

const packetMs = 20; // Opus in packets of 20 ms (RFC 7587 §4.2)

/**
 * Without a limit from the user, these: 3 % loss is the most that the codec conceals well; a jitter of 50 ms exceeds
 * usual buffers; ITU-T G.114 puts the limit of good conversation at 150 ms one way, twice that is 300 ms; MOS 3.6
 * is where ITU-T G.109 begins to call users dissatisfied.
 */
const usual = { lossRatio: 0.03, jitterMs: 50, rttMs: 300, mos: 3.6 } as const;

function judgeQuality({ audio }: CallFacts, target: Target, criteria: Criteria): Outcome {
  const worst = worstOf(audio);
  const findings: Finding[] = [];
  const judge = (
    code: 'LOSS_HIGH' | 'JITTER_HIGH' | 'RTT_HIGH' | 'MOS_LOW',
    measured: number | null,
    asked: number | null,
    usualLimit: number,
  ): void => {
    if (measured === null) return;
    const limit = asked ?? usualLimit;
    const missed = code === 'MOS_LOW' ? measured < limit : measured > limit;
    if (!missed) return;
    // What the user has set as a limit is an error when it is missed; our own idea of good is a warning.
    const severity: Severity = asked === null ? 'warning' : 'error';
    const evidence = { ...listenerOf(target), measured, limit };
    findings.push(finding(code, evidence, { severity, targets: [target.url] }));
  };
  judge('LOSS_HIGH', worst.lossRatio, criteria.maxLossRatio, usual.lossRatio);
  judge('JITTER_HIGH', worst.jitterMs, criteria.maxJitterMs, usual.jitterMs);
  judge('RTT_HIGH', worst.rttMs, criteria.maxRttMs, usual.rttMs);
  judge('MOS_LOW', worst.mos, criteria.minMos, usual.mos);
  if (findings.length > 0) return { status: 'failed', findings };
  const unmeasured = missingMeasure(worst, criteria);
  if (unmeasured !== null) return unknown(unmeasured);
  return passed(worst.mos === null ? undefined : `MOS ${worst.mos.toFixed(1)}`);
}

/** A limit that the user has set and nothing was measured for: not passed. */
function missingMeasure(worst: WorstAudio, criteria: Criteria): string | null {
  if (criteria.maxRttMs !== null && worst.rttMs === null)
    return 'no receiver report came back, so the round trip is not known';
  if (criteria.minMos !== null && worst.mos === null) return 'the MOS could not be computed';
  return null;
}

export interface WorstAudio {
  readonly lossRatio: number;
  readonly jitterMs: number;
  readonly rttMs: number | null;
  readonly mos: number | null;
}

/** The worse of both directions, figure by figure. */
export function worstOf(audio: readonly AudioFacts[]): WorstAudio {
  const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
  const rtts = known(audio.map(({ rttMs }) => rttMs));
  const scores = known(audio.map(({ mos }) => mos));
  return {
    lossRatio: Math.max(...audio.map(({ lossRatio }) => lossRatio)),
    jitterMs: Math.max(...audio.map(({ jitterMs }) => jitterMs)),
    rttMs: rtts.length === 0 ? null : Math.max(...rtts),
    mos: scores.length === 0 ? null : Math.min(...scores),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
