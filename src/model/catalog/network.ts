import { formatEndpoint, type Endpoint, type Family } from '../endpoint.ts';
import { entry, here, listed, serverName } from './entry.ts';
import { client } from '../subject.ts';

interface NatEvidence {
  readonly host: string;
  readonly address: string;
  readonly family: Family;
}

export const networkCatalog = {
  NAT_SYMMETRIC: entry<
    NatEvidence & { local: Endpoint; mappings: readonly { to: Endpoint; mapped: Endpoint }[] }
  >({
    severity: 'info',
    subject: client,
    distinctBy: ['family'],
    example: {
      host: 'turn.example.com',
      address: '203.0.113.10',
      family: 4,
      local: { address: '192.168.1.20', port: 50000 },
      mappings: [
        { to: { address: '203.0.113.10', port: 3478 }, mapped: { address: '198.51.100.20', port: 40000 } },
        { to: { address: '203.0.113.11', port: 3479 }, mapped: { address: '198.51.100.20', port: 61422 } },
      ],
    },
    title: () => 'This network is behind a symmetric NAT',
    cause: () =>
      'The NAT of this network gives a socket another public port for each peer (a symmetric NAT). Direct calls fail with peers behind a symmetric or a port-restricted NAT, which most are; those calls need the relay.',
    proof: (e) =>
      `One socket, ${formatEndpoint(e.local)}, was seen as ${listed(
        e.mappings.map(({ to, mapped }) => `${formatEndpoint(mapped)} by ${formatEndpoint(to)}`),
      )}.`,
    fix: (e) => [
      'nothing is wrong with the server: offer its relay over UDP, TCP and TLS, and these calls work',
      'where the router is yours, let it keep source ports (no "random", "fully-random", "symmetric")',
      here(`rtc-ops probe ${e.host} --nat`),
    ],
    explanation:
      'RFC 4787 calls it address-dependent, or address-and-port-dependent mapping: the public port that STUN tells is good for the STUN server alone, so a peer that sends there finds nothing. ICE then has the port from which the first packet comes (a peer-reflexive candidate), and that only gets through a peer whose NAT does not look at ports. Mobile carriers and company firewalls are like that.',
    confusedWith: [
      'A broken relay: through a relay, calls work from here.',
      'A network with two uplinks, which spreads flows over two public addresses: there the address differs, and the effect is the same.',
      'A NAT that keeps ports (Linux masquerading without "random"): it looks endpoint-independent, until another device uses the same port.',
      'A filter: what a NAT lets in (nat-filtering) is another question than what it makes of what goes out.',
    ],
    references: ['RFC 4787 §4.1', 'RFC 5780 §4.3', 'RFC 8445 §7.2.5.3.1'],
  }),
  CGNAT: entry<NatEvidence & { cgnatAddress: string; seen: 'mapped' | 'local' }>({
    severity: 'info',
    subject: client,
    distinctBy: ['family'],
    example: {
      host: 'turn.example.com',
      address: '203.0.113.10',
      family: 4,
      cgnatAddress: '100.72.3.9',
      seen: 'local',
    },
    title: () => 'The provider of this network shares its public addresses (CGNAT)',
    cause: (e) =>
      `${e.cgnatAddress} is an address between a customer and the NAT of a provider: many customers share one public address here, no port can be forwarded from outside, and bindings may be short.`,
    proof: (e) =>
      e.seen === 'local'
        ? `Packets to ${serverName(e)} leave this machine from ${e.cgnatAddress}, which is in 100.64.0.0/10, and arrive from another address.`
        : `${serverName(e)} sees this client as ${e.cgnatAddress}, which is in 100.64.0.0/10.`,
    fix: () => [
      'clients need nothing but the relay where NAT_SYMMETRIC is found too; prefer IPv6, which is not translated',
      'a server must not stand behind such a NAT: ask the provider for a public address',
      here('ip -brief address show'),
    ],
    explanation:
      'The range 100.64.0.0/10 is for the links between customers and a carrier-grade NAT. It can be seen when this machine itself has such an address, or when the server stands inside that carrier. A home router that has one hides it: its own page shows the address of its WAN side.',
    confusedWith: [
      'A VPN that uses the same range for its members (Tailscale does): an interface of that name is left out.',
      'Two NATs in one house: the WAN address of the inner one is private then (RFC 1918).',
    ],
    references: ['RFC 6598 §4', 'RFC 6888 §3'],
  }),
} as const;
