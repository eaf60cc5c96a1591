import type { Outcome } from '../model/check.ts';
import { durationText } from '../model/duration.ts';
import { formatEndpoint, scopeOf } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { AudioFacts, CallFacts, CredentialFacts, Failure, TargetFacts } from '../model/observations.ts';
import { refusedAllocation } from './allocation.ts';
import { judgeQuality } from './call-quality.ts';
import type { Criteria } from './criteria.ts';
import { isSilent } from './failure-kind.ts';
import { allocatorOf } from './listener-evidence.ts';
import { failed, passed, skipped, unknown } from './outcome.ts';
import { blameForCall } from './silence.ts';
import { makeUpMs, stallOf } from './stall.ts';

type CallCheck = 'call-connects' | 'call-uses-relay' | 'call-audio' | 'call-quality';

export interface CallContext {
  readonly criteria: Criteria;
  readonly credential: CredentialFacts;
  /** How long the call was to last; null when none was asked for. */
  readonly plannedMs: number | null;
}

/** The four checks of the loopback call. */
export function judgeCall(target: TargetFacts, context: CallContext): Record<CallCheck, Outcome> {
  const { call } = target;
  if (call.state !== 'done') {
    const none = callNotMade(call, target, context);
    return { 'call-connects': none, 'call-uses-relay': none, 'call-audio': none, 'call-quality': none };
  }
  const facts = call.value;
  if (facts.connectMs === null) {
    const connects = judgeNoConnection(facts, target, context);
    const short =
      connects.status === 'failed' && connects.findings.some(({ code }) => code === 'QUOTA_TOO_SMALL');
    const later = unknown(
      short ? 'the quota allows 1 allocation at once; a call needs 2' : 'the call did not connect',
    );
    return {
      'call-connects': connects,
      'call-uses-relay': later,
      'call-audio': later,
      'call-quality': later,
    };
  }
  const audio = judgeAudio(facts, target, context.plannedMs);
  return {
    'call-connects': passed(durationText(facts.connectMs)),
    'call-uses-relay': judgePairs(facts, target),
    'call-audio': audio,
    'call-quality':
      audio.status === 'passed'
        ? judgeQuality(facts, target, context.criteria)
        : unknown('audio did not flow to the end of the call'),
  };
}

function callNotMade(
  call: Exclude<TargetFacts['call'], { state: 'done' }>,
  { release }: TargetFacts,
  { plannedMs }: CallContext,
): Outcome {
  if (call.state === 'failed') return unknown(`the call could not be made: ${describeFailure(call.failure)}`);
  // Where not even an allocation came about, there would have been no call in any case.
  return plannedMs === null && release.state === 'done' ? skipped('--no-call') : unknown(call.because);
}

function judgeNoConnection(call: CallFacts, facts: TargetFacts, { credential }: CallContext): Outcome {
  const { relay, connectError } = call;
  const [lost] = relay.lost;
  const refusal = lost?.failure.kind === 'stun-error' ? lost.failure.code : null;
  const blame = blameForCall(lost?.failure ?? null, call, facts);
  // What the server said, it said.
  if ('because' in blame && refusal === null) return unknown(blame.because);
  const listener = allocatorOf(facts);
  if (lost !== undefined && isSilent(lost.failure)) {
    const evidence = { ...listener, step: 'the call', seen: describeFailure(lost.failure) };
    return blame.on === 'server'
      ? failed('SERVER_STOPPED', evidence, facts.target)
      : failed('REQUEST_FAILED', { ...evidence, answersAgain: true }, facts.target);
  }
  const [first] = relay.relayed;
  const bothAllocated = relay.relayed.length === 2 && !relay.relayed.includes(null);
  // One allocation was granted a moment before: what is used up is used up by the two of this call.
  if (refusal === 486 && facts.allocate.state === 'done') {
    const username = credential.source === 'none' ? '(none)' : credential.username;
    return failed('QUOTA_TOO_SMALL', { ...listener, username, granted: 1, needed: 2 }, facts.target);
  }
  if (refusal === 486 || refusal === 508) {
    return refusedAllocation(facts, credential, refusal, facts.allocate.state === 'done' ? 1 : 0);
  }
  // Both have their relay address, so it is the permission for that of the other which was refused.
  if (refusal === 403 && bothAllocated && first) {
    // Nobody but that machine itself could be meant; a server that allows it is open to its own host's services.
    if (scopeOf(first.address) === 'loopback') {
      return unknown(
        `the server denies loopback peers, as it should, so no call can be made at ${first.address}`,
      );
    }
    const evidence = { ...listener, relayed: formatEndpoint(first), relayedAddress: first.address };
    return failed('OWN_RELAY_DENIED', evidence, facts.target);
  }
  const reasons = [connectError ?? 'no reason given', ...(lost ? [describeFailure(lost.failure)] : [])];
  const evidence = { ...listener, seen: reasons.join('; '), lostHandshake: call.lostHandshake };
  return failed('CALL_FAILED', evidence, facts.target);
}

