import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { familyOf, type Endpoint, type Family } from '../model/endpoint.ts';

/** Loopback as a bridge can listen on it. */
export const loopbackAddress = { 4: '127.0.0.1', 6: '::1' } as const satisfies Record<Family, string>;

// inet_aton's spelling of 127.0.0.1 (RFC 6943 §3.1.1). Node calls it a name and so asks the C library; nothing is sent.
const loopbackName = '127.1';

/**
 * The families of which libjuice can use a server on this machine, IPv4 first; never empty.
 *
 * libjuice takes even an address literal through getaddrinfo with AI_ADDRCONFIG (RFC 3493 §6.1). glibc then leaves
 * out the family of which the machine has no address but that of loopback, when it has one of the other: on a
 * client with IPv6 alone `127.0.0.1` does not resolve, with IPv4 alone `::1` does not. With neither, both do. The
 * server is then left out without an error.
 */
export async function agentFamilies(): Promise<readonly Family[]> {
  const hasIpv4 = await lookup(loopbackName, { hints: ADDRCONFIG }).then(
    () => true,
    () => false,
  );
  if (!hasIpv4) return [6];
  return resolvesIpv6(ownAddresses()) ? [4, 6] : [4];
}

/** @param addresses those of this machine, where `127.0.0.1` is known to resolve */
export function resolvesIpv6(addresses: readonly string[]): boolean {
  const others = addresses.filter(
    (address) => address !== loopbackAddress[4] && address !== loopbackAddress[6],
  );
  return others.length === 0 || others.some((address) => familyOf(address) === 6);
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
}

// RFC 5737 and RFC 3849: reach nothing, and are never sent to but through a bridge.
const standIns = { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8::1', '2001:db8::2'] } as const;

/**
 * Relay addresses as the agents can use them. libdatachannel takes the other peer's candidates through getaddrinfo with
 * AI_ADDRCONFIG, and drops one of a family that this machine has on loopback alone.
 */
export function shownTo(
  families: readonly Family[],
  relayed: readonly [Endpoint, Endpoint],
): [Endpoint, Endpoint] {
  const [caller, callee] = standIns[families[0] ?? 4];
  const shown = (endpoint: Endpoint, standIn: string): Endpoint =>
    families.includes(familyOf(endpoint.address)) ? endpoint : { address: standIn, port: endpoint.port };
  return [shown(relayed[0], caller), shown(relayed[1], callee)];
}
