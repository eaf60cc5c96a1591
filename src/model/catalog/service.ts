import {
  entry,
  exampleListener,
  fault,
  grepConfig,
  here,
  journal,
  listenerName,
  noAudio,
  onServer,
  releaseWithUsualTtl,
  restart,
  serverName,
  type ListenerEvidence,
} from './entry.ts';
import { openBinding, wantsCredentials } from './answer.ts';
import { server } from '../subject.ts';

/** How a server does its part, and what a probe could not prove of it. */
export const serviceCatalog = {
  TWO_SERVERS_ANSWER: fault<ListenerEvidence & { seen: readonly string[] }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['transport', 'port'],
    cell: 'two servers',
    headline: noAudio,
    causes: [],
    isOfServer: true,
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
    confusedWith: [
      'A load balancer in front of several servers that were meant to be alike.',
      'A coturn that may open no more files: it finds some users and not others. FILE_LIMIT_REACHED tells it, from within.',
    ],
    references: ['RFC 8489 §9.2.4', 'RFC 8489 §14.14'],
  }),
  REPLY_TTL_ONE: fault<ListenerEvidence & { version: string; silent: boolean }>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: noAudio,
    causes: [],
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
    fix: () => [onServer('turnserver --version'), releaseWithUsualTtl, restart],
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
  REQUEST_FAILED: fault<
    ListenerEvidence & {
      step: string;
      seen: string;
      /** A Binding was refused with 401. */
      securesStun?: boolean;
      /** A connection of the call ended or was refused, and a new one was answered right after. */
      answersAgain?: boolean;
    }
  >()({
    severity: 'error',
    subject: server,
    distinctBy: ['step'],
    cell: 'failed',
    headline: ({ answersAgain }) =>
      answersAgain === true
        ? 'a connection of the call was broken off or refused'
        : 'the server does not do its part',
    causes: ['SERVER_STOPPED'],
    example: { ...exampleListener, step: 'a ChannelBind', seen: 'error 400 Bad Request' },
    title: (e) =>
      e.answersAgain === true ? `${e.host} breaks off at ${e.step}` : `${e.host} fails at ${e.step}`,
    cause: (e) =>
      e.securesStun === true
        ? `${serverName(e)} ${wantsCredentials}.`
        : e.answersAgain === true
          ? `${serverName(e)} answers, but at ${e.step} a connection was broken off or refused. It was restarted at that moment, or what stands before it (a firewall, a load balancer) ends connections, or limits how many one client may have.`
          : `${serverName(e)} is there, but ${e.step} ended with: ${e.seen}.`,
    proof: (e) =>
      e.answersAgain === true
        ? `Over ${e.transport}, ${e.step}: ${e.seen}. A new connection was answered right after.`
        : `Over ${e.transport}, ${e.step}: ${e.seen}.`,
    fix: (e) =>
      e.securesStun === true
        ? openBinding
        : e.answersAgain === true
          ? [
              'whether coturn was started just then:',
              onServer('systemctl show coturn -p ActiveEnterTimestamp'),
              onServer("sudo nft list ruleset | grep -E 'ct count|limit rate'"),
              journal,
            ]
          : [journal],
    explanation:
      'One request of a TURN client was refused with an error that is none of the known ones, or was not answered while a new connection was; or a connection of a call ended, or was refused, and a new one was answered.',
    confusedWith: ['PEER_DENIED (403).', 'SERVER_STOPPED: there a new connection gets no answer either.'],
    references: ['RFC 8656 §8.2', 'RFC 8656 §12.2'],
  }),
  ALLOCATION_NOT_FREED: fault<ListenerEvidence & { lifetimeSeconds: number }>()({
    severity: 'warning',
    subject: server,
    cell: '',
    headline: null,
    causes: [],
    example: { ...exampleListener, lifetimeSeconds: 600 },
    title: (e) => `${e.host} does not free an allocation`,
    cause: (e) =>
      `${serverName(e)} keeps an allocation for ${e.lifetimeSeconds} s after it was released. Users who reconnect from the same port get 437, and quotas fill up.`,
    proof: (e) => `Refresh with lifetime 0 was answered with lifetime ${e.lifetimeSeconds}.`,
    fix: () => [onServer('turnserver --version'), 'coturn frees at once; another server may have a setting'],
    explanation: 'A Refresh with lifetime 0 ends an allocation; the server confirms with lifetime 0.',
    confusedWith: ['QUOTA_REACHED: there no allocation is granted at all; this is one way to get there.'],
    references: ['RFC 8656 §8.3'],
  }),
  ALTERNATE_UNREACHABLE: fault<ListenerEvidence & { alternate: string; seen: string }>()({
    severity: 'error',
    subject: server,
    cell: 'redirected',
    headline: 'clients get no relay from this server',
    causes: [],
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
    confusedWith: [
      'SERVER_UNREACHABLE, RELAY_PORTS_BLOCKED: what was tested from here says nothing of either.',
    ],
    references: [],
  }),
} as const;

function alternateUrl({ alternate, transport }: ListenerEvidence & { readonly alternate: string }): string {
  if (transport === 'tls') return `turns:${alternate}`;
  return `turn:${alternate}${transport === 'tcp' ? '?transport=tcp' : ''}`;
}
