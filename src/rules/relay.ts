import type { Outcome } from '../model/check.ts';
import { formatEndpoint, sameAddress, scopeOf } from '../model/endpoint.ts';
import type { Attempt, Target, TargetFacts } from '../model/observations.ts';
import { judgeSilence } from './listener.ts';
import { failed, listenerOf, passed, skipped, unknown } from './outcome.ts';

const scopeNames = {
  private: 'a private address',
  cgnat: 'an address of carrier-grade NAT',
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  unspecified: 'no address at all',
  multicast: 'a multicast address',
} as const;

/** `relay-address`: users elsewhere can reach what Allocate hands out. */
export function judgeRelayAddress({ target, allocate, inbound }: TargetFacts): Outcome {
  if (allocate.state !== 'done') return unknown('there was no allocation');
  const { relayed } = allocate.value;
  const scope = scopeOf(relayed.address);
  if (scope === 'global') return passed(relayed.address);
  // A server that is itself in that scope (a laboratory, one private network, this machine) relays within it. One that
  // is reached by a global address and hands out another is behind NAT and does not know its address.
  const serverScope = scopeOf(target.address);
  if (serverScope === scope && (sameAddress(target.address, relayed.address) || inbound.state === 'done')) {
    return passed(
      `${relayed.address}, for ${scope === 'loopback' ? 'this machine' : 'its own network'} only`,
    );
  }
  return failed(
    'RELAY_ADDRESS_PRIVATE',
    { ...relayEvidence(target, allocate), scope: scopeNames[scope] },
    target,
  );
}

/** `turn-permission`: the client's own mapped address is allowed as a peer. */
export function judgePermission(facts: TargetFacts): Outcome {
  const { target, permission, allocate, binding } = facts;
  const silence = judgeSilence(permission, 'permission', facts);
  if (silence) return silence;
  if (permission.state === 'done') return passed();
  const own =
    (allocate.state === 'done' ? allocate.value.mapped : null) ??
    (binding.state === 'done' ? binding.value.mapped : null);
  const code =
    permission.state === 'failed' && permission.failure.kind === 'stun-error' ? permission.failure.code : 0;
  if (code === 403 && own !== null) {
    if (scopeOf(own.address) !== 'global') {
      return skipped(`the server denies the peer ${own.address}, as it should: that is no public address`);
    }
    return failed('PEER_DENIED', { ...listenerOf(target), peer: own.address }, target);
  }
  const evidence = { ...listenerOf(target), step: 'a CreatePermission', seen: `error ${code}` };
  return failed('REQUEST_FAILED', evidence, target);
}

/** The three relay checks; each combination of what passed tells another fault. */
export function judgeRelay(
  facts: TargetFacts,
): Record<'relay-inbound' | 'relay-outbound' | 'relay-reply', Outcome> {
  const { inbound, outbound, reply } = facts;
  return {
    'relay-inbound': judgeInbound(facts),
    'relay-outbound': judgeOutbound(facts),
    'relay-reply': settle(reply, () =>
      succeeded(outbound)
        ? succeeded(inbound)
          ? unknown('an earlier packet of the same peer came through, a later one did not')
          : judgeInbound(facts)
        : unknown('the relay never reached the peer, so there was nothing to reply to'),
    ),
  };
}

function judgeInbound(facts: TargetFacts): Outcome {
  const { target, allocate, inbound, outbound, reply } = facts;
  return settle(inbound, () => {
    const evidence = relayEvidence(target, allocate);
    if (succeeded(outbound)) {
      return failed(succeeded(reply) ? 'RELAY_PORTS_STATEFUL_ONLY' : 'RELAY_PORTS_BLOCKED', evidence, target);
    }
    if (allocate.state === 'done' && !sameAddress(allocate.value.relayed.address, target.address)) {
      if (scopeOf(allocate.value.relayed.address) !== 'global') {
        return unknown('the relay address is private, so nothing sent to it could arrive');
      }
      return failed('RELAY_ADDRESS_MISMATCH', evidence, target);
    }
    return unknown(
      'no packet passed in either direction: a firewall of the server or of this network drops UDP to and from the relay ports',
    );
  });
}

function judgeOutbound({ target, allocate, inbound, outbound }: TargetFacts): Outcome {
  return settle(outbound, () => {
    if (!succeeded(inbound)) {
      return unknown('nothing arrived; a NAT here that maps per destination lets in nothing either');
    }
    const peer = inbound.state === 'done' ? formatEndpoint(inbound.value.seenFrom) : '';
    return failed('RELAY_OUTBOUND_BLOCKED', { ...relayEvidence(target, allocate), peer }, target);
  });
}

/** Passed when it was done, unknown when it was not tried; else what `judge` says. */
function settle(step: Attempt<unknown>, judge: () => Outcome): Outcome {
  if (step.state === 'done') return passed();
  if (step.state === 'not-tried') return unknown(step.because);
  return judge();
}

function succeeded(step: Attempt<unknown>): boolean {
  return step.state === 'done';
}

function relayEvidence(target: Target, allocate: TargetFacts['allocate']) {
  const relayed = allocate.state === 'done' ? allocate.value.relayed : { address: '', port: 0 };
  return { ...listenerOf(target), relayed: formatEndpoint(relayed), relayedAddress: relayed.address };
}
