import type { Attempt, Target, TargetFacts } from '../model/observations.ts';
import { isTurn } from '../model/turn-uri.ts';
import { notTried } from './attempt.ts';

/** What one vantage can see of one listener; the call and ICE are not part of it. */
export type ProtocolFacts = { -readonly [K in keyof TargetFacts]: TargetFacts[K] };

/** Nothing was tried yet, and each step says why. */
export function untried(target: Target): ProtocolFacts {
  const later = notTried('the listener did not answer');
  const turn = isTurn(target) ? later : notTried('a stun: URI asks for no relay');
  return {
    target,
    connect: later,
    tls: target.transport === 'tls' ? later : notTried('no TLS on this transport'),
    binding: later,
    challenge: turn,
    alternate: isTurn(target) ? notTried('there was no redirection') : turn,
    identities: turn,
    allocate: turn,
    permission: turn,
    publicPeers: turn,
    channel: turn,
    peer: turn,
    inbound: turn,
    outbound: turn,
    reply: turn,
    outside: null,
    ports: null,
    refresh: turn,
    release: turn,
    recheck: notTried('nothing went silent'),
    redirects: [],
    gathering: turn,
    call: turn,
  };
}

/** Whether nothing usable came back any more: whatever follows on this connection would only time out. */
export function isSilence(result: Attempt<unknown>): boolean {
  return result.state === 'failed' && result.failure.kind !== 'stun-error';
}

const order = [
  'identities',
  'allocate',
  'permission',
  'publicPeers',
  'peer',
  'inbound',
  'outbound',
  'reply',
  'channel',
  'refresh',
  'release',
  'gathering',
  'call',
] as const;

type Step = (typeof order)[number];

/** The steps that wait for an answer of the server over its connection. */
export const answeredSteps = [
  'binding',
  'challenge',
  'allocate',
  'permission',
  'channel',
  'refresh',
  'release',
] as const;

/** Marks every step from `first` on as not tried, but for those in `except` and those that were tried. */
export function stopAt(
  facts: ProtocolFacts,
  first: Step,
  because: string,
  except: readonly Step[] = [],
): void {
  const skipped = order
    .slice(order.indexOf(first))
    .filter((step) => !except.includes(step) && facts[step].state === 'not-tried');
  Object.assign(facts, Object.fromEntries(skipped.map((step) => [step, notTried(because)])));
}
