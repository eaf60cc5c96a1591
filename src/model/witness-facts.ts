import type { DirectionCounts } from './capture-facts.ts';
import type { Endpoint } from './endpoint.ts';
import type { Seen } from './firewall-facts.ts';

/** What a server saw of the packets of one client while that client probed it: facts, no opinion. Plain data. */
export interface WitnessFacts {
  /** The server as ssh was told it. */
  readonly server: string;
  /** Why nothing was captured, where nothing was. */
  readonly capture: Seen<WitnessCapture>;
  /** What else tells of these packets, where none could be captured; null where they were, and where ssh did not get there. */
  readonly trace: WitnessTrace | null;
}

/** What a server shows of the packets of one client without a capture. What is not in it may have come all the same. */
export interface WitnessTrace {
  /** What a capture lacks: its program, or root. */
  readonly lacks: 'program' | 'root';
  readonly log: Seen<TracedLog>;
  /** Five-tuples of the client in the connection table of the kernel (conntrack), which have passed its rules for what comes in. */
  readonly tracked: Seen<readonly TrackedFlow[]>;
  /** UDP ports of the server at which the kernel held packets, of whoever, that no program took. */
  readonly untaken: Seen<readonly UntakenPackets[]>;
}

/** What coturn logged meanwhile. */
export interface TracedLog {
  /** Sessions of the client that asked for an allocation. */
  readonly sessions: readonly TracedSession[];
  /** How many asked for one without a word on who they are, which comes with their end. */
  readonly unnamed: number;
}

export interface TracedSession {
  /** The port of the listener and whether it is one of UDP; null where they are not told yet. */
  readonly listener: { readonly port: number; readonly isUdp: boolean } | null;
  readonly relayPort: number | null;
  /** Packets that came in from peers; null where the session did not end. */
  readonly fromPeers: number | null;
}

export interface TrackedFlow {
  readonly transport: 'udp' | 'tcp';
  readonly hostPort: number;
  /** Whether the host sent something back; its rules for what goes out may have dropped that. */
  readonly isAnswered: boolean;
}

export interface UntakenPackets {
  readonly port: number;
  /** Dropped meanwhile, for want of room. */
  readonly dropped: number;
  /** Bytes that wait there at the end. */
  readonly waiting: number;
}

export interface WitnessCapture {
  /** The addresses of the client whose packets were captured; that of its ssh connection first, as the server sees it. */
  readonly clients: readonly string[];
  /** The address of the server on that connection, as the server sees it; null where ssh did not tell. */
  readonly host: string | null;
  readonly packets: number;
  /** Why it ended before the probe did, so that what is not in it may have come all the same; null where it did not. */
  readonly cutShort: string | null;
  /** Every five-tuple, in the order of their first packets. */
  readonly flows: readonly WitnessFlow[];
}

/** One five-tuple at the network interface of the server: before its firewall on the way in, behind it on the way out. */
export interface WitnessFlow {
  readonly transport: 'udp' | 'tcp';
  readonly client: Endpoint;
  readonly host: Endpoint;
  /** From the client; of TCP those packets alone that open and reset a connection. */
  readonly arrived: DirectionCounts;
  /** To the client. */
  readonly answered: DirectionCounts;
  /** The lowest TTL or hop limit of answers as they left; null without any. */
  readonly answerTtl: number | null;
  /** The host said by ICMP or a reset that nobody has the port, or that it may not be used. */
  readonly isRefused: boolean;
}
