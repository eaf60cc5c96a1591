import type { Outcome } from '../model/check.ts';
import { formatEndpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { CredentialFacts, TargetFacts } from '../model/observations.ts';
import { turnErrorName } from '../model/turn-error-code.ts';
import { isSilent, judgeSilence } from './listener.ts';
import { duration, failed, listenerOf, passed, unknown } from './outcome.ts';

/** `turn-challenge`: an Allocate without credentials is refused with 401 (RFC 8489 §9.2.4). */
export function judgeChallenge(facts: TargetFacts): Outcome {
  const { target, challenge } = facts;
  // coturn with stun-only leaves Allocate unanswered, and ends a TCP connection after it.
  if (challenge.state === 'failed' && isSilent(challenge.failure) && facts.recheck.state === 'done') {
    const seen = 'it answers STUN Binding, but not a TURN Allocate request';
    return failed('NOT_A_TURN_SERVER', { ...listenerOf(target), seen }, target);
  }
  const silence = judgeSilence(challenge, 'anonymous allocation', facts);
  if (silence) return silence;
  if (challenge.state !== 'done') return unknown('there was no answer');
  const answer = challenge.value;
  if (answer.granted) {
    const evidence = { ...listenerOf(target), relayed: formatEndpoint(answer.relayed) };
    return failed('ANONYMOUS_RELAY', evidence, target);
  }
  if (answer.code === 401 && answer.realm !== null && answer.nonce) return passed();
  // A redirection, or a server that is full, comes before the question who is asking.
  if (answer.code === 300 || answer.code === 486 || answer.code === 508) {
    return passed(`refused with ${answer.code}`);
  }
  const seen =
    answer.code === 401
      ? 'it refuses Allocate with 401 but sends no realm or no nonce, so no client can sign'
      : `it answers Allocate with error ${answer.code} instead of 401`;
  return failed('NOT_A_TURN_SERVER', { ...listenerOf(target), seen }, target);
}

/** `turn-allocate`: the credentials are good and the server has a relay address to give. */
export function judgeAllocate(facts: TargetFacts, credential: CredentialFacts, now: Date): Outcome {
  const { target, allocate, redirects } = facts;
  const alternate = redirects.at(-1);
  if (alternate !== undefined && allocate.state === 'failed' && isSilent(allocate.failure)) {
    const evidence = {
      ...listenerOf(target),
      alternate: formatEndpoint(alternate),
      seen: describeFailure(allocate.failure),
    };
    return failed('ALTERNATE_UNREACHABLE', evidence, target);
  }
  const silence = judgeSilence(allocate, 'allocation', facts);
  if (silence) return silence;
  if (allocate.state === 'done') return passed(duration(allocate.value.rttMs));
  const code =
    allocate.state === 'failed' && allocate.failure.kind === 'stun-error' ? allocate.failure.code : 0;
  const listener = listenerOf(target);
  const username = credential.source === 'none' ? '' : credential.username;
  switch (code) {
    case 401:
      return judgeRefusal(facts, credential, now);
    case 486:
      return failed('QUOTA_REACHED', { ...listener, username }, target);
    case 508:
      return failed('RELAY_CAPACITY_EXHAUSTED', listener, target);
    default:
      return failed('ALLOCATION_REFUSED', { ...listener, code, name: turnErrorName(code) }, target);
  }
}

function judgeRefusal({ target, challenge }: TargetFacts, credential: CredentialFacts, now: Date): Outcome {
  if (credential.source === 'none') return unknown('no credentials were given');
  const realm = challenge.state === 'done' && !challenge.value.granted ? challenge.value.realm : null;
  const { username, expiresAt, source } = credential;
  const evidence = { ...listenerOf(target), username, realm };
  const nowSeconds = now.getTime() / 1000;
  if (expiresAt !== null) {
    const mistake = timeMistake(expiresAt, nowSeconds);
    if (mistake !== null) return failed('CREDENTIAL_FORMAT', { ...evidence, ...mistake }, target);
    if (expiresAt < nowSeconds) {
      const expiredAt = new Date(expiresAt * 1000).toISOString();
      return failed('CREDENTIAL_EXPIRED', { ...evidence, expiredAt }, target);
    }
  }
  return failed('CREDENTIAL_SECRET_MISMATCH', { ...evidence, derived: source === 'secret' }, target);
}

/** A number in the username that is no Unix time in seconds near today. */
function timeMistake(time: number, nowSeconds: number): { mistake: string; right: string } | null {
  if (time > nowSeconds * 100) {
    const seconds = Math.floor(time / 1000);
    return { mistake: `The time in it is in milliseconds`, right: `${seconds} (seconds)` };
  }
  // Less than a hundred days since 1970: a lifetime such as 86400, not a point in time.
  if (time < 100 * 86_400) {
    const end = Math.floor(nowSeconds) + time;
    return { mistake: `${time} is a lifetime, not the time of its end`, right: `the end, now ${end}` };
  }
  return null;
}

/** `turn-refresh`. */
export function judgeRefresh(facts: TargetFacts): Outcome {
  const { target, refresh } = facts;
  const silence = judgeSilence(refresh, 'refresh', facts);
  if (silence) return silence;
  if (refresh.state === 'done') return passed(`${refresh.value.lifetimeSeconds} s`);
  return refused('a Refresh', refresh, target);
}

/** `turn-channel`. */
export function judgeChannel(facts: TargetFacts): Outcome {
  const { target, channel } = facts;
  const silence = judgeSilence(channel, 'channel', facts);
  if (silence) return silence;
  return channel.state === 'done' ? passed() : refused('a ChannelBind', channel, target);
}

/** `turn-release`: the server confirms lifetime 0 (RFC 8656 §8.3). */
export function judgeRelease(facts: TargetFacts): Outcome {
  const { target, release } = facts;
  const silence = judgeSilence(release, 'release', facts);
  if (silence) return silence;
  if (release.state === 'done') {
    const { lifetimeSeconds } = release.value;
    if (lifetimeSeconds === 0) return passed();
    return failed('ALLOCATION_NOT_FREED', { ...listenerOf(target), lifetimeSeconds }, target);
  }
  return refused('a Refresh with lifetime 0', release, target);
}

type Step = TargetFacts['refresh'] | TargetFacts['channel'] | TargetFacts['release'];

function refused(name: string, step: Step, target: TargetFacts['target']): Outcome {
  const seen = step.state === 'failed' ? describeFailure(step.failure) : 'no answer';
  return failed('REQUEST_FAILED', { ...listenerOf(target), step: name, seen }, target);
}
