import type { Asked } from './asked.ts';
import type { Endpoint, Family } from './endpoint.ts';
import type { TransportKind, TurnScheme } from './turn-uri.ts';

/**
 * What the probes saw: facts with times, no opinion. Plain data, so that it can be saved in a report
 * and judged again. A field that could not be tried says why; nothing here means "no" by being absent.
 *
 * Times: `atMs` is milliseconds since the probe began; `…Ms` are durations in milliseconds.
 */
export interface Observations {
  /** When the probe began, ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly asked: Asked;
  /** The addresses of this machine's own interfaces, loopback included. */
  readonly interfaces: readonly InterfaceAddress[];
  readonly credential: CredentialFacts;
  readonly names: readonly NameFacts[];
  readonly targets: readonly TargetFacts[];
  /** Servers that the user knows to work, asked as STUN servers: what they do not answer ends in this network. */
  readonly controls: readonly TargetFacts[];
  /** For each address family one server's view of this client's NAT; null when it was not asked for. */
  readonly nat: readonly NatFacts[] | null;
}

export interface InterfaceAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** What was presented to the server; never the password or the secret. */
export type CredentialFacts =
  | { readonly source: 'none' }
  | {
      /** `secret`: derived here from a shared secret. `given`: username and password as the user gave them. */
      readonly source: 'secret' | 'given';
      readonly username: string;
      /** The end that the username tells, seconds since the epoch; null when it tells none. */
      readonly expiresAt: number | null;
    };

export interface NameFacts {
  readonly host: string;
  /** Whether only controls have it: then nothing depends on it. */
  readonly isControl: boolean;
  readonly lookup: Attempt<{ readonly addresses: readonly string[] }>;
}

/** One thing that was tried: done, failed, or not tried for a reason. */
export type Attempt<T> =
  | { readonly state: 'done'; readonly atMs: number; readonly durationMs: number; readonly value: T }
  | {
      readonly state: 'failed';
      readonly atMs: number;
      readonly durationMs: number;
      readonly failure: Failure;
    }
  | { readonly state: 'not-tried'; readonly because: string };

/** Why an attempt failed, as it was seen on this machine. */
export type Failure =
  /** No answer in time; `sent` counts the transmissions. */
  | { readonly kind: 'timeout'; readonly afterMs: number; readonly sent: number }
  /** The operating system's word, ICMP errors on connected UDP sockets included: `ECONNREFUSED`, `EHOSTUNREACH`… */
  | { readonly kind: 'system'; readonly code: string; readonly message: string }
  /** The other side closed the stream. */
  | { readonly kind: 'closed'; readonly bytesReceived: number }
  /** A STUN error response (RFC 8489 §14.8). Newer coturn sends no reason phrase: judge the code. */
  | { readonly kind: 'stun-error'; readonly code: number; readonly reason: string }
  /** An answer that is not what the protocol allows; `preview` is its beginning, printable. */
  | { readonly kind: 'malformed'; readonly detail: string; readonly preview: string }
  /** A response whose MESSAGE-INTEGRITY or FINGERPRINT is wrong. */
  | { readonly kind: 'integrity'; readonly detail: string }
  | { readonly kind: 'tls'; readonly code: string; readonly message: string }
  /** Our own part failed: a child process died, a native library froze. Says nothing about the server. */
  | { readonly kind: 'internal'; readonly detail: string };

export interface Target {
  /** The URI as the user would write it, with the address it stands for in `address`. */
  readonly url: string;
  readonly scheme: TurnScheme;
  readonly host: string;
  readonly address: string;
  readonly family: Family;
  readonly port: number;
  readonly transport: TransportKind;
}

