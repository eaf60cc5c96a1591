import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import type { Asked } from '../model/asked.ts';
import type { ProbeStep } from '../model/check.ts';
import { judgeTime } from '../model/credential-time.ts';
import type {
  Attempt,
  CallFacts,
  CredentialFacts,
  Failure,
  GatheringFacts,
  NameFacts,
  Observations,
  Target,
  TargetFacts,
} from '../model/observations.ts';
import { scopeOf } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Secret } from '../model/secret.ts';
import { formatTurnUri, isTurn, type TurnUri } from '../model/turn-uri.ts';
import { NameResolver } from '../net/name.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import type { GatheringProcess } from '../webrtc/gathering-process.ts';
import { AllocationGate } from './allocation-gate.ts';
import { attempt, notTried, rounded, type Clock } from './attempt.ts';
import { interfaceAddresses } from './interfaces.ts';
import { probeNat } from './nat-probe.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { OutsidePeer } from './outside-probe.ts';
import { serversOf, targetsOf, type PlanFilter } from './plan.ts';
import { probePorts } from './port-probe.ts';
import type { ProtocolFacts } from './protocol-facts.ts';
import { bindAnew, probeTarget, servernameOf } from './target-probe.ts';

export interface ProbeOptions extends PlanFilter {
  readonly uris: readonly TurnUri[];
  /** Servers that are known to work, to tell what leaves this network; none are needed. */
  readonly controls: readonly TurnUri[];
  readonly credential: (TurnCredential & { readonly source: 'secret' | 'given' }) | null;
  /** Null: no call. */
  readonly callDurationMs: number | null;
  /** Null: the NAT is not examined. */
  readonly nat: { readonly lifetimeMs: number | null } | null;
  /** An `rtc-ops peer` elsewhere. */
  readonly outside?: OutsidePeerOption;
  /** How many relay ports to try; only the one of the allocation when absent. */
  readonly portCount?: number;
  readonly timeoutMs: number;
  /** Targets at once. */
  readonly concurrency: number;
  /** Trust anchors beside the built-in ones, PEM. */
  readonly ca?: string;
  readonly servername?: string;
  /** Of this process: what the lookup of names depends on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ProbeProgress) => void;
}

export interface OutsidePeerOption {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly secret: Secret;
}

/** What is being waited for. */
export interface ProbeProgress {
  readonly target: Target | null;
  readonly step: ProbeStep;
}

// Pacing, checks, DTLS and the data channel take some 15 round trips one after the other; and a busy machine its time.
const setUp = { leastMs: 5000, roundTrips: 20 };
// A call's process keeps most of a core busy while it connects; more at once would measure this machine, not the server.
// Four, because a server has that many listeners at most places: UDP, TCP, TLS, and TLS on port 443.
const callsAtOnce = Math.max(4, availableParallelism());
// Gathering is lighter and happens in one process; libjuice has no more than a handful of agents at once there.
const gatheringsAtOnce = 8;

/**
 * Resolves every host, then examines every address over every transport.
 * @returns facts, no verdict
 * @throws the reason of `signal` when aborted; what was allocated is freed before
 */
export async function probe(options: ProbeOptions): Promise<Observations> {
  const startedAt = options.now();
  const origin = performance.now();
  const clock: Clock = () => performance.now() - origin;
  options.onProgress?.({ target: null, step: 'dns-resolves' });
  const names = await resolveNames(options, clock);
  const addresses = new Map(
    names.map(({ host, lookup }) => [host, lookup.state === 'done' ? lookup.value.addresses : []]),
  );
  const addressesOf = (host: string): readonly string[] => addresses.get(host) ?? [];
  const targets = targetsOf(options.uris, addressesOf, options);
  const controls = targetsOf(options.controls.map(asStun), addressesOf, { ...options, transports: null });
  const examining = probeTargets(targets, options, clock).finally(() => {
    if (options.nat === null) return;
    const step = options.nat.lifetimeMs === null ? 'nat-mapping' : 'nat-lifetime';
    options.onProgress?.({ target: null, step });
  });
  // Both to their end before either may throw: on an abort the targets still free what they have allocated.
  const [examined, control, nat] = await Promise.allSettled([
    examining,
    probeTargets(controls, options, clock),
    options.nat === null ? null : probeNat(targets, { ...options.nat, clock, signal: options.signal }),
  ]);
  if (examined.status === 'rejected') throw examined.reason;
  if (control.status === 'rejected') throw control.reason;
  if (nat.status === 'rejected') throw nat.reason;
  // What was interrupted may have ended as failures; they say nothing about the server.
  options.signal.throwIfAborted();
  return {
    startedAt: startedAt.toISOString(),
    durationMs: rounded(clock()),
    asked: askedOf(options),
    interfaces: interfaceAddresses(),
    credential: credentialFacts(options.credential),
    names,
    targets: examined.value,
    controls: control.value,
    nat: nat.value,
  };
}

async function resolveNames(options: ProbeOptions, clock: Clock): Promise<NameFacts[]> {
  const asked = new Set(options.uris.map(({ host }) => host));
  const hosts = [...new Set([...asked, ...options.controls.map(({ host }) => host)])];
  const resolver = new NameResolver(options.env);
  try {
    return await Promise.all(
      hosts.map(async (host) => ({
        host,
        isControl: !asked.has(host),
        lookup: await attempt(clock, async () => ({
          addresses: await resolver.resolve(host, options.timeoutMs, options.signal),
        })),
      })),
    );
  } finally {
    await resolver.close();
  }
}

/** A control is asked for no relay: nobody needs an account there. */
function asStun(uri: TurnUri): TurnUri {
  return { ...uri, scheme: uri.transport === 'tls' ? 'stuns' : 'stun' };
}

function askedOf({ callDurationMs, outside, portCount, nat, controls }: ProbeOptions): Asked {
  const [peer, ports] = [outside?.url ?? null, portCount ?? null];
  return { callDurationMs, peer, ports, nat, controls: controls.map(formatTurnUri) };
}

function credentialFacts(credential: ProbeOptions['credential']): CredentialFacts {
  if (credential === null) return { source: 'none' };
  const { source, username } = credential;
  return { source, username, expiresAt: judgeTime(username, 0).expiresAt };
}

async function probeTargets(
  targets: readonly Target[],
  options: ProbeOptions,
  clock: Clock,
): Promise<TargetFacts[]> {
  const credential = options.credential;
  const outside = await outsidePeer(options);
  // Started before it is needed: the child's start then overlaps the first round trips.
  const gathering =
    credential !== null && targets.some(isTurn)
      ? (await import('../webrtc/gathering-process.ts')).GatheringProcess.start()
      : null;
  const limit = pLimit(options.concurrency);
  const mediaLimit = pLimit(options.callDurationMs === null ? gatheringsAtOnce : callsAtOnce);
  const gates = new Map(
    serversOf(targets).flatMap((server) => {
      const gate = new AllocationGate(options.signal);
      return server.map((target) => [target, gate] as const);
    }),
  );
  const neighbourhoods = new Map(targets.map(({ address }) => [address, new Neighbourhood()]));
  try {
    // All to their end before one may throw: on an abort each still frees what it has allocated.
    const examined = await Promise.allSettled(
      targets.map((target) =>
        limit(async () => {
          const server = serverOf(target, options);
          const gate = gates.get(target) ?? new AllocationGate(options.signal);
          const neighbourhood = neighbourhoods.get(target.address) ?? new Neighbourhood();
          const onStep = (step: ProbeStep): void => options.onProgress?.({ target, step });
          const facts = await gate.run(
            () =>
              probeTarget(target, { ...options, credential, outside, server, neighbourhood, clock, onStep }),
            ({ allocate }) => isQuotaError(allocate),
          );
          if (gathering === null || credential === null || facts.allocate.state !== 'done') return facts;
          const media = { ...options, credential, server, clock, gathering, gate };
          await mediaLimit(() => probeMedia(facts, media));
          return facts;
        }),
      ),
    );
    const facts = examined.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    await sampleEachServer(facts, { ...options, clock, outsidePeer: outside });
    return facts;
  } finally {
    gathering?.close();
  }
}

/** The outside peer with its addresses; null when none is wanted. One that has none is found out at each relay. */
async function outsidePeer({ outside, env, timeoutMs, signal }: ProbeOptions): Promise<OutsidePeer | null> {
  if (outside === undefined) return null;
  const { url, host, port, secret } = outside;
  const resolver = new NameResolver(env);
  try {
    const addresses = await resolver.resolve(host, timeoutMs, signal);
    return { url, secret, lookupFailure: null, endpoints: addresses.map((address) => ({ address, port })) };
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    return { url, secret, lookupFailure: error.failure, endpoints: [] };
  } finally {
    await resolver.close();
  }
}

/** No quota left, be it of the user or of the whole server (RFC 8656 §7.2). */
function isQuotaError(step: Attempt<unknown>): boolean {
  return step.state === 'failed' && step.failure.kind === 'stun-error' && step.failure.code === 486;
}

/** Relay ports belong to a server, not to a listener: they are tried once for each, over UDP where that works. */
async function sampleEachServer(
  targets: readonly ProtocolFacts[],
  options: ProbeOptions & { readonly clock: Clock; readonly outsidePeer: OutsidePeer | null },
): Promise<void> {
  const { portCount: wanted, credential, clock } = options;
  if (wanted === undefined) return;
  const relaying = targets.filter(({ target }) => isTurn(target));
  for (const address of new Set(relaying.map(({ target }) => target.address))) {
    const own = relaying.filter(({ target }) => target.address === address);
    const able = own.filter(({ peer, release }) => peer.state === 'done' && release.state === 'done');
    const facts = able.find(({ target }) => target.transport === 'udp') ?? able[0] ?? own[0];
    if (facts === undefined) continue;
    const { target, peer, redirects, inbound, outside: seen } = facts;
    if (peer.state !== 'done' || credential === null || peer.value.permitted.length === 0) {
      facts.ports = notTried(peer.state === 'not-tried' ? peer.because : 'there was no permission');
      continue;
    }
    options.onProgress?.({ target, step: 'relay-ports' });
    const server = serverOf(target, options);
    const endpoint = redirects.at(-1) ?? server.endpoint;
    const addresses = peer.value.permitted;
    const viaOutside =
      inbound.state !== 'done' && seen?.state === 'done' && seen.value.inbound.state === 'done';
    const secret = options.outsidePeer?.secret;
    const outside = viaOutside && secret ? { endpoint: seen.value.peer, secret } : null;
    facts.ports = await attempt(clock, () =>
      probePorts({
        ...options,
        outside,
        credential,
        addresses,
        wanted,
        server: { ...server, endpoint },
        family: target.family,
      }),
    );
  }
}

const silences: ReadonlySet<Failure['kind']> = new Set(['timeout', 'closed', 'system']);

/** Whether requests of the call were not answered: by a server that is gone, on a path that loses them, or for a limit. */
function fellSilent(call: ProtocolFacts['call']): boolean {
  return call.state === 'done' && call.value.relay.lost.some(({ failure }) => silences.has(failure.kind));
}

/** After a repetition the round trip is not known, but it was no longer than the whole exchange. */
function roundTripMs(allocate: ProtocolFacts['allocate']): number {
  return allocate.state === 'done' ? (allocate.value.rttMs ?? allocate.durationMs) : 0;
}

interface MediaProbeOptions extends ProbeOptions {
  readonly credential: TurnCredential & { readonly source: 'secret' | 'given' };
  readonly server: TurnServer;
  readonly clock: Clock;
  readonly gathering: GatheringProcess;
  readonly gate: AllocationGate;
}

/** ICE and the call: what applications do, by the library that they are built on. */
async function probeMedia(facts: ProtocolFacts, options: MediaProbeOptions): Promise<void> {
  const { target } = facts;
  const { clock, server, credential, timeoutMs, signal, gate } = options;
  if (facts.release.state !== 'done') {
    const gone = notTried(whyNoMedia(facts.release));
    Object.assign(facts, { gathering: gone, call: gone });
    return;
  }
  const { callDurationMs } = options;
  const rttMs = roundTripMs(facts.allocate);
  const setUpTimeoutMs = Math.max(timeoutMs, setUp.leastMs) + setUp.roundTrips * rttMs;
  // Started now, so that its start overlaps the gathering.
  const callers =
    callDurationMs === null ? null : [(await import('../webrtc/call-process.ts')).CallProcess.start()];
  try {
    options.onProgress?.({ target, step: 'candidates-relay' });
    const gather = (): Promise<Attempt<GatheringFacts>> =>
      childAttempt<GatheringFacts>(clock, () =>
        options.gathering.gather(
          {
            // libjuice speaks STUN over UDP alone; over a stream the mapped address would be that of the stream.
            stun: target.transport === 'udp' ? { address: target.address, port: target.port } : null,
            turn: { server, credential },
            family: target.family,
            bindAddress: scopeOf(target.address) === 'loopback' ? target.address : null,
            timeoutMs: setUpTimeoutMs,
          },
          signal,
        ),
      );
    facts.gathering = await gate.run(gather, lacksRelay);
    if (callers === null || callDurationMs === null) {
      facts.call = notTried('no call was asked for');
      return;
    }
    options.onProgress?.({ target, step: 'call-audio' });
    const call = async (): Promise<Attempt<CallFacts>> => {
      // A process makes one call; a second one is needed when the first was refused for want of quota.
      const caller = callers.pop() ?? (await import('../webrtc/call-process.ts')).CallProcess.start();
      try {
        return await childAttempt<CallFacts>(clock, () =>
          caller.call({
            server,
            credential,
            family: target.family,
            durationMs: callDurationMs,
            connectTimeoutMs: setUpTimeoutMs,
            signal,
          }),
        );
      } finally {
        caller.close();
      }
    };
    facts.call = await gate.run(call, wasRefusedByQuota);
    if (fellSilent(facts.call)) facts.recheck = await attempt(clock, () => bindAnew({ ...options, server }));
  } finally {
    for (const unused of callers ?? []) unused.close();
  }
}

/** The agent does not tell why it has no relay candidate; a moment before there was an allocation for the same user. */
function lacksRelay(gathered: Attempt<GatheringFacts>): boolean {
  if (gathered.state !== 'done') return false;
  const { candidates, complete } = gathered.value;
  return complete && !candidates.some(({ type }) => type === 'relay');
}

function wasRefusedByQuota(call: Attempt<CallFacts>): boolean {
  if (call.state !== 'done' || call.value.connectMs !== null) return false;
  return call.value.relay.lost.some(({ failure }) => failure.kind === 'stun-error' && failure.code === 486);
}

function whyNoMedia(release: Exclude<ProtocolFacts['release'], { state: 'done' }>): string {
  if (release.state === 'not-tried') return release.because;
  return release.failure.kind === 'stun-error'
    ? 'the server did not free the first allocation'
    : 'the server no longer answered';
}

type ChildResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

async function childAttempt<T>(clock: Clock, work: () => Promise<ChildResult<T>>): Promise<Attempt<T>> {
  const atMs = clock();
  const result = await work();
  const times = { atMs: rounded(atMs), durationMs: rounded(clock() - atMs) };
  return result.ok
    ? { state: 'done', ...times, value: result.value }
    : { state: 'failed', ...times, failure: result.failure };
}

function serverOf(target: Target, { ca, servername }: ProbeOptions): TurnServer {
  return {
    transport: target.transport,
    endpoint: { address: target.address, port: target.port },
    servername: servernameOf(target, servername),
    ...(ca === undefined ? {} : { ca }),
    // What is wrong with a certificate is a finding of its own; what lies behind it is examined all the same.
    verifyTls: false,
  };
}
