import type { AuditFacts, ListenerAuditFacts, ServerAuditFacts } from '../model/audit.ts';
import { sameAddress } from '../model/endpoint.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { Target } from '../model/observations.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { NameResolver } from '../net/name.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import { attempt, rounded, type Clock } from './attempt.ts';
import { askAdminPorts } from './audit-admin.ts';
import { askDtls } from './audit-dtls.ts';
import { auditListener } from './audit-listener.ts';
import { auditUsers } from './audit-user.ts';
import { interfaceAddresses } from './interfaces.ts';
import { targetsOf } from './plan.ts';
import type { ProbeOptions } from './probe.ts';

export interface AuditOptions {
  readonly uris: readonly TurnUri[];
  readonly credential: ProbeOptions['credential'];
  /** Of another user name, where one is at hand: it tells the quota of a user from that of all. */
  readonly otherCredential: TurnCredential | null;
  readonly ca?: string;
  /** The name to ask for by TLS, and to find in the certificate; the host of each URI when absent. */
  readonly servername?: string;
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
  const listenerOf = async (target: Target): Promise<ListenerAuditFacts> => {
    onProgress?.(`asking ${target.url} without credentials`);
    return auditListener(target, { ...options, server: serverOf(target, options) });
  };
  const [first, ...others] = own;
  const { host, address } = first;
  const listeners: [ListenerAuditFacts, ...ListenerAuditFacts[]] = [await listenerOf(first)];
  for (const target of others) listeners.push(await listenerOf(target));
  const users = await auditUsers(listeners, { ...options, serverOf: (target) => serverOf(target, options) });
  onProgress?.(`asking ${host} for DTLS, and for its ports for the operator`);
  const ports = [...new Set(own.map(({ port }) => port))];
  return {
    host,
    address,
    isHere: interfaceAddresses().some((each) => sameAddress(each.address, address)),
    listeners,
    users,
    dtls: await attempt(clock, () => Promise.all(ports.map((port) => askDtls({ address, port }, options)))),
    admin: await attempt(clock, () => askAdminPorts(address, options)),
  };
}

function serverOf({ transport, address, port, host }: Target, { ca, servername }: AuditOptions): TurnServer {
  return {
    transport,
    endpoint: { address, port },
    servername: servername ?? host,
    ...(ca === undefined ? {} : { ca }),
    verifyTls: false,
  };
}
