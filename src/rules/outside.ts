import type { Outcome } from '../model/check.ts';
import { formatEndpoint, sameAddress, sameEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { Observations, OutsideFacts, TargetFacts } from '../model/observations.ts';
import { stunErrorOf } from './failure-kind.ts';
import { allocatorOf, relayEvidence } from './listener-evidence.ts';
import { failed, passed, unknown } from './outcome.ts';

/** One outcome each for `relay-inbound`, `relay-outbound` and `relay-reply`. */
export interface RelayOutcomes {
  readonly inbound: Outcome;
  readonly outbound: Outcome;
  readonly reply: Outcome;
}

export function all(outcome: Outcome): RelayOutcomes {
  return { inbound: outcome, outbound: outcome, reply: outcome };
}

/**
 * What an outside peer shows of the relay, which is more than this client can: its packets cross the edge of the server's
 * network wherever the client stands, and no NAT of the client is in their way. Null where it shows nothing.
 */
export function judgeFromOutside(facts: TargetFacts, address: Outcome): RelayOutcomes | null {
  const { allocate, outside, target } = facts;
  if (allocate.state !== 'done' || outside?.state !== 'done') return null;
  const { relayed } = allocate.value;
  const { url, echo, inbound, arrival } = outside.value;
  const seenFrom = seenFromOf(outside.value);
  const evidence = relayEvidence(facts, relayed);
  if (seenFrom === null) {
    return arrival.state === 'done'
      ? all(
          unknown(`nothing passes between the relay and ${url}, which answers this client without the relay`),
        )
      : null;
  }
  if (!sameEndpoint(seenFrom, relayed)) {
    if (address.status === 'failed') return all(address);
    return scopeOf(seenFrom.address) === 'global' && !sameAddress(seenFrom.address, relayed.address)
      ? all(failed('RELAY_ADDRESS_MISMATCH', { ...evidence, from: seenFrom.address }, target))
      : all(
          unknown(
            `what the relay sends reaches ${url} from ${formatEndpoint(seenFrom)}, not the relay address`,
          ),
        );
  }
  if (echo.state !== 'done') {
    const blocked = failed('RELAY_PORTS_BLOCKED', evidence, target);
    return { inbound: blocked, outbound: passed(), reply: blocked };
  }
  if (inbound.state === 'done') return all(passed());
  const stateful =
    inbound.state === 'failed' && inbound.failure.kind === 'timeout'
      ? // Nothing shows that it left the network of the outside peer.
        unknown(
          `${url} sent first, and nothing came through: the relay takes replies only, or a firewall there holds it back`,
        )
      : unknown(`${url} was not asked to send first`);
  return { inbound: stateful, outbound: passed(), reply: passed() };
}

/** Whether it is proven from outside that the relay works. */
export function provenFromOutside({ outside }: TargetFacts): boolean {
  return (
    outside?.state === 'done' && outside.value.echo.state === 'done' && outside.value.inbound.state === 'done'
  );
}

/** Where the outside peer saw the packets of the relay come from. */
function seenFromOf({ echo, arrival }: OutsideFacts): Endpoint | null {
  if (echo.state === 'done') return echo.value.seenFrom;
  return arrival.state === 'done' ? arrival.value.seenFrom : null;
}

/** An outside peer that was given and of no use: what it was to prove is not proven. */
export function outsideFindings({ targets, asked: { peer: named } }: Observations): Finding[] {
  if (named === null) return [];
  return targets.flatMap((facts) => {
    const { outside, target } = facts;
    if (outside === null) return [];
    const options = { targets: [target.url] };
    const silent = (url: string, seen: string): Finding[] => [
      finding('OUTSIDE_PEER_SILENT', { ...allocatorOf(facts), url, seen }, options),
    ];
    // Without an allocation there was nothing to ask it for, and that is told elsewhere.
    if (facts.allocate.state !== 'done') return [];
    if (outside.state === 'not-tried') return silent(named, outside.because);
    if (outside.state === 'failed') return silent(named, describeFailure(outside.failure));
    const { url, peer, permission, echo, direct, arrival } = outside.value;
    if (stunErrorOf(permission) === 403 && scopeOf(peer.address) === 'global') {
      return [finding('PEER_DENIED', { ...allocatorOf(facts), peer: peer.address }, options)];
    }
    if (permission.state === 'failed') {
      return silent(url, `the server gave no permission for it (${describeFailure(permission.failure)})`);
    }
    // What it tells then is in the checks.
    if (echo.state === 'done' || arrival.state === 'done') return [];
    if (direct.state === 'done') {
      const seen = arrival.state === 'failed' ? describeFailure(arrival.failure) : arrival.because;
      return silent(url, `no answer came through the relay, and what had reached it was not told (${seen})`);
    }
    return silent(url, direct.state === 'failed' ? describeFailure(direct.failure) : 'no answer');
  });
}
