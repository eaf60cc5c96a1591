import type { Outcome } from '../model/check.ts';
import { familyOf, scopeOf } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { Severity } from '../model/finding.ts';
import type {
  Attempt,
  CallFacts,
  Failure,
  InterfaceAddress,
  Target,
  TargetFacts,
} from '../model/observations.ts';
import { hasAnswered, isLocal, isRefusal, isSilent, isTimeout, isUnreachable } from './failure-kind.ts';
import { allocatorOf } from './listener-evidence.ts';
import { failed, unknown } from './outcome.ts';
import { whyEndsHere, type Outward } from './outward.ts';
import { expiryMs, makeUpMs, stallOf } from './stall.ts';

/**
 * Who is to blame that no usable answer came. What lies here (this machine, this program, this network) or is lost on
 * the path says nothing about the server. `server`: it is gone. `open`: it may be the server, or what stands before it.
 */
export type Blame =
  { readonly on: 'here' | 'path'; readonly because: string } | { readonly on: 'server' | 'open' };

/** For a listener of which nothing has come back. */
export function blameForListener(
  failure: Failure,
  target: Target,
  outward: Outward,
  interfaces: readonly InterfaceAddress[],
): Blame {
  const stopped = isTimeout(failure) || isUnreachable(failure) ? whyEndsHere(target, outward) : null;
  return here(whyOwnFault(failure) ?? stopped ?? whyNoWayOut(failure, target, interfaces));
}

/** For a request to a server that had answered before; `name` is how a person is told of it. */
export function blameForRequest(failure: Failure, name: string, facts: TargetFacts): Blame {
  const { recheck } = facts;
  const because =
    whyOwnFault(failure) ??
    whyCutOff(failure) ??
    (recheck.state === 'failed' ? whyCutOff(recheck.failure) : null);
  if (because !== null) return here(because);
  if (hasStopped(failure, facts)) return { on: 'server' };
  return isTimeout(failure) && losesPackets(facts)
    ? lossy(`${name} got ${describeFailure(failure)}, and other requests had to be repeated`)
    : { on: 'open' };
}

/** For the end of an allocation of a call, or of a call that ended otherwise (null). */
export function blameForCall(
  failure: Failure | null,
  call: CallFacts,
  { recheck, target }: TargetFacts,
): Blame {
  if (failure === null) return here(stallOf(call, makeUpMs));
  // Silence while the call did not run is its own; after longer, a server has forgotten its client.
  const because = stallOf(call, isTimeout(failure) ? makeUpMs : expiryMs) ?? whyCutOff(failure);
  if (because !== null) return here(because);
  if (isTimeout(failure) && recheck.state === 'done') {
    return lossy(`a request of the call got ${describeFailure(failure)}, and the server answers others`);
  }
  // A connection can end, or be refused beside others, where the server runs: firewalls and balancers limit both.
  const isStillThere = target.transport !== 'udp' && recheck.state === 'done';
  return isSilent(failure) && !isStillThere ? { on: 'server' } : { on: 'open' };
}

function here(because: string | null): Blame {
  return because === null ? { on: 'open' } : { on: 'here', because };
}

function lossy(seen: string): Blame {
  return { on: 'path', because: `${seen}: packets are lost on the way` };
}

export function whyOwnFault(failure: Failure): string | null {
  return failure.kind === 'internal' ? `rtc-ops itself failed: ${failure.detail}` : null;
}

/** That this machine itself lost its way out; null when it did not. */
function whyCutOff(failure: Failure): string | null {
  return isLocal(failure) ? `this machine lost its network in the middle: ${describeFailure(failure)}` : null;
}

/** Why nothing from this machine gets to an address; null when that is not known. */
function whyNoWayOut(
  failure: Failure,
  { host, address, family }: Target,
  interfaces: readonly InterfaceAddress[],
): string | null {
  const away = family === 6 && host !== address ? '; --family 4 leaves IPv6 out' : '';
  if (isLocal(failure)) return `nothing from here reaches ${address}: ${describeFailure(failure)}${away}`;
  const isGlobal6 = (each: string): boolean => familyOf(each) === 6 && scopeOf(each) === 'global';
  const nothingCame = isTimeout(failure) || (isUnreachable(failure) && !isRefusal(failure));
  return nothingCame && isGlobal6(address) && !interfaces.some((each) => isGlobal6(each.address))
    ? `nothing came back from ${address}, and this machine has no global IPv6 address${away}`
    : null;
}

/**
 * Whether a request went unanswered because the server is gone: nothing has the port any more, or a Binding over a
 * new connection, which it had answered before, gets no answer either.
 */
function hasStopped(failure: Failure, { binding, recheck }: TargetFacts): boolean {
  if (!isSilent(failure)) return false;
  return isRefusal(failure) || (binding.state === 'done' && recheck.state === 'failed');
}

/** Whether a request that was answered had to be sent more than once. */
function losesPackets({ binding, allocate, recheck }: TargetFacts): boolean {
  const repeated = [binding, recheck].some((step) => step.state === 'done' && step.value.sent > 1);
  return repeated || (allocate.state === 'done' && allocate.value.rttMs === null);
}

/**
 * A step after the listener had answered: what its failure means when it is no error response. Null when the
 * step was answered, by a success or an error. The severity is that of a request which alone is not answered.
 */
export function judgeSilence(
  step: Attempt<unknown>,
  name: string,
  facts: TargetFacts,
  options: { readonly severity?: Severity } = {},
): Outcome | null {
  if (step.state === 'done') return null;
  if (step.state === 'not-tried') return unknown(step.because);
  const { failure } = step;
  if (failure.kind === 'stun-error') return null;
  if (failure.kind !== 'internal' && !hasAnswered(facts)) return unknown('the listener did not answer');
  const blame = blameForRequest(failure, name, facts);
  if ('because' in blame) return unknown(blame.because);
  const evidence = { ...allocatorOf(facts), step: name, seen: describeFailure(failure) };
  return blame.on === 'server'
    ? failed('SERVER_STOPPED', evidence, facts.target)
    : failed('REQUEST_FAILED', evidence, facts.target, options);
}
