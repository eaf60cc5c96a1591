import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint, Family } from '../model/endpoint.ts';
import type { AudioFacts, CallEnd, CallFacts, SelectedPair } from '../model/observations.ts';
import type { Allocation, Lifetimes } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';
import { agentFamilies, loopbackAddress, shownTo } from './agent-families.ts';
import { AudioEndpoint, audioFacts } from './audio-endpoint.ts';
import { Bridge, type BridgeOptions, type Deliver } from './bridge.ts';
import { CallPeer } from './call-peer.ts';
import { CallRelays } from './call-relays.ts';
import { DataEcho } from './data-echo.ts';
import { packetMs } from './e-model.ts';
import { ImpairedPath, type Impairment } from './impairment.ts';
import { loadNative } from './native.ts';
import { readSpeech } from './opus.ts';
import { pace, type Paced } from './pacer.ts';
import { SequenceTracker } from './rtp-statistics.ts';
import { SilenceWatch } from './silence-watch.ts';
import { StallWatch } from './stall-watch.ts';
import { decodeRtpHeader, kindOfMedia } from './rtp.ts';

export interface CallRequest {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  /** How long to talk, from one second to hours. */
  readonly durationMs: number;
  /** From the first packet to the server until media can flow in both directions. */
  readonly connectTimeoutMs: number;
  /** How often to begin anew where ICE has found its way and DTLS does not come through in time. */
  readonly connectAttempts: number;
  /** Family of the relay addresses; the server's default when absent. */
  readonly family?: Family;
  /** For a server whose permissions and channels live shorter than the RFC says. */
  readonly lifetimes?: Lifetimes;
  readonly impairment?: Impairment;
}

export interface CallProgress {
  readonly phase: 'allocating' | 'connecting' | 'talking' | 'ending';
  /** Since the call was begun. */
  readonly elapsedMs: number;
  /** Packets of both directions together. */
  readonly sent: number;
  readonly received: number;
}

export interface CallHooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CallProgress) => void;
}

// In packets of 20 ms. The second report after half a second answers the first, so that even a call of one second has a
// round trip; RFC 3550 §6.2 asks for five seconds between reports in the long run.
const firstReports = new Set([5, 25]);
const reportEvery = { early: 50, late: 250, lateFrom: 500 };
const echoEvery = 10;
const lookEvery = 25;
// What is under way when the call ends is not lost; a path of 2 s is useless for speech, but must not look like one that drops.
const drainMs = { least: 100, most: 5000, poll: 5 };

/**
 * Calls itself through a server: two peers of this process, each with an allocation of its own, joined relay address to
 * relay address, with speech in both directions and a data channel beside it. Holds native objects that live until
 * the process ends, so it runs in a child process (`CallProcess`).
 * @throws the reason of `signal` when aborted, after the allocations were freed; else only for faults of our own
 */
export async function makeCall(request: CallRequest, hooks: CallHooks): Promise<CallFacts> {
  const stalls = new StallWatch();
  try {
    const facts = await callThrough(request, hooks);
    return { ...facts, longestStallMs: stalls.longestMs };
  } finally {
    stalls.close();
  }
}

async function callThrough(
  request: CallRequest,
  hooks: CallHooks,
): Promise<Omit<CallFacts, 'longestStallMs'>> {
  const speech = readSpeech().map(({ bytes }) => bytes);
  const startedAt = performance.now();
  const { server, credential, family, lifetimes, connectTimeoutMs: timeoutMs } = request;
  hooks.onProgress({ phase: 'allocating', elapsedMs: 0, sent: 0, received: 0 });
  const relays = await CallRelays.allocate(
    {
      server,
      credential,
      timeoutMs,
      signal: hooks.signal,
      ...(family === undefined ? {} : { family }),
      ...(lifetimes === undefined ? {} : { lifetimes }),
    },
    startedAt,
  );
  let session: Session | null = null;
  let attempts = 0;
  try {
    do {
      attempts++;
      const beganAt = attempts === 1 ? startedAt : performance.now();
      session = relays.both && new Session(request, hooks, relays, relays.both, speech, beganAt);
      await session?.run();
    } while (session?.lostHandshake === true && attempts < request.connectAttempts);
  } finally {
    await relays.release();
  }
  hooks.signal.throwIfAborted();
  return {
    transport: server.transport,
    connectMs: session?.connectMs ?? null,
    connectError: session ? session.connectError : relays.error,
    lostHandshake: session?.lostHandshake ?? false,
    attempts,
    pairs: session?.pairs ?? [],
    audio: session?.audio() ?? [],
    dataChannel: session?.echo?.facts() ?? null,
    endedBecause: session?.endedBecause ?? null,
    pacing: session?.pacing ?? null,
    relay: relays.facts(),
  };
}

