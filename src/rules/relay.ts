import type { Outcome } from '../model/check.ts';
import { formatEndpoint, sameAddress, sameEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import type { Attempt, TargetFacts } from '../model/observations.ts';
import type { VantageKind } from '../model/report.ts';
import { ownAddress, refused, whyDenied } from './allocation.ts';
import { stunErrorOf } from './failure-kind.ts';
import { allocatorOf, relayEvidence } from './listener-evidence.ts';
import { failed, passed, skipped, unknown } from './outcome.ts';
import { all, judgeFromOutside, type RelayOutcomes } from './outside.ts';
import { judgeSilence } from './silence.ts';

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
  const { publicPeers } = facts;
  if (publicPeers.state === 'done' && publicPeers.value.allowed.length === 0) {
    const { denied } = publicPeers.value;
    return failed('DENY_LIST_BLOCKS_ALL', { ...allocatorOf(facts), denied: [peer, ...denied] }, target);
  }
  if (scopeOf(peer) !== 'global') {
    return skipped(`the server denies the peer ${peer}, as it should: that is no public address`);
  }
  if (sameAddress(peer, target.address)) {
    return skipped(`the server denies the peer ${peer}, which is its own address`);
  }
  return failed('PEER_DENIED', { ...allocatorOf(facts), peer }, target);
}

/**
 * The three relay checks; each combination of what passed tells another fault. What an outside peer shows comes before
 * what is seen from here, unless `kind` says that packets from here cross the edge of the server's network as well.
 */
export function judgeRelay(
  facts: TargetFacts,
  kind: VantageKind = 'off-link',
): Record<'relay-inbound' | 'relay-outbound' | 'relay-reply', Outcome> {
  const here = judgeFromHere(facts);
  const outside = stoppedLater(facts) ? null : judgeFromOutside(facts, judgeRelayAddress(facts));
  const { inbound, outbound, reply } = outside === null ? here : combined(here, outside, kind);
  return { 'relay-inbound': inbound, 'relay-outbound': outbound, 'relay-reply': reply };
}

function combined(here: RelayOutcomes, outside: RelayOutcomes, kind: VantageKind): RelayOutcomes {
  const choose = (ours: Outcome, theirs: Outcome): Outcome => {
    if (theirs.status === 'passed') return theirs;
    if (theirs.status === 'unknown') return ours.status === 'failed' ? ours : theirs;
    // What passed from elsewhere did pass: it is the outside peer, or the way from there, that is different.
    return ours.status === 'passed' && kind === 'off-link'
      ? unknown('packets pass the relay from here, but not as they should from the outside peer')
      : theirs;
  };
  return {
    inbound: choose(here.inbound, outside.inbound),
    outbound: choose(here.outbound, outside.outbound),
    reply: choose(here.reply, outside.reply),
  };
}

function judgeFromHere(facts: TargetFacts): RelayOutcomes {
  const { allocate, inbound, outbound, reply } = facts;
  const denied = inbound.state === 'not-tried' ? whyDenied(facts) : null;
  if (denied !== null) return all(unknown(denied));
  const fault = allocate.state === 'done' ? faultOf(facts, allocate.value.relayed) : noFault(facts);
  return {
    inbound: settle(inbound, () => fault.inbound),
    outbound: settle(outbound, () => fault.outbound, leavesRelay(facts)),
    reply: settle(reply, () => fault.reply),
  };
}

function noFault(facts: TargetFacts): RelayOutcomes {
  return all(unknown(whyNoAllocation(facts)));
}

/** What it means when one of the three did not pass. */
function faultOf(facts: TargetFacts, relayed: Endpoint): RelayOutcomes {
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
    const uncertain = whyPeerUncertain(facts);
    if (uncertain !== null) return { ...all(unknown(uncertain)), outbound: passed() };
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

/** Why it is not known under which address a relay sees this client, which has these; null when that is one. */
export function whyAddressUncertain(seenAs: readonly string[]): string | null {
  const addresses = [...new Set(seenAs)];
  return addresses.length > 1
    ? `this network has several public addresses (${addresses.join(', ')}), and by which one the relay is reached is not known`
    : null;
}

/**
 * Why what the peer sent may have been dropped by the relay itself, as it takes packets from permitted addresses alone
 * (RFC 8656 §9); null when the relay takes them from the address that the peer has there.
 */
export function whyPeerUncertain({ peer }: TargetFacts): string | null {
  if (peer.state !== 'done') return 'the address of this client towards the relay is not known';
  const { source, mappings, permitted } = peer.value;
  const several = whyAddressUncertain(mappings.map(({ mapped }) => mapped.address));
  if (several !== null) return several;
  const isPermitted = (address: string): boolean => permitted.some((each) => sameAddress(each, address));
  const address = mappings[0]?.mapped.address;
  if (address === undefined) return 'the address of this client towards the relay is not known';
  if (!isPermitted(address)) {
    // It may have refused one, or not answered: the facts do not tell.
    return `the server gave no permission for ${address}, from which this client sends to the relay`;
  }
  const sameWay = mappings.some((each) => each.source !== null && each.source === source);
  return sameWay || (source !== null && isPermitted(source))
    ? null
    : `packets to the relay leave from ${source ?? 'nowhere'}, and how the relay sees that is not known`;
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
