import { familyOf, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Failure, PortSampleFacts } from '../model/observations.ts';
import type { Secret } from '../model/secret.ts';
import { openPeerSocket } from '../net/peer-socket.ts';
import { allocate } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import { usualFreeingMs } from './allocation-gate.ts';
import { knockedFrom } from './outside-probe.ts';
import { peerToClient, type Relay } from './relay-probe.ts';
import { wait } from './wait.ts';

export interface PortProbeOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  readonly family: Family;
  /** The addresses under which the server was seen to take packets from this client. */
  readonly addresses: readonly string[];
  /** Who is to send: the outside peer where one is given, else a socket here. */
  readonly outside: { readonly endpoint: Endpoint; readonly secret: Secret } | null;
  readonly wanted: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// A port that does not answer costs a second. Eight at once are no load, and no more than one call's browsers take.
const atOnce = 8;
// Spread over time: a burst of allocations looks like an attack, would take a whole small range at once, and is more than
// an outside peer answers one server.
const spacingMs = 25;
// What did not come is asked for once more, when a burst of losses is over.
const pauseMs = 500;
const releaseTimeoutMs = 1000;

type Sample = PortSampleFacts['samples'][number];

/**
 * Takes one relay port after the other, a few at once, and has a second socket send to each first; frees each before the
 * next. Where a quota ends that, one at a time is taken; where even that is refused, it stops.
 * @throws AttemptError when this machine has no socket for it; the reason of `signal` when aborted
 */
export async function probePorts(options: PortProbeOptions): Promise<PortSampleFacts> {
  const { wanted, signal } = options;
  const from = options.outside === null ? 'here' : 'outside';
  const samples: Sample[] = [];
  const refusals: Failure[] = [];
  const startedAtMs = performance.now();
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < wanted && refusals.length === 0) {
      const dueMs = startedAtMs + begun++ * spacingMs;
      await wait(Math.max(0, dueMs - performance.now()), signal);
      if (refusals.length > 0) return;
      const sample = await sampled(options);
      if ('relayed' in sample) samples.push(sample);
      else refusals.push(sample);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, wanted) }, lane);
  for (const one of await Promise.allSettled(lanes)) {
    signal.throwIfAborted();
    if (one.status === 'rejected') throw one.reason;
  }
  const [refusal] = refusals;
  if (refusal === undefined) return { wanted, from, samples, stopped: null };
  const fault = refusals.find((each) => !isShortage(each));
  return { wanted, from, samples, stopped: fault ?? (await oneByOne(options, samples)) };
}

/** Goes on with one allocation at a time, each refusal tried once more when the server has had time to free the last. */
async function oneByOne(options: PortProbeOptions, samples: Sample[]): Promise<Failure | null> {
  while (samples.length < options.wanted) {
    let sample = await sampled(options);
    if (!('relayed' in sample) && isShortage(sample)) {
      await wait(usualFreeingMs, options.signal);
      sample = await sampled(options);
    }
    if (!('relayed' in sample)) return sample;
    samples.push(sample);
  }
  return null;
}

/** No quota, or no port, left. */
function isShortage(failure: Failure): boolean {
  return failure.kind === 'stun-error' && (failure.code === 486 || failure.code === 508);
}

async function sampled(options: PortProbeOptions): Promise<Sample | Failure> {
  const { outside, addresses, timeoutMs, signal } = options;
  try {
    const allocation = await allocate({ ...options, timeoutMs, signal });
    try {
      await allocation.permit(outside === null ? addresses : [outside.endpoint.address]);
      return { relayed: allocation.relayed, answered: await takesPackets(allocation, options) };
    } finally {
      await allocation.release(releaseTimeoutMs);
    }
  } catch (error) {
    if (error instanceof AttemptError) return error.failure;
    throw error;
  }
}

/**
 * Whether what is sent first to a relay comes through, tried twice; null when nothing shows that it was sent.
 * @throws AttemptError `system` when this machine has no socket; the reason of `signal` when aborted
 */
export async function takesPackets(
  relay: Relay,
  options: Pick<PortProbeOptions, 'outside' | 'signal'>,
): Promise<boolean | null> {
  const first = await comesThrough(relay, options);
  if (first === true) return true;
  await wait(pauseMs, options.signal);
  const second = await comesThrough(relay, options);
  return second ?? first;
}

async function comesThrough(
  relay: Relay,
  { outside, signal }: Pick<PortProbeOptions, 'outside' | 'signal'>,
): Promise<boolean | null> {
  if (outside !== null) return knockedFrom(outside, relay, signal);
  // Another socket each time: a NAT with several addresses may give it another one, that the server takes.
  const peer = await openPeerSocket(familyOf(relay.relayed.address), signal);
  try {
    await peerToClient({ allocation: relay, signal }, peer);
    return true;
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'timeout') return false;
    throw error;
  } finally {
    peer.close();
  }
}
