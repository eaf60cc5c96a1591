import { scopeOf } from '../endpoint.ts';
import {
  entry,
  exampleListener,
  grepConfig,
  here,
  inConfig,
  journal,
  listenerName,
  onServer,
  restart,
  serverName,
  type ListenerEvidence,
} from './entry.ts';
import { openBinding, wantsCredentials } from './reach.ts';
import { server } from '../subject.ts';

export interface RelayEvidence extends ListenerEvidence {
  /** The relay address that was handed out, with its port. */
  readonly relayed: string;
  readonly relayedAddress: string;
}

// RFC 8656 §7.2, and what coturn takes without min-port and max-port.
const defaultLeastPort = 49152;

/** A port outside of the default range shows that the configuration names another. */
function openRelayPorts(seen: readonly number[]): string[] {
  return [
    grepConfig('min-port|max-port'),
    ...(seen.every((port) => port >= defaultLeastPort)
      ? [
          'without such lines the range is 49152 to 65535; open it in every firewall on the way:',
          onServer('sudo ufw allow 49152:65535/udp'),
        ]
      : [
          'open that range in every firewall on the way, MIN and MAX being min-port and max-port of the config:',
          onServer('sudo ufw allow MIN:MAX/udp'),
        ]),
    "in the provider's firewall, allow UDP of that range inbound, from anywhere",
  ];
}

/** The port of `ADDRESS:PORT`. */
function portOf({ relayed }: RelayEvidence): number {
  return Number(relayed.slice(relayed.lastIndexOf(':') + 1));
}

export const exampleRelay = {
  ...exampleListener,
  relayed: '203.0.113.10:49160',
  relayedAddress: '203.0.113.10',
};

