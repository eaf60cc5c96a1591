import { isIP, isIPv4 } from 'node:net';
import { normalAddress, parseNetwork, type Network } from '../../config/address.ts';
import type { ParsedDirective } from '../parse.ts';
import { textOf } from './source.ts';

/** A range of peers, as coturn reads a denied-peer-ip or an allowed-peer-ip. */
export interface PeerRange extends Network {
  /** Its ends as numbers: a long list is compared many times. */
  readonly from: bigint;
  readonly to: bigint;
  readonly directive: ParsedDirective;
  /** It matches every peer of both families. */
  readonly isBoundless: boolean;
  /** It matches nobody. */
  readonly isEmpty: boolean;
}

/** Null for what is no range of literal addresses: a prefix length, a name, a slip of the pen. */
export function rangeOf(directive: ParsedDirective): PeerRange | null {
  const text = textOf(directive);
  const dash = text.indexOf('-');
  const ends = dash < 0 ? [text, text] : [text.slice(0, dash), text.slice(dash + 1)];
  if (!ends.every((each) => isIP(each))) return null;
  // What Node takes for an IPv4 address has one spelling.
  const [first = '', last = ''] = ends.map((each) => (isIPv4(each) ? each : normalAddress(each)));
  const [from, to] = [numberOf(first), numberOf(last)];
  const sameFamily = isIPv4(first) === isIPv4(last);
  // addr_any() of ns_turn_ioaddr.c: an end of zeros counts as no end at all (measured on 4.6.1).
  const isBoundless = first === '::' || last === '0.0.0.0' || last === '::';
  const isEmpty = !isBoundless && (!sameFamily || from > to);
  return { family: isIPv4(first) ? 4 : 6, first, last, from, to, directive, isBoundless, isEmpty };
}

/** The networks of a list that a set of ranges leaves open, in whole or in part. */
export function uncovered(networks: readonly Network[], ranges: readonly PeerRange[]): Network[] {
  const effective = ranges.filter(({ isEmpty }) => !isEmpty);
  if (effective.some(({ isBoundless }) => isBoundless)) return [];
  const sorted = effective.toSorted((a, b) => (a.from < b.from ? -1 : 1));
  return networks.filter((network) => !isCovered(network, sorted));
}

/** Whether a network lies in a range as a whole. */
export function includes({ family, from, to }: PeerRange, network: Network): boolean {
  return family === network.family && from <= numberOf(network.first) && numberOf(network.last) <= to;
}

/** One range may do it, or several that lie side by side. */
function isCovered(network: Network, sorted: readonly PeerRange[]): boolean {
  const last = numberOf(network.last);
  let next = numberOf(network.first);
  for (const { family, from, to } of sorted) {
    if (family !== network.family) continue;
    if (from > next) break;
    if (to >= next) next = to + 1n;
    if (next > last) return true;
  }
  return false;
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return BigInt(address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** `first-last` for a network in CIDR form, with the bits behind the prefix cleared; null when it is none. */
export function rangeTextOf(cidr: string): string | null {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(cidr);
  const network =
    parseNetwork(cidr) ?? (match === null ? null : parseNetwork(cleared(match[1] ?? '', Number(match[2]))));
  if (network === null) return null;
  return network.first === network.last ? network.first : `${network.first}-${network.last}`;
}

function cleared(address: string, prefix: number): string {
  if (!isIPv4(address) || prefix > 32) return '';
  const bits = (numberOf(address) >> BigInt(32 - prefix)) << BigInt(32 - prefix);
  return `${[24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')}/${prefix}`;
}