export interface TargetFacts {
  readonly target: Target;
  /** UDP: a socket (proves nothing). TCP, TLS: the TCP handshake; `firstTry`: one that began earlier, and waited in vain. */
  readonly connect: Attempt<{ readonly local: Endpoint; readonly firstTry?: Failure | undefined }>;
  readonly tls: Attempt<TlsFacts>;
  readonly binding: Attempt<BindingFacts>;
  readonly challenge: Attempt<ChallengeFacts>;
  /** After 300 to the anonymous Allocate: the same question to the server that it led to, at the end of the chain. */
  readonly alternate: Attempt<{ readonly server: Endpoint; readonly answer: ChallengeFacts }>;
  /** The same questions from several source ports, as two daemons on one port share those between them. */
  readonly identities: Attempt<{ readonly answers: readonly IdentityFacts[] }>;
  readonly allocate: Attempt<AllocationFacts>;
  /** Where 300 Try-Alternate sent the client, in order; what follows happened at the last one. */
  readonly redirects: readonly Endpoint[];
  readonly permission: Attempt<{ readonly peer: string }>;
  /** Whether public addresses are allowed as peers, asked where the client's own is not. Nothing was sent to them. */
  readonly publicPeers: Attempt<{ readonly allowed: readonly string[]; readonly denied: readonly string[] }>;
  readonly channel: Attempt<{ readonly peer: Endpoint; readonly channel: number }>;
  /** How the second socket looks from outside, learnt before it was used. */
  readonly peer: Attempt<PeerFacts>;
  /** A second socket, to which the relay had sent nothing, sent to the relay address. */
  readonly inbound: Attempt<{ readonly seenFrom: Endpoint }>;
  /**
   * The relay sent to that second socket, and the packet came from there. A peer of a call takes packets from the
   * relay address alone (RFC 8445 §7.2.5.2.1).
   */
  readonly outbound: Attempt<{ readonly peer: Endpoint; readonly from: Endpoint }>;
  /** The second socket sent to the relay address after the relay had sent to it. */
  readonly reply: Attempt<{ readonly seenFrom: Endpoint }>;
  /** The relay and another rtc-ops on a third network; null when none was given. */
  readonly outside: Attempt<OutsideFacts> | null;
  /** More relay ports, one after the other; null when no number was asked for. */
  readonly ports: Attempt<PortSampleFacts> | null;
  readonly refresh: Attempt<{ readonly lifetimeSeconds: number }>;
  /** Refresh with lifetime 0, and the lifetime that the server confirmed. */
  readonly release: Attempt<{ readonly lifetimeSeconds: number }>;
  /** After something had been answered and something else was not: a Binding over a new connection. */
  readonly recheck: Attempt<BindingFacts>;
  readonly gathering: Attempt<GatheringFacts>;
  readonly call: Attempt<CallFacts>;
}

export interface BindingFacts {
  /** XOR-MAPPED-ADDRESS: this client as the server sees it. */
  readonly mapped: Endpoint;
  readonly software: string | null;
  /** Null after a retransmission: which of the transmissions was answered is not known. */
  readonly rttMs: number | null;
  readonly sent: number;
}

/** An Allocate without credentials (RFC 8489 §9.2.4: it must be refused with 401, a realm and a nonce). */
export type ChallengeFacts =
  | { readonly granted: false; readonly code: number; readonly realm: string | null; readonly nonce: boolean }
  | { readonly granted: true; readonly relayed: Endpoint };

/** What one source port got for an answer; null where there was none. */
export interface IdentityFacts {
  /** Code of the refusal of an anonymous Allocate; 0 when it was granted. */
  readonly code: number | null;
  readonly realm: string | null;
  readonly software: string | null;
  /** Code of the answer to a signed Refresh without an allocation: 437 for a good credential (RFC 8656 §8.3). */
  readonly signed: number | null;
}

export interface PeerFacts {
  /** The address from which this machine sends to the relay address; null when there is no way there. */
  readonly source: string | null;
  /** The socket as each STUN server saw it that answered, and the address from which this machine sends to that one. */
  readonly mappings: readonly {
    readonly server: Endpoint;
    readonly source: string | null;
    readonly mapped: Endpoint;
  }[];
  /** Addresses of this client that the server takes packets from. */
  readonly permitted: readonly string[];
}

export interface OutsideFacts {
  /** As the user named it, and the address that stands for. */
  readonly url: string;
  readonly peer: Endpoint;
  /** The outside peer answered this client without the relay. */
  readonly direct: Attempt<{ readonly mapped: Endpoint }>;
  readonly permission: Attempt<{ readonly peer: string }>;
  /** Relay → outside peer → relay; the source that the outside peer saw. */
  readonly echo: Attempt<{ readonly seenFrom: Endpoint }>;
  /** From a port to which the relay has sent nothing, the outside peer sent to where the echo came from. */
  readonly inbound: Attempt<{ readonly from: Endpoint }>;
  /** Where no echo came back: what the outside peer, asked directly, had got from the relay; null for nothing. */
  readonly arrival: Attempt<{ readonly seenFrom: Endpoint | null }>;
}

