import { entry, serverName, type ListenerEvidence, exampleListener } from './entry.ts';

const restartCoturn = 'then:  sudo systemctl restart coturn';

interface RefusalEvidence extends ListenerEvidence {
  readonly username: string;
  readonly realm: string | null;
}

const exampleRefusal = { ...exampleListener, username: '1777593600:alice', realm: 'example.com' };

export const credentialCatalog = {
  ANONYMOUS_RELAY: entry<ListenerEvidence & { relayed: string }>({
    severity: 'error',
    example: { ...exampleListener, relayed: '203.0.113.10:49160' },
    title: (e) => `${e.host} relays for anyone`,
    cause: (e) =>
      `${serverName(e)} gave out a relay address without any credentials. Anyone can send traffic through it, into its own network too. coturn does this when it cannot read its configuration file, and with the one that Debian installs.`,
    proof: (e) =>
      `An Allocate without credentials over ${e.transport} was granted: ${e.relayed}. It was freed again.`,
    fix: () => [
      '/etc/turnserver.conf:  use-auth-secret, static-auth-secret=… and realm=…   and without no-auth',
      'sudo chown root:turnserver /etc/turnserver.conf && sudo chmod 0640 /etc/turnserver.conf',
      restartCoturn,
    ],
    explanation:
      'An Allocate request without MESSAGE-INTEGRITY must be refused with 401. Proven by sending one; the allocation, if granted, is freed at once.',
    confusedWith: ['A server that also wants no credentials for STUN Binding: that is normal.'],
    references: ['RFC 8656 §7.2', 'RFC 8489 §9.2.4'],
  }),
  CREDENTIAL_EXPIRED: entry<RefusalEvidence & { expiredAt: string }>({
    severity: 'error',
    example: { ...exampleRefusal, expiredAt: '2026-05-01T00:00:00.000Z' },
    title: () => 'The credential has expired',
    cause: (e) =>
      `The username ${e.username} was valid until ${e.expiredAt}; ${e.host} refuses it since then.`,
    proof: (e) => `The signed Allocate was refused with 401 (realm ${e.realm ?? 'none'}).`,
    fix: () => [
      'rtc-ops credentials issue --secret-file FILE --ttl 12h',
      'in the application: issue for longer than a call lasts, and anew before each call',
    ],
    explanation:
      'The time in the username of a time-limited credential has passed. Proven by the refusal together with the clock of this machine.',
    confusedWith: [
      'CLOCK_SKEW: the credential is fresh, and the clock of the server or of the issuer is wrong.',
    ],
    references: ['draft-uberti-behave-turn-rest-00 §2.2'],
  }),
  CREDENTIAL_FORMAT: entry<RefusalEvidence & { mistake: string; right: string }>({
    severity: 'error',
    example: {
      ...exampleRefusal,
      username: '1777593600000:alice',
      mistake: 'The time in it is in milliseconds',
      right: '1777593600 (seconds)',
    },
    title: (e) => `The username ${e.username} is not in the right form`,
    cause: (e) => `${e.mistake}. ${e.host} refuses it.`,
    proof: (e) => `The signed Allocate with username ${e.username} was refused with 401.`,
    fix: (e) => [`the username should begin with ${e.right}`, 'rtc-ops credentials issue --secret-file FILE'],
    explanation:
      'The username of a time-limited credential is the Unix time in seconds of its end, then optionally ":" and a name.',
    confusedWith: ['CREDENTIAL_SECRET_MISMATCH: the form is right, the signature is not.'],
    references: ['draft-uberti-behave-turn-rest-00 §2.2'],
  }),
  CREDENTIAL_SECRET_MISMATCH: entry<RefusalEvidence & { derived: boolean }>({
    severity: 'error',
    example: { ...exampleRefusal, derived: true },
    title: (e) => (e.derived ? 'The server has another secret' : 'The server refuses username and password'),
    cause: (e) =>
      e.derived
        ? `The password was derived from the given secret, is in time, and ${e.host} still refuses it: its static-auth-secret is another one, or it does not use time-limited credentials.`
        : `${e.host} refuses the password for ${e.username}: one of both is wrong, or was derived from another secret.`,
    proof: (e) => `The signed Allocate of ${e.username} was refused with 401 (realm ${e.realm ?? 'none'}).`,
    fix: (e) =>
      e.derived
        ? [
            "on the server:  sudo grep -nE '^(static-auth-secret|use-auth-secret|lt-cred-mech|user)' /etc/turnserver.conf",
            'compare the secret character by character (no quotes, no blanks, no comment behind it)',
            restartCoturn,
          ]
        : ['rtc-ops credentials check USERNAME PASSWORD --secret-file FILE', 'it names the exact mistake'],
    explanation:
      'The server knows the realm, sent a nonce, and refused the correctly signed request again with 401: user or key are unknown to it.',
    confusedWith: [
      'CREDENTIAL_EXPIRED and CREDENTIAL_FORMAT: there the username itself shows the mistake.',
      'Two servers that answer on one port with different secrets: then it fails only sometimes.',
    ],
    references: ['RFC 8489 §9.2.4'],
  }),
  ALLOCATION_REFUSED: entry<ListenerEvidence & { code: number; name: string }>({
    severity: 'error',
    example: { ...exampleListener, code: 442, name: 'Unsupported Transport Protocol' },
    title: (e) => `${e.host} refuses the allocation: ${e.code} ${e.name}`,
    cause: (e) =>
      e.code === 403
        ? `${serverName(e)} forbids this allocation. coturn says so when it is being drained before a stop.`
        : e.code === 442
          ? `${serverName(e)} does not relay UDP: no-udp-relay or stun-only is set.`
          : e.code === 437
            ? `${serverName(e)} still has an allocation of the same client address and port.`
            : `${serverName(e)} answered the signed Allocate with ${e.code}.`,
    proof: (e) => `The answer to Allocate over ${e.transport} was ${e.code} ${e.name}.`,
    fix: (e) => [
      e.code === 442
        ? '/etc/turnserver.conf:  remove no-udp-relay and stun-only'
        : 'on the server:  sudo journalctl -u coturn -n 50',
      restartCoturn,
    ],
    explanation: 'The credentials were not the reason; the code says what was.',
    confusedWith: ['QUOTA_REACHED (486) and RELAY_CAPACITY_EXHAUSTED (508) have entries of their own.'],
    references: ['RFC 8656 §7.2', 'RFC 8656 §19'],
  }),
  QUOTA_REACHED: entry<ListenerEvidence & { username: string }>({
    severity: 'error',
    example: { ...exampleListener, username: '1777593600:alice' },
    title: (e) => `${e.host} has no quota left`,
    cause: (e) =>
      `The quota of the user ${e.username}, or of the whole server, is used up. Further users get no relay.`,
    proof: (e) => `The signed Allocate over ${e.transport} was refused with 486.`,
    fix: () => [
      '/etc/turnserver.conf:  user-quota=… and total-quota=…   (a browser needs several allocations per call)',
      'issue credentials with a user part (UNIX:user), so that the quota is per user',
      restartCoturn,
    ],
    explanation: 'Error 486. coturn sends it for user-quota, total-quota and bps-capacity alike.',
    confusedWith: ['RELAY_CAPACITY_EXHAUSTED: no free relay port.'],
    references: ['RFC 8656 §7.2'],
  }),
  RELAY_CAPACITY_EXHAUSTED: entry<ListenerEvidence>({
    severity: 'error',
    example: exampleListener,
    title: (e) => `${e.host} has no relay port left`,
    cause: (e) => `${serverName(e)} could not find a free port in its relay range.`,
    proof: (e) => `The signed Allocate over ${e.transport} was refused with 508.`,
    fix: () => [
      '/etc/turnserver.conf:  min-port=49152 and max-port=65535   (one port per allocation)',
      'open the same range in the firewalls',
      restartCoturn,
    ],
    explanation: 'Error 508. The relay range is too small for the users, or something else has its ports.',
    confusedWith: ['QUOTA_REACHED: ports are there, the quota is not.'],
    references: ['RFC 8656 §7.2'],
  }),
} as const;
