import { randomBytes } from 'node:crypto';
import { familyOf, sameAddress, sameEndpoint, type Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Attempt, PeerFacts, TargetFacts } from '../model/observations.ts';
import { openPeerSocket, sourceAddressTowards, type PeerSocket } from '../net/peer-socket.ts';
import { xorMappedAddress } from '../stun/address-attributes.ts';
import { read } from '../stun/attribute.ts';
import { encodeMessage, method } from '../stun/message.ts';
import type { Allocation } from '../turn/allocation.ts';
import { StunConnection } from '../turn/connection.ts';
import { reading } from '../turn/session.ts';
import { attempt, notTried, type Clock } from './attempt.ts';
import { isSilence } from './protocol-facts.ts';
import { mostTransmissions, repeated, resendMs } from './repetition.ts';

export type RelayFacts = Pick<
  TargetFacts,
  'permission' | 'publicPeers' | 'peer' | 'inbound' | 'outbound' | 'reply'
>;

/** What is used of an allocation. */
export type Relay = Pick<Allocation, 'relayed' | 'permit' | 'send' | 'onData'>;

export interface RelayProbeOptions {
  readonly allocation: Relay;
  /** This client as the server sees it on the connection of the allocation. */
  readonly own: Endpoint;
  /** UDP listeners to learn the peer's mapping from, the likeliest first. */
  readonly stunServers: readonly Endpoint[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const noPermission = 'there was no permission';

/**
 * What a relay is for, tried in the order that tells firewalls apart: a socket that the relay has never sent to
 * sends to the relay address first; then the relay sends to it; then it replies. A call between two relay addresses of
 * one server proves none of this, as its packets never leave that server.
 *
 * The socket learns meanwhile how it looks from outside: where TURN goes through a proxy, or a NAT has several addresses, or
 * the relay address is another one of this machine, the relay sees it under another address than the allocation's, and
 * needs a permission for that.
 */
export async function probeRelay(options: RelayProbeOptions): Promise<RelayFacts> {
  const { allocation, clock, own, signal } = options;
  const permit = (address: string): Promise<Attempt<{ peer: string }>> =>
    attempt(clock, async () => {
      await allocation.permit([address]);
      return { peer: address };
    });
  const permitting = permit(own.address);
  let socket: PeerSocket;
  try {
    socket = await openPeerSocket(familyOf(allocation.relayed.address), signal);
  } catch (error) {
    const permission = await permitting;
    if (!(error instanceof AttemptError)) throw error;
    const none = notTried(`no socket for a peer could be opened: ${error.message}`);
    return { permission, publicPeers: none, peer: none, inbound: none, outbound: none, reply: none };
  }
  try {
    return await relayFacts(socket, permitting, permit, options);
  } finally {
    allocation.onData = () => {};
    socket.close();
  }
}

type Permit = (address: string) => Promise<Attempt<{ peer: string }>>;

async function relayFacts(
  socket: PeerSocket,
  permitting: ReturnType<Permit>,
  permit: Permit,
  options: RelayProbeOptions,
): Promise<RelayFacts> {
  const { clock, own, signal } = options;
  const enough = new AbortController();
  const granting = grantedOthers(socket, permit, enough.signal, options);
  const trying = permitting.then((permission) =>
    // The socket need not wait for what it learns: it repeats what it sends, and each permission may let that in.
    permission.state === 'done' ? attempt(clock, () => peerToClient(options, socket)) : null,
  );
  // What came in needs no more explanation.
  const early = trying.then((inbound) => {
    if (inbound?.state === 'done') enough.abort();
    return inbound;
  });
  // All to their end before one may throw: each waits under the same signal.
  const [permitted, learnt, tried] = await Promise.allSettled([permitting, granting, early]);
  if (permitted.status === 'rejected') throw permitted.reason;
  if (learnt.status === 'rejected') throw learnt.reason;
  if (tried.status === 'rejected') throw tried.reason;
  signal.throwIfAborted();
  const permission = permitted.value;
  if (isSilence(permission)) return nothingTried(permission, notTried(noPermission));
  const { appearance, addresses } = learnt.value;
  const granted = [...(permission.state === 'done' ? [own.address] : []), ...addresses];
  const peer = await attempt(clock, async () => ({ ...appearance, permitted: granted }));
  if (granted.length === 0) {
    return { ...nothingTried(permission, peer), publicPeers: await publicPeers(options) };
  }
  const inbound =
    // What was sent before another address was granted may have come from that one.
    tried.value !== null && (tried.value.state !== 'failed' || addresses.length === 0)
      ? tried.value
      : await attempt(clock, () => peerToClient(options, socket));
  const notAsked = notTried('an own address is allowed as a peer');
  const rest = await afterInbound(socket, inbound, appearance, options);
  return { permission, publicPeers: notAsked, peer, inbound, ...rest };
}

interface GrantedOthers {
  readonly appearance: Appearance;
  readonly addresses: readonly string[];
}

/** How the socket looks from outside, and those of its addresses beside the allocation's own that the server allows. */
async function grantedOthers(
  socket: PeerSocket,
  permit: Permit,
  enough: AbortSignal,
  options: RelayProbeOptions,
): Promise<GrantedOthers> {
  const { source, mappings } = await learnAppearance(socket, enough, options);
  const others = distinct([
    ...mappings.map(({ mapped }) => mapped.address),
    ...(source ? [source] : []),
  ]).filter((address) => !sameAddress(address, options.own.address));
  // One by one: a server refuses all of a request for the sake of one address.
  const asked = await Promise.all(others.map(permit));
  const addresses = asked.flatMap((one) => (one.state === 'done' ? [one.value.peer] : []));
  return { appearance: { source, mappings }, addresses };
}

function nothingTried(permission: RelayFacts['permission'], peer: RelayFacts['peer']): RelayFacts {
  const none = notTried(noPermission);
  return { permission, publicPeers: none, peer, inbound: none, outbound: none, reply: none };
}

// Far from each other, and in no range that should be denied: addresses of public DNS resolvers.
const wellKnown = {
  4: ['1.1.1.1', '8.8.8.8', '9.9.9.9'],
  6: ['2001:4860:4860::8888', '2606:4700:4700::1111', '2620:fe::fe'],
} as const;

/** A permission sends nothing to its peer (RFC 8656 §9): so who is denied can be asked for any address. */
function publicPeers({ allocation, clock }: RelayProbeOptions): Promise<RelayFacts['publicPeers']> {
  const addresses = wellKnown[familyOf(allocation.relayed.address)];
  return attempt(clock, async () => {
    const asked = await Promise.allSettled(addresses.map((address) => allocation.permit([address])));
    const [allowed, denied]: [string[], string[]] = [[], []];
    for (const [index, address] of addresses.entries()) {
      const answer = asked[index];
      if (answer?.status === 'rejected' && !isForbidden(answer.reason)) throw answer.reason;
      (answer?.status === 'fulfilled' ? allowed : denied).push(address);
    }
    return { allowed, denied };
  });
}

function isForbidden(error: unknown): boolean {
  return error instanceof AttemptError && error.failure.kind === 'stun-error' && error.failure.code === 403;
}

function distinct(addresses: readonly string[]): string[] {
  return addresses.filter(
    (each, index) => addresses.findIndex((other) => sameAddress(each, other)) === index,
  );
}

async function afterInbound(
  socket: PeerSocket,
  inbound: RelayFacts['inbound'],
  { mappings }: Appearance,
  options: RelayProbeOptions,
): Promise<Pick<RelayFacts, 'outbound' | 'reply'>> {
  const { allocation, clock } = options;
  // Its own mapping towards the relay, when a packet came through; else the one that STUN tells, which a NAT with
  // address-dependent mapping uses for that server alone: best one at the relay address.
  const relayAddress = allocation.relayed.address;
  const learnt = mappings.find(({ server }) => sameAddress(server.address, relayAddress)) ?? mappings[0];
  const mapping = inbound.state === 'done' ? inbound.value.seenFrom : learnt?.mapped;
  if (mapping === undefined) {
    const because = 'nothing came in, and the address of the peer could not be learnt by STUN';
    return { outbound: notTried(because), reply: notTried(because) };
  }
  // The reply waits until the relay has sent, and not until that arrives: a firewall opens by what goes out.
  const [outbound, reply] = await Promise.allSettled([
    attempt(clock, () => clientToPeer(options, socket, mapping)),
    attempt(clock, () => peerToClient(options, socket, headStartMs)),
  ]);
  if (outbound.status === 'rejected') throw outbound.reason;
  if (reply.status === 'rejected') throw reply.reason;
  return { outbound: outbound.value, reply: reply.value };
}

/** Peer → relay → client. */
export function peerToClient(
  { allocation, signal }: Pick<RelayProbeOptions, 'allocation' | 'signal'>,
  peer: PeerSocket,
  afterMs = 0,
): Promise<{ seenFrom: Endpoint }> {
  const token = randomBytes(16);
  return repeated(
    () => peer.send(token, allocation.relayed),
    (arrived) => {
      allocation.onData = (from, payload) => {
        if (token.equals(payload)) arrived({ seenFrom: from });
      };
    },
    signal,
    afterMs,
  );
}

/** Client → relay → peer. */
function clientToPeer(
  { allocation, signal }: RelayProbeOptions,
  peer: PeerSocket,
  mapping: Endpoint,
): Promise<{ peer: Endpoint; from: Endpoint }> {
  const token = randomBytes(16);
  return repeated(
    () => allocation.send(mapping, token),
    (arrived) => {
      peer.onBytes = (bytes, from) => {
        if (token.equals(bytes)) arrived({ peer: mapping, from });
      };
    },
    signal,
  );
}

// Both packets take the same way to the server, and the reply is repeated.
const headStartMs = 10;

type Appearance = Pick<PeerFacts, 'source' | 'mappings'>;

// The second server is asked at the same time, so it needs hardly longer than the first.
const secondMappingMs = 150;

/** The peer socket as STUN servers see it, as far as is known before `enough`, and the address from which it sends. */
async function learnAppearance(
  peer: PeerSocket,
  enough: AbortSignal,
  options: RelayProbeOptions,
): Promise<Appearance> {
  const { allocation, stunServers } = options;
  const asked = stunServers
    .filter((server, index) => stunServers.findIndex((other) => sameEndpoint(server, other)) === index)
    .filter(({ address }) => familyOf(address) === familyOf(allocation.relayed.address));
  const late = new AbortController();
  const stop = AbortSignal.any([enough, late.signal]);
  const signal = AbortSignal.any([options.signal, stop]);
  const mappings: PeerFacts['mappings'][number][] = [];
  let timer: NodeJS.Timeout | undefined;
  const asking = asked.map(async (server) => {
    const mapped = await mappingOf(peer, server, { ...options, signal }).catch((error: unknown) => {
      if (stop.aborted && !options.signal.aborted) return null;
      throw error;
    });
    if (mapped === null) return;
    mappings.push({ server, source: await sourceAddressTowards(server), mapped });
    timer ??= setTimeout(() => late.abort(), secondMappingMs);
  });
  const [source] = await Promise.all([sourceAddressTowards(allocation.relayed), Promise.allSettled(asking)]);
  clearTimeout(timer);
  options.signal.throwIfAborted();
  return { source, mappings };
}

/** The peer socket as a STUN server sees it; null when it does not answer. */
async function mappingOf(
  peer: PeerSocket,
  server: Endpoint,
  { signal, clock }: RelayProbeOptions,
): Promise<Endpoint | null> {
  const connection = new StunConnection(peer.transportTo(server));
  const request = encodeMessage({ class: 'request', method: method.binding, fingerprint: true });
  try {
    const answer: Attempt<Endpoint | undefined> = await attempt(clock, async () => {
      const timeoutMs = resendMs * mostTransmissions;
      const { message } = await connection.exchange(request, { timeoutMs, signal });
      return reading(message, (response) => read(response, xorMappedAddress));
    });
    return (answer.state === 'done' ? answer.value : null) ?? null;
  } finally {
    connection.close();
  }
}