export interface PortSampleFacts {
  readonly wanted: number;
  /** Who sent to the relay ports: a socket of this machine, or the outside peer where none of this machine gets there. */
  readonly from: 'here' | 'outside';
  /** Answered: what was sent to it first came through; null when nothing shows that the outside peer had sent. */
  readonly samples: readonly { readonly relayed: Endpoint; readonly answered: boolean | null }[];
  /** Why there are fewer than were wanted; null when there are not. */
  readonly stopped: Failure | null;
}

export interface AllocationFacts {
  readonly relayed: Endpoint;
  readonly mapped: Endpoint | null;
  readonly lifetimeSeconds: number;
  /** Of the authenticated request alone; null after a retransmission. */
  readonly rttMs: number | null;
}

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  /** ALPN protocol chosen by the server (RFC 7443), null when none. */
  readonly alpn: string | null;
  /** The name that was sent as SNI and checked, or the IP address when there is no name. */
  readonly servername: string;
  /** Null when the chain is trusted here; else OpenSSL's code (`CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`…). */
  readonly chainError: string | null;
  /** Null when the certificate names the server; else what it names instead. */
  readonly nameError: string | null;
  /** Leaf first, as the server sent them. */
  readonly chain: readonly CertificateFacts[];
}

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** `DNS:…`, `IP Address:…`. */
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly serial: string;
  readonly selfIssued: boolean;
  /** Where its issuer's certificate is to be had (RFC 5280 §4.2.2.1), as public CAs say in each; null when it does not say. */
  readonly issuerUrl: string | null;
}

export interface CandidateFacts {
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  /** From the start of gathering. */
  readonly atMs: number;
}

export interface GatheringFacts {
  readonly candidates: readonly CandidateFacts[];
  /** Whether ICE said that gathering is complete, or the deadline cut it. */
  readonly complete: boolean;
  readonly durationMs: number;
  /** Why the ICE agent could not ask the STUN server at all, for a reason that lies here; null when it could. */
  readonly stunUntried: string | null;
  /**
   * Why the server gave no allocation for the relay candidate; null when it gave one. A relay candidate that is
   * missing all the same was lost by the ICE agent, which never speaks to the server itself.
   */
  readonly relayFailure: Failure | null;
  /** 2 when the agent had lost the relay candidate and was asked again; these are the facts of the last attempt. */
  readonly attempts: number;
}

/** One loopback call: two peers on this machine, each forced through its own allocation. */
export interface CallFacts {
  readonly transport: TransportKind;
  /** From the start of gathering to both directions open; null when it never connected. */
  readonly connectMs: number | null;
  /** Why it did not connect, in the word of the ICE or DTLS state; null when it did. */
  readonly connectError: string | null;
  /** Whether ICE had found a way at both ends, and DTLS did not come through in time. */
  readonly lostHandshake: boolean;
  /** 2 when ICE had found its way, DTLS had not come through in time, and both were begun anew. */
  readonly attempts: number;
  /** Candidate types of the selected pair at each end, and whether the addresses are the two relay addresses. */
  readonly pairs: readonly SelectedPair[];
  /** One entry per direction: caller → callee, callee → caller. Empty when the call did not connect. */
  readonly audio: readonly AudioFacts[];
  readonly dataChannel: {
    readonly sent: number;
    readonly received: number;
    readonly rttMs: number | null;
  } | null;
  /** What ended a call that had connected before its time; null when it lasted as long as it was to. */
  readonly endedBecause: CallEnd | null;
  /** Packets that each end was to send by the end of the call, and how many of them were left out by a stall. */
  readonly pacing: { readonly due: number; readonly skipped: number } | null;
  /**
   * The longest time that the process of the call did not run: busy, stopped, or the machine slept. Across it nothing
   * was sent, and nothing can be held against the server.
   */
  readonly longestStallMs: number;
  /** What the bridge to the server saw during the call. */
  readonly relay: CallRelayFacts;
}

