import type { AddressPair } from '../config/address.ts';
import type { Config, Host } from '../config/config.ts';
import { RtcOpsError } from '../model/error.ts';
import { familyOf } from '../model/endpoint.ts';

/** The addresses of the machine that coturn is to run on. Without any, coturn takes all that it finds there. */
export interface HostAddresses {
  readonly listening: readonly string[];
  readonly relay: readonly string[];
  /** Those that the world knows by another one. */
  readonly translated: readonly AddressPair[];
}

/**
 * What a host listens on and relays from.
 * @throws RtcOpsError `configuration` when something in the config needs addresses that it does not give
 */
export function addressesOf({ listen, relay, profile }: Config, host: Host | null): HostAddresses {
  if (host?.discoversAddresses && host.addresses.length === 0) {
    throw new RtcOpsError('configuration', `the addresses of ${host.name} are auto, and were not asked for`, {
      hint: 'Write them down: addresses: [PUBLIC/PRIVATE].',
    });
  }
  const isServed = (address: string): boolean => listen.families.includes(familyOf(address));
  const pairs = (host?.addresses ?? []).filter((pair) => isServed(pair.private));
  const own = pairs.map((pair) => pair.private);
  const listening = listen.addresses.length > 0 ? listen.addresses : own;
  const relaying = [relay.addresses, own, listening].find((each) => each.length > 0) ?? [];
  const wildcard = relaying.find((address) => address === '0.0.0.0' || address === '::');
  if (wildcard !== undefined && profile === 'turn') {
    throw new RtcOpsError('configuration', `coturn would hand out ${wildcard} as its relay address`, {
      hint: 'Give the addresses of the host (hosts[].addresses), or relay.addresses.',
    });
  }
  if (listening.length === 0) refuseUnaddressed(listen);
  return {
    listening,
    relay: relaying,
    translated: pairs.filter((pair) => pair.public !== pair.private),
  };
}

function refuseUnaddressed({ families, extraPorts }: Config['listen']): void {
  const hint = 'Give the addresses of the host (hosts[].addresses), or listen.addresses.';
  if (extraPorts.length > 0) {
    throw new RtcOpsError(
      'configuration',
      'listen.extraPorts: coturn opens a further port (aux-server) on an address that is named, not on all',
      { hint },
    );
  }
  if (families.length < 2) {
    throw new RtcOpsError(
      'configuration',
      `listen.families: coturn cannot be told to serve IPv${families.join('')} alone but by its addresses`,
      { hint },
    );
  }
}

/**
 * The host of that name; without one, the only host that has addresses or settings of its own, null when none has.
 * @throws RtcOpsError `usage` for a name that is no host, or when several differ and none is named
 */
export function hostNamed(hosts: readonly Host[], name: string | undefined): Host | null {
  if (name !== undefined) {
    const host = hosts.find((each) => each.name === name);
    if (host) return host;
    throw new RtcOpsError('usage', `${name} is none of the hosts of rtc-ops.yaml`, {
      hint:
        hosts.length === 0 ? 'It has no hosts.' : `They are ${hosts.map((each) => each.name).join(', ')}.`,
    });
  }
  const candidates = differentHosts(hosts);
  if (candidates.length === 0) return null;
  const [only] = candidates;
  // A host that says nothing of its own is another one than the one that does, once their settings differ.
  if (candidates.length === 1 && only && (hosts.length === 1 || Object.keys(only.settings).length === 0))
    return only;
  throw new RtcOpsError(
    'usage',
    'several hosts have addresses or settings of their own; each has its own turnserver.conf',
    {
      hint: `Add --host with one of ${hosts.map((each) => each.name).join(', ')}.`,
    },
  );
}

/** The hosts that are not served by what all of them share. */
export function differentHosts(hosts: readonly Host[]): Host[] {
  return hosts.filter(
    ({ addresses, discoversAddresses, settings }) =>
      addresses.length > 0 || discoversAddresses || Object.keys(settings).length > 0,
  );
}
