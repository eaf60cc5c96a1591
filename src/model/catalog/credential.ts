import {
  configFile,
  exampleListener,
  grepConfig,
  here,
  inConfig,
  journal,
  onServer,
  restart,
  serverName,
  type ListenerEvidence,
  fault,
} from './entry.ts';
import { formOf } from '../credential-time.ts';
import { server } from '../subject.ts';

interface RefusalEvidence extends ListenerEvidence {
  readonly username: string;
  readonly realm: string | null;
}

const exampleRefusal = { ...exampleListener, username: '1777593600:alice', realm: 'example.com' };

const refusalProof = (e: RefusalEvidence): string =>
  `The signed Allocate of ${e.username} was refused with 401 (${e.realm === null ? 'no realm' : `realm ${e.realm}`}).`;

const noSuchUser =
  'there is no such user, or the password is another one, or its realm was another one when its key was made';

/** Why a server may not know a username with its password. */
const whyUnknown = {
  'time-limited': 'one of both is wrong, or was made from another secret.',
  static: `${noSuchUser}.`,
  either: `if it is a static user, ${noSuchUser}; if it was meant as a time-limited credential, the number is a lifetime, and the time of its end belongs there.`,
} as const;

const issueAnother = here('rtc-ops credentials issue --secret-file FILE --ttl 12h');

/** What is known of a code that has no finding of its own. */
const refusals: Readonly<
  Record<number, { cause: (name: string) => string; fix: readonly string[] } | undefined>
> = {
  300: {
    cause: (name) =>
      `${name} redirects (300 Try Alternate) without naming a server, or from one server to the next without end.`,
    fix: [grepConfig('alternate-server|tls-alternate-server')],
  },
  403: {
    cause: (name) => `${name} forbids this allocation. coturn does so while it is drained before a stop.`,
    fix: [journal, 'if it is being drained, wait for its restart'],
  },
  437: {
    cause: (name) => `${name} still has an allocation of the same client address and port.`,
    fix: ['probe again: the next one comes from another port', journal],
  },
  440: {
    cause: (name) =>
      `${name} has no relay address of the family that was asked for: it listens on that family and relays over the other alone.`,
    fix: [grepConfig('relay-ip|external-ip'), 'add a relay-ip= of that family, or probe the other one alone'],
  },
  442: {
    cause: (name) => `${name} does not relay UDP: no-udp-relay or stun-only is set.`,
    fix: [
      grepConfig('no-udp-relay|stun-only'),
      `take both lines out of ${configFile}, if they are there`,
      restart,
    ],
  },
};

