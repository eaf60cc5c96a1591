import {
  exampleListener,
  exampleTls,
  filterProtocol,
  grepConfig,
  here,
  listenerKeys,
  inConfig,
  journal,
  listed,
  listenerName,
  onServer,
  releaseWithUsualTtl,
  restart,
  serverName,
  traceRoute,
  type ListenerEvidence,
  fault,
} from './entry.ts';
import { formatEndpoint } from '../endpoint.ts';
import { hostName, server } from '../subject.ts';

export interface UnansweredEvidence extends ListenerEvidence {
  /** What was seen, in words. */
  readonly seen: string;
}

interface BesideEvidence {
  /** Listeners of the same address that did answer: `TCP 3478`. */
  readonly answering: readonly string[];
}

const ttlOneVersions = `where turnserver --version says 4.17.0 or 4.17.1, answers over UDP pass no router: ${releaseWithUsualTtl}`;

const openPort = (evidence: ListenerEvidence): string =>
  onServer(`sudo ufw allow ${evidence.port}/${filterProtocol(evidence)}`);
const providerFirewall = (evidence: ListenerEvidence): string =>
  `in the provider's firewall, allow ${filterProtocol(evidence).toUpperCase()} ${evidence.port} inbound`;
const orHere = 'if it answers from other networks, the block is in this one';
export const whoHasThePort = ({ port, transport }: ListenerEvidence): string =>
  onServer(`sudo ss -ln${transport === 'udp' ? 'u' : 't'}p 'sport = :${port}'`);

interface OutwardEvidence {
  /** Other servers that do answer over the same protocol and port, from here: so such packets leave this network. */
  readonly leavesTo: readonly string[];
}

/** Whose firewall it can be. */
const whoseFirewall = ({ leavesTo }: OutwardEvidence, what: string): string =>
  leavesTo.length === 0
    ? `a firewall, at the server or in this network, ${what}`
    : `${listed(leavesTo)} ${leavesTo.length === 1 ? 'answers' : 'answer'} from here, so it is a firewall at the server or its provider that ${what}`;
const orFirewallHere = ({ leavesTo }: OutwardEvidence): readonly string[] =>
  leavesTo.length === 0 ? [orHere] : [];

/** What stands behind a refusal: the system of the server and a firewall that rejects send the same. */
const whyRefused = ({ answering }: BesideEvidence): string =>
  answering.length === 0
    ? 'nothing listens there, as coturn is stopped or listens elsewhere, or a firewall rejects it'
    : `${listed(answering)} ${answering.length === 1 ? 'answers' : 'answer'}, so the server runs: it does not listen there, or a firewall rejects it`;
const rejectedThere = [
  'if turnserver is listed, a firewall rejects in its name; its rules:',
  onServer('sudo ufw status verbose'),
  onServer('sudo nft list ruleset'),
];

interface UnreachableEvidence {
  /** Whether the network itself said that there is no way, by ICMP or because no machine has the address. */
  readonly told: boolean;
}

const whyTold = 'a firewall prohibits it, or there is no route to that address, or no machine there has it';