function judgePairs({ pairs }: CallFacts, facts: TargetFacts): Outcome {
  const seen = pairs.map(({ local, remote }) => `${local} ↔ ${remote}`).join(', ');
  if (pairs.some(({ relayed }) => !relayed)) {
    return failed('CALL_NOT_RELAYED', { ...allocatorOf(facts), pairs: seen }, facts.target);
  }
  return pairs.length === 2 ? passed() : unknown('the selected pair is not known at both ends');
}

const packetMs = 20; // Opus in packets of 20 ms (RFC 7587 §4.2)
// Packets of the last moments can be under way when the call ends; silence for longer than this is an end.
const endSilenceMs = 400;
// A server that limits the bandwidth (coturn's max-bps) drops what is beyond it until the second is over.
const starvedSilenceMs = 2000;
const starvedRatio = 0.1;
// A busy machine may leave out a few packets of a call that lasts as long as it should.
const leastSentRatio = 0.9;

function judgeAudio(call: CallFacts, facts: TargetFacts, plannedMs: number | null): Outcome {
  const { audio } = call;
  const listener = allocatorOf(facts);
  const mostSent = Math.max(0, ...audio.map(({ sent }) => sent));
  const [lost] = call.relay.lost;
  const end = endOf(call, plannedMs);
  if (end !== null && lost !== undefined) {
    const blame = blameForCall(lost.failure, call, facts);
    if ('because' in blame) return unknown(blame.because);
    const step = `the call (${durationText(lost.atMs)} into it)`;
    const evidence = { ...listener, step, seen: describeFailure(lost.failure) };
    const isGone = blame.on === 'server' || isForgotten(lost.failure);
    return isGone
      ? failed('SERVER_STOPPED', evidence, facts.target)
      : failed('REQUEST_FAILED', { ...evidence, answersAgain: isSilent(lost.failure) }, facts.target);
  }
  if (mostSent === 0) return unknown('no audio was sent');
  const fault = shortfallOf(call, plannedMs) ?? (end === null ? null : stallOf(call, makeUpMs));
  if (fault !== null) return unknown(fault);
  const silent = audio.filter(({ received }) => received === 0);
  const [one] = silent;
  if (one !== undefined) {
    return silent.length === audio.length
      ? failed('AUDIO_SILENT', { ...listener, sent: mostSent }, facts.target)
      : failed('AUDIO_ONE_WAY', { ...listener, silent: one.direction, sent: one.sent }, facts.target);
  }
  if (end !== null) return failed('AUDIO_INTERRUPTED', { ...listener, ...end }, facts.target);
  return passed(`${sum(audio.map(({ received }) => received))} packets`);
}

/** Where the audio ended before the call should have; null when it flowed to the end. */
function endOf(
  { audio, endedBecause, relay }: CallFacts,
  plannedMs: number | null,
): { lastMs: number; durationMs: number } | null {
  if (audio.length === 0) return { lastMs: 0, durationMs: plannedMs ?? 0 };
  const sentMs = Math.max(...audio.map(({ sent }) => sent)) * packetMs;
  const durationMs = plannedMs ?? sentMs;
  const lastMs = Math.min(...audio.map(({ lastReceivedMs }) => lastReceivedMs ?? 0));
  const delayMs = Math.max(...audio.map(({ delayMs: delay }) => delay?.max ?? 0));
  const endedEarly = endedBecause !== null || (relay.lost.length > 0 && sentMs < durationMs * leastSentRatio);
  const silenceMs = (audio.some(isStarved) ? starvedSilenceMs : endSilenceMs) + delayMs;
  return endedEarly || sentMs - lastMs > silenceMs ? { lastMs, durationMs } : null;
}

/** Whether much is missing of what was sent up to the last packet that arrived: then a gap is not yet an end. */
function isStarved({ received, lastReceivedMs }: AudioFacts): boolean {
  return lastReceivedMs !== null && received * packetMs < lastReceivedMs * (1 - starvedRatio);
}

/** Why too little was sent although nothing ended the call: then the fault is here. Null when enough was sent. */
function shortfallOf(call: CallFacts, plannedMs: number | null): string | null {
  const { audio, endedBecause, pacing, relay } = call;
  if (endedBecause !== null || relay.lost.length > 0) return null;
  const due = pacing?.due ?? (plannedMs ?? 0) / packetMs;
  const sent = Math.min(...audio.map((direction) => direction.sent));
  if (sent >= due * leastSentRatio) return null;
  const stall = stallOf(call, makeUpMs);
  return `only ${sent} of ${due} packets were sent${stall === null ? '' : `: ${stall}`}`;
}

/** The server has no such allocation any more (RFC 8656 §7.2), which a restart makes it say. */
function isForgotten(failure: Failure): boolean {
  return failure.kind === 'stun-error' && failure.code === 437;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
