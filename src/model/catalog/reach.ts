import {
  entry,
  filterProtocol,
  listenerName,
  serverName,
  type ListenerEvidence,
  exampleListener,
  exampleTls,
} from './entry.ts';

interface UnansweredEvidence extends ListenerEvidence {
  /** What was seen, in words. */
  readonly seen: string;
}

interface PartlyReachableEvidence extends UnansweredEvidence {
  /** Listeners of the same address that did answer: `TCP 3478`. */
  readonly answering: readonly string[];
}

const openPort = (evidence: ListenerEvidence): string =>
  `on the server:  sudo ufw allow ${evidence.port}/${filterProtocol(evidence)}`;
const providerFirewall = (evidence: ListenerEvidence): string =>
  `and in the provider's firewall: allow ${filterProtocol(evidence).toUpperCase()} ${evidence.port} inbound`;

export const reachCatalog = {
  DNS_NOT_FOUND: entry<{ host: string; seen: string }>({
    severity: 'error',
    example: { host: 'turn.example.com', seen: 'ENOTFOUND' },
    title: ({ host }) => `The name ${host} does not resolve`,
    cause: ({ host }) => `No address is known for ${host} on this machine, so nothing of it could be tested.`,
    proof: ({ seen }) => `The lookup of A and AAAA records ended with ${seen}.`,
    fix: ({ host }) => [`check the spelling, then:  dig +short ${host} A ${host} AAAA`],
    explanation:
      'Clients cannot find the server. Proven by the resolver of this machine (hosts file included), for A and AAAA.',
    confusedWith: ['A resolver of this network that is down: other names fail then too.'],
    references: ['RFC 8656 §4', 'RFC 7065 §3'],
  }),
  SERVER_UNREACHABLE: entry<UnansweredEvidence>({
    severity: 'error',
    example: { ...exampleListener, seen: 'no answer within 5 s (sent 5 times)' },
    title: (e) => `${serverName(e)} does not answer`,
    cause: (e) =>
      `Nothing came back from ${listenerName(e)}, nor from any other listener tested at that address. The server is down, or a firewall between here and there drops everything, or the address is wrong.`,
    proof: (e) => `${listenerName(e)}: ${e.seen}.`,
    fix: (e) => [
      `on the server:  sudo systemctl status coturn; sudo ss -lntup | grep turnserver`,
      openPort(e),
      providerFirewall(e),
    ],
    explanation:
      'No listener of that address answered. Proven by requests that were repeated until the deadline (RFC 8489 §6.2.1) over every transport that was asked for.',
    confusedWith: [
      'UDP_BLOCKED: there another transport of the same server answers.',
      "This machine's own network: probe a server that is known to work beside it.",
    ],
    references: ['RFC 8489 §6.2.1'],
  }),
  LISTENER_SILENT: entry<UnansweredEvidence>({
    severity: 'error',
    example: { ...exampleTls, seen: 'no answer within 5 s' },
    title: (e) => `${listenerName(e)} of ${e.host} accepts connections and stays silent`,
    cause: (e) =>
      `${serverName(e)} takes the connection and never answers ${e.transport === 'tls' ? 'the TLS handshake' : 'a STUN request'}: the process is frozen or overloaded, or something else has the port (a listener without TLS behind a turns: URL, a proxy whose backend is gone).`,
    proof: (e) => `TCP connects to port ${e.port}; then: ${e.seen}.`,
    fix: (e) => [
      `on the server:  sudo ss -lntp | grep ':${e.port} '   shows what has the port`,
      'on the server:  sudo systemctl restart coturn',
    ],
    explanation: 'The TCP connection is accepted, and nothing follows within the deadline.',
    confusedWith: [
      'PORT_BLOCKED: there not even the connection comes about.',
      'TLS_HANDSHAKE_FAILED: there something answers.',
    ],
    references: ['RFC 8656 §3.1'],
  }),
  UDP_BLOCKED: entry<PartlyReachableEvidence>({
    severity: 'error',
    example: { ...exampleListener, seen: 'no answer within 5 s (sent 5 times)', answering: ['TCP 3478'] },
    title: (e) => `UDP ${e.port} does not answer`,
    cause: (e) =>
      `${serverName(e)} answers over ${e.answering.join(' and ')}, but UDP ${e.port} stays silent: a firewall, at the server or in this network, drops UDP. Clients that rely on UDP get no relay.`,
    proof: (e) => `UDP ${e.port}: ${e.seen}, while ${e.answering.join(' and ')} answered.`,
    fix: (e) => [openPort(e), providerFirewall(e), 'if other networks reach it, the block is in this one'],
    explanation:
      'A Binding request over UDP got no answer while another transport of the same address answered. Which firewall drops it is not known from one vantage.',
    confusedWith: [
      'SERVER_UNREACHABLE: there nothing of the server answers.',
      'UDP_REFUSED: there the host says so.',
    ],
    references: ['RFC 8489 §6.2.1'],
  }),
  PORT_BLOCKED: entry<PartlyReachableEvidence>({
    severity: 'error',
    example: { ...exampleTls, seen: 'no answer within 5 s', answering: ['UDP 3478'] },
    title: (e) => `${listenerName(e)} does not answer`,
    cause: (e) =>
      `${serverName(e)} answers over ${e.answering.join(' and ')}, but a connection to ${listenerName(e)} is not even refused: a firewall drops it.`,
    proof: (e) => `${listenerName(e)}: ${e.seen}, while ${e.answering.join(' and ')} answered.`,
    fix: (e) => [openPort(e), providerFirewall(e)],
    explanation:
      'A TCP connection got neither an answer nor a refusal, or an ICMP message said that it is prohibited, while another listener of the same address answered.',
    confusedWith: ['TCP_REFUSED: there the host itself says that nothing listens.'],
    references: ['RFC 1812 §5.2.7.1'],
  }),
  TCP_REFUSED: entry<ListenerEvidence>({
    severity: 'error',
    example: exampleTls,
    title: (e) => `Nothing listens on ${listenerName(e)}`,
    cause: (e) =>
      `${serverName(e)} refuses the connection: the host is up, the port is not in use. coturn is stopped, or it listens elsewhere.`,
    proof: (e) => `The TCP connection to port ${e.port} was refused at once.`,
    fix: (e) => [
      'on the server:  sudo systemctl status coturn; sudo ss -lntp | grep turnserver',
      e.transport === 'tls'
        ? `/etc/turnserver.conf:  tls-listening-port=${e.port}  with cert= and pkey=, and without no-tls`
        : `/etc/turnserver.conf:  listening-port=${e.port}  and without no-tcp`,
    ],
    explanation:
      'The operating system of the server (or a firewall that rejects in its name) answered the connection with a reset.',
    confusedWith: ['A firewall with a REJECT rule sends the same answer.'],
    references: ['RFC 9293 §3.5.2'],
  }),
  UDP_REFUSED: entry<ListenerEvidence>({
    severity: 'error',
    example: exampleListener,
    title: (e) => `Nothing listens on UDP ${e.port}`,
    cause: (e) =>
      `${serverName(e)} answers with ICMP "port unreachable": the host is up, nothing listens on that port. coturn is stopped, or it listens elsewhere.`,
    proof: (e) => `A Binding request to UDP ${e.port} came back as ICMP "port unreachable".`,
    fix: (e) => [
      'on the server:  sudo systemctl status coturn; sudo ss -lnup | grep turnserver',
      `/etc/turnserver.conf:  listening-port=${e.port}  and without no-udp`,
    ],
    explanation:
      'The host (or a firewall that rejects in its name) answered UDP with ICMP type 3 code 3, or ICMPv6 type 1 code 4.',
    confusedWith: ['UDP_BLOCKED: there nothing comes back at all.'],
    references: ['RFC 1122 §3.2.2.1', 'RFC 4443 §3.1'],
  }),
  NOT_A_TURN_SERVER: entry<UnansweredEvidence>({
    severity: 'error',
    example: { ...exampleTls, seen: 'not a STUN answer: "HTTP/1.1 400 Bad Request"' },
    title: (e) => `${listenerName(e)} of ${e.host} is no TURN server`,
    cause: (e) => `Something answers at ${serverName(e)}, but not as a TURN server: ${e.seen}.`,
    proof: (e) => `The answer over ${listenerName(e)}: ${e.seen}.`,
    fix: (e) => [
      `on the server:  sudo ss -lntup | grep ':${e.port} '   shows what has the port`,
      'check host and port of the URL; a name behind an HTTP proxy or CDN cannot carry TURN',
    ],
    explanation:
      'The listener answered with something that is not STUN (HTTP, an echo, a TLS alert), closed the connection on a STUN request, or answers STUN and does not know Allocate.',
    confusedWith: ['A TLS listener on a plain port, or the reverse: the beginning of the answer shows it.'],
    references: ['RFC 8489 §5', 'RFC 8656 §7'],
  }),
  BINDING_UNANSWERED: entry<ListenerEvidence>({
    severity: 'warning',
    example: exampleListener,
    title: (e) => `${listenerName(e)} of ${e.host} answers TURN, but not STUN Binding`,
    cause: (e) =>
      `${serverName(e)} relays, but clients cannot learn their own address from it, so calls that could go directly use the relay.`,
    proof: () => 'A Binding request was not answered; an Allocate request over the same connection was.',
    fix: () => ['/etc/turnserver.conf:  remove no-stun', 'then:  sudo systemctl restart coturn'],
    explanation: 'coturn does so with no-stun.',
    confusedWith: ['Packet loss: probe again.'],
    references: ['RFC 8489 §12', 'RFC 8445 §5.1.1.2'],
  }),
  SERVER_STOPPED: entry<ListenerEvidence & { step: string; seen: string }>({
    severity: 'error',
    example: { ...exampleListener, step: 'refresh', seen: 'no answer within 5 s (sent 5 times)' },
    title: (e) => `${e.host} stopped answering in the middle`,
    cause: (e) =>
      `${serverName(e)} had answered before; then, at "${e.step}", it did not any more. The server was stopped, restarted or crashed while it was being tested, or the network broke.`,
    proof: (e) => `${listenerName(e)}, ${e.step}: ${e.seen}.`,
    fix: () => [
      'on the server:  sudo systemctl status coturn; sudo journalctl -u coturn -n 50',
      'then probe again',
    ],
    explanation:
      'Requests of this probe were answered, and later ones over the same connection were not, or the connection was closed, or ICMP said that the port is gone.',
    confusedWith: ['A network that loses most packets: probe again.'],
    references: ['RFC 8489 §6.2.1'],
  }),
} as const;
