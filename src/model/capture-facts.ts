import type { Endpoint } from './endpoint.ts';

/**
 * What a capture of packets says: facts, no opinion. Plain data of bounded size, however long the capture was. Times
 * (`atMs`, `…AtMs`) are milliseconds since 1970 by the clock of the machine that captured; null where it tells none.
 */
export interface CaptureFacts {
  /** The name under which the capture was read. */
  readonly file: string;
  readonly format: 'pcap' | 'pcapng';
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly packets: CapturePacketCounts;
  /** Link types (LINKTYPE_… numbers) that are not read here, each once. */
  readonly unknownLinkTypes: readonly number[];
  /** Different five-tuples, and how many of them are left out of `flows`. */
  readonly flowCount: number;
  /** Of all of them, those with packets in both directions. */
  readonly flowsBothWays: number;
  readonly flowsLeftOut: number;
  /** Those with STUN, TURN, DTLS, RTP or an error, at most 200; inside of a relay's flow stand those that it carries. */
  readonly flows: readonly FlowFacts[];
  /** Why the reading ended before the end of the capture; null when it did not. */
  readonly cutShort: string | null;
}

export interface CapturePacketCounts {
  readonly total: number;
  readonly udp: number;
  readonly tcp: number;
  readonly icmp: number;
  /** Neither IPv4 nor IPv6, or another protocol on it. */
  readonly other: number;
  /** Pieces of fragmented packets, and how many of these packets never were whole. */
  readonly fragments: number;
  readonly incomplete: number;
  /** Packets of which the capture holds only the beginning (its snaplen). */
  readonly cut: number;
  /** Packets with headers that cannot be. */
  readonly malformed: number;
  /** Packets that the machine that captured dropped, as far as the capture tells. */
  readonly dropped: number;
}

export interface DirectionCounts {
  readonly packets: number;
  readonly bytes: number;
}

/** One five-tuple; `a` sent its first packet. For what a relay carries, `a` is its client and `b` the peer. */
export interface FlowFacts {
  readonly transport: 'udp' | 'tcp';
  readonly a: Endpoint;
  readonly b: Endpoint;
  /** The TURN server that carries it; null for what is not relayed, as far as is seen here. */
  readonly relayedBy: Endpoint | null;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** From `a` to `b`, and back. */
  readonly sent: DirectionCounts;
  readonly received: DirectionCounts;
  /** The lowest TTL or hop limit of packets from `b`; null without any. */
  readonly receivedTtl: number | null;
  readonly icmp: readonly IcmpFacts[];
  readonly tcp: TcpFacts | null;
  /** Binding requests of each side and what became of them. */
  readonly bindingFromA: TransactionFacts;
  readonly bindingFromB: TransactionFacts;
  /** Binding requests with a USERNAME: checks of ICE (RFC 8445 §7.2.2). */
  readonly isIce: boolean;
  /** Requests of STUN, and answers, of which the capture holds the header, and not all that follows. */
  readonly cutMessages: number;
  readonly turn: TurnFlowFacts | null;
  readonly dtls: DtlsFacts | null;
  readonly rtp: readonly RtpStreamFacts[];
  readonly rtcp: { readonly fromA: number; readonly fromB: number };
}

export interface IcmpFacts {
  readonly kind: 'port-unreachable' | 'prohibited' | 'unreachable' | 'too-big' | 'time-exceeded';
  readonly count: number;
  /** Who said it. */
  readonly from: string;
  /** Whether it answers packets of `a`. */
  readonly isToA: boolean;
}

export interface TcpFacts {
  /** SYN packets of `a`, repetitions included. */
  readonly syn: number;
  readonly isAccepted: boolean;
  readonly resetBy: 'a' | 'b' | null;
  /** TLS on it: how far its handshake is seen; null where it is no TLS. */
  readonly tls: {
    readonly clientHello: boolean;
    readonly serverHello: boolean;
    /** Alerts in clear, `NAME from a`, at most four. */
    readonly alerts: readonly string[];
    readonly data: boolean;
  } | null;
}

/** Requests are counted once, however often they were repeated. */
export interface TransactionFacts {
  readonly requests: number;
  readonly repetitions: number;
  readonly succeeded: number;
  readonly errors: readonly { readonly code: number; readonly count: number }[];
  /** Those that the capture had time to see an answer to. */
  readonly unanswered: number;
  /** Of the first answer; null without one. */
  readonly rttMs: number | null;
}

export type TurnMethod = 'allocate' | 'refresh' | 'createPermission' | 'channelBind';

export interface TurnFlowFacts {
  readonly isClientA: boolean;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly requests: Readonly<Record<TurnMethod, TransactionFacts>>;
  /** Requests with credentials that were answered with 401. */
  readonly signedRefused: number;
  /** As the client sent it last; null without credentials. */
  readonly username: string | null;
  readonly realm: string | null;
  readonly software: string | null;
  readonly allocatedAtMs: number | null;
  readonly relayed: Endpoint | null;
  readonly mapped: Endpoint | null;
  /** As granted last; 0 once it was freed. */
  readonly lifetimeS: number | null;
  readonly lastGrantAtMs: number | null;
  readonly releasedAtMs: number | null;
  /** Peers by their addresses, at most 64. */
  readonly peers: readonly TurnPeerFacts[];
  readonly toPeers: DirectionCounts;
  readonly fromPeers: DirectionCounts;
  readonly lastFromPeersAtMs: number | null;
  readonly lastToPeersAtMs: number | null;
}

export interface TurnPeerFacts {
  readonly address: string;
  readonly isPermitted: boolean;
  /** Of the last refusal; null without one. */
  readonly refusedWith: number | null;
  readonly sent: number;
  readonly received: number;
}

export interface DtlsFacts {
  /** Who sent the ClientHello; null when none was seen. */
  readonly client: 'a' | 'b' | null;
  readonly clientHellos: number;
  /** Anything of a handshake by the other side, HelloVerifyRequest included. */
  readonly isAnswered: boolean;
  /** Both sides sent encrypted records. */
  readonly isEncrypted: boolean;
  /** `NAME from a`, at most four. */
  readonly alerts: readonly string[];
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

/** One SSRC in one direction (RFC 3550). */
export interface RtpStreamFacts {
  readonly ssrc: number;
  readonly isFromA: boolean;
  readonly payloadType: number;
  readonly packets: number;
  readonly bytes: number;
  /** By the sequence numbers, RFC 3550 §A.3; never below zero. */
  readonly lost: number;
  /** Ticks a second, as the timestamps tell; null where they tell no known rate. */
  readonly clockRateHz: number | null;
  /** The highest and the last value of J (RFC 3550 §6.4.1); null without a rate. */
  readonly jitterMs: number | null;
  readonly longestGapMs: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}
