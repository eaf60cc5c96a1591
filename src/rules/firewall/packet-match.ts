import type { Family } from '../../model/endpoint.ts';
import type { PortSpan } from '../../model/firewall.ts';
import type { FilterMatch } from '../../model/packet-filter.ts';
import { addressRange, holds, shareOfInternet } from './address-range.ts';

/** A packet from somewhere on the internet to this host. */
export interface Packet {
  readonly family: Family;
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
  /** The first one of a flow, or one that follows what this host has sent. */
  readonly state: 'new' | 'established';
  /** Where it comes in; null when that is not known. */
  readonly device: string | null;
  /** Those of this host that it may be sent to; empty when they are not known. */
  readonly destinations: readonly string[];
}

/**
 * Whether a condition holds of the packet. `some`: for a small part of all senders, who are not those asked about here.
 * An object says why it cannot be told.
 */
export type MatchResult = 'yes' | 'no' | 'some' | { readonly unknown: string };

/** What is known of the tracking of connections: rules can turn it off for some packets. */
export type Tracking = 'tracked' | 'untracked' | 'unknown';

/** All conditions of one rule: it applies where none fails. */
export function matchesAll(matches: readonly FilterMatch[], packet: Packet, tracking: Tracking): MatchResult {
  const results = matches.map((match) => matchResult(match, packet, tracking));
  if (results.includes('no')) return 'no';
  const undecided = results.find((each) => typeof each === 'object');
  // For a few senders, perhaps: not for those asked about here.
  if (results.includes('some')) return 'some';
  return undecided ?? 'yes';
}

function matchResult(match: FilterMatch, packet: Packet, tracking: Tracking): MatchResult {
  const plain = plainResult(match, packet, tracking);
  if (!match.negated || typeof plain === 'object') return plain;
  // Not for a few senders is for those asked about here.
  return plain === 'yes' ? 'no' : 'yes';
}

function plainResult(match: FilterMatch, packet: Packet, tracking: Tracking): MatchResult {
  switch (match.kind) {
    case 'never':
      return 'no';
    case 'unknown':
      return { unknown: match.what };
    case 'protocol':
      return isOneOf(match.names, packet.protocol === 'udp' ? ['udp', '17'] : ['tcp', '6']);
    case 'family':
      return is(match.family === packet.family);
    case 'port':
      return match.end === 'destination'
        ? is(match.spans.some(({ first, last }) => first <= packet.port && packet.port <= last))
        : sourcePortResult(match.spans);
    case 'state':
      return stateResult(match.states, packet, tracking);
    case 'interface':
      return match.end === 'out' ? 'no' : deviceResult(match.names, packet.device);
    case 'address':
      return match.end === 'source'
        ? sourceResult(match.networks, packet.family)
        : destinationResult(match.networks, packet);
    case 'address-type':
      return is(match.types.includes(match.end === 'destination' ? 'local' : 'unicast'));
    case 'tcp-flags':
      return flagsResult(match, packet);
    default:
      return match satisfies never;
  }
}

function is(value: boolean): 'yes' | 'no' {
  return value ? 'yes' : 'no';
}

function isOneOf(names: readonly string[], wanted: readonly string[]): 'yes' | 'no' {
  return is(names.some((each) => wanted.includes(each)));
}

// What clients and NATs send from (RFC 6056 §3.2); below are the ports of servers.
const clientPorts = { first: 1024, last: 65_535 };

function sourcePortResult(spans: readonly PortSpan[]): MatchResult {
  const covered = spans.reduce(
    (sum, { first, last }) =>
      sum + Math.max(0, Math.min(last, clientPorts.last) - Math.max(first, clientPorts.first) + 1),
    0,
  );
  const share = covered / (clientPorts.last - clientPorts.first + 1);
  if (share === 1) return 'yes';
  return share < 1 / 64 ? 'some' : { unknown: 'the port of the sender' };
}

function stateResult(states: readonly string[], { state }: Packet, tracking: Tracking): MatchResult {
  if (tracking === 'unknown') return { unknown: 'whether its connection is tracked' };
  return is(states.includes(tracking === 'untracked' ? 'untracked' : state));
}

function deviceResult(names: readonly string[], device: string | null): MatchResult {
  const fits = (name: string, wanted: string): boolean =>
    name.endsWith('*') ? wanted.startsWith(name.slice(0, -1)) : name === wanted;
  if (device !== null) return is(names.some((name) => fits(name, device)));
  // Nothing from outside comes in there.
  return names.every((name) => name === 'lo') ? 'no' : { unknown: `the interface ${names.join(', ')}` };
}

function sourceResult(networks: readonly string[], family: Family): MatchResult {
  const ranges = networks.map(addressRange);
  if (ranges.includes(null)) return { unknown: 'the address of the sender' };
  const share = shareOfInternet(
    ranges.filter((each) => each !== null),
    family,
  );
  if (share === 1) return 'yes';
  // A /6 of IPv4, or more: more than the network of somebody.
  return share < 1 / 64 ? 'some' : { unknown: 'the address of the sender' };
}

// Multicast, broadcast, loopback and link-local: nobody on the internet sends there.
const notFromOutside = [
  '224.0.0.0/4',
  '255.255.255.255',
  '127.0.0.0/8',
  '169.254.0.0/16',
  'ff00::/8',
  '::1',
  'fe80::/10',
]
  .map(addressRange)
  .filter((each) => each !== null);

function destinationResult(networks: readonly string[], { destinations, family }: Packet): MatchResult {
  const ranges = networks.map(addressRange).filter((each) => each !== null);
  if (ranges.length < networks.length) return { unknown: 'the address that it is sent to' };
  const own = destinations.filter((address) => address.includes(':') === (family === 6));
  if (own.length > 0) {
    const within = own.filter((address) => ranges.some((range) => holds(range, address)));
    if (within.length === own.length) return 'yes';
    return within.length === 0 ? 'no' : { unknown: 'which of the addresses of this host it is sent to' };
  }
  const elsewhere = ranges.every((range) =>
    notFromOutside.some(
      ({ first, last, family: of }) => of === range.family && first <= range.first && range.last <= last,
    ),
  );
  if (elsewhere) return 'no';
  return shareOfInternet(ranges, family) === 1 ? 'yes' : { unknown: 'the address that it is sent to' };
}

function flagsResult(
  { mask, flags }: { readonly mask: readonly string[]; readonly flags: readonly string[] },
  { protocol, state }: Packet,
): MatchResult {
  if (protocol !== 'tcp') return 'no';
  if (state === 'established') return { unknown: 'its TCP flags' };
  // A connection opens with SYN alone.
  const set = mask.filter((flag) => flag === 'syn');
  return is(set.length === flags.length && set.every((flag) => flags.includes(flag)));
}
