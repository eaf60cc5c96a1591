import type { Family } from './endpoint.ts';

/** Ports that follow each other, both ends included. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

/** What a port is opened for. */
export const openingPurposes = {
  'listener-udp': 'TURN and STUN over UDP',
  'listener-tcp': 'TURN over TCP',
  'listener-tls': 'TURN over TLS',
  'listener-stream': 'TURN over TCP and TLS',
  relay: 'relayed media',
  certificate: 'certbot (HTTP-01)',
} as const;

export type OpeningPurpose = keyof typeof openingPurposes;

/** Something that a firewall has to let in, from anywhere. */
export interface Opening {
  readonly protocol: 'udp' | 'tcp';
  readonly ports: PortSpan;
  readonly purpose: OpeningPurpose;
  readonly families: readonly Family[];
}

export const firewallBackends = [
  'ufw',
  'firewalld',
  'nftables',
  'aws',
  'google-cloud',
  'azure',
  'hetzner',
  'digitalocean',
] as const;

export type FirewallBackend = (typeof firewallBackends)[number];

/** `3478`, or with a range `49152-65535`. */
export function spanText({ first, last }: PortSpan, separator = '-'): string {
  return first === last ? String(first) : `${first}${separator}${last}`;
}
