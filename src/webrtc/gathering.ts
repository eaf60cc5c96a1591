import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, type Endpoint, type Family } from '../model/endpoint.ts';
import type { CandidateFacts, GatheringFacts } from '../model/observations.ts';
import { allocate, type Allocation } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
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

/**
 * Gathers ICE candidates and frees the allocation that they took. Holds native objects that live until the process
 * ends, so it runs in a child process (`GatheringProcess`).
 * @throws the reason of `signal` when aborted, after the allocation was freed; else only for faults of our own
 */
export async function gatherCandidates(
  request: GatheringRequest,
  signal: AbortSignal,
): Promise<GatheringFacts> {
  const native = await loadNative();
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  signal.addEventListener('abort', stop, { once: true });
  const startedAt = performance.now();
  const relay = request.turn ? await openRelay(request, request.turn, ending.signal) : null;
  try {
    return await gather(native, request, relay?.bridge ?? null, startedAt, ending.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    ending.abort();
    await relay?.close();
  }
}

async function gather(
  native: NativeModule,
  { stun, bindAddress, timeoutMs }: GatheringRequest,
  bridge: Bridge | null,
  startedAt: number,
  signal: AbortSignal,
): Promise<GatheringFacts> {
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
  close(): Promise<void>;
}

/** Begins to allocate, and gives the bridge by which the agent will learn what came of it. */
async function openRelay(
  { family, timeoutMs, bindAddress }: GatheringRequest,
  turn: NonNullable<GatheringRequest['turn']>,
  signal: AbortSignal,
): Promise<Relay> {
  const allocation: Promise<Allocation> = allocate({
    ...turn,
    ...(family === undefined ? {} : { family }),
    timeoutMs,
    signal,
  });
  allocation.catch(() => {});
  // A socket bound to an IPv6 address cannot send to an IPv4 one.
  const address = bindAddress !== null && familyOf(bindAddress) === 6 ? '::1' : '127.0.0.1';
  const bridge = await Bridge.open({ allocation, address });
  return {
    bridge,
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
