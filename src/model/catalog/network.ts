import { formatEndpoint, type Endpoint, type Family } from '../endpoint.ts';
import { entry, here, inConfig, listed, serverName } from './entry.ts';
import { client } from '../subject.ts';

interface NatEvidence {
  readonly host: string;
  readonly address: string;
  readonly family: Family;
}

interface OutwardEvidence {
  /** Controls that did not answer: `UDP 3478 of stun.example.net`. */
  readonly silent: readonly string[];
  /** What did answer over TCP or TLS. */
  readonly answering: readonly string[];
  /** Whether the network said so, by ICMP, instead of dropping. */
  readonly refused: boolean;
}

const exampleOutward = {
  silent: ['UDP 3478 of stun.example.net'],
  answering: ['TCP 3478 of turn.example.com'],
  refused: false,
};

const silence = ({ silent, refused }: OutwardEvidence): string =>
  `${listed(silent)}, given as known to work, ${refused ? 'was rejected on the way' : 'did not answer'}`;

export const networkCatalog = {
  UDP_BLOCKED_HERE: entry<OutwardEvidence>({
    severity: 'warning',
    subject: client,
    example: exampleOutward,
    title: () => 'This network lets no UDP out',
    cause: (e) =>
      `A firewall of this network ${e.refused ? 'rejects' : 'drops'} UDP. Calls from here work through a relay over TCP or TLS only, and better over TLS on port 443. It says nothing against the server.`,
    proof: (e) =>
      `${silence(e)}${e.answering.length === 0 ? '' : `, while ${listed(e.answering)} ${e.answering.length === 1 ? 'answers' : 'answer'}`}.`,
    fix: () => [
      'clients need turns: URLs too, best of all on port 443, as with ?transport=tcp',
      'where the firewall is yours, let UDP out to port 3478 and to the relay ports',
      'to test the server over UDP, probe from another network',
    ],
    explanation:
      'A server that is known to work, the control, answered nothing over UDP, as the tested server did. So the block is where both paths begin.',
    confusedWith: [
      'UDP_BLOCKED: without a control it is not known on whose side UDP is dropped.',
      'A control that is down itself: give two (--control A,B).',
    ],
    references: ['RFC 8656 §2.1', 'RFC 8835 §3.4'],
  }),
  ONLY_TLS_443_LEAVES: entry<OutwardEvidence>({
    severity: 'warning',
    subject: client,
    example: {
      silent: ['UDP 3478 of stun.example.net', 'TCP 3478 of stun.example.net'],
      answering: ['TLS 443 of turn.example.com'],
      refused: false,
    },
    title: () => 'Only port 443 leaves this network',
    cause: () =>
      'A firewall of this network lets out what looks like the web, and nothing else. Calls from here work only through a relay over TLS on port 443. It says nothing against the server.',
    proof: (e) =>
      `${silence(e)}, while ${listed(e.answering)} ${e.answering.length === 1 ? 'answers' : 'answer'}.`,
    fix: () => [
      'give clients turns:HOST:443?transport=tcp as well, and let coturn listen there:',
      inConfig('tls-listening-port=443'),
      'a web server on the same address needs port 443 too: use a second address, or a proxy that tells them apart by ALPN (stun.turn) or SNI',
    ],
    explanation:
      'Of a server that is known to work, the control, nothing answered over UDP or on other TCP ports, and TLS on port 443 of some server did. Company networks are like that.',
    confusedWith: ['UDP_BLOCKED_HERE: there other TCP ports are open.'],
    references: ['RFC 8656 §2.1', 'RFC 7443 §3', 'RFC 8835 §3.4'],
  }),
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
      'clients need the relay where NAT_SYMMETRIC is found too, else nothing; IPv6 is not translated',
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
