import type { Family } from './endpoint.ts';
import type { FilterTable } from './packet-filter.ts';

/** What a look at this machine found. What could not be read says why. */
export interface FirewallFacts {
  readonly rules: Seen<readonly FilterTable[]>;
  readonly sockets: Seen<readonly ListeningSocket[]>;
  /** The interface of the default route; null for a family without one. */
  readonly devices: Readonly<Record<Family, string | null>>;
  /** The addresses of the interfaces, loopback and link-local ones left out. */
  readonly addresses: readonly string[];
  /** Null when it was not asked for. */
  readonly outside: Seen<OutsideReach> | null;
}

/** Whether what an `rtc-ops peer` sends to UDP ports of this machine arrives, unasked by anything that left them. */
export interface OutsideReach {
  readonly url: string;
  /** One for each address family that could be tried. */
  readonly families: readonly {
    readonly family: Family;
    /** The address of this machine as the peer sees it. */
    readonly seenFrom: string;
    readonly ports: readonly ReachedPort[];
  }[];
}

/**
 * `silent`: the peer has sent to it, and nothing came. `busy`: a program has it. `unasked`: the peer is not known to have
 * sent.
 */
export interface ReachedPort {
  readonly port: number;
  readonly state: 'arrived' | 'silent' | 'busy' | 'unasked';
}

export type Seen<T> =
  { readonly state: 'seen'; readonly value: T } | { readonly state: 'unknown'; readonly because: string };

export interface ListeningSocket {
  readonly protocol: 'udp' | 'tcp';
  /** `0.0.0.0` and `::` for all; an IPv6 socket that serves IPv4 as well is not told from one that does not. */
  readonly address: string;
  readonly port: number;
  /** The program and its process; null when that may not be seen. */
  readonly program: string | null;
  readonly pid: number | null;
}
