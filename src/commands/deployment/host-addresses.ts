import type { HostFacts } from '../../ansible/host-facts.ts';
import { configOfHost, type Config } from '../../config/config.ts';
import { pairText } from '../../config/written-config.ts';
import { RtcOpsError } from '../../model/error.ts';
import { pairsOf } from '../found-addresses.ts';
import type { DeployTarget } from './target.ts';

/** A STUN server that hosts are to ask. */
export interface StunServer {
  readonly host: string;
  readonly port: number;
}

/** The servers to ask where a host is to find its addresses by itself; none where no host is. */
export function stunServersFor({ discovery }: Config, targets: readonly DeployTarget[]): StunServer[] {
  if (!targets.some(({ host }) => host.discoversAddresses)) return [];
  return discovery.map(({ host, port }) => ({ host, port }));
}

/**
 * The config with the addresses of a host that says `addresses: auto`, by what the host itself has found.
 * @throws RtcOpsError `configuration` when it has found none
 */
export function withAddresses(
  shared: Config,
  target: DeployTarget,
  { addresses, sightings }: Pick<HostFacts, 'addresses' | 'sightings'>,
): { readonly shared: Config; readonly target: DeployTarget; readonly notes: readonly string[] } {
  const { host, config } = target;
  if (!host.discoversAddresses) return { shared, target, notes: [] };
  const pairs = pairsOf({
    interfaces: addresses.map((address) => ({ interface: '', address, prefixLength: 0 })),
    sightings: sightings
      .filter(({ family }) => config.listen.families.includes(family))
      .map(({ family, server, local, mapped }) =>
        local === null || mapped === null
          ? { family, server, state: 'failed', failure: { kind: 'timeout', afterMs: 2100, sent: 3 } }
          : { family, server, state: 'done', local, mapped },
      ),
  });
  if (pairs.length === 0) {
    const asked = [...new Set(sightings.map(({ server }) => server))].join(', ');
    throw new RtcOpsError(
      'configuration',
      `the addresses of ${host.name} are auto, and no STUN server told it its public one (asked: ${asked})`,
      {
        hint: 'Write them down: addresses: [PUBLIC/PRIVATE]; or name another server in addressDiscovery.stun.',
      },
    );
  }
  const known = { ...host, addresses: pairs };
  const all = { ...shared, hosts: shared.hosts.map((each) => (each.name === host.name ? known : each)) };
  const told = sightings.flatMap(({ server, mapped }) =>
    mapped === null ? [] : [`${server} sees ${mapped}`],
  );
  const source = told.length === 0 ? 'from its interfaces alone: no STUN server answered' : told.join(', ');
  return {
    shared: all,
    target: { ...target, host: known, config: configOfHost(all, known) },
    notes: [`addresses: auto is [${pairs.map(pairText).join(', ')}], ${source}`],
  };
}
