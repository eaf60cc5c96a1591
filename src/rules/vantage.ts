import { inNetwork, sameAddress, scopeOf } from '../model/endpoint.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { InterfaceAddress, Observations, TargetFacts } from '../model/observations.ts';
import type { Vantage, VantageKind } from '../model/report.ts';
import { provenFromOutside } from './outside.ts';

/** From the least to the most that a probe can prove there; a listener that was silent tells nothing of it. */
const closeness: readonly VantageKind[] = ['same-host', 'same-network', 'off-link', 'unknown'];

/** Where the probe stood, seen from the server that was nearest to it, of those that told. */
export function vantageOf(observations: Observations): Vantage {
  const vantages = observations.targets.map((facts) => vantageOfTarget(facts, observations));
  const [nearest] = vantages.toSorted((a, b) => closeness.indexOf(a.kind) - closeness.indexOf(b.kind));
  return nearest ?? { kind: 'unknown', because: 'no target was examined' };
}

/** Where the probe stood, seen from one server. */
export function vantageOfTarget(facts: TargetFacts, { interfaces }: Observations): Vantage {
  const { target, binding, allocate } = facts;
  const { address } = target;
  if (scopeOf(address) === 'loopback')
    return { kind: 'same-host', because: `${address} is a loopback address` };
  const own = interfaces.filter(({ address: mine }) => scopeOf(mine) !== 'loopback');
  const same = own.find((mine) => sameAddress(mine.address, address));
  if (same) return { kind: 'same-host', because: `${address} is an address of ${same.interface} here` };
  // Zero-length and /32 prefixes (point-to-point links of cloud machines) say nothing about a shared network.
  const link = own.find(
    (mine) => mine.prefixLength > 0 && inNetwork(address, mine.address, mine.prefixLength),
  );
  if (link) {
    return { kind: 'same-network', because: `${address} is in the network of ${link.interface} here` };
  }
  const mapped =
    (binding.state === 'done' ? binding.value.mapped : null) ??
    (allocate.state === 'done' ? allocate.value.mapped : null);
  if (mapped === null) {
    return { kind: 'unknown', because: 'the server did not tell how it sees this client' };
  }
  if (sameAddress(mapped.address, address)) {
    return {
      kind: 'same-network',
      because: `this client and ${target.host} share the public address ${address}`,
    };
  }
  const inside = whyInside(facts, mapped.address, own);
  if (inside !== null) return inside;
  const direct = own.some((mine) => sameAddress(mine.address, mapped.address));
  const nat = direct ? 'without NAT' : 'behind NAT';
  return { kind: 'off-link', because: `${mapped.address}, ${nat}` };
}

/** Why a server that has another address here, or sees a private one of this client, is as close as one beside it. */
function whyInside(
  { target, allocate }: TargetFacts,
  mapped: string,
  own: readonly InterfaceAddress[],
): Vantage | null {
  const relayed = allocate.state === 'done' ? allocate.value.relayed.address : null;
  const relay = own.find(({ address }) => relayed !== null && sameAddress(address, relayed));
  if (relay) {
    return {
      kind: 'same-host',
      because: `the relay address ${relayed} is an address of ${relay.interface} here`,
    };
  }
  if (relayed !== null && sameAddress(relayed, mapped)) {
    return { kind: 'same-network', because: `this client and the relay share the public address ${mapped}` };
  }
  // Across the internet a server never sees a private address.
  return scopeOf(target.address) === 'global' && scopeOf(mapped) !== 'global'
    ? {
        kind: 'same-network',
        because: `the server sees this client as ${mapped}, so no public network is between them`,
      }
    : null;
}

/** VANTAGE_TOO_CLOSE for each server that was reached without crossing its network's edge. */
export function vantageFindings(observations: Observations): Finding[] {
  return observations.targets.flatMap((facts) => {
    const { kind } = vantageOfTarget(facts, observations);
    if (kind !== 'same-host' && kind !== 'same-network') return [];
    const { host, address, url } = facts.target;
    const provenBy =
      facts.outside?.state === 'done' && provenFromOutside(facts) ? facts.outside.value.url : null;
    return [finding('VANTAGE_TOO_CLOSE', { host, address, vantage: kind, provenBy }, { targets: [url] })];
  });
}