/** A call between two allocations that are there, from the offer to the last packet. */
class Session {
  connectMs: number | null = null;
  connectError: string | null = null;
  /** Whether ICE had found its way, and the time was over before DTLS came through. */
  lostHandshake = false;
  pairs: readonly SelectedPair[] = [];
  echo: DataEcho | null = null;
  endedBecause: CallEnd | null = null;
  pacing: Paced | null = null;

  readonly #request: CallRequest;
  readonly #hooks: CallHooks;
  readonly #relays: CallRelays;
  readonly #allocations: readonly [Allocation, Allocation];
  /** The relay addresses, caller's first, as the agents know them. */
  #shown: readonly [Endpoint, Endpoint] | null = null;
  readonly #speech: readonly Uint8Array[];
  readonly #startedAt: number;
  /** Aborted when the call is over before its time; the reason is a text, or an Error of our own. */
  readonly #over = new AbortController();
  readonly #bridges: Bridge[] = [];
  readonly #paths: ImpairedPath[] = [];
  /** What came out of the relay for the callee, and for the caller. */
  readonly #wires = { callee: new SequenceTracker(), caller: new SequenceTracker() };
  #ended: CallEnd | null = null;
  readonly #stop = (): void => this.#over.abort('aborted');
  readonly #fail = (error: Error): void => this.#over.abort(error);
  #ends: { readonly caller: AudioEndpoint; readonly callee: AudioEndpoint } | null = null;

  constructor(
    request: CallRequest,
    hooks: CallHooks,
    relays: CallRelays,
    allocations: readonly [Allocation, Allocation],
    speech: readonly Uint8Array[],
    startedAt: number,
  ) {
    this.#request = request;
    this.#hooks = hooks;
    this.#relays = relays;
    this.#allocations = allocations;
    this.#speech = speech;
    this.#startedAt = startedAt;
    relays.onFailure = (kind, what) => this.#end(kind, what);
    hooks.signal.addEventListener('abort', this.#stop, { once: true });
    if (hooks.signal.aborted) this.#stop();
    if (relays.error !== null) this.#over.abort(relays.error);
  }

  /**
   * From the offer to the last packet. To be run once.
   * @throws only for faults of our own
   */
  async run(): Promise<void> {
    try {
      await this.#run();
    } finally {
      this.#close();
    }
  }

  async #run(): Promise<void> {
    this.#tell('connecting');
    const peers = await this.#makePeers();
    this.connectError = await this.#connect(peers.caller, peers.callee);
    this.#throwOwnFault();
    if (this.connectError !== null) return;
    this.connectMs = performance.now() - this.#startedAt;
    this.pairs = this.#selectedPairs(peers);
    await this.#talk(peers);
    this.#throwOwnFault();
    // ICE may have moved to another pair since; the last one is what the figures belong to.
    const pairs = this.#selectedPairs(peers);
    if (pairs.length === 2) this.pairs = pairs;
  }

