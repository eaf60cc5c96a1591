import { isIP } from 'node:net';
import { listenerName } from '../model/catalog/entry.ts';
import type { Outcome } from '../model/check.ts';
import { durationTextOrNothing } from '../model/duration.ts';
import { describeFailure } from '../model/failure.ts';
import type { Failure, InterfaceAddress, Target, TargetFacts } from '../model/observations.ts';
import { isTurn } from '../model/turn-uri.ts';
import {
  firstFailure,
  handshakeFailed,
  hasAnswered,
  isRefusal,
  isSilent,
  isTimeout,
  isTold,
  isUnreachable,
  wasClosed,
} from './failure-kind.ts';
import { listenerOf } from './listener-evidence.ts';
import { failed, passed, unknown } from './outcome.ts';
import { outwardOf, type Outward } from './outward.ts';
import { blameForListener, whyOwnFault } from './silence.ts';

/** Facts of a target together with those of its neighbours: what one listener means depends on the others. */
export interface ListenerContext {
  readonly facts: TargetFacts;
  readonly all: readonly TargetFacts[];
  readonly controls: readonly TargetFacts[];
  readonly interfaces: readonly InterfaceAddress[];
}

/**
 * `listener-answers`: something came back that is STUN. A TCP connection alone does not count, as middleboxes and
 * dead servers accept connections too.
 */
export function judgeListener(context: ListenerContext): Outcome {
  const { facts, interfaces } = context;
  const { connect, target } = facts;
  if (hasAnswered(facts) && connect.state === 'done' && connect.value.firstTry !== undefined) {
    const seen = describeFailure(connect.value.firstTry);
    return failed('CONNECTION_UNANSWERED', { ...listenerOf(target), seen }, target);
  }
  if (facts.binding.state === 'done') return passed(durationTextOrNothing(measuredRttMs(facts)));
  if (hasAnswered(facts)) return passed();
  if (handshakeFailed(facts)) return unknown('no TLS session came about');
  const failure = firstFailure(facts);
  if (failure === null) return unknown(whyNotTried(facts));
  const outward = outwardOf(facts, { targets: context.all, controls: context.controls });
  const blame = blameForListener(failure, facts.target, outward, interfaces);
  return 'because' in blame ? unknown(blame.because) : judgeSilentListener(context, failure, outward);
}

function whyNotTried({ connect, binding }: TargetFacts): string {
  for (const step of [connect, binding]) if (step.state === 'not-tried') return step.because;
  return 'it was not tried';
}

function judgeSilentListener(
  { facts, all }: ListenerContext,
  failure: Failure,
  { leavesTo }: Outward,
): Outcome {
  const { target } = facts;
  const beside = neighboursOf(target, all);
  const listener = listenerOf(target);
  const seen = describeFailure(failure);
  const answering = beside.filter(hasAnswered).map(({ target: other }) => listenerName(other));
  const root = stoppedBefore(facts, beside) ? ({ causedBy: 'SERVER_STOPPED' } as const) : {};
  if (isRefusal(failure)) {
    const refusing = [facts, ...beside].filter(wasRefused).map(({ target: other }) => listenerName(other));
    if (beside.length > 0 && refusing.length === beside.length + 1) {
      const { host, address } = target;
      const inOrder = all.filter((each) => each === facts || beside.includes(each));
      const names = inOrder.map(({ target: other }) => listenerName(other));
      return failed('NOTHING_LISTENS', { host, address, refusing: names }, target, root);
    }
    const code = target.transport === 'udp' ? 'UDP_REFUSED' : 'TCP_REFUSED';
    return failed(code, { ...listener, answering }, target, root);
  }
  if (!isTimeout(failure) && !isUnreachable(failure)) {
    // Bytes that are no STUN, or a connection that ends on a STUN request: something else has the port.
    return failed(
      'NOT_A_TURN_SERVER',
      { ...listener, seen, closed: wasClosed(failure), kind: kindOf(target), answersStun: false },
      target,
      root,
    );
  }
  if (isTimeout(failure) && (wasAccepted(facts) || (answering.length === 0 && beside.some(wasAccepted)))) {
    return failed('LISTENER_SILENT', { ...listener, seen, answering }, target, root);
  }
  if (answering.length > 0) {
    const code = target.transport === 'udp' ? 'UDP_BLOCKED' : 'PORT_BLOCKED';
    return failed(code, { ...listener, seen, told: isTold(failure), answering, leavesTo }, target, root);
  }
  const elsewhere = isIP(target.host) ? [] : answeringAddresses(target, all);
  const refusing = beside.filter(wasRefused).map(({ target: other }) => listenerName(other));
  const evidence = {
    ...listener,
    seen,
    told: isTold(failure),
    kind: kindOf(target),
    elsewhere,
    refusing,
    leavesTo,
  };
  return failed('SERVER_UNREACHABLE', evidence, target, root);
}

