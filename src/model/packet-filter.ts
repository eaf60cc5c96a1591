import type { Family } from './endpoint.ts';
import type { PortSpan } from './firewall.ts';

/** The rules of a packet filter as they are loaded, whichever tool loaded them. What is not understood says so. */
export interface FilterTable {
  /** `inet filter`, `ip nat`. */
  readonly name: string;
  /** What its rules belong to: nftables itself, or iptables and ip6tables. */
  readonly tool: 'nft' | 'iptables' | 'ip6tables';
  readonly families: readonly Family[];
  readonly chains: readonly FilterChain[];
}

export interface FilterChain {
  readonly name: string;
  /** Null for a chain that others jump to. */
  readonly base: {
    readonly hook: 'ingress' | 'prerouting' | 'input' | 'output';
    readonly type: string;
    /** The lower the sooner. */
    readonly priority: number;
    readonly policy: 'accept' | 'drop';
  } | null;
  readonly rules: readonly FilterRule[];
}

export interface FilterRule {
  /** As the tool prints it. */
  readonly text: string;
  /** All of them have to match. */
  readonly matches: readonly FilterMatch[];
  readonly action: FilterAction;
}

export type FilterAction =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'none' | 'untrack' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** Sent to another address or port. */
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'unknown'; readonly what: string };

export type FilterMatch = FilterCondition & { readonly negated: boolean };

export type FilterCondition =
  | { readonly kind: 'protocol'; readonly names: readonly string[] }
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'port'; readonly end: 'source' | 'destination'; readonly spans: readonly PortSpan[] }
  /** `new`, `established`, `related`, `invalid`, `untracked`. */
  | { readonly kind: 'state'; readonly states: readonly string[] }
  /** Names, those that end with `*` for all that begin so. */
  | { readonly kind: 'interface'; readonly end: 'in' | 'out'; readonly names: readonly string[] }
  /** `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`. */
  | { readonly kind: 'address'; readonly end: 'source' | 'destination'; readonly networks: readonly string[] }
  /** `local`, `unicast`, `broadcast`, …, as the routing table of the host sees it. */
  | {
      readonly kind: 'address-type';
      readonly end: 'source' | 'destination';
      readonly types: readonly string[];
    }
  /** Of the flags in `mask`, exactly those in `flags` are set. */
  | { readonly kind: 'tcp-flags'; readonly mask: readonly string[]; readonly flags: readonly string[] }
  /** Not true of any packet that is asked about here. */
  | { readonly kind: 'never' }
  | { readonly kind: 'unknown'; readonly what: string };