export const credentialCatalog = {
  ANONYMOUS_RELAY: fault<ListenerEvidence & { relayed: string }>()({
    severity: 'error',
    subject: server,
    cell: 'granted',
    headline: 'anyone can relay traffic through this server',
    causes: [],
    example: { ...exampleListener, relayed: '203.0.113.10:49160' },
    title: (e) => `${e.host} relays for anyone`,
    cause: (e) =>
      `${serverName(e)} gave out a relay address without any credentials. Anyone can send traffic through it, into its own network too. coturn does this when it cannot read its configuration file, and with the one that Debian installs; a second daemon that shares the port can be the one that does.`,
    proof: (e) =>
      `An Allocate without credentials over ${e.transport} was granted: ${e.relayed}. It was freed again.`,
    fix: (e) => [
      'see whether one daemon alone has the port, and stop any other:',
      onServer(`sudo ss -ln${e.transport === 'udp' ? 'u' : 't'}p 'sport = :${e.port}'`),
      'what the one that stays needs:',
      inConfig('use-auth-secret'),
      inConfig('static-auth-secret=SECRET'),
      inConfig('realm=REALM'),
      `and no line no-auth; the user turnserver must be able to read ${configFile}:`,
      onServer(`sudo chgrp turnserver ${configFile} && sudo chmod 640 ${configFile}`),
      restart,
    ],
    explanation:
      'An Allocate request without MESSAGE-INTEGRITY must be refused with 401. Proven by sending one; the allocation, if granted, is freed at once.',
    confusedWith: [
      'A server that wants no credentials for STUN Binding: that is normal.',
      'TWO_SERVERS_ANSWER: there a second daemon on the port was seen by its other answers.',
    ],
    references: ['RFC 8656 §7.2', 'RFC 8489 §9.2.4'],
  }),
  CREDENTIAL_EXPIRED: fault<RefusalEvidence & { expiredAt: string }>()({
    severity: 'error',
    subject: server,
    cell: 'expired',
    headline: 'the server refuses these credentials',
    causes: [],
    example: { ...exampleRefusal, expiredAt: '2026-05-01T00:00:00.000Z' },
    title: () => 'The credential has expired',
    cause: (e) =>
      `The username ${e.username} was valid until ${e.expiredAt}. ${e.host} refuses it, as it should.`,
    proof: refusalProof,
    fix: () => [
      issueAnother,
      'in the application: issue for longer than a call lasts, and anew before each call',
    ],
    explanation:
      'The time in the username of a time-limited credential has passed. Proven by the refusal together with the clock of this machine.',
    confusedWith: ['A clock of this machine, or of the issuer, that is wrong.'],
    references: ['draft-uberti-behave-turn-rest-00 §2.2'],
  }),
  CREDENTIAL_FORMAT: fault<RefusalEvidence & { mistake: string; right: string }>()({
    severity: 'error',
    subject: server,
    cell: 'refused',
    headline: 'the server refuses these credentials',
    causes: [],
    example: {
      ...exampleRefusal,
      username: '1777593600000:alice',
      mistake: 'The time in it is in milliseconds',
      right: '1777593600',
    },
    title: (e) => `The username ${e.username} is not in the right form`,
    cause: (e) => `${e.mistake}; a server reads seconds since 1970. ${e.host} refuses it.`,
    proof: refusalProof,
    fix: (e) => [`the username should begin with ${e.right}`, issueAnother],
    explanation:
      'The username of a time-limited credential is the Unix time in seconds of its end, then optionally ":" and a name.',
    confusedWith: ['CREDENTIAL_SECRET_MISMATCH: the form is right, the signature is not.'],
    references: ['draft-uberti-behave-turn-rest-00 §2.2'],
  }),
  CREDENTIAL_SECRET_MISMATCH: fault<RefusalEvidence & { derived: boolean }>()({
    severity: 'error',
    subject: server,
    cell: 'refused',
    headline: 'the server refuses these credentials',
    causes: ['TWO_SERVERS_ANSWER'],
    example: { ...exampleRefusal, derived: true },
    title: (e) =>
      e.derived
        ? `${e.host} refuses credentials made from this secret`
        : `${e.host} refuses this username and password`,
    cause: (e) =>
      e.derived
        ? `The password was made from the given secret just before, and ${serverName(e)} refuses it: its static-auth-secret is another one, or it does not use time-limited credentials, or its clock is far ahead.`
        : `${serverName(e)} does not know ${e.username} with this password: ${
            whyUnknown[formOf(e.username)]
          }`,
    proof: refusalProof,
    fix: (e) =>
      e.derived
        ? [
            grepConfig('static-auth-secret|use-auth-secret|lt-cred-mech|user'),
            'compare the secrets character by character (no quotes, no blanks, no comment behind it)',
            restart,
            'if they are equal, compare the clocks:',
            onServer('date -u'),
          ]
        : formOf(e.username) === 'time-limited'
          ? [
              here("rtc-ops credentials check 'USERNAME' 'PASSWORD' --secret-file FILE"),
              'it names the exact mistake',
            ]
          : [
              grepConfig('lt-cred-mech|use-auth-secret|user|userdb|realm'),
              'static users need lt-cred-mech and a line user=NAME:PASSWORD (or userdb=); with use-auth-secret none of them is known',
              restart,
            ],
    explanation:
      'The server sent realm and nonce, and refused the correctly signed request again with 401: user or key are unknown to it.',
    confusedWith: [
      'CREDENTIAL_EXPIRED and CREDENTIAL_FORMAT: there the username itself shows the mistake.',
      'Two servers that answer on one port with different secrets: then it fails only sometimes.',
    ],
    references: ['RFC 8489 §9.2.4'],
  }),
  ALLOCATION_REFUSED: fault<ListenerEvidence & { code: number; name: string }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['code'],
    cell: 'refused',
    headline: 'clients get no relay from this server',
    causes: [],
    example: { ...exampleListener, code: 442, name: 'Unsupported Transport Protocol' },
    title: (e) => `${e.host} refuses the allocation: ${errorText(e)}`,
    cause: (e) =>
      refusals[e.code]?.cause(serverName(e)) ??
      `${serverName(e)} answered the signed Allocate with ${errorText(e)}.`,
    proof: (e) => `The answer to Allocate over ${e.transport} was ${errorText(e)}.`,
    fix: (e) => refusals[e.code]?.fix ?? [journal],
    explanation: 'The credentials were not the reason; the code says what was.',
    confusedWith: ['QUOTA_REACHED (486) and RELAY_CAPACITY_EXHAUSTED (508) have entries of their own.'],
    references: ['RFC 8656 §7.2', 'RFC 8656 §19'],
  }),
  QUOTA_REACHED: fault<ListenerEvidence & { username: string }>()({
    severity: 'error',
    subject: server,
    cell: 'quota',
    headline: 'new calls get no relay',
    causes: [],
    example: { ...exampleListener, username: '1777593600:alice' },
    title: (e) => `${e.host} has no quota left`,
    cause: (e) =>
      `The quota of the user ${e.username}, or of the whole server, is used up. Whoever comes next gets no relay.`,
    proof: (e) =>
      `A signed Allocate over ${e.transport} was refused with 486, and this probe held no other allocation there.`,
    fix: () => [
      grepConfig('user-quota|total-quota|bps-capacity|max-bps'),
      'raise them: a browser takes several allocations per call',
      'issue credentials with a user part (UNIX:user), so that the quota is per user',
      restart,
    ],
    explanation: 'Error 486. coturn sends it for user-quota, total-quota and bps-capacity alike.',
    confusedWith: ['RELAY_CAPACITY_EXHAUSTED: no free relay port.'],
    references: ['RFC 8656 §7.2'],
  }),
  QUOTA_TOO_SMALL: fault<ListenerEvidence & { username: string; granted: number; needed: number }>()({
    severity: 'warning',
    subject: server,
    cell: 'quota',
    headline: null,
    causes: [],
    example: { ...exampleListener, username: '1777593600:alice', granted: 1, needed: 2 },
    title: (e) => `${e.host} grants one user ${count(e.granted)} at once`,
    cause: (e) =>
      `The quota of the user ${e.username}, or what others leave of that of the server, allows ${count(e.granted)} at once; the call of this probe needs ${e.needed}. A browser takes one for each TURN URL and network, so users may get none.`,
    proof: (e) =>
      `${count(e.granted)} over ${e.transport} was granted, ${e.needed} at once were refused with 486; this probe held no other.`,
    fix: () => [
      grepConfig('user-quota|total-quota'),
      'raise them: a browser takes several allocations per call',
      restart,
    ],
    explanation:
      'Error 486 at the second of the two allocations of the call, which is repeated when everything else of the probe has been freed.',
    confusedWith: ['QUOTA_REACHED: there not even one is granted.'],
    references: ['RFC 8656 §7.2'],
  }),
  RELAY_CAPACITY_EXHAUSTED: fault<
    ListenerEvidence & {
      /** Allocations that this probe had got a moment before. */
      granted: number;
    }
  >()({
    severity: 'error',
    subject: server,
    cell: 'no port',
    headline: 'new calls get no relay',
    causes: [],
    example: { ...exampleListener, granted: 0 },
    title: (e) =>
      e.granted === 0
        ? `${e.host} has no relay port left`
        : `${e.host} has no relay port left after ${count(e.granted)}`,
    cause: (e) =>
      e.granted === 0
        ? `${serverName(e)} found no free port in its relay range. Whoever comes next gets no relay.`
        : `${serverName(e)} granted ${count(e.granted)} to this probe, and then found no free port in its relay range: a few ports are left, and a browser takes several. Users may get none.`,
    proof: (e) =>
      e.granted === 0
        ? `A signed Allocate over ${e.transport} was refused with 508.`
        : `A signed Allocate over ${e.transport} was refused with 508, while this probe held ${count(e.granted)}.`,
    fix: () => [
      grepConfig('min-port|max-port'),
      'widen the range (one port per allocation), and open the same range in the firewalls',
      restart,
    ],
    explanation: 'Error 508. The relay range is too small for the users, or something else has its ports.',
    confusedWith: ['QUOTA_REACHED: ports are there, the quota is not.'],
    references: ['RFC 8656 §7.2'],
  }),
} as const;

function count(allocations: number): string {
  return `${allocations} ${allocations === 1 ? 'allocation' : 'allocations'}`;
}

function errorText({ code, name }: { readonly code: number; readonly name: string }): string {
  return code === 0 ? 'an error without a code' : `${code} ${name}`.trimEnd();
}
