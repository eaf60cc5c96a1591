/**
 * The networks of the lab. Two clients, a and b, a TURN server, and a host for what the probe uses beside it, each at its own
 * site, with the internet between them:
 *
 *     a ── a-nat ──┐            ┌── (server-nat) ── server
 *                  ├── internet ┤
 *     b ── b-nat ──┘            └── elsewhere
 *
 * A scenario says what is between each of them and the internet.
 */
export interface Scenario {
  /** For the list that `npm run lab -- list` prints. */
  readonly about: string;
  readonly a: Site;
  /** `beside a`: in the same local network, behind the same NAT. */
  readonly b: Site | 'beside a';
  readonly server?: ServerSite;
}

/** Where a client is. */
export interface Site {
  /**
   * How its router translates UDP (RFC 4787). `cone`: one mapping for all destinations, in which only those who were sent
   * to can answer (port-restricted). `full cone`: the same, and anyone can send to it. `symmetric`: a random mapping for
   * each destination. `none`: the client has a public address.
   */
  readonly nat: 'none' | 'cone' | 'full cone' | 'symmetric';
  /** `6`: IPv6 only, with public addresses behind a router that lets in what was asked for. */
  readonly family?: 4 | 6;
  /** nft statements that each packet meets on its way out, in order. What none of them drops leaves. */
  readonly egress?: readonly string[];
  /** What the line between the router and the internet does to each packet, one way. */
  readonly line?: Line;
}

/** Delay and jitter in milliseconds (`delay ± jitter`, uniform), loss in percent of the packets. */
export interface Line {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
}

/** Where the server is, and how it is set up there. */
export interface ServerSite {
  /** Behind a NAT that gives it its public address, all ports, both ways. */
  readonly nat?: '1:1';
  /** nft statements that each packet meets when it arrives from outside, and when it is sent. */
  readonly ingress?: readonly string[];
  readonly egress?: readonly string[];
  /** Whether it can send to any address, or to those of public networks alone. */
  readonly routes?: 'everything' | 'public networks';
  /** Lines of turnserver.conf beside the usual ones. */
  readonly config?: readonly string[];
}

/** RFC 1918, as nft and as coturn 4.6 (which ignores CIDR) write it. */
const privateNetworks = '{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 }';
const privateRanges = ['10.0.0.0-10.255.255.255', '172.16.0.0-172.31.255.255', '192.168.0.0-192.168.255.255'];

/** The range of relay ports, in each scenario. */
export const relayPorts = { min: 49_160, max: 49_400 } as const;
/** Where the firewall of `relay-ports-partly-blocked` begins. */
export const firstClosedRelayPort = 49_300;
const toClosedRelayPorts = `udp dport ${firstClosedRelayPort}-${relayPorts.max}`;
const toRelayPorts = `udp dport ${relayPorts.min}-${relayPorts.max}`;

const cone: Site = { nat: 'cone' };
const symmetric: Site = { nat: 'symmetric' };

export const scenarios = {
  open: {
    about: 'both clients have public addresses',
    a: { nat: 'none' },
    b: { nat: 'none' },
  },
  lan: {
    about: 'both clients in one local network, behind one NAT',
    a: cone,
    b: 'beside a',
  },
  cone: {
    about: 'each client behind a port-restricted cone NAT, as at most homes',
    a: cone,
    b: cone,
  },
  'full-cone': {
    about: 'each client behind a NAT that lets anyone answer',
    a: { nat: 'full cone' },
    b: { nat: 'full cone' },
  },
  symmetric: {
    about: 'each client behind a symmetric NAT, as in mobile and company networks',
    a: symmetric,
    b: symmetric,
  },
  'symmetric-one-side': {
    about: 'a behind a symmetric NAT, b behind a cone NAT',
    a: symmetric,
    b: cone,
  },
  corporate: {
    about: 'only TCP to port 443 leaves the network of a',
    a: { nat: 'cone', egress: ['ct state established,related accept', 'tcp dport 443 accept', 'drop'] },
    b: cone,
  },
  'udp-3478-only': {
    about: 'of UDP only port 3478 leaves the network of a; TCP is free',
    a: { nat: 'cone', egress: ['udp dport != 3478 drop'] },
    b: cone,
  },
  'udp-dropped': {
    about: 'no UDP leaves the network of a; TCP is free',
    a: { nat: 'cone', egress: ['meta l4proto udp drop'] },
    b: cone,
  },
  'udp-rejected': {
    about: 'the same, and the router of a says so by ICMP',
    a: { nat: 'cone', egress: ['meta l4proto udp reject with icmpx type admin-prohibited'] },
    b: cone,
  },
  'server-behind-nat': {
    about: 'the server is behind a 1:1 NAT and does not know its public address',
    a: cone,
    b: cone,
    server: { nat: '1:1' },
  },
  'server-behind-nat-external-ip': {
    about: 'the server is behind a 1:1 NAT and knows it, by external-ip',
    a: cone,
    b: cone,
    server: { nat: '1:1', config: ['external-ip=203.0.113.10/172.16.0.10'] },
  },
  'relay-ports-blocked': {
    about: 'a firewall before the server drops what arrives at the relay ports, answers included',
    a: cone,
    b: cone,
    server: { ingress: [`${toRelayPorts} drop`] },
  },
  'relay-ports-stateful': {
    about: 'a firewall before the server lets only answers through to the relay ports',
    a: cone,
    b: cone,
    server: { ingress: ['ct state established accept', `${toRelayPorts} drop`] },
  },
  'relay-ports-partly-blocked': {
    about: 'a firewall before the server opens only a part of the range of relay ports',
    a: cone,
    b: cone,
    server: { ingress: [`${toClosedRelayPorts} drop`] },
  },
  'server-udp-3478-blocked': {
    about: 'a firewall before the server drops what arrives at UDP port 3478',
    a: cone,
    b: cone,
    server: { ingress: ['udp dport 3478 drop'] },
  },
  lossy: {
    about: 'the line of a loses 5 % each way, and takes 40 ± 10 ms',
    a: { nat: 'cone', line: { delayMs: 40, jitterMs: 10, lossPercent: 5 } },
    b: cone,
  },
  'ipv6-only': {
    about: 'a has IPv6 and no IPv4',
    a: { nat: 'none', family: 6 },
    b: cone,
  },
  'no-route': {
    about: 'the server has no default route, so a relay cannot send to the private candidates of a peer',
    a: symmetric,
    b: symmetric,
    server: { routes: 'public networks' },
  },
  'output-dropped': {
    about: 'a firewall on the server drops what it sends to private addresses',
    a: symmetric,
    b: symmetric,
    server: { egress: [`ip daddr ${privateNetworks} drop`] },
  },
  'peers-denied': {
    about: 'the server refuses private peers by denied-peer-ip, as it should',
    a: symmetric,
    b: symmetric,
    server: { config: privateRanges.map((range) => `denied-peer-ip=${range}`) },
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const scenarioNames = Object.keys(scenarios) as ScenarioName[];
