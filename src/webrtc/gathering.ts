import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { CandidateFacts, Failure, GatheringFacts } from '../model/observations.ts';
import { allocate, type Allocation } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import { agentFamilies, loopbackAddress } from './agent-families.ts';
import { Bridge } from './bridge.ts';
import { guarded, keep, loadNative, type NativeModule } from './native.ts';

export interface GatheringRequest {
  /** A STUN server, asked by the ICE agent itself, which speaks UDP alone. */
  readonly stun: Endpoint | null;
  readonly turn: { readonly server: TurnServer; readonly credential: TurnCredential } | null;
  /** Family of the relay address; the server's default when absent. */
  readonly family?: Family;
  /** The one local address to use; needed for a loopback address, which ICE leaves out. */
  readonly bindAddress: string | null;
  readonly timeoutMs: number;
}

// Refresh with lifetime 0 over UDP is sent again after 0.1–0.5 s; two chances, then the server may keep it.
const releaseTimeoutMs = 1000;

// One lost candidate is the agent's accident; the second one is a fact.
const mostAttempts = 2;

/**
 * Gathers ICE candidates and frees the allocation that they took; once more when the agent gave no relay candidate for
 * an allocation that was there. Holds native objects that live until the process ends, so it runs in a child process
 * (`GatheringProcess`).
 * @throws the reason of `signal` when aborted, after the allocation was freed; else only for faults of our own
 */
export async function gatherCandidates(
  request: GatheringRequest,
  signal: AbortSignal,
): Promise<GatheringFacts> {
  const native = await loadNative();
  const local = localOf(request, await agentFamilies());
  return untilRelayed(request.turn !== null, () => gatherOnce(native, request, local, signal));
}

type Gathered = Omit<GatheringFacts, 'attempts'>;

/** Has it gathered again when the relay candidate of a granted allocation is missing. The last attempt counts. */
export async function untilRelayed(
  wantsRelay: boolean,
  gather: () => Promise<Gathered>,
): Promise<GatheringFacts> {
  for (let attempts = 1; ; attempts++) {
    const gathered = await gather();
    const { candidates, complete, relayFailure } = gathered;
    const isLost =
      wantsRelay && complete && relayFailure === null && !candidates.some(({ type }) => type === 'relay');
    if (!isLost || attempts === mostAttempts) return { ...gathered, attempts };
  }
}

/** What the agent is told of this machine. */
interface AgentLocal {
  readonly bridgeAddress: (typeof loopbackAddress)[Family];
  readonly bindAddress: string | null;
  readonly stun: Endpoint | null;
  readonly stunUntried: string | null;
}

function localOf({ stun, bindAddress }: GatheringRequest, families: readonly Family[]): AgentLocal {
  const wanted = bindAddress === null ? 4 : familyOf(bindAddress);
  const family = families.includes(wanted) ? wanted : (families[0] ?? 4);
  const canAsk = stun === null || families.includes(familyOf(stun.address));
  return {
    bridgeAddress: loopbackAddress[family],
    // A socket bound to an address of one family cannot send to one of the other.
    bindAddress: bindAddress !== null && family !== wanted ? loopbackAddress[family] : bindAddress,
    stun: canAsk ? stun : null,
    stunUntried: canAsk
      ? null
      : `the ICE library cannot ask an IPv${familyOf(stun.address)} server on a machine without an IPv${familyOf(stun.address)} address beside loopback`,
  };
}

async function gatherOnce(
  native: NativeModule,
  request: GatheringRequest,
  local: AgentLocal,
  signal: AbortSignal,
): Promise<Gathered> {
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const startedAt = performance.now();
  const { turn, timeoutMs } = request;
  const relay = turn ? await openRelay(request, turn, local.bridgeAddress, ending.signal) : null;
  try {
    const seen = await gather(native, local, timeoutMs, relay?.bridge ?? null, startedAt, ending.signal);
    return { ...seen, relayFailure: relay?.failure ?? null, stunUntried: local.stunUntried };
  } finally {
    signal.removeEventListener('abort', stop);
    ending.abort();
    await relay?.close();
  }
}

async function gather(
  native: NativeModule,
  { stun, bindAddress }: AgentLocal,
  timeoutMs: number,
  bridge: Bridge | null,
  startedAt: number,
  signal: AbortSignal,
): Promise<Pick<GatheringFacts, 'candidates' | 'complete' | 'durationMs'>> {
  const connection = keep(
    new native.PeerConnection('gathering', {
      iceServers: [
        ...(stun ? [{ hostname: stun.address, port: stun.port }] : []),
        ...(bridge ? [{ ...bridge.server, relayType: 'TurnUdp' as const }] : []),
      ],
      ...(bindAddress === null ? {} : { bindAddress }),
      disableAutoNegotiation: true,
    }),
  );
  const candidates: CandidateFacts[] = [];
  try {
    const gathered = new Promise<boolean>((resolve, reject) => {
      const onLine = (line: string): void => {
        const candidate = parseCandidate(line, performance.now() - startedAt);
        if (candidate) candidates.push(candidate);
      };
      const onState = (state: string): void => (state === 'complete' ? resolve(true) : undefined);
      connection.onLocalCandidate(guarded(onLine, reject));
      connection.onGatheringStateChange(guarded(onState, reject));
      if (bridge) bridge.onError = reject;
      // Without media or data there is nothing to gather for.
      keep(connection.createDataChannel('gathering'));
      connection.setLocalDescription();
    });
    const late = sleep(timeoutMs, false, { signal });
    const complete = await Promise.race([gathered, late]);
    return { candidates: [...candidates], complete, durationMs: performance.now() - startedAt };
  } finally {
    connection.close();
  }
}

interface Relay {
  readonly bridge: Bridge;
  /** Why the server gave no allocation; null while, or when, it gave one. */
  readonly failure: Failure | null;
  close(): Promise<void>;
}

/**
 * Begins to allocate, and gives the bridge by which the agent will learn what came of it.
 * @throws Error of the system when the bridge cannot be opened; nothing has been asked of the server then
 */
export async function openRelay(
  { family, timeoutMs }: GatheringRequest,
  turn: NonNullable<GatheringRequest['turn']>,
  address: AgentLocal['bridgeAddress'],
  signal: AbortSignal,
): Promise<Relay> {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const allocation: Promise<Allocation> = begun.then(() =>
    allocate({
      ...turn,
      ...(family === undefined ? {} : { family }),
      timeoutMs,
      signal,
    }),
  );
  let failure: Failure | null = null;
  allocation.catch((error: unknown) => {
    if (error instanceof AttemptError) failure = error.failure;
  });
  const bridge = await Bridge.open({ allocation, address });
  begin();
  return {
    bridge,
    get failure() {
      return failure;
    },
    async close() {
      bridge.close();
      const held = await allocation.catch(() => null);
      await held?.release(releaseTimeoutMs);
    },
  };
}

/** RFC 8839 §5.1: `candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE …`. */
const candidatePattern = /candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ (\w+)/;
const candidateTypes = ['host', 'srflx', 'prflx', 'relay'] as const;

/** Null for what is no candidate of a known type. */
export function parseCandidate(line: string, atMs: number): CandidateFacts | null {
  const [, protocol, address, port, word] = candidatePattern.exec(line) ?? [];
  const type = candidateTypes.find((known) => known === word);
  if (protocol === undefined || address === undefined || type === undefined) return null;
  return {
    type,
    address,
    port: Number(port),
    protocol: protocol.toLowerCase(),
    atMs,
  };
}
