import { finding } from '../model/finding.ts';
import { describeFailure } from '../model/failure.ts';
import type { Outcome } from '../model/check.ts';
import type { Attempt, Failure, Target, TargetFacts } from '../model/observations.ts';
import { duration, failed, listenerOf, passed, unknown } from './outcome.ts';

/** Facts of a target together with those of its neighbours: what one listener means depends on the others. */
export interface ListenerContext {
  readonly facts: TargetFacts;
  readonly all: readonly TargetFacts[];
}

/**
 * `listener-answers`: something came back that is STUN. A TCP connection alone does not count, as middleboxes and
 * dead servers accept connections too.
 */
export function judgeListener({ facts, all }: ListenerContext): Outcome {
  const { target } = facts;
  if (facts.binding.state === 'done') return passed(duration(facts.binding.value.rttMs));
  if (hasAnswered(facts)) return passed();
  const first = firstFailure(facts);
  if (first === null) return unknown('it was not tried');
  // An error response is an answer; what it says is judged at its own check. So is a TLS handshake that breaks off.
  if (first.kind === 'stun-error' || brokeOff(facts)) return passed();
  if (first.kind === 'timeout' && facts.connect.state === 'done' && target.transport !== 'udp') {
    return failed('LISTENER_SILENT', { ...listenerOf(target), seen: describeFailure(first) }, target);
  }
  return { status: 'failed', findings: [silenceFinding(first, target, answeringBeside(facts, all))] };
}

/** Whether the connection came about and ended during the TLS handshake. */
export function brokeOff({ connect, tls }: TargetFacts): boolean {
  return connect.state === 'done' && tls.state === 'failed' && tls.failure.kind !== 'timeout';
}

/** Why the listener did not come as far as an answer to Binding; null when it did. */
function firstFailure(facts: TargetFacts): Failure | null {
  for (const step of [facts.connect, facts.tls, facts.binding] as const) {
    if (step.state === 'failed') return step.failure;
  }
  return null;
}

function silenceFinding(failure: Failure, target: Target, answering: readonly string[]) {
  const listener = listenerOf(target);
  const options = { targets: [target.url] };
  const seen = describeFailure(failure);
  switch (failure.kind) {
    case 'malformed':
    case 'integrity':
      return finding('NOT_A_TURN_SERVER', { ...listener, seen }, options);
    case 'closed':
      // Accepted, then closed on a STUN request: something else has the port.
      return finding('NOT_A_TURN_SERVER', { ...listener, seen }, options);
    case 'system':
      if (failure.code === 'ECONNREFUSED') {
        return finding(target.transport === 'udp' ? 'UDP_REFUSED' : 'TCP_REFUSED', listener, options);
      }
      if (failure.code === 'ECONNRESET') return finding('NOT_A_TURN_SERVER', { ...listener, seen }, options);
      break;
    default:
  }
  if (answering.length === 0) return finding('SERVER_UNREACHABLE', { ...listener, seen }, options);
  const code = target.transport === 'udp' ? 'UDP_BLOCKED' : 'PORT_BLOCKED';
  return finding(code, { ...listener, seen, answering }, options);
}

/** Other listeners of the same address that did answer: `TCP 3478`. */
function answeringBeside({ target }: TargetFacts, all: readonly TargetFacts[]): string[] {
  return all
    .filter((other) => other.target.address === target.address && other.binding.state === 'done')
    .map((other) => `${other.target.transport.toUpperCase()} ${other.target.port}`);
}

/** `stun-binding`: the mapped address was learnt, within the round trip that the user allows. */
export function judgeBinding({ target, binding, challenge }: TargetFacts, maxRttMs: number | null): Outcome {
  if (binding.state === 'done') {
    const { rttMs } = binding.value;
    if (maxRttMs === null || rttMs <= maxRttMs) return passed(duration(rttMs));
    return failed('RTT_HIGH', { ...listenerOf(target), measured: rttMs, limit: maxRttMs }, target);
  }
  if (binding.state === 'not-tried') return unknown(binding.because);
  if (binding.failure.kind !== 'stun-error') {
    if (challenge.state !== 'done') return unknown('the listener did not answer');
    return failed('BINDING_UNANSWERED', listenerOf(target), target);
  }
  const seen = `Binding is refused with ${describeFailure(binding.failure)}`;
  return failed('NOT_A_TURN_SERVER', { ...listenerOf(target), seen }, target);
}

/**
 * A step after the listener had answered: what its failure means when it is no error response. Null when the
 * step was answered, by a success or an error.
 */
export function judgeSilence(step: Attempt<unknown>, name: string, facts: TargetFacts): Outcome | null {
  const { target, recheck } = facts;
  if (step.state === 'done') return null;
  if (step.state === 'not-tried') return unknown(step.because);
  const { failure } = step;
  switch (failure.kind) {
    case 'stun-error':
      return null;
    case 'internal':
      return unknown(`rtc-ops itself failed: ${failure.detail}`);
    case 'malformed':
    case 'integrity': {
      const seen = `${name}: ${describeFailure(failure)}`;
      return failed('NOT_A_TURN_SERVER', { ...listenerOf(target), seen }, target);
    }
    default: {
      if (!hasAnswered(facts)) return unknown('the listener did not answer');
      const evidence = { ...listenerOf(target), step: name, seen: describeFailure(failure) };
      // Still there for a new connection: then it is this request that it does not answer.
      return failed(recheck.state === 'done' ? 'REQUEST_FAILED' : 'SERVER_STOPPED', evidence, target);
    }
  }
}

/** Whether anything at all came back from the listener that is STUN. */
function hasAnswered({ binding, challenge }: TargetFacts): boolean {
  return binding.state === 'done' || challenge.state === 'done';
}

/** Whether no usable answer came, as opposed to a refusal. */
export function isSilent({ kind }: Failure): boolean {
  return kind === 'timeout' || kind === 'closed' || kind === 'system';
}
