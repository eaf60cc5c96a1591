import { RtcOpsError } from '../model/error.ts';
import { familyOf, type Family } from '../model/endpoint.ts';
import type { Target } from '../model/observations.ts';
import { formatTurnUri, isHost, parseTurnUri, type TransportKind, type TurnUri } from '../model/turn-uri.ts';

export interface PlanFilter {
  readonly transports: readonly TransportKind[] | null;
  readonly families: readonly Family[] | null;
}

/**
 * The URIs that one argument stands for: itself when it is a URI; every transport on the standard ports (RFC 8656
 * §3.1 and §19.1: 3478, TLS 5349) when it is a bare host.
 * @throws RtcOpsError `usage`
 */
export function urisOf(argument: string): TurnUri[] {
  if (/^(stuns?|turns?):/i.test(argument)) return [parseTurnUri(argument)];
  const host = argument.replace(/^\[(.*)\]$/, '$1');
  if (isHost(host)) {
    return [
      { scheme: 'turn', host, port: 3478, transport: 'udp' },
      { scheme: 'turn', host, port: 3478, transport: 'tcp' },
      { scheme: 'turns', host, port: 5349, transport: 'tls' },
    ];
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(argument)?.[1];
  if (scheme !== undefined) {
    const hint = `Write turn:${argument.replace(/^[^/]*\/\//, '').replace(/[/?#].*$/, '')}, or just the host.`;
    throw new RtcOpsError('usage', `${JSON.stringify(argument)} is a ${scheme} URL, not a TURN or STUN URI`, {
      hint,
    });
  }
  throw new RtcOpsError('usage', `${JSON.stringify(argument)} is neither a TURN or STUN URI nor a host`, {
    hint: isHostWithPort(argument)
      ? `Write turn:${argument}, or turns:${argument} for TLS.`
      : 'Write turn:HOST, turns:HOST:443?transport=tcp, stun:HOST, or just HOST (for a port: turn:HOST:PORT).',
  });
}

/** `192.0.2.1:3478`, `[2001:db8::1]:3478` */
function isHostWithPort(text: string): boolean {
  const [, literal, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return isHost(literal ?? name ?? '') && port >= 1 && port <= 65_535;
}

/** Every address of every URI as a target of its own, in order and without repetitions. */
export function targetsOf(
  uris: readonly TurnUri[],
  addressesOf: (host: string) => readonly string[],
  filter: PlanFilter,
): Target[] {
  const targets = new Map<string, Target>();
  for (const uri of uris) {
    if (filter.transports && !filter.transports.includes(uri.transport)) continue;
    for (const address of addressesOf(uri.host)) {
      const family = familyOf(address);
      if (filter.families && !filter.families.includes(family)) continue;
      const { scheme, host, port, transport } = uri;
      const key = [scheme, host, port, transport, address].join(' ');
      if (!targets.has(key)) {
        targets.set(key, { url: formatTurnUri(uri), scheme, host, address, family, port, transport });
      }
    }
  }
  return [...targets.values()];
}

/** The targets of each server: a quota holds for all names and addresses of one, and targets that share either are one. */
export function serversOf(targets: readonly Target[]): Target[][] {
  let servers: Target[][] = [];
  for (const target of targets) {
    const isSame = (other: Target): boolean => other.host === target.host || other.address === target.address;
    const [own, others] = [
      servers.filter((each) => each.some(isSame)),
      servers.filter((each) => !each.some(isSame)),
    ];
    servers = [...others, [...own.flat(), target]];
  }
  return servers;
}
