import type { Outcome } from '../model/check.ts';
import { formatEndpoint, sameAddress, sameEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import type { Attempt, TargetFacts } from '../model/observations.ts';
import { ownAddress, refused, stunErrorOf, whyDenied } from './allocation.ts';
import { judgeSilence } from './listener.ts';
import { allocatorOf, failed, passed, skipped, unknown } from './outcome.ts';

const scopeNames = {
  private: 'a private address',
  cgnat: 'an address of carrier-grade NAT',
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  unspecified: 'no address at all',
  multicast: 'a multicast address',
  reserved: 'a reserved address',
} as const;

/** `relay-address`: users elsewhere can reach what Allocate hands out. */
export function judgeRelayAddress(facts: TargetFacts): Outcome {
  const { allocate, inbound } = facts;
  if (allocate.state !== 'done') return unknown(whyNoAllocation(facts));
  const { relayed } = allocate.value;
  const scope = scopeOf(relayed.address);
  if (scope === 'global') return passed(relayed.address);
  const server = allocatorOf(facts).address;
  // A server that is itself not public (a laboratory, one private network, this machine) relays within its network. One
  // that is reached by a global address and hands out another is behind NAT and does not know its address.
  const within = scopeOf(server) !== 'global' && (sameAddress(server, relayed.address) || succeeded(inbound));
  if (!within) return addressPrivate(facts, relayed, scopeNames[scope]);
  return passed(`${relayed.address}, for ${scope === 'loopback' ? 'this machine' : 'its own network'} only`);
}

function whyNoAllocation({ allocate }: TargetFacts): string {
  return allocate.state === 'not-tried' ? allocate.because : 'there was no allocation';
}

function addressPrivate(facts: TargetFacts, relayed: Endpoint, scope: string): Outcome {
  const { outbound } = facts;
  const server = allocatorOf(facts).address;
  const source = outbound.state === 'done' ? outbound.value.from.address : server;
  const publicAddress = [source, server].find((address) => scopeOf(address) === 'global') ?? null;
  const evidence = { ...relayEvidence(facts, relayed), scope, publicAddress };
  return failed('RELAY_ADDRESS_PRIVATE', evidence, facts.target);
}

/** `turn-permission`: the client's own mapped address is allowed as a peer. */
export function judgePermission(facts: TargetFacts): Outcome {
  const { target, permission } = facts;
  const silence = judgeSilence(permission, 'a CreatePermission', facts);
  if (silence) return silence;
  if (permission.state === 'done') return passed();
  const own = ownAddress(facts);
  if (stunErrorOf(permission) !== 403 || own === null) {
    return refused('a CreatePermission', permission, facts);
  }
  const peer = own.address;
  if (scopeOf(peer) !== 'global') {
    return skipped(`the server denies the peer ${peer}, as it should: that is no public address`);
  }
  if (sameAddress(peer, target.address)) {
    return skipped(`the server denies the peer ${peer}, which is its own address`);
  }
  return failed('PEER_DENIED', { ...allocatorOf(facts), peer }, target);
}

/** The three relay checks; each combination of what passed tells another fault. */
export function judgeRelay(
  facts: TargetFacts,
): Record<'relay-inbound' | 'relay-outbound' | 'relay-reply', Outcome> {
  const { allocate, inbound, outbound, reply } = facts;
  const denied = inbound.state === 'not-tried' ? whyDenied(facts) : null;
  if (denied !== null) {
    const none = unknown(denied);
    return { 'relay-inbound': none, 'relay-outbound': none, 'relay-reply': none };
  }
  const fault = allocate.state === 'done' ? faultOf(facts, allocate.value.relayed) : noFault(facts);
  return {
    'relay-inbound': settle(inbound, () => fault.inbound),
    'relay-outbound': settle(outbound, () => fault.outbound, leavesRelay(facts)),
    'relay-reply': settle(reply, () => fault.reply),
  };
}

interface RelayFault {
  readonly inbound: Outcome;
  readonly outbound: Outcome;
  readonly reply: Outcome;
}

function noFault(facts: TargetFacts): RelayFault {
  const none = unknown(whyNoAllocation(facts));
  return { inbound: none, outbound: none, reply: none };
}

/** What it means when one of the three did not pass. */
function faultOf(facts: TargetFacts, relayed: Endpoint): RelayFault {
  const { target, inbound, outbound, reply } = facts;
  if (stoppedLater(facts)) return all(unknown('the server stopped answering while this was tried'));
  const evidence = relayEvidence(facts, relayed);
  if (succeeded(inbound)) {
    const peer = inbound.state === 'done' ? formatEndpoint(inbound.value.seenFrom) : '';
    return {
      inbound: passed(),
      outbound: comesFromElsewhere(facts, relayed)
        ? unknown(fromElsewhere(facts))
        : failed('RELAY_OUTBOUND_BLOCKED', { ...evidence, peer }, target),
      reply: unknown('the first packets of the peer came through, later ones did not'),
    };
  }
  if (succeeded(reply)) {
    const stateful = failed('RELAY_PORTS_STATEFUL_ONLY', evidence, target);
    const outboundUnknown = unknown('what the relay sent did not arrive; a NAT here may have dropped it');
    return { inbound: stateful, outbound: outboundUnknown, reply: passed() };
  }
  const address = judgeRelayAddress(facts);
  if (address.status === 'failed') return all(address);
  if (leavesRelay(facts)) {
    const blocked = failed('RELAY_PORTS_BLOCKED', evidence, target);
    return { inbound: blocked, outbound: passed(), reply: blocked };
  }
  if (outbound.state === 'done') {
    const { from } = outbound.value;
    // Seen from inside the server's network, packets come from its private address, and that proves nothing.
    return scopeOf(from.address) === 'global' && !sameAddress(from.address, relayed.address)
      ? all(failed('RELAY_ADDRESS_MISMATCH', { ...evidence, from: from.address }, target))
      : all(unknown(fromElsewhere(facts)));
  }
  return all(unknown(whyNothingPassed(facts, relayed)));
}

function all(outcome: Outcome): RelayFault {
  return { inbound: outcome, outbound: outcome, reply: outcome };
}

function whyNothingPassed(facts: TargetFacts, { address }: Endpoint): string {
  if (facts.outbound.state === 'not-tried') {
    return 'nothing sent to the relay address came through, and the other direction could not be tried';
  }
  const filter = 'a firewall, of the server or of this network, drops UDP to and from the relay ports';
  return sameAddress(address, allocatorOf(facts).address)
    ? `no packet passed the relay in either direction: ${filter}`
    : `no packet passed the relay in either direction: external-ip (${address}) is wrong, or ${filter}`;
}

/** A later request over the same connection got no answer: what did not arrive says nothing about firewalls. */
function stoppedLater({ channel, refresh, release }: TargetFacts): boolean {
  return [channel, refresh, release].some(
    (step: Attempt<unknown>) => step.state === 'failed' && step.failure.kind !== 'stun-error',
  );
}

/** A packet of the relay arrived, from the relay address. */
function leavesRelay({ allocate, outbound }: TargetFacts): boolean {
  return (
    allocate.state === 'done' &&
    outbound.state === 'done' &&
    sameEndpoint(outbound.value.from, allocate.value.relayed)
  );
}

function comesFromElsewhere({ outbound }: TargetFacts, relayed: Endpoint): boolean {
  return outbound.state === 'done' && !sameEndpoint(outbound.value.from, relayed);
}

function fromElsewhere({ outbound }: TargetFacts): string {
  const from = outbound.state === 'done' ? formatEndpoint(outbound.value.from) : 'elsewhere';
  return `what the relay sends comes from ${from} and not from the relay address: a NAT of the server changes it, or leaves it out`;
}

/** Passed when it was done, unknown when it was not tried; else what `judge` says. */
function settle(step: Attempt<unknown>, judge: () => Outcome, isPassed = succeeded(step)): Outcome {
  if (isPassed) return passed();
  if (step.state === 'not-tried') return unknown(step.because);
  return judge();
}

function succeeded(step: Attempt<unknown>): boolean {
  return step.state === 'done';
}

function relayEvidence(facts: TargetFacts, relayed: Endpoint) {
  return { ...allocatorOf(facts), relayed: formatEndpoint(relayed), relayedAddress: relayed.address };
}
