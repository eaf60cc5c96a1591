import type { Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Failure, InterfaceAddress } from '../model/observations.ts';
import { formatTurnUri, type TurnUri } from '../model/turn-uri.ts';
import { openUdp } from '../net/udp.ts';
import { ask, mappedIn, openBindingSocket } from './binding-socket.ts';
import { interfaceAddresses } from './interfaces.ts';

/** What this machine is known by: from its own interfaces, and from a STUN server that saw it. */
export interface OwnAddressFacts {
  readonly interfaces: readonly InterfaceAddress[];
  readonly sightings: readonly Sighting[];
}

/** One server's answer, or why there is none. */
export type Sighting = {
  readonly family: Family;
  /** The URI of the server. */
  readonly server: string;
} & (
  | {
      readonly state: 'done';
      /** Where the request left from, and where it seemed to come from. */
      readonly local: string;
      readonly mapped: string;
    }
  | { readonly state: 'failed'; readonly failure: Failure }
);

export interface OwnAddressOptions {
  /** Asked in turn until one answers, for each family by itself. */
  readonly servers: readonly TurnUri[];
  readonly families: readonly Family[];
  /** All addresses of a host name; rejects with an AttemptError. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Until a server counts as silent. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks STUN servers (RFC 8489 §12) and the interfaces for the addresses of this machine. */
export async function probeOwnAddresses(options: OwnAddressOptions): Promise<OwnAddressFacts> {
  const sightings = await Promise.all(options.families.map(async (family) => sightingsOf(family, options)));
  return { interfaces: interfaceAddresses(), sightings: sightings.flat() };
}

async function sightingsOf(family: Family, options: OwnAddressOptions): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  for (const server of options.servers) {
    const sighting = await sightingBy(server, family, options);
    sightings.push(sighting);
    if (sighting.state === 'done') break;
  }
  return sightings;
}

async function sightingBy(uri: TurnUri, family: Family, options: OwnAddressOptions): Promise<Sighting> {
  const server = formatTurnUri(uri);
  const { resolve, timeoutMs, signal } = options;
  try {
    const addresses = await resolve(uri.host);
    const address = addresses.find((each) => each.includes(':') === (family === 6));
    if (address === undefined) {
      throw new AttemptError({ kind: 'internal', detail: `${uri.host} has no IPv${family} address` });
    }
    const remote = { address, port: uri.port };
    // An unconnected socket does not know from which address its packets leave; a connected one does.
    const route = await openUdp({ remote, signal });
    route.close();
    const socket = await openBindingSocket(family, signal);
    try {
      const mapped = mappedIn(await ask(socket, { to: remote, timeoutMs, signal }));
      return { family, server, state: 'done', local: route.local.address, mapped: mapped.address };
    } finally {
      socket.close();
    }
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    return { family, server, state: 'failed', failure: error.failure };
  }
}
