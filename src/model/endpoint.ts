import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

/** A transport address: an IP literal without brackets, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4;
}

/** `192.0.2.1:3478`, `[2001:db8::1]:3478`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return `${bracketed(address)}:${port}`;
}

/** An address as it stands in a URI: IPv6 in brackets (RFC 3986 §3.2.2). */
export function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/**
 * Whether two spellings name one address: `::1` and `0:0:0:0:0:0:0:1`, `::ffff:192.0.2.1` and `192.0.2.1`. What is no
 * address (an mDNS candidate, RFC 8828 §5.2) is the same as itself alone.
 */
export function sameAddress(a: string, b: string): boolean {
  return normalized(a) === normalized(b);
}

function normalized(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toNormalizedString() : address;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && sameAddress(a.address, b.address);
}

/** The address in `A`, `[A]`, `A:PORT` or `[A]:PORT`; null where there is none. */
export function addressIn(text: string): string | null {
  const [, inBrackets, bare = ''] = /^(?:\[([^\]]{1,64})\]|([^[\]]{1,64}))(?::\d{1,5})?$/.exec(text) ?? [];
  const candidates = [inBrackets ?? bare, bare.replace(/:\d{1,5}$/, '')];
  return candidates.find((candidate) => ipaddr.isValid(candidate) && /[.:]/.test(candidate)) ?? null;
}

/**
 * Where an address can be reached from. `global` includes the documentation ranges (RFC 5737, RFC 3849):
 * nothing on a real network has them, and test networks use them as public addresses.
 */
export type AddressScope =
  'global' | 'private' | 'cgnat' | 'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'reserved';

// Benchmarks (RFC 2544; some DNS proxies answer with it), and the former class E (RFC 1112 §4): routed nowhere.
const reservedNetworks = [
  ['198.18.0.0', 15],
  ['240.0.0.0', 4],
] as const;

export function scopeOf(address: string): AddressScope {
  const parsed = ipaddr.process(address);
  const range: string = parsed.range();
  switch (range) {
    case 'private':
    case 'uniqueLocal':
    case 'deprecatedSiteLocal':
      return 'private';
    case 'carrierGradeNat':
      return 'cgnat';
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
      return 'link-local';
    case 'unspecified':
      return 'unspecified';
    case 'multicast':
    case 'broadcast':
      return 'multicast';
    case 'discard':
      return 'reserved';
    default:
      return reservedNetworks.some(([network, length]) => inNetwork(address, network, length))
        ? 'reserved'
        : 'global';
  }
}

/** Whether `address` lies in the network `network`/`prefixLength`; different families never do. */
export function inNetwork(address: string, network: string, prefixLength: number): boolean {
  const a = ipaddr.process(address);
  const n = ipaddr.process(network);
  return a.kind() === n.kind() && a.match(n, prefixLength);
}