export const relayCatalog = {
  RELAY_ADDRESS_PRIVATE: entry<RelayEvidence & { scope: string; publicAddress: string | null }>({
    severity: 'error',
    subject: server,
    distinctBy: ['relayedAddress'],
    example: {
      ...exampleRelay,
      relayed: '172.16.0.10:49341',
      relayedAddress: '172.16.0.10',
      scope: 'a private address',
      publicAddress: '203.0.113.10',
    },
    title: (e) => `The relay address is ${e.scope === 'a private address' ? 'private' : e.scope}`,
    cause: (e) =>
      `${serverName(e)} hands out ${e.relayedAddress} (${e.scope}) as its relay; ${whoReaches(e.relayedAddress)}.`,
    proof: (e) => `Allocate over ${e.transport} returned ${e.relayed}.`,
    fix: (e) => {
      const { publicAddress } = e;
      if (canBeInterface(e.relayedAddress)) {
        const line = inConfig(`external-ip=${publicAddress ?? 'PUBLIC-ADDRESS'}/${e.relayedAddress}`);
        return publicAddress === null
          ? [
              'where users come from outside that network, with the public address of the server:',
              line,
              restart,
            ]
          : [line, restart];
      }
      return [
        grepConfig('relay-ip|listening-ip|external-ip'),
        `relay-ip= must be an address of the server that peers can reach, not ${e.relayedAddress}`,
        restart,
      ];
    },
    explanation:
      'The server stands behind NAT and does not know its public address. Allocations succeed, a relay candidate appears in ICE, and no media arrives at it.',
    confusedWith: [
      'A server that is meant for one private network: then the address is right, and the probe stands outside.',
    ],
    references: ['RFC 8656 §7.2'],
  }),
  RELAY_ADDRESS_MISMATCH: entry<RelayEvidence & { from: string }>({
    severity: 'error',
    subject: server,
    distinctBy: ['relayedAddress'],
    example: {
      ...exampleRelay,
      relayed: '198.51.100.7:49341',
      relayedAddress: '198.51.100.7',
      from: '203.0.113.10',
    },
    title: (e) => `The relay address ${e.relayedAddress} is not that of the server`,
    cause: (e) =>
      `${serverName(e)} hands out ${e.relayedAddress} as its relay, but its relay packets come from ${e.from}, and nothing that is sent to ${e.relayedAddress} gets through: external-ip names a wrong or an old address.`,
    proof: (e) =>
      `Allocate returned ${e.relayed}; nothing sent to it arrived, and what the relay sent came from ${e.from}.`,
    fix: (e) => [
      inConfig(`external-ip=${e.from}`),
      'behind NAT write PUBLIC/PRIVATE, with the private address of the server; without NAT leave it out',
      restart,
    ],
    explanation:
      'The relay address is public and takes in nothing, and packets of the relay arrive from another public address. Peers of a call drop those (RFC 8445 §7.2.5.2.1).',
    confusedWith: [
      'A server with several public addresses: there the relay address answers.',
      'A probe inside the network of the server, where NAT does not translate.',
    ],
    references: ['RFC 8656 §7.2', 'RFC 8445 §7.2.5.2.1'],
  }),
  RELAY_PORTS_BLOCKED: entry<RelayEvidence>({
    severity: 'error',
    subject: server,
    example: exampleRelay,
    title: (e) => `The relay ports of ${e.host} are blocked`,
    cause: (e) =>
      `Packets leave the relay of ${serverName(e)}, but none gets in: a firewall drops UDP to its relay ports. Allocations work, calls are silent.`,
    proof: (e) => `What was sent to ${e.relayed} never came through; what the relay sent did arrive.`,
    fix: (e) => openRelayPorts([portOf(e)]),
    explanation:
      'A second socket of the probe sent to the relay address, with the permission in place, and the packet was not relayed; the relay could send to that socket.',
    confusedWith: [
      'RELAY_PORTS_STATEFUL_ONLY: there replies pass.',
      "The probe's own firewall: then nothing arrives from the relay either.",
    ],
    references: ['RFC 8656 §11.3'],
  }),
  RELAY_PORTS_STATEFUL_ONLY: entry<RelayEvidence>({
    severity: 'error',
    subject: server,
    example: exampleRelay,
    title: (e) => `The relay ports of ${e.host} take replies only`,
    cause: (e) =>
      `A stateful firewall lets packets into the relay of ${serverName(e)} only from peers to which the relay has sent first. Calls connect late, and those with peers behind a symmetric NAT not at all.`,
    proof: (e) =>
      `A first packet to ${e.relayed} did not come through; after the relay had sent, a reply did.`,
    fix: (e) => openRelayPorts([portOf(e)]),
    explanation:
      'Inbound first fails, the reply passes: the signature of a firewall rule "established only" over the relay ports.',
    confusedWith: ['RELAY_PORTS_BLOCKED: there replies are dropped too.'],
    references: ['RFC 8656 §11.3'],
  }),
  RELAY_OUTBOUND_BLOCKED: entry<RelayEvidence & { peer: string }>({
    severity: 'error',
    subject: server,
    example: { ...exampleRelay, peer: '198.51.100.20:40001' },
    title: (e) => `The relay of ${e.host} cannot send`,
    cause: (e) =>
      `Packets get into the relay of ${serverName(e)}, but none leaves it: a firewall drops what the server sends. Audio is one-way.`,
    proof: (e) => `${e.peer} had just reached ${e.relayed}; what the relay sent back to it did not arrive.`,
    fix: () => [
      'look for rules of the output chain, on the server and at the provider:',
      onServer('sudo ufw status verbose'),
      onServer('sudo nft list ruleset'),
    ],
    explanation:
      'The peer socket had opened its own NAT and firewall by sending to the relay address; the answer of the relay to exactly that address did not come.',
    confusedWith: [
      'A symmetric NAT of the client: it does not matter here, as the relay answers to the mapping that it has seen.',
    ],
    references: ['RFC 8656 §11.2'],
  }),
  RELAY_PORTS_PARTLY_BLOCKED: entry<
    ListenerEvidence & { sampled: number; silent: readonly number[]; answering: readonly number[] }
  >({
    severity: 'error',
    subject: server,
    example: { ...exampleListener, sampled: 5, silent: [49300, 49341], answering: [49170, 49201, 49288] },
    title: (e) => `Some relay ports of ${e.host} are blocked`,
    cause: (e) =>
      `Of ${e.sampled} relay ports of ${serverName(e)} that were tried, ${e.silent.length} took nothing in: a firewall opens a part of the range only. Calls that are given such a port are silent.`,
    proof: (e) =>
      `Silent: ${portRuns(e.silent, e.answering)}. Answering: ${portRuns(e.answering, e.silent)}.`,
    fix: (e) => openRelayPorts([...e.silent, ...e.answering]),
    explanation:
      'With --ports N, allocations were taken one after the other, and a second socket sent to each relay address first. It did not get through to some of them.',
    confusedWith: ['RELAY_PORTS_BLOCKED: there none is open.'],
    references: ['RFC 8656 §7.2'],
  }),
  TWO_SERVERS_ANSWER: entry<ListenerEvidence & { seen: readonly string[] }>({
    severity: 'error',
    subject: server,
    distinctBy: ['transport', 'port'],
    example: {
      ...exampleListener,
      seen: ['9 of 16: realm example.com', '7 of 16: realm old.example.com'],
    },
    title: (e) => `Two servers answer on ${listenerName(e)} of ${e.host}`,
    cause: (e) =>
      `What is sent to ${serverName(e)} reaches one server or another, by the source port of the client, and they are not alike. What works for one user fails for the next.`,
    proof: (e) => `Asked from several source ports: ${e.seen.join('; ')}.`,
    fix: (e) => [
      onServer(`sudo ss -lpn 'sport = :${e.port}'`),
      'stop the one that is not meant to run: an old process, a container, a second package',
      restart,
    ],
    explanation:
      'coturn opens its ports with SO_REUSEPORT: a second one starts on the same port without an error and gets a share of the clients. Seen by asking from 16 source ports: the realm, the software, or whether the credential is good differs.',
    confusedWith: ['A load balancer in front of several servers that were meant to be alike.'],
    references: ['RFC 8489 §9.2.4', 'RFC 8489 §14.14'],
  }),
  REPLY_TTL_ONE: entry<ListenerEvidence & { version: string; silent: boolean }>({
    severity: 'error',
    subject: server,
    example: { ...exampleListener, version: '4.17.0', silent: true },
    title: (e) => `coturn ${e.version} sends replies that no router passes on`,
    cause: (e) =>
      e.silent
        ? `${serverName(e)} runs coturn ${e.version}, which sends its replies over UDP with an IP TTL of 1: the first router drops them. TCP works, UDP is silent.`
        : `${serverName(e)} runs coturn ${e.version}, which sends its replies over UDP with an IP TTL of 1. From here no router is crossed, so they arrive; for users elsewhere the first router drops them.`,
    proof: (e) =>
      e.silent
        ? `SOFTWARE over TCP or TLS says Coturn-${e.version}; nothing came back over UDP ${e.port}.`
        : `SOFTWARE says Coturn-${e.version}. The TTL itself cannot be seen by this program.`,
    fix: () => ['update coturn to 4.17.2 or later', onServer('turnserver --version'), restart],
    explanation:
      'coturn 4.17.0 and 4.17.1 have this fault. Node.js gives no program the TTL of a datagram, so it is told by the version and by silence; a server that hides its version (no-software-attribute) can have it unseen. To see it: sudo tcpdump -v -n udp port 3478, on the server.',
    confusedWith: ['UDP_BLOCKED: a firewall, where the version is another one.'],
    references: ['RFC 791 §3.2'],
  }),
  OUTSIDE_PEER_SILENT: entry<ListenerEvidence & { url: string; seen: string }>({
    severity: 'warning',
    subject: server,
    example: { ...exampleListener, url: 'udp://peer.example.net:3479', seen: 'no answer within 1 s' },
    title: (e) => `The outside peer ${e.url} proves nothing`,
    cause: (e) =>
      `${e.url} was to play the other end of the relay of ${serverName(e)}, and did not: ${e.seen}. Where it gives no answer, it does not run, a firewall is in front of it, or its secret is another one: it is silent to what it cannot verify.`,
    proof: (e) => `${e.url}: ${e.seen}.`,
    fix: () => [
      'start it, open its UDP port, and give the same secret here by --peer-secret-file',
      "on the peer's machine:  rtc-ops peer --listen ADDRESS:PORT --secret-file FILE",
    ],
    explanation: 'With --peer, another rtc-ops on a third network plays the other end of the relay.',
    confusedWith: ['A network that lets no UDP out: then the relay alone could reach the peer, and did not.'],
    references: ['RFC 8656 §11.2'],
  }),
  REQUEST_FAILED: entry<
    ListenerEvidence & {
      step: string;
      seen: string;
      /** A Binding was refused with 401. */
      securesStun?: boolean;
    }
  >({
    severity: 'error',
    subject: server,
    distinctBy: ['step'],
    example: { ...exampleListener, step: 'a ChannelBind', seen: 'error 400 Bad Request' },
    title: (e) => `${e.host} fails at ${e.step}`,
    cause: (e) =>
      e.securesStun === true
        ? `${serverName(e)} ${wantsCredentials}.`
        : `${serverName(e)} is there, but ${e.step} ended with: ${e.seen}.`,
    proof: (e) => `Over ${e.transport}, ${e.step}: ${e.seen}.`,
    fix: (e) => (e.securesStun === true ? openBinding : [journal]),
    explanation:
      'One request of a TURN client was refused with an error that is none of the known ones, or was not answered while a new connection was.',
    confusedWith: ['PEER_DENIED (403).', 'SERVER_STOPPED: there a new connection gets no answer either.'],
    references: ['RFC 8656 §8.2', 'RFC 8656 §12.2'],
  }),
  ALLOCATION_NOT_FREED: entry<ListenerEvidence & { lifetimeSeconds: number }>({
    severity: 'warning',
    subject: server,
    example: { ...exampleListener, lifetimeSeconds: 600 },
    title: (e) => `${e.host} does not free an allocation`,
    cause: (e) =>
      `${serverName(e)} keeps an allocation for ${e.lifetimeSeconds} s after it was released. Users who reconnect from the same port get 437, and quotas fill up.`,
    proof: (e) => `Refresh with lifetime 0 was answered with lifetime ${e.lifetimeSeconds}.`,
    fix: () => [onServer('turnserver --version'), 'coturn frees at once; another server may have a setting'],
    explanation: 'A Refresh with lifetime 0 ends an allocation; the server confirms with lifetime 0.',
    confusedWith: [],
    references: ['RFC 8656 §8.3'],
  }),
  ALTERNATE_UNREACHABLE: entry<ListenerEvidence & { alternate: string; seen: string }>({
    severity: 'error',
    subject: server,
    example: { ...exampleListener, alternate: '203.0.113.11:3478', seen: 'no answer within 5 s' },
    title: (e) => `${e.host} sends clients to a server that does not answer`,
    cause: (e) =>
      `${serverName(e)} answers Allocate with 300 Try Alternate and names ${e.alternate}: ${e.seen}.`,
    proof: (e) => `300 Try Alternate to ${e.alternate}; there: ${e.seen}.`,
    fix: (e) => [
      here(`rtc-ops probe '${alternateUrl(e)}'`),
      grepConfig('alternate-server|tls-alternate-server'),
    ],
    explanation:
      'The redirection was followed, and nothing usable is there. Browsers that follow it get no relay.',
    confusedWith: ['SERVER_UNREACHABLE: the server itself.'],
    references: ['RFC 8489 §10'],
  }),
  VANTAGE_TOO_CLOSE: entry<{
    host: string;
    address: string;
    vantage: 'same-host' | 'same-network';
    /** The outside peer by which the relay was proven nevertheless. */
    provenBy: string | null;
  }>({
    severity: 'info',
    subject: server,
    example: { host: 'turn.example.com', address: '203.0.113.10', vantage: 'same-host', provenBy: null },
    title: (e) =>
      e.vantage === 'same-host'
        ? 'Tested from the server itself'
        : 'Tested from inside the network of the server',
    cause: (e) =>
      `${serverName(e)} was reached without crossing ${e.vantage === 'same-host' ? 'any network' : 'its firewall or NAT'}. ${e.provenBy === null ? 'What works from here may still fail for users.' : `The relay was proven by ${e.provenBy}; that the listeners are open to users was not.`}`,
    proof: (e) =>
      e.vantage === 'same-host'
        ? `${e.address} is an address of this machine.`
        : `${e.address} is in a network of this machine, or this client and the server share a public address.`,
    fix: (e) => [
      `from another network:  rtc-ops probe ${e.host}`,
      ...(e.provenBy === null
        ? ['or have another machine play the peer: rtc-ops peer, and --peer here']
        : []),
    ],
    explanation: 'Firewalls, NAT and external-ip of the server are tested only by packets that cross them.',
    confusedWith: [],
    references: [],
  }),
} as const;

