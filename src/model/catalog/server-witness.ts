import { bracketed } from '../endpoint.ts';
import { server } from '../subject.ts';
import { nativeRootCatalog } from './native-root.ts';
import { serverNameCatalog } from './server-name.ts';
import {
  fault,
  here,
  journal,
  listed,
  noAudio,
  onServer,
  releaseWithUsualTtl,
  restart,
  serverName,
  type ListenerEvidence,
} from './entry.ts';

/** What was sent from here to some ports of a server, and what the server itself saw of that. */
export interface PassageEvidence extends ListenerEvidence {
  /** Listeners of that server to which the same happens, `UDP 3478`; for relay ports each that was tried, `UDP 49160`. */
  readonly places: readonly string[];
  readonly isRelay: boolean;
  /** The server as ssh knows it. */
  readonly seenBy: string;
  /** This client, as the server sees it. */
  readonly client: string;
  /** Packets of this client to these ports, and to this client from there, at the interface of the server. */
  readonly arrived: number;
  readonly answered: number;
  /** What of the probe did arrive there: `TCP 3478`. */
  readonly beside: readonly string[];
}

/** What drops packets on the server, as its rules say. */
interface DeciderEvidence {
  readonly rule: string | null;
  readonly chain: string;
  readonly table: string;
}

interface RulesEvidence {
  /** Whether the rules of the server are known, and let these packets in. */
  readonly isLetIn: boolean;
}

const example: PassageEvidence = {
  host: 'turn.example.com',
  address: '203.0.113.10',
  port: 3478,
  transport: 'udp',
  places: ['UDP 3478'],
  isRelay: false,
  seenBy: 'admin@turn.example.com',
  client: '198.51.100.20',
  arrived: 5,
  answered: 0,
  beside: ['TCP 3478'],
};

const packets = (count: number): string => (count === 1 ? 'one packet' : `${count} packets`);
/** As a packet filter names them: TLS is TCP to it. */
const filtered = ({ places }: PassageEvidence): string =>
  listed([...new Set(places.map((place) => place.replace(/^TLS/, 'TCP')))]);
const name = (e: PassageEvidence): string => (e.isRelay ? 'the relay ports' : listed(e.places));

function headline(e: PassageEvidence): string {
  return e.isRelay ? noAudio : 'what clients send to this server gets no answer';
}

/** `3478/udp` of `UDP 3478`. */
function ufwPort(place: string): string {
  const [transport = '', port = ''] = place.split(' ');
  return `${port}/${transport === 'UDP' ? 'udp' : 'tcp'}`;
}

/** What lets these ports in at a provider; a range is opened as a whole. */
function openBefore(e: PassageEvidence): string {
  return e.isRelay
    ? "in the provider's firewall, allow UDP from anywhere to the whole range of relay ports (min-port to max-port)"
    : `in the provider's firewall, allow ${filtered(e)} from anywhere`;
}

