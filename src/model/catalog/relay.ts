import { scopeOf } from '../endpoint.ts';
import {
  exampleListener,
  grepConfig,
  inConfig,
  onServer,
  restart,
  serverName,
  type ListenerEvidence,
  noAudio,
  fault,
} from './entry.ts';
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
  RELAY_ADDRESS_PRIVATE: fault<RelayEvidence & { scope: string; publicAddress: string | null }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['relayedAddress'],
    cell: 'private',
    headline: noAudio,
    causes: [],
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
  RELAY_ADDRESS_MISMATCH: fault<RelayEvidence & { from: string }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['relayedAddress'],
    cell: '',
    headline: noAudio,
    causes: [],
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
  RELAY_PORTS_BLOCKED: fault<RelayEvidence>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: noAudio,
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST'],
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
  RELAY_PORTS_STATEFUL_ONLY: fault<RelayEvidence>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: null,
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST'],
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
  RELAY_OUTBOUND_BLOCKED: fault<RelayEvidence & { peer: string }>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: noAudio,
    causes: [],
    example: { ...exampleRelay, peer: '198.51.100.20:40001' },
    title: (e) => `The relay of ${e.host} cannot send`,
    cause: (e) =>
      `Packets get into the relay of ${serverName(e)}, but none that it sends gets here: a firewall drops what the server sends. Audio is one-way.`,
    proof: (e) => `${e.peer} had just reached ${e.relayed}; what the relay sent back to it did not arrive.`,
    fix: () => [
      'look for rules of the output chain, on the server and at the provider:',
      onServer('sudo ufw status verbose'),
      onServer('sudo nft list ruleset'),
    ],
    explanation:
      'The peer socket had opened its own NAT and firewall by sending to the relay address; the answer of the relay to exactly that address did not come.',
    confusedWith: [
      'RELAY_TTL_LOW: there it leaves, with too low a TTL to get anywhere, and over TCP and TLS all is well; doctor --host tells.',
      'A symmetric NAT of the client: it does not matter here, as the relay answers to the mapping that it has seen.',
    ],
    references: ['RFC 8656 §11.2'],
  }),
  RELAY_PORTS_PARTLY_BLOCKED: fault<
    ListenerEvidence & { sampled: number; silent: readonly number[]; answering: readonly number[] }
  >()({
    severity: 'error',
    subject: server,
    cell: 'some',
    headline: null,
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST'],
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
