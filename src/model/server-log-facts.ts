/**
 * What a log of coturn says: facts, no opinion. Plain data of bounded size, however long the log was: groups of
 * sessions are counted, and a few of each stand as samples.
 *
 * Times (`atMs`, `…AtMs`) are milliseconds since 1970 where `clock.kind` is `absolute`, else since the start of coturn.
 */
export interface ServerLogFacts {
  /** The name under which the log was read. */
  readonly file: string;
  readonly clock: LogClock;
  /** Time of the first and of the last line that has one; null without any. */
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly lines: LogLineCounts;
  /** Versions that coturn named at its starts, in order, each once. */
  readonly versions: readonly string[];
  /** Whether sessions are logged at all (`verbose`); without them hardly anything of a call is seen. */
  readonly tellsSessions: boolean;
  readonly sessions: LogSessionFacts;
  /** What coturn said beside its sessions, or the system about it, by kind. */
  readonly notices: Readonly<Partial<Record<LogNoticeKind, LogNotice>>>;
  /** Peers that were refused, by address; the most frequent first, at most 50. */
  readonly deniedPeers: readonly LogDeniedPeer[];
  /** Why the reading ended before the end of the log; null when it did not. */
  readonly cutShort: string | null;
}

export interface LogClock {
  /** `uptime`: coturn's own seconds since its start, which say nothing of the time of day. */
  readonly kind: 'absolute' | 'uptime' | 'none';
  /** By how much an absolute time can be off: zero with a zone, 14 h without one, where the year is guessed too. */
  readonly uncertaintyMs: number;
}

export interface LogLineCounts {
  readonly total: number;
  /** Lines whose meaning is known here. */
  readonly understood: number;
  /** Lines of coturn that say nothing that is judged. */
  readonly other: number;
  /** Lines that no coturn wrote. */
  readonly foreign: number;
  /** Lines longer than any coturn writes; only their beginning was looked at. */
  readonly overlong: number;
  /** Lines with control characters in them. */
  readonly control: number;
  /** Lines that a client could have written, by a line break in its username, and so were not believed. */
  readonly unbelieved: number;
}

export interface LogSessionFacts {
  readonly total: number;
  /** Sessions that got an allocation. */
  readonly allocated: number;
  /** Sessions that got one over TLS. */
  readonly allocatedOverTls: number;
  /** Sessions that were still open where the log ends. */
  readonly open: number;
  /** Sessions that were given up because too many were open at once. */
  readonly dropped: number;
  /** Bytes that clients sent to peers through all allocations, and that peers sent back. */
  readonly bytesToPeers: number;
  readonly bytesFromPeers: number;
  readonly groups: Readonly<Partial<Record<LogSessionGroup, LogSessionGroupFacts>>>;
  /**
   * The last sessions that asked for an allocation, at most 500, in the order of their ends; before them as many that ended
   * earlier and may be those of a call that was recorded beside.
   */
  readonly last: readonly LogSession[];
}

/** Why credentials were refused, in coturn's terms; `expired` is told from 4.18 on. */
export type LogRefusal = 'not-found' | 'incorrect' | 'expired';

/**
 * What sessions have in common; one can be in several groups. `refused-CODE`: its Allocate was answered with that code and
 * never granted; a challenge that was followed does not count.
 */