export interface CallEnd {
  /**
   * `relay-lost`: the server ended an allocation or the way to it, see `relay.lost`. `server-silent`: nothing arrived any
   * more, and the server did not answer when asked. `connection-ended`: ICE or DTLS of a peer ended. A call that our own
   * watchdog ended has no facts: it is an `internal` failure.
   */
  readonly kind: 'relay-lost' | 'server-silent' | 'connection-ended';
  readonly detail: string;
  /** From the start of the call. */
  readonly atMs: number;
}

export interface SelectedPair {
  readonly local: string;
  readonly remote: string;
  readonly relayed: boolean;
}

export interface AudioFacts {
  readonly direction: 'caller-to-callee' | 'callee-to-caller';
  readonly sent: number;
  readonly received: number;
  /** Lost packets ÷ sent packets, 0 to 1; duplicates do not hide losses. */
  readonly lossRatio: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Interarrival jitter at the end of the call (RFC 3550 §6.4.1 and A.8). */
  readonly jitterMs: number;
  /** The mean and the highest of the jitter J over the call. */
  readonly jitterMeanMs: number;
  readonly jitterMaxMs: number;
  /**
   * |D| of RFC 3550 §6.4.1, ms: by how much the delays of two packets differ that came one after the other, over the
   * whole call (RFC 5481 §4.1: inter-packet delay variation). J is its moving average. Null with fewer than two packets.
   */
  readonly delayVariationMs: Distribution | null;
  /** One-way delay: both ends share this machine's clock. */
  readonly delayMs: Distribution | null;
  /** From sender and receiver reports (RFC 3550 §6.4.1); null when no report came back. */
  readonly rttMs: number | null;
  /** 1 to 4.5, ITU-T G.107 E-model from measured delay and loss; null when nothing was received. */
  readonly mos: number | null;
  /** When the last packet arrived, from the first that was sent; null when none did. */
  readonly lastReceivedMs: number | null;
}

export interface Distribution {
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface CallRelayFacts {
  /** Relay addresses of the caller and the callee; null where none was allocated. */
  readonly relayed: readonly (Endpoint | null)[];
  readonly allocateMs: number | null;
  /** What ended an allocation before we released it. */
  readonly lost: readonly { readonly atMs: number; readonly failure: Failure }[];
  readonly released: boolean;
}

/** What lies between this client and one UDP listener, by the tests of RFC 5780. */
export interface NatFacts {
  readonly url: string;
  readonly host: string;
  readonly family: Family;
  readonly server: Endpoint;
  /** RFC 5780 §4.3 test I. */
  readonly binding: Attempt<NatBindingFacts>;
  /** §4.3 tests II and III, and what else was there to ask: Bindings from the same socket to other endpoints. */
  readonly mappings: readonly NatMappingFacts[];
  /** §4.4: answers from elsewhere to sockets that had sent to `server` alone. */
  readonly filtering: ChangedOriginFacts;
  /** Answers from elsewhere to the socket that had sent there before: whether the server gives such answers at all. */
  readonly control: ChangedOriginFacts;
  /** §3.4: one socket sent to the mapped address of another, and the other way round; where it came from. */
  readonly hairpin: Attempt<{ readonly from: Endpoint; readonly mapped: Endpoint }>;
  /** Null when it was not asked for. */
  readonly lifetime: Attempt<NatLifetimeFacts> | null;
}

export interface NatBindingFacts {
  readonly local: Endpoint;
  readonly mapped: Endpoint;
  /** Whether the mapped address came as XOR-MAPPED-ADDRESS, which no NAT rewrites in passing. */
  readonly xored: boolean;
  /** OTHER-ADDRESS, or CHANGED-ADDRESS of RFC 3489 §11.2.3; null when the server has none. */
  readonly other: Endpoint | null;
}

export interface NatMappingFacts {
  readonly to: Endpoint;
  readonly answer: Attempt<{ readonly mapped: Endpoint }>;
}

/** Where the answers to CHANGE-REQUEST came from. */
export interface ChangedOriginFacts {
  /** Other address and other port were asked for. */
  readonly addressAndPort: Attempt<{ readonly from: Endpoint }>;
  /** The other port alone was asked for. */
  readonly port: Attempt<{ readonly from: Endpoint }>;
}

/** §4.6: bindings left idle, each for a time of its own. */
export interface NatLifetimeFacts {
  /** The longest after which a packet still came in. */
  readonly aliveMs: number;
  /** The shortest after which none came in; null when none was as short. */
  readonly goneMs: number | null;
}
