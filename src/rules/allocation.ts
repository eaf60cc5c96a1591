import type { Outcome } from '../model/check.ts';
import { formOf, judgeTime, type TimeProblem } from '../model/credential-time.ts';
import { durationTextOrNothing } from '../model/duration.ts';
import { formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { Severity } from '../model/finding.ts';
import type { Attempt, ChallengeFacts, CredentialFacts, TargetFacts } from '../model/observations.ts';
import { turnErrorName } from '../model/turn-error-code.ts';
import { refusesSometimes, twoServers } from './identity.ts';
import { isRefusal, isSilent, stunErrorOf } from './failure-kind.ts';
import { allocatorOf, listenerOf } from './listener-evidence.ts';
import { failed, passed, unknown } from './outcome.ts';
import { judgeSilence } from './silence.ts';

/** `turn-challenge`: an Allocate without credentials is refused with 401 (RFC 8489 §9.2.4). */
export function judgeChallenge(facts: TargetFacts): Outcome {
  const { target, challenge } = facts;
  const noTurn = whyNoTurn(facts);
  if (noTurn !== null) {
    return failed(
      'NOT_A_TURN_SERVER',
      {
        ...listenerOf(target),
        seen: noTurn,
        closed: false,
        kind: 'TURN',
        answersStun: facts.binding.state === 'done',
      },
      target,
    );
  }
  const silence = judgeSilence(challenge, 'an anonymous Allocate', facts);
  if (silence) return silence;
  if (challenge.state !== 'done') return unknown('there was no usable answer to an anonymous Allocate');
  const answer = challenge.value;
  if (answer.granted) {
    const evidence = { ...listenerOf(target), relayed: formatEndpoint(answer.relayed) };
    return failed('ANONYMOUS_RELAY', evidence, target);
  }
  if (answer.code === 401) return passed();
  // Redirected before the question who is asking: this listener itself gives nothing to anyone.
  if (answer.code === 300) return judgeAlternate(facts);
  const name = `${answer.code} ${turnErrorName(answer.code)}`.trimEnd();
  return unknown(`an anonymous Allocate was refused with ${name}, before the server asked for credentials`);
}

/** Whether the server behind a redirection refuses an Allocate without credentials; a redirection refuses nothing. */
function judgeAlternate({ target, alternate }: TargetFacts): Outcome {
  const behind = 'redirected with 300, and the server behind it';
  if (alternate.state === 'not-tried') return unknown(`${behind} was not asked without credentials`);
  if (alternate.state === 'failed') return unknown(`${behind}: ${describeFailure(alternate.failure)}`);
  const { server, answer } = alternate.value;
  if (answer.granted) {
    const evidence = { ...listenerOf(target), ...server, relayed: formatEndpoint(answer.relayed) };
    return failed('ANONYMOUS_RELAY', evidence, target);
  }
  if (answer.code === 401) return passed();
  const name = `${answer.code} ${turnErrorName(answer.code)}`.trimEnd();
  return unknown(`${behind} refused an anonymous Allocate with ${name}, before it asked for credentials`);
}

/** In which way the listener is known to speak STUN and not TURN; null when it is not known. */
function whyNoTurn({ challenge, recheck, binding }: TargetFacts): string | null {
  if (challenge.state === 'failed') {
    // coturn with stun-only leaves Allocate unanswered, and ends a TCP connection after it.
    const ignored = isSilent(challenge.failure) && !isRefusal(challenge.failure);
    return ignored && binding.state === 'done' && recheck.state === 'done'
      ? 'it answers STUN Binding, but not a TURN Allocate request'
      : null;
  }
  return challenge.state === 'done' ? whyNoChallenge(challenge.value) : null;
}

function whyNoChallenge(answer: ChallengeFacts): string | null {
  if (answer.granted) return null;
  if (answer.code === 401 && (answer.realm === null || !answer.nonce)) {
    return 'it refuses Allocate with 401 but sends no realm or no nonce, so no client can sign';
  }
  // What a STUN server says to a method that it does not know (RFC 8489 §6.3.1); 0: no code at all.
  return answer.code === 400 || answer.code === 0
    ? `it answers Allocate with ${answer.code === 0 ? 'an error without a code' : '400 Bad Request'} instead of 401`
    : null;
}

/** `turn-allocate`: the credentials are good and the server has a relay address to give. */
export function judgeAllocate(facts: TargetFacts, credential: CredentialFacts, now: Date): Outcome {
  const { target, challenge, allocate, redirects } = facts;
  if (allocate.state === 'done') return passed(durationTextOrNothing(allocate.value.rttMs));
  if (allocate.state === 'failed' && whyNoTurn(facts) !== null) {
    return unknown('the listener does not speak TURN');
  }
  const alternate = redirects.at(-1);
  if (
    alternate !== undefined &&
    allocate.state === 'failed' &&
    allocate.failure.kind !== 'stun-error' &&
    allocate.failure.kind !== 'internal'
  ) {
    const seen = describeFailure(allocate.failure);
    const evidence = { ...listenerOf(target), alternate: formatEndpoint(alternate), seen };
    return failed('ALTERNATE_UNREACHABLE', evidence, target);
  }
  const silence = judgeSilence(allocate, 'an Allocate request', facts);
  if (silence) return silence;
  const code = stunErrorOf(allocate) ?? 0;
  const two = code === 401 && refusesSometimes(facts) ? twoServers(facts) : null;
  if (two !== null) return { status: 'failed', findings: [two] };
  if (code === 401) return judgeRefusal(facts, credential, now);
  // The anonymous allocation over the same connection may live for a second after it was freed.
  if (code === 437 && challenge.state === 'done' && challenge.value.granted) {
    return unknown('the anonymous allocation was still there');
  }
  return refusedAllocation(facts, credential, code);
}

/**
 * An error other than 401 in answer to a signed Allocate, from whichever client. `granted` counts the allocations that
 * the probe had got a moment before.
 */
export function refusedAllocation(
  facts: TargetFacts,
  credential: CredentialFacts,
  code: number,
  granted = 0,
): Outcome {
  const listener = allocatorOf(facts);
  const username = credential.source === 'none' ? '(none)' : credential.username;
  switch (code) {
    case 486:
      return failed('QUOTA_REACHED', { ...listener, username }, facts.target);
    case 508:
      return failed('RELAY_CAPACITY_EXHAUSTED', { ...listener, granted }, facts.target);
    case 440: {
      // A listener of one family over which the other is relayed serves users: they ask for no family.
      const evidence = { ...listener, code, name: turnErrorName(code) };
      return failed('ALLOCATION_REFUSED', evidence, facts.target, { severity: 'warning' });
    }
    default:
      return failed('ALLOCATION_REFUSED', { ...listener, code, name: turnErrorName(code) }, facts.target);
  }
}

function judgeRefusal(facts: TargetFacts, credential: CredentialFacts, now: Date): Outcome {
  const { target, challenge } = facts;
  if (credential.source === 'none') return unknown('no credentials were given');
  const realm = challenge.state === 'done' && !challenge.value.granted ? challenge.value.realm : null;
  const { username, source } = credential;
  const evidence = { ...allocatorOf(facts), username, realm };
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const { problems } = judgeTime(username, nowSeconds);
  const mistake = formOf(username) === 'time-limited' ? timeMistake(problems) : null;
  if (mistake !== null) return failed('CREDENTIAL_FORMAT', { ...evidence, ...mistake }, target);
  const expired = problems.find(({ kind }) => kind === 'expired');
  if (expired?.kind === 'expired') {
    const expiredAt = new Date(expired.expiresAt * 1000).toISOString();
    return failed('CREDENTIAL_EXPIRED', { ...evidence, expiredAt }, target);
  }
  return failed('CREDENTIAL_SECRET_MISMATCH', { ...evidence, derived: source === 'secret' }, target);
}

/** A number in the username that is no Unix time in seconds near today; null when there is none. */
function timeMistake(problems: readonly TimeProblem[]): { mistake: string; right: string } | null {
  for (const problem of problems) {
    switch (problem.kind) {
      case 'lifetime': {
        const mistake = `${problem.seconds} is a lifetime, not the time of its end`;
        return { mistake, right: `the time of its end, for example ${numberOf(problem.username)}` };
      }
      case 'time-unit':
        return { mistake: `The time in it is in ${problem.unit}`, right: numberOf(problem.username) };
      case 'separator': {
        const mistake = `There is ${problem.separator} where the colon belongs`;
        return { mistake, right: problem.username };
      }
      case 'fraction':
        return { mistake: 'The time in it has a fraction', right: problem.username };
      case 'time-too-large':
        return { mistake: 'The time in it is beyond any calendar', right: 'a Unix time in seconds' };
      case 'expired':
      case 'no-time':
      // coturn takes it, so that it is no reason for a refusal.
      case 'swapped':
        break;
      default:
        return problem satisfies never;
    }
  }
  return null;
}

/** The number with which a username begins. */
function numberOf(username: string): string {
  return username.split(':', 1)[0] ?? username;
}

/** `turn-refresh`. */
export function judgeRefresh(facts: TargetFacts): Outcome {
  const { target, refresh } = facts;
  const step = 'a Refresh';
  const silence = judgeSilence(refresh, step, facts);
  if (silence) return silence;
  if (refresh.state !== 'done') return refused(step, refresh, facts);
  const { lifetimeSeconds } = refresh.value;
  if (lifetimeSeconds > 0) return passed(`${lifetimeSeconds} s`);
  const seen = 'a lifetime of 0 s, which ends the allocation';
  return failed('REQUEST_FAILED', { ...allocatorOf(facts), step, seen }, target);
}

/** `turn-channel`. */
export function judgeChannel(facts: TargetFacts): Outcome {
  const { channel } = facts;
  const step = 'a ChannelBind';
  const denied = channel.state === 'not-tried' ? whyDenied(facts) : null;
  if (denied !== null) return unknown(denied);
  const silence = judgeSilence(channel, step, facts);
  if (silence) return silence;
  return channel.state === 'done' ? passed() : refused(step, channel, facts);
}

/** A probe is its own peer. Null where the server lets it be that. */
export function whyDenied(facts: TargetFacts): string | null {
  if (stunErrorOf(facts.permission) !== 403) return null;
  const own = ownAddress(facts);
  return `the server denies ${own === null ? 'this client' : own.address} as a peer, so the relay cannot be tried from here`;
}

/** This client as the server sees it. */
export function ownAddress({ allocate, binding }: TargetFacts): Endpoint | null {
  const granted = allocate.state === 'done' ? allocate.value.mapped : null;
  return granted ?? (binding.state === 'done' ? binding.value.mapped : null);
}

// An allocation that is not freed costs the server, not the caller.
const releaseFails = { severity: 'warning' } as const;

/** `turn-release`: the server confirms lifetime 0 (RFC 8656 §8.3). */
export function judgeRelease(facts: TargetFacts): Outcome {
  const { target, release } = facts;
  const step = 'a Refresh with lifetime 0';
  const silence = judgeSilence(release, step, facts, releaseFails);
  if (silence) return silence;
  if (release.state !== 'done') return refused(step, release, facts, releaseFails);
  const { lifetimeSeconds } = release.value;
  if (lifetimeSeconds === 0) return passed();
  return failed('ALLOCATION_NOT_FREED', { ...allocatorOf(facts), lifetimeSeconds }, target);
}

/** A request that was answered with an error, none of which is known to this step. */
export function refused(
  step: string,
  attempt: Attempt<unknown>,
  facts: TargetFacts,
  options: { readonly severity?: Severity } = {},
): Outcome {
  const seen = attempt.state === 'failed' ? describeFailure(attempt.failure) : 'no answer';
  return failed('REQUEST_FAILED', { ...allocatorOf(facts), step, seen }, facts.target, options);
}
