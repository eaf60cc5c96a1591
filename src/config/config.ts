import type { AddressPair, Network } from './address.ts';
import type { ConfigInput } from './schema.ts';

/** A TURN or STUN service as rtc-ops.yaml describes it, with the defaults filled in. */
export interface Config {
  readonly profile: 'turn' | 'stun-only';
  readonly realm: string;
  readonly hosts: readonly Host[];
  readonly listen: {
    /** Own addresses to listen on; empty: those of the host, else all that the machine has. */
    readonly addresses: readonly string[];
    /** The port of each transport; null where it is off. */
    readonly udp: number | null;
    readonly tcp: number | null;
    readonly tls: number | null;
  };
  readonly relay: {
    /** Own addresses to relay from; empty: those of the host, else those it listens on. */
    readonly addresses: readonly string[];
    /** Inclusive. */
    readonly ports: PortRange;
  };
  /** The shared secrets of time-limited credentials: the first issues, all are accepted. */
  readonly secrets: readonly SecretSource[];
  /** Paths on the TURN server; null when TLS is off. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly quotas: Quotas;
  /** What users may and may not reach through the relay, beside the ranges that are always denied. */
  readonly peers: { readonly allow: readonly Network[]; readonly deny: readonly Network[] };
  readonly logging: { readonly to: 'syslog' | 'stdout' | (string & {}); readonly verbose: boolean };
}

export interface Host {
  /** What clients dial. */
  readonly name: string;
  /** Empty when the file does not say. */
  readonly addresses: readonly AddressPair[];
}

export interface PortRange {
  readonly min: number;
  readonly max: number;
}

export type SecretSource = { readonly file: string } | { readonly env: string };

export interface Quotas {
  /** Allocations of one user, and of all. */
  readonly userQuota?: number | undefined;
  readonly totalQuota?: number | undefined;
  /** Bytes per second in each direction: of one allocation, and of all. */
  readonly maxBps?: number | undefined;
  readonly bpsCapacity?: number | undefined;
}

/** What was written, in the form in which it is used. */
export function configOf(input: ConfigInput): Config {
  const tls = input.tls === 'off' ? null : input.tls;
  const secret = input.auth?.secret ?? [];
  return {
    profile: input.profile,
    realm: input.realm,
    hosts: input.hosts.map(({ name, addresses }) => ({ name, addresses: addresses ?? [] })),
    listen: {
      addresses: input.listen.addresses,
      udp: portOf(input.listen.udp),
      tcp: portOf(input.listen.tcp),
      // RFC 8656 §3.1: turns is at home on 5349.
      tls: portOf(input.listen.tls ?? (tls ? 5349 : 'off')),
    },
    relay: input.relay,
    secrets: Array.isArray(secret) ? secret : [secret],
    tls,
    quotas: input.quotas,
    peers: input.peers,
    logging: input.logging,
  };
}

function portOf(port: number | 'off'): number | null {
  return port === 'off' ? null : port;
}