/** The other listeners of the same address that were tested. */
function neighboursOf(target: Target, all: readonly TargetFacts[]): TargetFacts[] {
  return all.filter((other) => other.target !== target && other.target.address === target.address);
}

/** Other addresses of the same name at which something answers. */
function answeringAddresses({ host, address }: Target, all: readonly TargetFacts[]): string[] {
  const others = all.filter((each) => each.target.host === host && each.target.address !== address);
  return [...new Set(others.filter(hasAnswered).map((each) => each.target.address))];
}

/** Whether the server had stopped at another listener before this one was asked. */
function stoppedBefore({ connect }: TargetFacts, beside: readonly TargetFacts[]): boolean {
  if (connect.state === 'not-tried') return false;
  return beside.some((other) => {
    const stoppedAtMs = stopOf(other);
    return stoppedAtMs !== null && connect.atMs >= stoppedAtMs;
  });
}

/** When a listener that had answered was last known to be there; null when it did not go away. */
function stopOf(facts: TargetFacts): number | null {
  const { target, binding, challenge, allocate, channel, refresh, recheck, call } = facts;
  if (!hasAnswered(facts)) return null;
  const wasStillThere = target.transport !== 'udp' && recheck.state === 'done';
  if (call.state === 'done' && !wasStillThere) {
    const [lost] = call.value.relay.lost;
    if (lost !== undefined && isSilent(lost.failure)) return call.atMs + lost.atMs;
  }
  if (recheck.state !== 'failed') return null;
  const answered = [binding, challenge, allocate, channel, refresh].filter(({ state }) => state === 'done');
  return Math.max(...answered.map((step) => (step.state === 'done' ? step.atMs + step.durationMs : 0)));
}

/** TCP was connected and neither TLS nor STUN followed. */
function wasAccepted(facts: TargetFacts): boolean {
  const failure = firstFailure(facts);
  return (
    facts.target.transport !== 'udp' &&
    facts.connect.state === 'done' &&
    failure !== null &&
    isTimeout(failure) &&
    !hasAnswered(facts)
  );
}

function wasRefused(facts: TargetFacts): boolean {
  const failure = firstFailure(facts);
  return failure !== null && isRefusal(failure) && !hasAnswered(facts);
}

/** What is looked for behind a URI: `turn:` asks for a TURN server, `stun:` is content with STUN. */
export function kindOf(target: Target): 'TURN' | 'STUN' {
  return isTurn(target) ? 'TURN' : 'STUN';
}

/** The shortest round trip that was measured: a longer one has waited somewhere, here or there. */
function measuredRttMs({ binding, allocate, redirects }: TargetFacts): number | null {
  // Behind 300 Try-Alternate it was another server that allocated.
  const steps = redirects.length > 0 ? [binding] : [binding, allocate];
  const measured = steps.map((step) => (step.state === 'done' ? step.value.rttMs : null));
  const known = measured.filter((rttMs) => rttMs !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** `stun-binding`: the mapped address was learnt, within the round trip that the user allows. */
export function judgeBinding(facts: TargetFacts, maxRttMs: number | null): Outcome {
  const { target, binding, challenge, recheck } = facts;
  if (binding.state === 'done') {
    const rttMs = measuredRttMs(facts);
    if (maxRttMs === null || (rttMs !== null && rttMs <= maxRttMs))
      return passed(durationTextOrNothing(rttMs));
    if (rttMs === null) {
      return unknown('the round trip could not be measured: each request had to be repeated');
    }
    const evidence = { ...listenerOf(target), measured: rttMs, limit: maxRttMs, by: 'binding' } as const;
    return failed('RTT_HIGH', evidence, target);
  }
  if (binding.state === 'not-tried') return unknown(binding.because);
  const own = whyOwnFault(binding.failure);
  if (own !== null) return unknown(own);
  if (!hasAnswered(facts)) return unknown('the listener did not answer');
  const evidence = { ...listenerOf(target), seen: describeFailure(binding.failure) };
  const code = binding.failure.kind === 'stun-error' ? binding.failure.code : null;
  const request = { ...evidence, step: 'a Binding request', securesStun: code === 401 };
  if (challenge.state !== 'done' || !isTurn(target)) return failed('REQUEST_FAILED', request, target);
  // Calls go on without Binding. But a limit that the user has set must not go unmeasured.
  const severity = maxRttMs === null ? 'warning' : 'error';
  // Answered over a new connection: then it was this one, and not Binding as such.
  return recheck.state === 'done'
    ? failed('REQUEST_FAILED', request, target, { severity })
    : failed('BINDING_UNANSWERED', { ...evidence, code }, target, { severity });
}