const shortReach = {
  loopback: 'only that machine itself can reach it',
  unspecified: 'nobody can reach that',
  multicast: 'nobody can reach that',
  reserved: 'it is routed nowhere',
} as const;

function whoReaches(address: string): string {
  const scope = scopeOf(address);
  return scope in shortReach
    ? shortReach[scope as keyof typeof shortReach]
    : 'no one outside its own network can reach that';
}

/** Whether a server behind NAT can have the address itself, so that external-ip may translate it. */
function canBeInterface(address: string): boolean {
  return !(scopeOf(address) in shortReach);
}

/** `49300 to 49341, 49350`: ports in runs that none of `others` interrupts. */
function portRuns(ports: readonly number[], others: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const port of ports) {
    const last = runs.at(-1);
    if (last && !others.some((other) => other > last[1] && other < port)) last[1] = port;
    else runs.push([port, port]);
  }
  const shown = runs.slice(0, mostRuns).map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`));
  return [...shown, ...(runs.length > mostRuns ? [`${runs.length - mostRuns} more`] : [])].join(', ');
}

// A report is read by people; JSON has them all.
const mostRuns = 8;

function alternateUrl({ alternate, transport }: ListenerEvidence & { readonly alternate: string }): string {
  if (transport === 'tls') return `turns:${alternate}`;
  return `turn:${alternate}${transport === 'tcp' ? '?transport=tcp' : ''}`;
}
