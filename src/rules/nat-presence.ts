import { inNetwork, sameAddress, sameEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { InterfaceAddress, NatBindingFacts, NatFacts } from '../model/observations.ts';
import type { NatReport } from '../model/report.ts';

/** What is known of one thing, or why it is not. */
export type Known<T> =
  { readonly value: T; readonly because?: undefined } | { readonly value: null; readonly because: string };

export type Mapping = NonNullable<NatReport['mapping']>;

/** Whether there is a NAT between this client and the Internet. */
export type Presence = Known<boolean>;

/** What a socket was seen as, and where. */
export interface Seen {
  readonly to: Endpoint;
  readonly mapped: Endpoint;
}

/** What one socket was seen as, by each endpoint that answered it. */
function seenBy({ server, binding, mappings }: NatFacts): Seen[] {
  if (binding.state !== 'done') return [];
  const others = mappings.flatMap(({ to, answer }) =>
    answer.state === 'done' ? [{ to, mapped: answer.value.mapped }] : [],
  );
  return [{ to: server, mapped: binding.value.mapped }, ...others];
}

/** Those of `seenBy` that saw another address or port than the socket has: only they are behind the NAT. */
export function seenThroughNat(facts: NatFacts, interfaces: readonly InterfaceAddress[]): Seen[] {
  if (facts.binding.state !== 'done') return [];
  const { local } = facts.binding.value;
  const own = [local.address, ...interfaces.map(({ address }) => address)];
  return seenBy(facts).filter(
    ({ mapped }) => !own.some((address) => sameEndpoint(mapped, { address, port: local.port })),
  );
}

/**
 * A NAT is one when a server sees another address or port than the socket has. When all see the same, there is none on
 * the way to them, which says something of the Internet only when they are there.
 */
export function presenceOf(facts: NatFacts, interfaces: readonly InterfaceAddress[]): Presence {
  const { binding, server } = facts;
  if (binding.state !== 'done') {
    const seen = binding.state === 'failed' ? describeFailure(binding.failure) : binding.because;
    return { value: null, because: `${server.address} did not answer Binding over UDP: ${seen}` };
  }
  const { local, xored } = binding.value;
  if (seenThroughNat(facts, interfaces).length > 0) return { value: true };
  if (!xored) {
    return {
      value: null,
      because: `${server.address} tells addresses as MAPPED-ADDRESS alone, which some NATs rewrite into the inner one`,
    };
  }
  const near = whyNear(server.address, local.address, interfaces);
  return near === null ? { value: false } : { value: null, because: near };
}

/** Why a server that sees our own address does not see us from the Internet; null when it does. */
function whyNear(server: string, local: string, interfaces: readonly InterfaceAddress[]): string | null {
  const beyond = 'no NAT is on the way there, and what lies towards the Internet is not seen';
  if (own(server, interfaces)) return `${server} is an address of this machine: ${beyond}`;
  const link = interfaces.find(
    ({ address, prefixLength }) => prefixLength > 0 && inNetwork(server, address, prefixLength),
  );
  if (link) return `${server} is in the network of ${link.interface} here: ${beyond}`;
  for (const [whose, address] of [
    ['the server has', server],
    ['this client has', local],
  ] as const) {
    if (scopeOf(address) !== 'global')
      return `${whose} the address ${address}, which is not public: ${beyond}`;
  }
  return null;
}

function own(address: string, interfaces: readonly InterfaceAddress[]): boolean {
  return scopeOf(address) === 'loopback' || interfaces.some((mine) => sameAddress(mine.address, address));
}

/**
 * At which end of the NAT an address of 100.64.0.0/10 (RFC 6598) shows that it is a carrier's; null at none. A server
 * with such an address is reached through a VPN, and so is what an interface of Tailscale carries.
 */
export function carrierGradeSide(
  { local, mapped }: NatBindingFacts,
  server: Endpoint,
  isTranslated: boolean,
  interfaces: readonly InterfaceAddress[],
): 'mapped' | 'local' | null {
  if (!isTranslated || scopeOf(server.address) === 'cgnat') return null;
  if (scopeOf(mapped.address) === 'cgnat') return 'mapped';
  const isVpn = interfaces.some(
    (mine) => mine.interface.startsWith('tailscale') && sameAddress(mine.address, local.address),
  );
  return scopeOf(local.address) === 'cgnat' && !isVpn ? 'local' : null;
}
