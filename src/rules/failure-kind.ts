import type { Attempt, Failure, TargetFacts } from '../model/observations.ts';

/** Whether anything at all came back from the listener that is STUN. */
export function hasAnswered({ binding, challenge }: TargetFacts): boolean {
  const refused = binding.state === 'failed' && binding.failure.kind === 'stun-error';
  return binding.state === 'done' || refused || challenge.state === 'done';
}

/** TCP connects and TLS does not come about: the other side broke the handshake off, or does not speak TLS. */
export function handshakeFailed({ connect, tls }: TargetFacts): boolean {
  if (connect.state !== 'done' || tls.state !== 'failed') return false;
  const { failure } = tls;
  return (
    failure.kind === 'tls' ||
    failure.kind === 'closed' ||
    (failure.kind === 'system' && failure.code === 'ECONNRESET')
  );
}

/** Why a listener did not come as far as an answer to Binding; null when nothing failed. */
export function firstFailure({ connect, tls, binding }: TargetFacts): Failure | null {
  for (const step of [connect, tls, binding] as const) if (step.state === 'failed') return step.failure;
  return null;
}

/** What stops packets before they leave this machine. ENETUNREACH also comes by ICMP, from a router nearby. */
const localCodes: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EPERM',
  'EACCES',
]);

/** Whether this machine, or a router beside it, did not let packets out. */
export function isLocal(failure: Failure): boolean {
  return failure.kind === 'system' && localCodes.has(failure.code);
}

export function isTimeout({ kind }: Failure): boolean {
  return kind === 'timeout';
}

export function isRefusal(failure: Failure): boolean {
  return failure.kind === 'system' && failure.code === 'ECONNREFUSED';
}

/** The other side ended the connection. */
export function wasClosed(failure: Failure): boolean {
  if (failure.kind === 'closed') return true;
  return failure.kind === 'system' && (failure.code === 'ECONNRESET' || failure.code === 'EPIPE');
}

/** An error of the network on the way there. A reset comes from the other end. */
export function isUnreachable(failure: Failure): boolean {
  return failure.kind === 'system' && failure.code !== 'ECONNRESET' && failure.code !== 'EPIPE';
}

/** The network's own word: ICMP "prohibited" and "unreachable", and a neighbour that does not answer ARP, look alike. */
export function isTold(failure: Failure): boolean {
  return failure.kind === 'system' && (failure.code === 'EHOSTUNREACH' || failure.code === 'EHOSTDOWN');
}

/** Whether no usable answer came, as opposed to a refusal, and not for a reason that lies here. */
export function isSilent(failure: Failure): boolean {
  const { kind } = failure;
  return kind === 'timeout' || kind === 'closed' || (kind === 'system' && !isLocal(failure));
}

/** The code of an error response; null when it ended in another way. */
export function stunErrorOf(attempt: Attempt<unknown>): number | null {
  return attempt.state === 'failed' && attempt.failure.kind === 'stun-error' ? attempt.failure.code : null;
}