export type LogSessionGroup =
  /** Signed requests were refused with 401, and nothing was allocated. */
  | 'credentials-refused'
  /** Of those: the time in the username was past; the form of the username is wrong; no such user; all other. */
  | 'credentials-expired'
  | 'credentials-malformed'
  | 'credentials-unknown-user'
  | 'credentials-wrong'
  /** Of those: expired or wrong, which the clock of the log cannot tell. */
  | 'credentials-unclear'
  /** Was challenged, and never sent credentials. */
  | 'challenge-unanswered'
  /** Other refusals of an allocation. */
  | 'refused-400'
  | 'refused-403'
  | 'refused-437'
  | 'refused-440'
  | 'refused-441'
  | 'refused-442'
  | 'refused-486'
  | 'refused-508'
  | 'refused-other'
  /** 438 was the last word: the client did not go on with the new nonce. */
  | 'nonce-not-renewed'
  /** 437 to Refresh: the allocation was gone already. */
  | 'refresh-too-late'
  /** 437 to Allocate for a client that has an allocation already: it came anew from the port of the old one. */
  | 'port-reused'
  /** 437 to what never asked for an allocation, while one of the same user was alive: its NAT moved it, or its network changed. */
  | 'client-moved'
  /** 443 for a peer of the other address family. */
  | 'peer-family'
  /** 403 for peers, and at least one other was permitted. */
  | 'peers-denied'
  /** 403 for every peer. */
  | 'all-peers-denied'
  /** Allocated and used in both directions. */
  | 'both-ways'
  /** Sent to peers and got nothing back from any. */
  | 'sent-only'
  /** Got data from peers and sent none. */
  | 'received-only'
  /** Allocated, and no data in either direction. */
  | 'no-data'
  /** Only private, loopback or link-local peers were permitted. */
  | 'only-private-peers'
  /** The client freed its allocation. */
  | 'released'
  /** The allocation ran out without having been freed. */
  | 'expired'
  /** The connection ended with the allocation still held. */
  | 'connection-lost'
  /** A TLS connection that ended before a single request. */
  | 'tls-failed'
  /** Something that is no STUN was sent to a TCP or TLS listener. */
  | 'not-stun'
  /** coturn stopped while the session was there. */
  | 'server-stopped';

export interface LogSessionGroupFacts {
  readonly count: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** Different user names in it, at most 1,000 of them counted. */
  readonly users: number;
  /** The first five. */
  readonly samples: readonly LogSession[];
}

export interface LogSession {
  readonly id: string;
  readonly user: string;
  readonly realm: string;
  /** `address:port`; coturn names them at the end of a session only. */
  readonly client: string | null;
  readonly server: string | null;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'dtls' | null;
  /** The address that coturn allocated on its own machine, before `external-ip` is put in its place. */
  readonly relay: string | null;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly allocatedAtMs: number | null;
  /** As granted last; 0 when it was freed. */
  readonly lifetimeS: number | null;
  readonly refreshes: number;
  /** Peers that were permitted, at most 16. */
  readonly peers: readonly string[];
  readonly errors: readonly LogSessionError[];
  /** Why credentials were refused, in coturn's terms. */
  readonly refusal: LogRefusal | null;
  readonly clientUsage: LogUsage;
  /** Null where the version does not tell it (before 4.5.2) or the session did not end. */
  readonly peerUsage: LogUsage | null;
  /** The reason in coturn's words; null for a session that is open at the end. */
  readonly closed: string | null;
}

export interface LogSessionError {
  readonly method: string;
  readonly code: number;
  readonly count: number;
}

/** `received` and `sent` are coturn's view. */
export interface LogUsage {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
}

export type LogNoticeKind =
  | 'start'
  | 'stop'
  | 'crash'
  | 'out-of-memory'
  | 'config-missing'
  | 'option-unknown'
  | 'address-malformed'
  | 'realm-empty'
  | 'certificate-missing'
  | 'tls-off'
  | 'bind-failed'
  | 'no-ports'
  | 'unreachable'
  | 'rate-limited'
  | 'realm-wrong'
  | 'username-wrong'
  | 'database'
  | 'conntrack-full';

export interface LogNotice {
  readonly count: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** What it was about (a path, an address, an option), each once, at most five. */
  readonly details: readonly string[];
  /** The first line of it, as coturn wrote it, without its time, at most 300 characters. */
  readonly example: string;
}

export interface LogDeniedPeer {
  readonly address: string;
  readonly range: string | null;
  readonly count: number;
}