/** What only a look from both ends can tell: where between a client and coturn packets get lost. */
export const witnessCatalog = {
  ...serverNameCatalog,
  ...nativeRootCatalog,
  DROPPED_AT_HOST: fault<PassageEvidence & DeciderEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['places', 'isRelay'],
    cell: 'dropped',
    headline,
    causes: ['FIREWALL_BLOCKS_LISTENER', 'FIREWALL_BLOCKS_RELAY', 'FIREWALL_RELAY_STATEFUL_ONLY'],
    example: { ...example, rule: null, chain: 'input', table: 'inet filter' },
    title: (e) => `The firewall of the server itself drops what is sent to ${name(e)}`,
    cause: (e) =>
      `${packets(e.arrived)} of this client to ${filtered(e)} reached the interface of ${serverName(e)}, and its own rules end them: ${e.rule === null ? `the policy of the chain ${e.chain} of ${e.table} is drop` : `in the chain ${e.chain} of ${e.table} the rule ${e.rule}`}.`,
    proof: (e) =>
      `A capture on ${e.seenBy} has ${packets(e.arrived)} from ${e.client} to ${filtered(e)}, and none back.`,
    fix: (e) => [
      e.isRelay
        ? 'let UDP in to the whole range of relay ports (min-port to max-port):'
        : `let ${filtered(e)} in:`,
      ...(e.isRelay ? ['MIN:MAX/udp'] : e.places.map(ufwPort)).map((port) =>
        onServer(`sudo ufw allow ${port}`),
      ),
      'or with the tool that manages the rules there:',
      onServer('rtc-ops firewall show'),
    ],
    explanation:
      'What the probe sent was captured at the network interface of the server, which comes before its firewall, and no answer left. Its rules, followed for such a packet, drop it.',
    confusedWith: [
      'LOST_BEFORE_HOST: there nothing reaches the interface of the server.',
      'HOST_DOES_NOT_ANSWER: there the rules let it in.',
    ],
    references: ['RFC 8656 §3.1', 'RFC 2979'],
  }),
  LOST_BEFORE_HOST: fault<PassageEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['places', 'isRelay'],
    cell: 'lost',
    headline,
    causes: [],
    example: { ...example, arrived: 0 },
    title: (e) => `What is sent to ${name(e)} never reaches the server`,
    cause: (e) =>
      `No packet of this client to ${filtered(e)} got as far as the interface of ${serverName(e)}: the firewall of its provider drops it, or the network before it${e.beside.length === 0 ? ', or the one of this client' : ''}. The firewall of the server itself has no part in it.`,
    proof: (e) =>
      `A capture on ${e.seenBy} has no packet from ${e.client} to ${filtered(e)}${e.beside.length === 0 ? '' : `, and has those to ${listed(e.beside)} of the same probe`}.`,
    fix: (e) => [
      openBefore(e),
      onServer('rtc-ops firewall show --backend aws'),
      'or with google-cloud, azure, hetzner or digitalocean',
      'where it arrives from other networks, the network of this client drops it: rtc-ops probe with --control tells',
    ],
    explanation:
      'While the probe ran, the packets of this client were captured at the network interface of the server. What was sent there was not among them, and other packets of the probe were, or the one that asked for the capture was.',
    confusedWith: [
      'DROPPED_AT_HOST: there it reaches the server, whose own rules drop it.',
      'UDP_BLOCKED_HERE: there controls show that nothing of the kind leaves this network.',
    ],
    references: ['RFC 8656 §3.1', 'RFC 2979'],
  }),
  HOST_DOES_NOT_ANSWER: fault<PassageEvidence & RulesEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['places', 'isRelay'],
    cell: 'silent',
    headline,
    causes: ['FIREWALL_BLOCKS_LISTENER', 'FIREWALL_BLOCKS_RELAY', 'LISTENER_MISSING', 'LISTENER_ELSEWHERE'],
    example: { ...example, isLetIn: true },
    title: (e) => `What is sent to ${name(e)} reaches the server, which does not answer`,
    cause: (e) =>
      e.isLetIn
        ? `${packets(e.arrived)} to ${filtered(e)} reached ${serverName(e)}, whose rules let them in: coturn hangs, or does not serve that port, or a rule for what leaves drops the answer.`
        : `${packets(e.arrived)} to ${filtered(e)} reached ${serverName(e)}, and no answer left: its firewall drops them, or coturn hangs or does not serve that port.`,
    proof: (e) =>
      `A capture on ${e.seenBy} has ${packets(e.arrived)} from ${e.client} to ${filtered(e)}, and none back.`,
    fix: (e) => [
      onServer(`sudo ss -lntup 'sport = :${e.port}'`),
      onServer('sudo nft list ruleset'),
      journal,
      restart,
    ],
    explanation:
      'What the probe sent was captured at the network interface of the server, and no answer left that interface. No rule of its firewall is known to drop it.',
    confusedWith: ['DROPPED_AT_HOST: there a rule is known that drops it.'],
    references: ['RFC 8489 §6.2.2'],
  }),
  ANSWER_TTL_ONE: fault<PassageEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['places', 'isRelay'],
    cell: 'lost',
    headline: 'the answers of this server do not get past a router',
    causes: ['REPLY_TTL_ONE'],
    example: { ...example, answered: 5 },
    title: (e) => `The server answers at ${name(e)} with an IP TTL of 1`,
    cause: (e) =>
      `What ${serverName(e)} sends back over ${filtered(e)} has a TTL of 1, so that the first router drops it: coturn 4.17.0 and 4.17.1 do that, or a rule of the server sets it.`,
    proof: (e) =>
      `A capture on ${e.seenBy} has ${packets(e.answered)} to ${e.client} with a TTL of 1 as they left; none of them arrived here.`,
    fix: () => [
      onServer('turnserver --version'),
      `where it says 4.17.0 or 4.17.1: ${releaseWithUsualTtl}; with another version a rule sets it:`,
      onServer('sudo nft list ruleset | grep ttl'),
      restart,
    ],
    explanation:
      'The TTL was read from the packets as they left the network interface of the server. On the network of the server all works, and behind a router nothing does.',
    confusedWith: ['ANSWER_LOST: there the answers leave as they should.'],
    references: ['RFC 791 §3.2'],
  }),
  RELAY_TTL_LOW: fault<ListenerEvidence & { ttl: number; client: string; seenBy: string; isLost: boolean }>()(
    {
      severity: 'warning',
      subject: server,
      cell: 'TTL',
      headline: null,
      causes: [],
      example: {
        ...{ host: 'turn.example.com', address: '203.0.113.10', port: 3478, transport: 'udp' },
        ...{ ttl: 3, client: '198.51.100.20', seenBy: 'admin@turn.example.com', isLost: false },
      },
      title: (e) => `What the relay of ${e.host} sends on to peers has an IP TTL of ${e.ttl}`,
      cause: (e) =>
        `coturn sends on with the TTL that is left of what came over UDP, less one: what this client sends arrives at ${serverName(e)} with ${e.ttl + 1} left, and gets past ${e.ttl === 1 ? 'no router' : e.ttl === 2 ? 'one router' : `${e.ttl - 1} routers at most`} on its way to a peer. ${e.isLost ? 'It did not get back here either: audio is one-way.' : 'Peers that are farther away hear nothing of it.'}`,
      proof: (e) =>
        `A capture on ${e.seenBy} has packets of the relay to ${e.client} with a TTL of ${e.ttl} as they left.`,
      fix: (e) => [
        'offer the relay over TCP and TLS too, for which coturn takes the usual TTL:',
        `turn:${bracketed(e.host)}?transport=tcp`,
        'and look on the way from this client for what takes so much of it: its own TTL, a tunnel, a rule that sets it:',
        here('sysctl net.ipv4.ip_default_ttl'),
        here(`traceroute -n ${e.address}`),
      ],
      explanation:
        'RFC 8656 has a relay behave as a router does: the TTL of a packet counts for the way to the relay and the way behind it together. A client begins with 64 or 128. Where much of it is gone when the packet comes to the server, only peers close to the server hear this client. Read from packets of the relay as they left its interface.',
      confusedWith: [
        'ANSWER_TTL_ONE: there coturn 4.17 gives its own answers a TTL of 1, whatever came.',
        'RELAY_OUTBOUND_BLOCKED: there a firewall drops what the relay sends; over TCP and TLS too.',
      ],
      references: ['RFC 8656 §14', 'RFC 791 §3.2'],
    },
  ),
  ANSWER_LOST: fault<PassageEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['places', 'isRelay'],
    cell: 'lost',
    headline: 'the answers of this server get lost on the way',
    causes: ['REPLY_TTL_ONE', 'ANSWER_TTL_ONE'],
    example: { ...example, answered: 5 },
    title: (e) => `The server answers at ${name(e)}, and the answers are lost on the way back`,
    cause: (e) =>
      `${serverName(e)} got ${packets(e.arrived)} to ${filtered(e)} and sent ${packets(e.answered)} back, of which none came here: a firewall on the way drops them, or they take another way back (a second interface, a policy route, a NAT that does not know them).`,
    proof: (e) =>
      `A capture on ${e.seenBy} has ${packets(e.answered)} to ${e.client} from ${filtered(e)}; none of them arrived here.`,
    fix: (e) => [
      onServer(`ip route get ${e.client}`),
      'it has to leave by the interface and the address that clients send to',
      openBefore(e).replace('from anywhere', 'in both directions'),
    ],
    explanation:
      'The capture at the network interface of the server has the answers, which had passed its own firewall by then, and the probe did not get them.',
    confusedWith: ['REPLY_TTL_ONE: there coturn itself gives its answers too short a life.'],
    references: ['RFC 8489 §6.2.1', 'RFC 3704 §2.3'],
  }),
} as const;
