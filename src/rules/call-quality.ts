import type { Outcome } from '../model/check.ts';
import { finding, type Finding, type Severity } from '../model/finding.ts';
import type { AudioFacts, CallFacts, TargetFacts } from '../model/observations.ts';
import type { Criteria } from './criteria.ts';
import { allocatorOf } from './listener-evidence.ts';
import { passed, unknown } from './outcome.ts';
import { makeUpMs, noticedMs, stallOf } from './stall.ts';

// ITU-T G.109 §6: a connection with a rating R below 50 is not recommended; by G.107 Annex B that is a MOS of 2.58.
const leastUsableMos = 2.58;

/**
 * Without a limit from the user, these: 3 % loss is the most that the codec conceals well; a jitter of 50 ms exceeds
 * usual buffers; ITU-T G.114 puts the limit of good conversation at 150 ms one way, twice that is 300 ms; MOS 3.6
 * is where ITU-T G.109 begins to call users dissatisfied.
 */
export const usualLimits = { lossRatio: 0.03, jitterMs: 50, rttMs: 300, mos: 3.6 } as const;

/** `call-quality`: loss, jitter, round trip and MOS within the limits of the user, else within the usual ones. */
export function judgeQuality(call: CallFacts, facts: TargetFacts, criteria: Criteria): Outcome {
  const worst = worstOf(call.audio);
  const unusable = judgeUsable(worst, call.audio, facts, criteria);
  const findings: Finding[] = unusable === null ? [] : [unusable];
  const judge = (
    code: 'LOSS_HIGH' | 'JITTER_HIGH' | 'RTT_HIGH' | 'MOS_LOW',
    measured: number | null,
    asked: number | null,
    usualLimit: number,
  ): void => {
    if (measured === null) return;
    const limit = asked ?? usualLimit;
    const missed = code === 'MOS_LOW' ? measured < limit : measured > limit;
    if (!missed || (asked === null && unusable !== null)) return;
    // What the user has set as a limit is an error when it is missed; our own idea of good is a warning.
    const severity: Severity = asked === null ? 'warning' : 'error';
    const evidence = { ...allocatorOf(facts), measured, limit, by: 'rtcp' as const };
    findings.push(finding(code, evidence, { severity, targets: [facts.target.url] }));
  };
  judge('LOSS_HIGH', worst.lossRatio, criteria.maxLossRatio, usualLimits.lossRatio);
  judge('JITTER_HIGH', worst.jitterMs, criteria.maxJitterMs, usualLimits.jitterMs);
  judge('RTT_HIGH', worst.rttMs, criteria.maxRttMs, usualLimits.rttMs);
  judge('MOS_LOW', worst.mos, criteria.minMos, usualLimits.mos);
  const stall = stallOf(call, noticedMs);
  const standing = stall === null ? findings : findings.filter(({ code }) => isByLoss(code, call, worst));
  if (standing.length > 0) return { status: 'failed', findings: standing };
  if (stall !== null && findings.length > 0) return unknown(stall);
  const unmeasured = missingMeasure(worst, criteria);
  if (unmeasured !== null) return unknown(unmeasured);
  return passed(worst.mos === null ? undefined : `MOS ${worst.mos.toFixed(1)}`);
}

/** A stall holds packets up, and loses none before it is longer than what can be made up for. */
function isByLoss(code: Finding['code'], { longestStallMs }: CallFacts, { lossRatio }: WorstAudio): boolean {
  if (longestStallMs >= makeUpMs) return false;
  return code === 'LOSS_HIGH' || (code === 'AUDIO_UNUSABLE' && lossRatio > usualLimits.lossRatio);
}

/** That nobody understands what is said, which is worse than being below a usual limit. */
function judgeUsable(
  { mos, lossRatio }: WorstAudio,
  audio: readonly AudioFacts[],
  facts: TargetFacts,
  criteria: Criteria,
): Finding | null {
  if (mos === null || mos >= leastUsableMos || (criteria.minMos !== null && mos >= criteria.minMos))
    return null;
  const delays = audio.flatMap(({ delayMs }) => (delayMs === null ? [] : [delayMs.p50]));
  const delayMs = delays.length === 0 ? null : Math.max(...delays);
  const evidence = { ...allocatorOf(facts), mos, lossRatio, delayMs };
  return finding('AUDIO_UNUSABLE', evidence, { targets: [facts.target.url] });
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
  /** The highest that the jitter J of RFC 3550 §6.4.1 was during the call. */
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
    // J at the end of the call misses a burst in its middle, and counts where the call ends in one.
    jitterMs: Math.max(...audio.map(({ jitterMaxMs }) => jitterMaxMs)),
    rttMs: rtts.length === 0 ? null : Math.max(...rtts),
    mos: scores.length === 0 ? null : Math.min(...scores),
  };
}