  #close(): void {
    this.#hooks.signal.removeEventListener('abort', this.#stop);
    for (const path of this.#paths) path.close();
    for (const bridge of this.#bridges) bridge.close();
  }

  audio(): AudioFacts[] {
    if (this.#ends === null) return [];
    const { caller, callee } = this.#ends;
    return [
      audioFacts('caller-to-callee', caller, callee, this.#wires.callee),
      audioFacts('callee-to-caller', callee, caller, this.#wires.caller),
    ];
  }

  /** What first ends the call before its time. */
  #end(kind: CallEnd['kind'], detail: string): void {
    if (this.#over.signal.aborted) return;
    this.#ended = { kind, detail, atMs: performance.now() - this.#startedAt };
    this.#over.abort(detail);
  }

  async #makePeers(): Promise<Peers> {
    const native = await loadNative();
    const families = await agentFamilies();
    const address = loopbackAddress[families[0] ?? 4];
    const [callerRelay, calleeRelay] = this.#allocations;
    this.#shown = shownTo(families, [callerRelay.relayed, calleeRelay.relayed]);
    const [shownCaller, shownCallee] = this.#shown;
    // Two different sources in one call (RFC 3550 §8.1): one even, one odd.
    const ssrc = randomInt(2 ** 31) * 2;
    const make = async (
      name: 'caller' | 'callee',
      own: Allocation,
      other: Allocation,
      shown: NonNullable<BridgeOptions['shown']>,
      stream: number,
    ): Promise<CallPeer> => {
      const bridge = await Bridge.open({
        allocation: Promise.resolve(own),
        address,
        peer: other.relayed,
        shown,
        inbound: this.#inbound(this.#wires[name], stream),
      });
      bridge.onError = this.#fail;
      this.#bridges.push(bridge);
      return new CallPeer(native, {
        name,
        bridge,
        ssrc: ssrc + stream,
        onError: this.#fail,
        onEnded: (state) => this.#end('connection-ended', `the connection of the ${name} is ${state}`),
      });
    };
    return {
      caller: await make('caller', callerRelay, calleeRelay, { relayed: shownCaller, peer: shownCallee }, 1),
      callee: await make('callee', calleeRelay, callerRelay, { relayed: shownCallee, peer: shownCaller }, 0),
      ssrc: { caller: ssrc + 1, callee: ssrc },
    };
  }

  /** Faults on purpose, if any, then the count of what gets through. */
  #inbound(wire: SequenceTracker, stream: number): (deliver: Deliver) => Deliver {
    return (deliver) => {
      const counted: Deliver = (payload) => {
        const header = decodeRtpHeader(payload);
        if (header !== null) wire.observe(header.sequenceNumber);
        deliver(payload);
      };
      const { impairment } = this.#request;
      if (impairment === undefined) return counted;
      const path = new ImpairedPath(impairment, stream, counted);
      this.#paths.push(path);
      return (payload) => (kindOfMedia(payload) === 'rtp' ? path.push(payload) : counted(payload));
    };
  }

  /** Gives null when media can flow both ways, else why it cannot. */
  async #connect(caller: CallPeer, callee: CallPeer): Promise<string | null> {
    const signal = this.#over.signal;
    const timeout = new AbortController();
    const remainingMs = this.#request.connectTimeoutMs - (performance.now() - this.#startedAt);
    const negotiate = async (): Promise<void> => {
      const { sdp, channel } = await caller.offer();
      this.echo = new DataEcho(channel, this.#fail);
      caller.accept(await callee.answer(sdp, (far) => DataEcho.answer(far, this.#fail)));
      await Promise.all([caller.open, callee.open]);
    };
    try {
      const opened = Promise.all([negotiate(), this.#relays.connect()]).then(() => true);
      const late = sleep(Math.max(0, remainingMs), false, { signal: timeout.signal });
      const over = new Promise<false>((resolve) => {
        if (signal.aborted) resolve(false);
        signal.addEventListener('abort', () => resolve(false), { once: true });
      });
      // The losers of the race must not end the process when they reject.
      for (const one of [opened, late]) one.catch(() => {});
      if (await Promise.race([opened, late, over])) return null;
    } finally {
      timeout.abort();
    }
    this.lostHandshake = !signal.aborted && caller.hasPath && callee.hasPath;
    const why = signal.aborted ? String(signal.reason) : 'not connected in time';
    return `${why} (caller: ${caller.state}; callee: ${callee.state})`;
  }

  async #talk({ caller, callee, ssrc }: Peers): Promise<void> {
    const speech = this.#speech;
    const cname = randomBytes(9).toString('base64url');
    const ends = {
      caller: new AudioEndpoint({
        ssrc: ssrc.caller,
        cname: `${cname}-caller`,
        speech,
        send: (packet) => caller.send(packet),
      }),
      callee: new AudioEndpoint({
        ssrc: ssrc.callee,
        cname: `${cname}-callee`,
        speech,
        send: (packet) => callee.send(packet),
      }),
    };
    this.#ends = ends;
    AudioEndpoint.pair(ends.caller, ends.callee);
    caller.onMedia = (bytes, nowMs) => ends.caller.receive(bytes, nowMs);
    callee.onMedia = (bytes, nowMs) => ends.callee.receive(bytes, nowMs);
    const silence = new SilenceWatch(() => this.#relays.examine());
    const tick = (index: number): void => {
      for (const end of [ends.caller, ends.callee]) {
        end.sendSpeech(index, performance.now());
        if (isReportDue(index)) end.sendReport(performance.now());
      }
      if (index % echoEvery === 0) this.echo?.send();
      if (index % lookEvery === 0) {
        this.#tell('talking');
        silence.look(performance.now(), this.#received()).catch(this.#fail);
      }
    };
    const { durationMs } = this.#request;
    this.pacing = await pace({ intervalMs: packetMs, durationMs, signal: this.#over.signal, tick });
    // What ends from here on ends after the call has lasted its time.
    this.endedBecause = this.#ended;
    await this.#drain(ends);
  }

  /** Waits for packets under way, until all are there or it takes too long. */
  async #drain({ caller, callee }: { caller: AudioEndpoint; callee: AudioEndpoint }): Promise<void> {
    this.#tell('ending');
    const roundTripMs = Math.max(caller.rttMs ?? 0, callee.rttMs ?? 0);
    const delayMs = Math.max(caller.delays.quantile(1) ?? 0, callee.delays.quantile(1) ?? 0);
    // To connect took some round trips: what nothing was heard of may be as long on its way.
    const unheardMs = delayMs === 0 ? (this.connectMs ?? 0) : 0;
    const waitMs = Math.min(drainMs.most, Math.max(drainMs.least, 3 * roundTripMs, 2 * delayMs, unheardMs));
    const deadline = performance.now() + waitMs;
    const missing = (): boolean =>
      caller.sequence.received < callee.sent ||
      callee.sequence.received < caller.sent ||
      this.echo?.isComplete === false;
    while (missing() && performance.now() < deadline && !this.#over.signal.aborted) await sleep(drainMs.poll);
  }

  #selectedPairs({ caller, callee }: Peers): SelectedPair[] {
    if (this.#shown === null) return [];
    const [callerRelay, calleeRelay] = this.#shown;
    return [
      caller.selectedPair(callerRelay, calleeRelay),
      callee.selectedPair(calleeRelay, callerRelay),
    ].filter((pair) => pair !== null);
  }

  #received(): number {
    return (this.#ends?.caller.sequence.received ?? 0) + (this.#ends?.callee.sequence.received ?? 0);
  }

  #tell(phase: CallProgress['phase']): void {
    const sent = (this.#ends?.caller.sent ?? 0) + (this.#ends?.callee.sent ?? 0);
    const elapsedMs = performance.now() - this.#startedAt;
    this.#hooks.onProgress({ phase, elapsedMs, sent, received: this.#received() });
  }

  #throwOwnFault(): void {
    const reason: unknown = this.#over.signal.aborted ? this.#over.signal.reason : null;
    if (reason instanceof Error) throw reason;
  }
}

interface Peers {
  readonly caller: CallPeer;
  readonly callee: CallPeer;
  readonly ssrc: { readonly caller: number; readonly callee: number };
}

function isReportDue(index: number): boolean {
  if (index < reportEvery.early) return firstReports.has(index);
  return index % (index < reportEvery.lateFrom ? reportEvery.early : reportEvery.late) === 0;
}
