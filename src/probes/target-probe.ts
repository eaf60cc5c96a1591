import { isIP } from 'node:net';
import type { ProbeStep } from '../model/check.ts';
import { familyOf, type Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { BindingFacts, Target } from '../model/observations.ts';
import { isTurn } from '../model/turn-uri.ts';
import { mappedAddress, xorMappedAddress } from '../stun/address-attributes.ts';
import { read } from '../stun/attribute.ts';
import { software } from '../stun/message-attributes.ts';
import { encodeMessage, method } from '../stun/message.ts';
import { allocate, allocateOn, alternateOf, isMismatch, type Allocation } from '../turn/allocation.ts';
import type { ExchangeOptions, StunConnection } from '../turn/connection.ts';
import { openConnection, type Opened, type TurnServer } from '../turn/server.ts';
import { errorOf, reading, TryAlternateError, TurnSession, type TurnCredential } from '../turn/session.ts';
import { attempt, notTried, rounded, type Clock } from './attempt.ts';
import { askAlternate, askAnonymously, incomplete } from './challenge-probe.ts';
import { probeIdentities } from './identity-probe.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { probeOutside, type OutsidePeer } from './outside-probe.ts';
import { answeredSteps, isSilence, stopAt, untried, type ProtocolFacts } from './protocol-facts.ts';
import { probeRelay } from './relay-probe.ts';

export interface TargetProbeOptions {
  /** Null: only what needs no credentials is tried. */
  readonly credential: TurnCredential | null;
  readonly server: TurnServer;
  /** Null: none was given. */
  readonly outside: OutsidePeer | null;
  readonly clock: Clock;
  /** The other listeners of the same address. */
  readonly neighbourhood: Neighbourhood;
  /** How long one answer is waited for. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with what is being waited for. */
  readonly onStep: (step: ProbeStep) => void;
}

const noCredentials = 'no credentials were given';

/**
 * Examines one listener, step by step over one connection: transport, certificate, Binding, anonymous Allocate,
 * Allocate, permission, channel, relay in both directions, refresh, release. A step that is not answered ends it, and what
 * follows says so.
 */
export async function probeTarget(target: Target, options: TargetProbeOptions): Promise<ProtocolFacts> {
  const { hurry, leave } = options.neighbourhood.join();
  try {
    return await examine(target, options, hurry);
  } finally {
    leave();
  }
}

/** @param hurry brings the deadline of the first answers forward; what comes after them is waited for to the end */
async function examine(
  target: Target,
  options: TargetProbeOptions,
  hurry: AbortSignal,
): Promise<ProtocolFacts> {
  const facts = untried(target);
  const opened = await open(facts, options, hurry);
  if (opened === null) return facts;
  const { connection } = opened;
  try {
    options.onStep('stun-binding');
    const binding = attempt(options.clock, () => bind(connection, { ...options, hurry })).then((bound) => {
      facts.binding = bound;
      options.neighbourhood.answered(bound);
      return bound;
    });
    // At the same time: a server that is silent to both costs one deadline, and one that answers TURN but not
    // Binding (coturn with no-stun) is told from a dead one.
    const turn = isTurn(target) ? probeTurn(facts, connection, options, { hurry, binding }) : null;
    // Both to their end before either may throw: an abort ends both, and what was allocated is freed on the way.
    for (const one of await Promise.allSettled([binding, turn])) {
      if (one.status === 'rejected') throw one.reason;
    }
  } finally {
    connection.close();
  }
  const firstTry = await opened.firstTry;
  if (firstTry !== null && facts.connect.state === 'done') {
    facts.connect = { ...facts.connect, value: { ...facts.connect.value, firstTry } };
  }
  if (hasAnswered(facts) && answeredSteps.some((step) => isSilence(facts[step]))) {
    facts.recheck = await attempt(options.clock, () => bindAnew(options));
  }
  return facts;
}

/** Whether the server is still there: from a new socket, as the old connection may be what broke. */
export async function bindAnew(
  options: ExchangeOptions & { readonly server: TurnServer },
): Promise<BindingFacts> {
  const { connection } = await openConnection(options.server, options).ready;
  try {
    return await bind(connection, options);
  } finally {
    connection.close();
  }
}

function hasAnswered({ binding, challenge }: ProtocolFacts): boolean {
  return binding.state === 'done' || challenge.state === 'done';
}

async function open(
  facts: ProtocolFacts,
  options: TargetProbeOptions,
  hurry: AbortSignal,
): Promise<Opened | null> {
  options.onStep('listener-answers');
  const { clock, server, timeoutMs, signal } = options;
  const opening = openConnection(server, { timeoutMs, signal, hurry, followFirst: true });
  const connected = await attempt(clock, () => opening.connected);
  facts.connect =
    connected.state === 'done' ? { ...connected, value: { local: connected.value } } : connected;
  if (connected.state !== 'done') return null;
  const ready = await attempt(clock, () => opening.ready);
  if (ready.state !== 'done') {
    if (server.transport === 'tls') facts.tls = ready;
    return null;
  }
  if (ready.value.tls !== null) facts.tls = { ...ready, value: ready.value.tls };
  return ready.value;
}

async function bind(connection: StunConnection, options: ExchangeOptions): Promise<BindingFacts> {
  const request = encodeMessage({ class: 'request', method: method.binding, fingerprint: true });
  const { message, rttMs, sent } = await connection.exchange(request, options);
  return reading(message, (response) => {
    if (response.class === 'error') {
      throw new AttemptError({ kind: 'stun-error', ...errorOf(response) });
    }
    // A server of the time before RFC 5389 sends MAPPED-ADDRESS alone.
    const mapped = read(response, xorMappedAddress) ?? read(response, mappedAddress);
    if (mapped === undefined) throw incomplete('Binding', 'XOR-MAPPED-ADDRESS');
    return { mapped, software: read(response, software) ?? null, rttMs: rounded(rttMs), sent };
  });
}

async function probeTurn(
  facts: ProtocolFacts,
  connection: StunConnection,
  options: TargetProbeOptions,
  { hurry, binding }: { readonly hurry: AbortSignal; readonly binding: Promise<unknown> },
): Promise<void> {
  const { credential, clock, onStep } = options;
  const { family } = facts.target;
  const session = new TurnSession(connection, credential);
  onStep('turn-challenge');
  let redirect: TryAlternateError | null = null;
  facts.challenge = await attempt(clock, async () => {
    const asked = await askAnonymously(connection, session, { ...options, family, hurry });
    redirect = asked.alternate;
    return asked.facts;
  });
  if (isSilence(facts.challenge)) {
    stopAt(facts, 'identities', 'the server did not answer the Allocate request');
    return;
  }
  // Beside the rest: these use connections of their own, and take no allocation.
  const beside = [identify(facts, options), followAnonymously(facts, redirect, options)];
  const examined = examineAllocation(facts, session, options, binding);
  for (const one of await Promise.allSettled([...beside, examined])) {
    if (one.status === 'rejected') throw one.reason;
  }
}

async function identify(facts: ProtocolFacts, options: TargetProbeOptions): Promise<void> {
  const { challenge, target } = facts;
  if (target.transport !== 'udp') {
    facts.identities = notTried('a connection stays with one server');
    return;
  }
  if (challenge.state !== 'done' || challenge.value.granted) {
    facts.identities = notTried('the server did not ask for credentials');
    return;
  }
  facts.identities = await attempt(options.clock, () => probeIdentities(options));
}

async function followAnonymously(
  facts: ProtocolFacts,
  redirect: TryAlternateError | null,
  options: TargetProbeOptions,
): Promise<void> {
  if (redirect === null) return;
  const { family } = facts.target;
  facts.alternate = await attempt(options.clock, () =>
    askAlternate(options.server, redirect, { ...options, family }),
  );
}

async function examineAllocation(
  facts: ProtocolFacts,
  session: TurnSession,
  options: TargetProbeOptions,
  binding: Promise<unknown>,
): Promise<void> {
  const { credential, clock, onStep } = options;
  if (facts.challenge.state === 'done' && facts.challenge.value.granted) {
    stopAt(facts, 'allocate', 'the server gives a relay to anyone, so there is nothing to sign');
    return;
  }
  if (credential === null) {
    stopAt(facts, 'allocate', noCredentials);
    return;
  }
  onStep('turn-allocate');
  let allocation: Allocation | null = null;
  facts.allocate = await attempt(clock, async () => {
    allocation = await allocateHere(session, facts, { ...options, credential });
    const { relayed, mapped, lifetimeSeconds, rttMs } = allocation;
    return { relayed, mapped, lifetimeSeconds, rttMs: rounded(rttMs) };
  });
  if (allocation === null) {
    stopAt(facts, 'permission', 'there was no allocation');
    return;
  }
  await probeAllocation(facts, allocation, options, binding);
}

async function allocateHere(
  session: TurnSession,
  facts: ProtocolFacts,
  options: TargetProbeOptions & { credential: TurnCredential },
): Promise<Allocation> {
  const request = { ...options, family: facts.target.family };
  try {
    return await allocateOn(session, request);
  } catch (error) {
    // The port of this socket was that of another client lately, which the server remembers: another port will do.
    if (isMismatch(error)) return allocate({ ...request, server: options.server });
    if (!(error instanceof TryAlternateError)) throw error;
    // Sent elsewhere: what follows is examined there.
    const server = alternateOf(options.server, error);
    const family = familyOf(error.alternate.address);
    const redirects = [error.alternate];
    facts.redirects = redirects;
    return allocate({ ...request, server, family, redirects });
  }
}

async function probeAllocation(
  facts: ProtocolFacts,
  allocation: Allocation,
  options: TargetProbeOptions,
  binding: Promise<unknown>,
): Promise<void> {
  const { clock, onStep } = options;
  let lost = false;
  allocation.onLost = () => {
    lost = true;
  };
  const own = allocation.mapped ?? (facts.binding.state === 'done' ? facts.binding.value.mapped : null);
  try {
    if (own === null) {
      stopAt(facts, 'permission', 'the server does not tell the own address');
      return;
    }
    onStep('turn-permission');
    await probePaths(facts, allocation, own, options);
    if (isSilence(facts.permission) || isSilence(facts.channel)) {
      stopAt(facts, 'refresh', 'the server no longer answered');
      return;
    }
    onStep('turn-refresh');
    facts.refresh = await attempt(clock, async () => ({ lifetimeSeconds: await allocation.refresh() }));
    onStep('turn-release');
    facts.release = await attempt(clock, async () => ({ lifetimeSeconds: await allocation.free() }));
  } finally {
    // What was not released as a step of the probe (an abort, a refusal on the way) is released nevertheless.
    if (facts.release.state === 'not-tried' && !lost) await allocation.release(releaseLimitMs);
    // The Binding goes over the same connection, and may still wait for an answer that was lost.
    await Promise.allSettled([binding]);
    allocation.close();
  }
}

/** Packets through the relay: to and from a socket here, and a peer elsewhere; and a channel. */
async function probePaths(
  facts: ProtocolFacts,
  allocation: Allocation,
  own: Endpoint,
  options: TargetProbeOptions,
): Promise<void> {
  const { clock, onStep, outside } = options;
  onStep('relay-inbound');
  const stunServers = stunServersFor(facts.target);
  Object.assign(facts, await probeRelay({ ...options, allocation, own, stunServers }));
  if (isSilence(facts.permission)) {
    stopAt(facts, 'channel', 'there was no permission', ['refresh', 'release']);
    return;
  }
  if (outside !== null) facts.outside = await probeOutside({ ...options, allocation, outside });
  if (facts.permission.state !== 'done') {
    stopAt(facts, 'channel', 'there was no permission', ['refresh', 'release']);
    return;
  }
  onStep('turn-channel');
  facts.channel = await attempt(clock, async () => ({
    peer: own,
    channel: await allocation.bindChannel(own),
  }));
}

// A server that has stopped answering gets this long for the last request of a probe that is over.
const releaseLimitMs = 500;

/** Where UDP may answer: beside TCP on the same port, and on the standard one, also behind TLS. */
function stunServersFor({ address, transport, port }: Target): Endpoint[] {
  return [...(transport === 'tls' ? [] : [port]), standardPort].map((each) => ({ address, port: each }));
}

const standardPort = 3478;

/** The name that TLS asks for: what the user says, else the host of the URI. */
export function servernameOf(target: Target, override: string | undefined): string {
  return override ?? (isIP(target.host) ? target.address : target.host);
}
