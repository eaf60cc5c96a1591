import {
  exampleListener,
  exampleTls,
  fault,
  grepConfig,
  journal,
  listenerKeys,
  listenerName,
  onServer,
  restart,
  serverName,
  type EndEvidence,
} from './entry.ts';
import { whoHasThePort, type UnansweredEvidence } from './reach.ts';
import { server } from '../subject.ts';

/** What 401 in answer to Binding means; nothing is asked for by default (RFC 8489 §12). */
export const wantsCredentials =
  'refuses a STUN Binding without credentials (coturn with secure-stun). Clients send none, and learn no address of their own from it';
export const openBinding = [grepConfig('secure-stun'), 'remove secure-stun', restart];

/** What answers where a server was reached. */
export const answerCatalog = {
  NOT_A_TURN_SERVER: fault<
    UnansweredEvidence & EndEvidence & { kind: 'TURN' | 'STUN'; answersStun: boolean }
  >()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: ({ closed }) => (closed ? 'closed' : 'not TURN'),
    headline: ({ closed }) =>
      closed
        ? 'connections to this server end at the first STUN request'
        : 'what answers there is no such server',
    // It was about to be reached when the server ended.
    causes: ['SERVER_STOPPED'],
    example: {
      ...exampleTls,
      seen: 'not a STUN answer: "HTTP/1.1 400 Bad Request"',
      closed: false,
      kind: 'TURN',
      answersStun: false,
    },
    title: (e) =>
      e.closed
        ? `${listenerName(e)} of ${e.host} breaks off at a STUN request`
        : `${listenerName(e)} of ${e.host} is no ${e.kind} server`,
    cause: (e) =>
      e.answersStun
        ? `${serverName(e)} is a STUN server that gives no relay: ${e.seen}.`
        : e.closed
          ? `Something resets or closes the connection to ${serverName(e)} when a STUN request comes: another service has that port, or a firewall or a middlebox on the way does it.`
          : `Something is there at ${serverName(e)}, but not a ${e.kind} server: ${e.seen}.`,
    proof: (e) => `${listenerName(e)}: ${e.seen}.`,
    fix: (e) =>
      e.answersStun
        ? ['coturn does so with stun-only:', grepConfig('stun-only'), journal, restart]
        : [
            whoHasThePort(e),
            ...(e.closed
              ? [
                  'if it is turnserver, see its log; if nothing of this probe is in it, it is a firewall that ends it:',
                  journal,
                ]
              : []),
            'check host and port of the URL; a name behind an HTTP proxy or CDN cannot carry TURN',
          ],
    explanation:
      'The listener answered with something that is not STUN (HTTP, an echo, a TLS alert), or the connection was closed on a STUN request, by it or by something on the way, or it answers STUN and does not know Allocate.',
    confusedWith: ['A TLS listener on a plain port, or the reverse: the beginning of the answer shows it.'],
    references: ['RFC 8489 §5', 'RFC 8656 §7'],
  }),
  BINDING_UNANSWERED: fault<UnansweredEvidence & { code: number | null }>()({
    severity: 'warning',
    subject: server,
    cell: ({ code }) => (code === null ? 'no answer' : 'refused'),
    headline: null,
    causes: [],
    example: { ...exampleListener, seen: 'no answer within 5 s (sent 5 times)', code: null },
    title: (e) => `${listenerName(e)} of ${e.host} serves TURN, but not STUN Binding`,
    cause: (e) =>
      e.code === 401
        ? `${serverName(e)} ${wantsCredentials}, so calls that could go directly use the relay.`
        : `${serverName(e)} answers Allocate, but clients cannot learn their own address from it, so calls that could go directly use the relay.`,
    proof: (e) =>
      e.code === null
        ? `Binding: ${e.seen}; an Allocate request over the same connection was answered.`
        : `A Binding request was answered with ${e.seen}; Allocate is served.`,
    fix: (e) =>
      e.code === 401
        ? openBinding
        : [grepConfig('no-stun|secure-stun|stun-only'), 'remove no-stun and secure-stun', restart],
    explanation:
      'coturn does so with no-stun, which leaves Binding unanswered, and with secure-stun, which refuses it with 401 as it wants credentials.',
    confusedWith: ['Packet loss: probe again.'],
    references: ['RFC 8489 §12', 'RFC 8445 §5.1.1.2'],
  }),
  SERVER_STOPPED: fault<UnansweredEvidence & { step: string }>()({
    severity: 'error',
    subject: server,
    cell: 'stopped',
    headline: 'the server stopped while it was tested',
    causes: [],
    isOfServer: true,
    example: { ...exampleListener, step: 'a Refresh', seen: 'no answer within 5 s (sent 5 times)' },
    title: (e) => `${serverName(e)} stopped answering in the middle`,
    cause: (e) =>
      `It had answered before, and then, at ${e.step}, it did not any more. The server was stopped, restarted or crashed while it was being tested, or the network broke, or a firewall limits what one client may send.`,
    proof: (e) => `${listenerName(e)}, ${e.step}: ${e.seen}.`,
    fix: () => [onServer('sudo systemctl status coturn'), journal, 'then probe again'],
    explanation:
      'Requests of this probe were answered, and later ones were not, over the same connection and over a new one; or the connection was closed; or ICMP said that the port is gone.',
    confusedWith: [
      'A network that loses most packets: probe again.',
      'A firewall that limits the flows or the packets of one client: probe one transport at a time, with --no-call.',
    ],
    references: ['RFC 8489 §6.2.1'],
  }),
} as const;
