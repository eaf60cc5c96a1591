import type { PeerAnswer, QuotaFacts, ServerAuditFacts, UserAuditFacts } from '../model/audit.ts';
import type { Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Attempt, Target } from '../model/observations.ts';
import { put } from '../stun/attribute.ts';
import { method } from '../stun/message.ts';
import { lifetime, relayProtocol, requestedTransport } from '../stun/relay-attributes.ts';
import { allocate, type AllocateOptions, type Allocation } from '../turn/allocation.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { TryAlternateError, TurnSession, type TurnCredential } from '../turn/session.ts';
import { usualFreeingMs } from './allocation-gate.ts';
import { attempt, notTried, type Clock } from './attempt.ts';
import { askPeers } from './audit-peers.ts';
import { doorsOf, sentAway, type Door, type Way } from './audit-ways.ts';
import { wait } from './wait.ts';

export interface UserOptions {
  readonly credential: TurnCredential | null;
  /** Of another user name, where one is at hand. */
  readonly otherCredential: TurnCredential | null;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly serverOf: (target: Target) => TurnServer;
  readonly onProgress?: (what: string) => void;
}

/** More than coturn gives by `user-quota` where one is set (12 in most guides), and no load for one that has none. */
const mostAllocations = 20;
const releaseTimeoutMs = 1000;
const mostTries = 3;
const noCredentials = 'no credentials were given';

/** What a user gets behind each port, one after the other. What is allocated is freed. */
export async function auditUsers(
  listeners: Parameters<typeof doorsOf>[0],
  options: UserOptions,
): Promise<ServerAuditFacts['users']> {
  const [first, ...others] = doorsOf(listeners);
  const users: [UserAuditFacts, ...UserAuditFacts[]] = [await auditUser(first, options)];
  for (const door of others) users.push(await auditUser(door, options));
  return users;
}

async function auditUser({ any, stream, through }: Door, options: UserOptions): Promise<UserAuditFacts> {
  const { onProgress } = options;
  onProgress?.(`asking ${through} for many allocations`);
  // First of all that a user asks: what others leave behind would count.
  const quota = await askQuota(any, options);
  onProgress?.(`asking ${through} for peers that it should refuse`);
  const peers = {
    4: await askThrough(4, any, options),
    // Refused with 440 over UDP, coturn 4.6.1 counts it for the quota until it forgets the client; over TCP not.
    6: await askThrough(6, stream.state === 'done' ? stream : any, options),
  };
  onProgress?.(`asking ${through} for a TCP relay`);
  return { through, peers, tcpRelay: await askTcpRelay(stream, options), quota };
}

/** What one user may permit, of one family. What is allocated is freed. */
async function askThrough(
  family: Family,
  way: Way,
  options: UserOptions,
): Promise<Attempt<readonly PeerAnswer[]>> {
  const { credential, clock, signal } = options;
  if (way.state !== 'done') return way;
  if (credential === null) return notTried(noCredentials);
  return attempt(clock, async () => {
    const allocation = await withinQuota(signal, async () =>
      here({ server: options.serverOf(way.target), credential, family, ...timesOf(options) }),
    );
    try {
      return await askPeers(allocation, family, signal);
    } finally {
      await allocation.release(releaseTimeoutMs);
    }
  });
}

/** RFC 6062 §4.1: an Allocate for TCP, over TCP or TLS. What is granted is freed. */
async function askTcpRelay(way: Way, options: UserOptions): Promise<UserAuditFacts['tcpRelay']> {
  const { credential, clock, signal } = options;
  if (way.state !== 'done') return way;
  if (credential === null) return notTried(noCredentials);
  return attempt(clock, async () => {
    try {
      await withinQuota(signal, async () => allocateTcp(options.serverOf(way.target), credential, options));
      return { refusedWith: null };
    } catch (error) {
      if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error') throw error;
      if (error instanceof TryAlternateError) throw away(error);
      return { refusedWith: error.failure.code };
    }
  });
}

async function allocateTcp(
  server: TurnServer,
  credential: TurnCredential,
  options: UserOptions,
): Promise<void> {
  const { connection } = await openConnection(server, options).ready;
  const session = new TurnSession(connection, credential);
  try {
    await session.request(method.allocate, [put(requestedTransport, relayProtocol.tcp)], options);
    try {
      await session.request(method.refresh, [put(lifetime, 0)], options);
    } catch (error) {
      // It was granted, which is what was asked; what is not freed ends with the connection.
      if (!(error instanceof AttemptError)) throw error;
    }
  } finally {
    connection.close();
  }
}

/** How many allocations one user gets at once, and whether another gets one then; all are freed. */
async function askQuota(way: Way, options: UserOptions): Promise<Attempt<QuotaFacts>> {
  const { credential, otherCredential, clock } = options;
  if (way.state !== 'done') return way;
  if (credential === null) return notTried(noCredentials);
  return attempt(clock, async () => {
    const held: Allocation[] = [];
    const refusalOf = async (user: TurnCredential): Promise<number | null> => {
      try {
        held.push(
          await here({ server: options.serverOf(way.target), credential: user, ...timesOf(options) }),
        );
        return null;
      } catch (error) {
        if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error') throw error;
        return error.failure.code;
      }
    };
    try {
      let refusedWith: number | null = null;
      while (refusedWith === null && held.length < mostAllocations) refusedWith = await refusalOf(credential);
      const granted = held.length;
      const tried = refusedWith === null ? granted : granted + 1;
      const other =
        refusedWith === null || otherCredential === null
          ? null
          : { refusedWith: await refusalOf(otherCredential) };
      return { tried, granted, refusedWith, other };
    } finally {
      await Promise.all(held.map(async (allocation) => allocation.release(releaseTimeoutMs)));
    }
  });
}

function timesOf({ timeoutMs, signal }: UserOptions): Pick<AllocateOptions, 'timeoutMs' | 'signal'> {
  return { timeoutMs, signal };
}

/** An allocation on this server and no other. */
async function here(options: AllocateOptions): Promise<Allocation> {
  try {
    return await allocate({ ...options, followRedirects: false });
  } catch (error) {
    throw error instanceof TryAlternateError ? away(error) : error;
  }
}

function away({ alternate }: TryAlternateError): AttemptError {
  return new AttemptError({ kind: 'internal', detail: sentAway(alternate) });
}

/** What a quota of one or two refuses because of what has just been freed is asked again. */
async function withinQuota<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const isQuota =
        error instanceof AttemptError && error.failure.kind === 'stun-error' && error.failure.code === 486;
      if (!isQuota || tries === mostTries) throw error;
      await wait(usualFreeingMs, signal);
    }
  }
}
