import type { ExitCode } from './error.ts';
import type { CheckStatus } from './check.ts';
import type { Endpoint } from './endpoint.ts';
import type { Finding } from './finding.ts';
import type { FindingWords } from './finding-words.ts';
import type { Attempt, ChallengeFacts, Target, TlsFacts } from './observations.ts';
import type { schemaVersion } from './report.ts';
import type { TlsOfferFacts } from './tls-offer.ts';

/** What kinds of peers a relay should refuse; and `public`, the control, which it has no reason to. */
export type PeerKind = 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'public';

/** Asked by CreatePermission, which sends nothing to the peer (RFC 8656 §9). */
export interface PeerAnswer {
  readonly kind: PeerKind;
  readonly address: string;
  /** The IPv4 address that an IPv6 one stands for; null where it is itself. */
  readonly embeds: string | null;
  /** Null: allowed, unless there was no answer. 403 from a server that denies it. */
  readonly refusedWith: number | null;
  /** Why there was no answer; null where there was one. Nothing is asked behind it. */
  readonly unanswered: string | null;
}

/** How many allocations one user got at once before one was refused. */
export interface QuotaFacts {
  readonly tried: number;
  readonly granted: number;
  readonly refusedWith: number | null;
  /**
   * What another user got while the first held all of its own; null where no second user name was at hand. It tells the
   * quota of a user from that of all.
   */
  readonly other: { readonly refusedWith: number | null } | null;
}

/** An unauthenticated request over UDP and what came back, in bytes of payload. */
export interface Amplification {
  readonly request: 'Binding' | 'Allocate' | 'ClientHello';
  readonly requestBytes: number;
  readonly answerBytes: number;
}

/** What came of a ClientHello of one version of DTLS, sent alone; no handshake was finished. */
export interface DtlsOffer {
  readonly version: 'DTLS 1.2' | 'DTLS 1.0';
  /** `accepted`: its ServerHello. `refused`: it answers, and does not agree. `silent`: nothing came. `closed`: ICMP said so. */
  readonly answer: 'accepted' | 'refused' | 'not-dtls' | 'silent' | 'closed';
  readonly requestBytes: number;
  /** What came before the server knew that the sender is there: it has got no cookie back yet. */
  readonly answerBytes: number;
}

/** A UDP port. */
export interface DtlsFacts {
  readonly port: number;
  readonly offers: readonly DtlsOffer[];
}

export type AdminService = 'command line' | 'Prometheus' | 'web admin';

/** What a TCP port that is for the operator alone says to whoever asks. */
export interface AdminPort {
  readonly what: AdminService;
  readonly port: number;
  /** `dropped`: nothing came back, as behind a firewall, or of a host that is not there. */
  readonly state: 'open' | 'refused' | 'dropped';
  /** The first line; empty where it says nothing. */
  readonly banner: string;
  /** Whether what it says is what coturn says there. */
  readonly isCoturn: boolean;
}

export interface ListenerAuditFacts {
  readonly target: Target;
  readonly challenge: Attempt<ChallengeFacts>;
  /** Where it sends clients by 300 Try-Alternate; nothing is asked there. */
  readonly alternate: Endpoint | null;
  /** The SOFTWARE attribute of its answers; null where it has none. */
  readonly software: Attempt<{ readonly name: string | null }>;
  readonly amplification: Attempt<readonly Amplification[]>;
  /** Its certificate, as a client sees it. */
  readonly tls: Attempt<TlsFacts>;
  readonly tlsOffers: Attempt<readonly TlsOfferFacts[]>;
  /** What an HTTP request brings, over TCP or TLS; the web admin of coturn can be there too. */
  readonly web: Attempt<AdminPort>;
}

/** What a user gets through the listeners of one port. Those of another port may be another server. */
export interface UserAuditFacts {
  /** The URI of the listener that lets the user in. */
  readonly through: string;
  /** Through an allocation of either family; not tried where there is none. A control comes first and last. */
  readonly peers: Readonly<Record<4 | 6, Attempt<readonly PeerAnswer[]>>>;
  /** An allocation that relays TCP (RFC 6062). */
  readonly tcpRelay: Attempt<{ readonly refusedWith: number | null }>;
  readonly quota: Attempt<QuotaFacts>;
}

/** What was seen of one server, at one of its addresses, by what an attacker would try. */
export interface ServerAuditFacts {
  readonly host: string;
  readonly address: string;
  /** The address is one of the machine that asks: what it reaches, others may not. */
  readonly isHere: boolean;
  readonly listeners: readonly ListenerAuditFacts[];
  /** One for each port that lets users in; where none does, one that says why. */
  readonly users: readonly [UserAuditFacts, ...UserAuditFacts[]];
  /** On the UDP ports of the numbers of the listeners: coturn speaks it on each, that for plain STUN too. */
  readonly dtls: Attempt<readonly DtlsFacts[]>;
  readonly admin: Attempt<readonly AdminPort[]>;
}

export interface AuditFacts {
  readonly startedAt: string;
  readonly durationMs: number;
  readonly username: string | null;
  /** Whether the credential was given as such, or made of the secret for this audit; null without one. */
  readonly credentialSource: 'given' | 'secret' | null;
  readonly names: readonly { readonly host: string; readonly failure: string | null }[];
  readonly servers: readonly ServerAuditFacts[];
}

/** Each a statement that is true when it passes. The ids are public. */
export const auditChecks = {
  'anonymous-relay': 'nobody gets a relay without credentials',
  'loopback-peers': 'the server itself is refused as a peer',
  'private-peers': 'private networks are refused as peers',
  'metadata-peers': 'link-local and metadata addresses are refused as peers',
  'multicast-peers': 'multicast and broadcast are refused as peers',
  'mapped-peers': 'IPv6 forms of refused addresses are refused too',
  'tcp-relay': 'TCP connections to peers are refused',
  amplification: 'answers without credentials are small',
  version: 'the version is not told, or has no known hole',
  'tls-certificate': 'the certificate is valid, and for the name that clients use',
  'tls-versions': 'SSL 3.0, TLS 1.0 and TLS 1.1 are refused',
  'tls-ciphers': 'weak TLS ciphers and key exchanges are refused',
  dtls: 'DTLS, which no browser speaks to a relay, is not offered',
  'admin-surfaces': 'what is for the operator is not open to all',
  'credential-lifetime': 'the credential given does not live long',
  quota: 'one user cannot take the whole relay',
} as const;

export type AuditCheckId = keyof typeof auditChecks;

export interface AuditCheckReport {
  readonly id: AuditCheckId;
  readonly title: string;
  readonly status: CheckStatus;
  readonly because: string | null;
  /** A figure or a remark for a person; empty where the mark says enough. */
  readonly note: string;
  readonly findings: readonly string[];
}

export type AuditFindingReport = Finding & Omit<FindingWords, 'fix'> & { readonly fix: string };

export interface AuditReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: 'audit';
  readonly startedAt: string;
  readonly durationMs: number;
  readonly exitCode: ExitCode;
  readonly servers: readonly {
    readonly host: string;
    readonly address: string;
    readonly checks: readonly AuditCheckReport[];
  }[];
  /** Names that were not found, a sentence each. */
  readonly notAudited: readonly string[];
  readonly findings: readonly AuditFindingReport[];
  readonly observations: AuditFacts;
}
