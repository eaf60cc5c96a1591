import type { DirectionCounts } from './capture-facts.ts';
import type { Endpoint } from './endpoint.ts';
import type { Seen } from './firewall-facts.ts';

/** What a server saw of the packets of one client while that client probed it: facts, no opinion. Plain data. */
export interface WitnessFacts {
  /** The server as ssh was told it. */
  readonly server: string;
  /** Why nothing was captured, where nothing was. */
  readonly capture: Seen<WitnessCapture>;
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