/** What of a server is reached. */
export const reachCatalog = {
  DNS_NOT_FOUND: fault<{ host: string; seen: string }>()({
    severity: 'error',
    subject: hostName,
    cell: '',
    headline: 'clients cannot find this server',
    causes: [],
    example: { host: 'turn.example.com', seen: 'no such name, or no address for it (ENOTFOUND)' },
    title: ({ host }) => `The name ${host} does not resolve`,
    cause: ({ host }) => `No address is known for ${host}, so nothing of it could be tested.`,
    proof: ({ seen }) => `The lookup of A and AAAA records ended with: ${seen}.`,
    fix: ({ host }) => ['check the spelling of the name', here(`dig +short ${host} A ${host} AAAA`)],
    explanation:
      'Clients cannot find the server. Proven by the resolver of this machine (hosts file included), for A and AAAA.',
    confusedWith: ['A resolver that does not answer: then the check is unknown, and other names fail too.'],
    references: ['RFC 8656 §4', 'RFC 7065 §3'],
  }),
  SERVER_UNREACHABLE: fault<
    UnansweredEvidence &
      OutwardEvidence &
      UnreachableEvidence & {
        kind: 'TURN' | 'STUN';
        elsewhere: readonly string[];
        refusing: readonly string[];
      }
  >()({
    severity: 'error',
    subject: server,
    distinctBy: ['told'],
    cell: ({ told }) => (told ? 'unreachable' : 'silent'),
    headline: 'nothing of this server answers',
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST', 'HOST_DOES_NOT_ANSWER', 'ANSWER_TTL_ONE', 'ANSWER_LOST'],
    example: {
      ...exampleListener,
      seen: 'no answer within 5 s (sent 5 times)',
      told: false,
      kind: 'TURN',
      elsewhere: [],
      refusing: [],
      leavesTo: [],
    },
    title: (e) =>
      e.refusing.length > 0
        ? `${listenerName(e)} of ${serverName(e)} ${e.told ? 'cannot be reached' : 'does not answer'}`
        : `${serverName(e)} ${e.told ? 'cannot be reached' : 'does not answer'}`,
    cause: (e) => {
      if (e.told) {
        const beside =
          e.elsewhere.length > 0
            ? `${e.host} answers at ${listed(e.elsewhere)}`
            : e.refusing.length > 0
              ? `${listed(e.refusing)} ${e.refusing.length === 1 ? 'refuses' : 'refuse'} connections`
              : 'no other listener tested at that address answered';
        return `The network itself says that ${listenerName(e)} cannot be reached: ${whyTold}; ${beside}.`;
      }
      if (e.refusing.length > 0) {
        return `${listenerName(e)} stays silent, and ${listed(e.refusing)} ${e.refusing.length === 1 ? 'refuses' : 'refuse'} connections: something answers for that host, and no TURN server was found on it. It is stopped, or it is there and a firewall hides it.`;
      }
      return e.elsewhere.length > 0
        ? `Nothing came back from any listener tested at ${e.address}, while ${e.host} answers at ${listed(e.elsewhere)}. That address record is wrong, or a firewall drops everything to it, or the server does not listen there.`
        : `Nothing came back from ${listenerName(e)}, and no other listener tested at that address answered. The server is down, or ${e.kind === 'STUN' ? 'leaves STUN Binding unanswered (no-stun), or ' : ''}the address is wrong, or a firewall ${e.leavesTo.length === 0 ? 'on the way' : 'at the server'} drops everything${e.leavesTo.length === 0 ? '' : ` (${listed(e.leavesTo)} ${e.leavesTo.length === 1 ? 'answers' : 'answer'} from here)`}.`;
    },
    proof: (e) => `${listenerName(e)}: ${e.seen}.`,
    fix: (e) => [
      ...(e.elsewhere.length > 0 ? [here(`dig +short ${e.host} A ${e.host} AAAA`)] : []),
      onServer('sudo systemctl status coturn'),
      onServer('sudo ss -lntup | grep turnserver'),
      ...(e.kind === 'STUN' && !e.told
        ? [grepConfig('no-stun'), 'with no-stun the server answers no STUN request; probe it by a turn: URL']
        : []),
      openPort(e),
      providerFirewall(e),
      ...(e.elsewhere.length > 0 ? [] : orFirewallHere(e)),
      ...(e.transport === 'udp' && !e.told ? [ttlOneVersions] : []),
    ],
    explanation:
      'No listener of that address answered. Proven by requests that were repeated until the deadline (RFC 8489 §6.2.1) over every transport that was asked for.',
    confusedWith: [
      'UDP_BLOCKED: there another transport of the same server answers.',
      'REPLY_TTL_ONE: answers that the first router drops look the same from here; over TCP or TLS such a server answers.',
      "This machine's own network: probe a server that is known to work beside it.",
    ],
    references: ['RFC 8489 §6.2.1'],
  }),
  NOTHING_LISTENS: fault<{ host: string; address: string; refusing: readonly string[] }>()({
    severity: 'error',
    subject: server,
    cell: 'refused',
    headline: 'what was tested of this server refuses',
    causes: [],
    example: {
      host: 'turn.example.com',
      address: '203.0.113.10',
      refusing: ['UDP 3478', 'TCP 3478', 'TLS 5349'],
    },
    title: (e) => `${serverName(e)} refuses on every port that was tested`,
    cause: (e) =>
      `${listed(e.refusing)} all refuse: nothing listens there, as coturn is stopped or listens on other ports, or a firewall rejects them.`,
    proof: (e) => `${listed(e.refusing)} were refused at once, by a TCP reset or ICMP "port unreachable".`,
    fix: () => [
      onServer('sudo ss -lntup | grep turnserver'),
      'if it is not listed, it does not run, or not on these ports:',
      onServer('sudo systemctl status coturn'),
      journal,
      ...rejectedThere,
    ],
    explanation:
      'Every listener that was tested at that address was refused by the operating system of the server, or by a firewall that rejects in its name: from outside both look the same.',
    confusedWith: [
      'TCP_REFUSED and UDP_REFUSED: there one listener refuses, and others answer or stay silent.',
    ],
    references: ['RFC 9293 §3.5.2', 'RFC 1122 §3.2.2.1'],
  }),
  LISTENER_SILENT: fault<UnansweredEvidence & BesideEvidence>()({
    severity: 'error',
    subject: server,
    cell: 'silent',
    headline: 'nothing of this server answers',
    // It was about to be reached when the server ended.
    causes: [
      'SERVER_STOPPED',
      'DROPPED_AT_HOST',
      'LOST_BEFORE_HOST',
      'HOST_DOES_NOT_ANSWER',
      'ANSWER_TTL_ONE',
      'ANSWER_LOST',
    ],
    example: { ...exampleTls, seen: 'no answer within 5 s', answering: [] },
    title: (e) =>
      e.answering.length > 0
        ? `${listenerName(e)} of ${e.host} accepts connections and says nothing`
        : `${serverName(e)} accepts connections and says nothing`,
    cause: (e) =>
      e.answering.length > 0
        ? `${listed(e.answering)} of ${serverName(e)} ${e.answering.length === 1 ? 'answers' : 'answer'}, but over ${listenerName(e)} no answer follows the connection: something else has that port, or a proxy on the way accepts for the server, or a firewall drops by content.`
        : `The host accepts TCP connections, but no STUN request was answered, over any transport that was tested. The server hangs, or something else has its ports, or a proxy on the way accepts for it, or a firewall drops by content.`,
    proof: (e) => `${listenerName(e)}: ${e.seen}, after a TCP connection to that host had been accepted.`,
    fix: (e) => [whoHasThePort(e), journal, restart],
    explanation:
      'The TCP handshake is done by the operating system, or by a middlebox; a server that works also answers what is sent over the connection.',
    confusedWith: [
      'NOT_A_TURN_SERVER: there something answers, and it is not STUN.',
      'PORT_BLOCKED: there not even a connection comes about.',
    ],
    references: ['RFC 8489 §6.2.2'],
  }),
  CONNECTION_UNANSWERED: fault<UnansweredEvidence>()({
    severity: 'warning',
    subject: server,
    distinctBy: listenerKeys,
    cell: 'at times',
    headline: null,
    causes: ['LOSS_HIGH'],
    example: { ...exampleTls, seen: 'no answer within 5 s' },
    title: (e) => `${listenerName(e)} of ${e.host} served one connection of two`,
    cause: (e) =>
      `One connection to ${listenerName(e)} of ${serverName(e)} waited in vain, while another, begun a second later, was served. Several servers share that address and one of them is dead, or the path loses many packets: some users wait, and others do not.`,
    proof: (e) => `The first connection: ${e.seen}. The second: a session at once.`,
    fix: (e) => [
      here(
        e.transport === 'tls'
          ? `for i in 1 2 3 4 5 6 7 8; do timeout 5 openssl s_client -connect ${formatEndpoint(e)} </dev/null >/dev/null 2>&1 && echo served || echo not; done`
          : `for i in 1 2 3 4 5 6 7 8; do nc -z -w 5 ${e.address} ${e.port} && echo served || echo not; done`,
      ),
      'where that differs from one to the next: take the dead server out of the load balancer, or out of the name',
      traceRoute(e),
    ],
    explanation:
      'A connection that is not ready after a second is tried once more beside the first, as a path that loses packets can cost a handshake its time. Here the second one was served, and the first one was still waiting when its time was over.',
    confusedWith: [
      'LISTENER_SILENT: there no connection is answered.',
      'TWO_SERVERS_ANSWER: there both answer, and differ.',
    ],
    references: ['RFC 9293 §3.8.1'],
  }),
  UDP_BLOCKED: fault<UnansweredEvidence & BesideEvidence & OutwardEvidence & UnreachableEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: ({ told }) => (told ? 'unreachable' : 'silent'),
    headline: 'what was tested of this server does not answer',
    causes: [
      'REPLY_TTL_ONE',
      'DROPPED_AT_HOST',
      'LOST_BEFORE_HOST',
      'HOST_DOES_NOT_ANSWER',
      'ANSWER_TTL_ONE',
      'ANSWER_LOST',
    ],
    example: {
      ...exampleListener,
      seen: 'no answer within 5 s (sent 5 times)',
      told: false,
      answering: ['TCP 3478'],
      leavesTo: [],
    },
    title: (e) => `UDP ${e.port} of ${e.host} does not answer`,
    cause: (e) =>
      `${serverName(e)} answers over ${listed(e.answering)}, but ${e.told ? `the network says that UDP ${e.port} cannot be reached: ${whoseFirewall(e, 'prohibits UDP to that port')}` : `UDP ${e.port} stays silent: ${whoseFirewall(e, 'drops UDP to that port')}`}. Clients that rely on UDP get nothing.`,
    proof: (e) =>
      `UDP ${e.port}: ${e.seen}, while ${listed(e.answering)} of the same address ${e.answering.length === 1 ? 'answers' : 'answer'}.`,
    fix: (e) => [openPort(e), providerFirewall(e), ...orFirewallHere(e)],
    explanation:
      'A Binding request over UDP got no answer while another transport of the same address answered. Which firewall drops it is not known from one vantage, but for another server that answers (see --control).',
    confusedWith: [
      'SERVER_UNREACHABLE: there nothing of the server answers.',
      'UDP_REFUSED: there the host says so.',
    ],
    references: ['RFC 8489 §6.2.1'],
  }),
  PORT_BLOCKED: fault<UnansweredEvidence & BesideEvidence & OutwardEvidence & UnreachableEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: ({ told }) => (told ? 'unreachable' : 'silent'),
    headline: 'what was tested of this server does not answer',
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST', 'HOST_DOES_NOT_ANSWER', 'ANSWER_TTL_ONE', 'ANSWER_LOST'],
    example: {
      ...exampleTls,
      seen: 'no answer within 5 s',
      told: false,
      answering: ['UDP 3478'],
      leavesTo: [],
    },
    title: (e) => `${listenerName(e)} of ${e.host} does not answer`,
    cause: (e) =>
      `${serverName(e)} answers over ${listed(e.answering)}, but no connection to ${listenerName(e)} comes about: ${whoseFirewall(e, 'blocks that port')}.`,
    proof: (e) =>
      `${listenerName(e)}: ${e.seen}, while ${listed(e.answering)} of the same address ${e.answering.length === 1 ? 'answers' : 'answer'}.`,
    fix: (e) => [openPort(e), providerFirewall(e), ...orFirewallHere(e)],
    explanation:
      'A TCP connection got neither an answer nor a refusal, or an ICMP message said that it is prohibited, while another listener of the same address answered.',
    confusedWith: [
      'TCP_REFUSED: there the host itself says that nothing listens.',
      'LISTENER_SILENT: there the connection is accepted.',
    ],
    references: ['RFC 1812 §5.2.7.1'],
  }),
  TCP_REFUSED: fault<ListenerEvidence & BesideEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: 'refused',
    headline: 'what was tested of this server refuses',
    causes: [],
    example: { ...exampleTls, answering: ['UDP 3478', 'TCP 3478'] },
    title: (e) => `${listenerName(e)} of ${e.host} refuses connections`,
    cause: (e) => `${serverName(e)} refuses the connection: ${whyRefused(e)}.`,
    proof: (e) => `The TCP connection to ${e.address} port ${e.port} was refused at once.`,
    fix: (e) => [
      onServer('sudo ss -lntp | grep turnserver'),
      ...rejectedThere,
      'if it is not listed for that port, it needs:',
      ...(e.transport === 'tls'
        ? [
            inConfig(`tls-listening-port=${e.port}`),
            'with cert= and pkey= of files that exist, and without no-tls',
          ]
        : [inConfig(`listening-port=${e.port}`), 'without no-tcp']),
      restart,
    ],
    explanation:
      'The operating system of the server (or a firewall that rejects in its name) answered the connection with a reset: from outside both look the same.',
    confusedWith: ['PORT_BLOCKED: there nothing comes back, or the network says that there is no way.'],
    references: ['RFC 9293 §3.5.2'],
  }),
  UDP_REFUSED: fault<ListenerEvidence & BesideEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: 'refused',
    headline: 'what was tested of this server refuses',
    causes: [],
    example: { ...exampleListener, answering: [] },
    title: (e) => `UDP ${e.port} of ${e.host} refuses`,
    cause: (e) => `${serverName(e)} answers with ICMP "port unreachable": ${whyRefused(e)}.`,
    proof: (e) =>
      `A Binding request to ${e.address} UDP port ${e.port} came back as ICMP "port unreachable".`,
    fix: (e) => [
      onServer('sudo ss -lnup | grep turnserver'),
      ...rejectedThere,
      'if it is not listed for that port, it needs:',
      inConfig(`listening-port=${e.port}`),
      'without no-udp',
      restart,
    ],
    explanation:
      'The host (or a firewall that rejects in its name) answered UDP with ICMP type 3 code 3, or ICMPv6 type 1 code 4: from outside both look the same.',
    confusedWith: ['UDP_BLOCKED: there nothing comes back at all.'],
    references: ['RFC 1122 §3.2.2.1', 'RFC 4443 §3.1'],
  }),
} as const;
