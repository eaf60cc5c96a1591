import type { AuditFacts, ServerAuditFacts } from '../model/audit.ts';
import { sameAddress } from '../model/endpoint.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { Target } from '../model/observations.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { NameResolver } from '../net/name.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import { attempt, rounded, type Clock } from './attempt.ts';
import { askAdminPorts } from './audit-admin.ts';
import { auditListener } from './audit-listener.ts';
import { askQuota, askTcpRelay, askThrough, sentAway, type Way } from './audit-user.ts';
import { interfaceAddresses } from './interfaces.ts';
import { targetsOf } from './plan.ts';
import type { ProbeOptions } from './probe.ts';

export interface AuditOptions {
  readonly uris: readonly TurnUri[];
  readonly credential: ProbeOptions['credential'];
  /** Of another user name, where one is at hand: it tells the quota of a user from that of all. */
  readonly otherCredential: TurnCredential | null;
  readonly ca?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

type ServerOptions = AuditOptions & { readonly clock: Clock };

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
    credentialSource: options.credential?.source ?? null,
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
  const ways = waysOf(listeners, options);
  onProgress?.(`asking ${host} for many allocations`);
  // First of all that a user asks: what others leave behind would count.
  const quota = await askQuota(ways.any, options);
  onProgress?.(`asking ${host} for peers that it should refuse`);
  const peers = {
    4: await askThrough(4, ways.any, options),
    // Refused with 440 over UDP, coturn 4.6.1 counts it for the quota until it forgets the client; over TCP not.
    6: await askThrough(6, ways.stream.state === 'done' ? ways.stream : ways.any, options),
  };
  onProgress?.(`asking ${host} for a TCP relay, and its ports for the operator`);
  return {
    host,
    address,
    isHere: interfaceAddresses().some((each) => sameAddress(each.address, address)),
    listeners,
    peers,
    tcpRelay: await askTcpRelay(ways.stream, options),
    quota,
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

/** The listeners through which a user can be let in, or why there is none. */
function waysOf(
  listeners: ServerAuditFacts['listeners'],
  options: ServerOptions,
): { readonly any: Way; readonly stream: Way } {
  const streams = listeners.filter(({ target }) => target.transport !== 'udp');
  const udp = listeners.filter(({ target }) => target.transport === 'udp');
  return {
    any: wayOf([...udp, ...streams], 'no listener was named', options),
    stream: wayOf(streams, noStream, options),
  };
}

const noStream = 'no listener over TCP or TLS was named, which it takes to ask';

function wayOf(listeners: ServerAuditFacts['listeners'], none: string, options: ServerOptions): Way {
  const open = listeners.find(({ challenge, alternate }) => challenge.state === 'done' && alternate === null);
  if (open !== undefined) return { state: 'done', server: serverOf(open.target, options) };
  const away = listeners.find(({ alternate }) => alternate !== null);
  if (away?.alternate) return because(sentAway(away.alternate));
  const [first] = listeners;
  if (first === undefined) return because(none);
  const { software, target } = first;
  return because(
    software.state === 'done'
      ? `${target.url} answers STUN and says nothing to an Allocate, as one does that is for STUN alone`
      : `${target.url} does not answer`,
  );
}

function because(text: string): Way {
  return { state: 'not-tried', because: text };
}
