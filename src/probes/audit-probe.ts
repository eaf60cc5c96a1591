import type { AuditFacts, PeerAnswer, ServerAuditFacts } from '../model/audit.ts';
import type { Family } from '../model/endpoint.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { Attempt, Target } from '../model/observations.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { NameResolver } from '../net/name.ts';
import { put } from '../stun/attribute.ts';
import { method } from '../stun/message.ts';
import { lifetime, relayProtocol, requestedTransport } from '../stun/relay-attributes.ts';
import { allocate, type Allocation } from '../turn/allocation.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { TurnSession, type TurnCredential } from '../turn/session.ts';
import { attempt, notTried, rounded, type Clock } from './attempt.ts';
import { askAdminPorts } from './audit-admin.ts';
import { auditListener } from './audit-listener.ts';
import { askPeers } from './audit-peers.ts';
import { targetsOf } from './plan.ts';
import { wait } from './wait.ts';

export interface AuditOptions {
  readonly uris: readonly TurnUri[];
  readonly credential: TurnCredential | null;
  readonly ca?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

type ServerOptions = AuditOptions & { readonly clock: Clock };

/** More than coturn gives by `user-quota` where one is set (12 in most guides), and no load for one that has none. */
const mostAllocations = 20;
const releaseTimeoutMs = 1000;
// coturn 4.6 gives back what was released about a second later; until then it counts for the quota.
const freeingMs = 1500;
const noCredentials = 'no credentials were given';

/**
 * Tries at each server, one after the other, what an attacker would, and frees what it was given. Nothing is sent to any
 * peer.
 * @throws the reason of `signal` when aborted; what was allocated is freed before
 */
export async function audit(options: AuditOptions): Promise<AuditFacts> {
  const startedAt = options.now();
  const origin = performance.now();
  const clock: Clock = () => performance.now() - origin;
  const { names, addresses } = await resolved(options);
  const targets = targetsOf(options.uris, (host) => addresses.get(host) ?? [], {
    transports: null,
    families: null,
  });
  const servers: ServerAuditFacts[] = [];
  for (const own of byAddress(targets)) servers.push(await auditServer(own, { ...options, clock }));
  return {
    startedAt: startedAt.toISOString(),
    durationMs: rounded(clock()),
    username: options.credential?.username ?? null,
    names,
    servers,
  };
}

async function resolved({ uris, env, timeoutMs, signal }: AuditOptions): Promise<{
  names: AuditFacts['names'];
  addresses: ReadonlyMap<string, readonly string[]>;
}> {
  const resolver = new NameResolver(env);
  const addresses = new Map<string, readonly string[]>();
  const names: { host: string; failure: string | null }[] = [];
  try {
    for (const host of new Set(uris.map((uri) => uri.host))) {
      try {
        addresses.set(host, await resolver.resolve(host, timeoutMs, signal));
        names.push({ host, failure: null });
      } catch (error) {
        if (!(error instanceof AttemptError)) throw error;
        names.push({ host, failure: describeFailure(error.failure) });
      }
    }
    return { names, addresses };
  } finally {
    await resolver.close();
  }
}

/** The listeners of each address; an address is audited once, however many names it has. */
function byAddress(targets: readonly Target[]): [Target, ...Target[]][] {
  const servers = new Map<string, [Target, ...Target[]]>();
  for (const target of targets) {
    const known = servers.get(target.address);
    if (known) known.push(target);
    else servers.set(target.address, [target]);
  }
  return [...servers.values()];
}

async function auditServer(
  own: readonly [Target, ...Target[]],
  options: ServerOptions,
): Promise<ServerAuditFacts> {
  const { clock, onProgress } = options;
  const [{ host, address }] = own;
  const listeners: ServerAuditFacts['listeners'][number][] = [];
  for (const target of own) {
    onProgress?.(`asking ${target.url} without credentials`);
    listeners.push(await auditListener(target, { ...options, server: serverOf(target, options) }));
  }
  onProgress?.(`asking ${host} for peers that it should refuse`);
  const answering = listeners
    .filter(({ challenge }) => challenge.state === 'done')
    .map(({ target }) => target);
  const way = answering.find(({ transport }) => transport === 'udp') ?? answering[0];
  const stream = answering.find(({ transport }) => transport !== 'udp');
  const peers = {
    4: await throughAllocation(4, way, options),
    // Refused with 440 over UDP, coturn 4.6.1 counts it for the quota until it forgets the client; over TCP not.
    6: await throughAllocation(6, stream ?? way, options),
  };
  onProgress?.(`asking ${host} for a TCP relay, and for many allocations`);
  return {
    host,
    address,
    listeners,
    peers,
    tcpRelay: await tcpRelay(stream, options),
    quota: await quota(way, options),
    admin: await attempt(clock, () => askAdminPorts(address, options)),
  };
}

function serverOf({ transport, address, port, host }: Target, { ca }: AuditOptions): TurnServer {
  return {
    transport,
    endpoint: { address, port },
    servername: host,
    ...(ca === undefined ? {} : { ca }),
    verifyTls: false,
  };
}

const noListener = notTried('no listener of the server answers');

async function throughAllocation(
  family: Family,
  way: Target | undefined,
  options: ServerOptions,
): Promise<Attempt<readonly PeerAnswer[]>> {
  const { credential, clock, timeoutMs, signal } = options;
  if (way === undefined) return noListener;
  if (credential === null) return notTried(noCredentials);
  return attempt(clock, async () => {
    const server = serverOf(way, options);
    const allocation = await allocate({ server, credential, family, timeoutMs, signal });
    try {
      return await askPeers(allocation, family, signal);
    } finally {
      await allocation.release(releaseTimeoutMs);
    }
  });
}

/** RFC 6062 §4.1: an Allocate for TCP, over TCP or TLS. What is granted is freed. */
async function tcpRelay(
  way: Target | undefined,
  options: ServerOptions,
): Promise<ServerAuditFacts['tcpRelay']> {
  const { credential, clock } = options;
  if (way === undefined) return notTried('no listener over TCP or TLS answers, which it takes to ask');
  if (credential === null) return notTried(noCredentials);
  return attempt(clock, async () => {
    const { connection } = await openConnection(serverOf(way, options), options).ready;
    const session = new TurnSession(connection, credential);
    try {
      await session.request(method.allocate, [put(requestedTransport, relayProtocol.tcp)], options);
    } catch (error) {
      connection.close();
      if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error') throw error;
      return { refusedWith: error.failure.code };
    }
    try {
      await session.request(method.refresh, [put(lifetime, 0)], options);
    } catch (error) {
      // It was granted, which is what was asked; what is not freed ends with the connection.
      if (!(error instanceof AttemptError)) throw error;
    } finally {
      connection.close();
    }
    return { refusedWith: null };
  });
}

/** How many allocations one user gets at once; all are freed. */
async function quota(way: Target | undefined, options: ServerOptions): Promise<ServerAuditFacts['quota']> {
  const { credential, clock, timeoutMs, signal } = options;
  if (way === undefined) return noListener;
  if (credential === null) return notTried(noCredentials);
  await wait(freeingMs, signal);
  return attempt(clock, async () => {
    const held: Allocation[] = [];
    try {
      while (held.length < mostAllocations) {
        held.push(await allocate({ server: serverOf(way, options), credential, timeoutMs, signal }));
      }
      return { tried: mostAllocations, granted: held.length, refusedWith: null };
    } catch (error) {
      if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error') throw error;
      return { tried: held.length + 1, granted: held.length, refusedWith: error.failure.code };
    } finally {
      await Promise.all(held.map((allocation) => allocation.release(releaseTimeoutMs)));
    }
  });
}
