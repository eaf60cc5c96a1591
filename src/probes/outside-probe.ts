import { randomBytes } from 'node:crypto';
import { familyOf, sameAddress, sameEndpoint, type Endpoint } from '../model/endpoint.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { Attempt, Failure, OutsideFacts } from '../model/observations.ts';
import type { Secret } from '../model/secret.ts';
import { decodeEchoAnswer, encodeEchoRequest, type EchoAnswer, type EchoKind } from '../net/echo-message.ts';
import { openPeerSocket, type PeerSocket } from '../net/peer-socket.ts';
import { attempt, notTried, type Clock } from './attempt.ts';
import type { Relay } from './relay-probe.ts';
import { repeated } from './repetition.ts';

/** An `rtc-ops peer` somewhere else. */
export interface OutsidePeer {
  readonly url: string;
  /** Of every family that its name has. */
  readonly endpoints: readonly Endpoint[];
  /** Why its name gave no address; null when it gave one. */
  readonly lookupFailure: Failure | null;
  readonly secret: Secret;
}

export interface OutsideProbeOptions {
  readonly allocation: Relay;
  readonly outside: OutsidePeer;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One way to the outside peer. */
interface Way {
  send(bytes: Uint8Array): void;
  listen(receive: (bytes: Uint8Array, from: Endpoint) => void): void;
}

interface Echo {
  readonly answer: EchoAnswer;
  readonly from: Endpoint;
  readonly seenFrom: Endpoint;
}

/**
 * The relay as a third network sees it: client → relay → outside peer → relay → client; then the outside peer sends to
 * the relay first, from a port to which nothing was sent. Asked without the relay, it tells what had reached it.
 */
export function probeOutside(options: OutsideProbeOptions): Promise<Attempt<OutsideFacts>> {
  const { allocation, outside, clock, signal } = options;
  const family = familyOf(allocation.relayed.address);
  const peer = outside.endpoints.find(({ address }) => familyOf(address) === family);
  const { lookupFailure } = outside;
  if (lookupFailure !== null) {
    return Promise.resolve(
      notTried(`the lookup of ${outside.url} failed: ${describeFailure(lookupFailure)}`),
    );
  }
  if (peer === undefined) {
    return Promise.resolve(
      notTried(`${outside.url} has no IPv${family} address, which this relay would need`),
    );
  }
  return attempt(clock, async () => {
    const socket = await openPeerSocket(family, signal);
    try {
      return await examine(peer, socket, options);
    } finally {
      allocation.onData = () => {};
      socket.close();
    }
  });
}

interface Knocker {
  readonly endpoint: Endpoint;
  readonly secret: Secret;
}

/**
 * Has the outside peer, for which there is a permission, send to a relay first, as `probeOutside` does. False only where
 * the peer says that it got the question, and so has answered it; null where nothing came and it does not say so: what
 * was asked may have been lost on the way there, or have been beyond the peer's rate.
 * @throws AttemptError `system` when this machine has no socket; the reason of `signal` when aborted
 */
export async function knockedFrom(
  { endpoint, secret }: Knocker,
  relay: Relay,
  signal: AbortSignal,
): Promise<boolean | null> {
  const way = relayWay(relay, endpoint);
  const asked = { secret, signal, accept: () => true };
  const nonces: Buffer[] = [];
  const greeting = await unlessSilent(() => answered(way, { ...asked, kind: 'hello', nonces }));
  if (greeting === null) {
    const socket = await openPeerSocket(familyOf(endpoint.address), signal);
    try {
      const directly = directWay(socket, endpoint);
      const hello = await unlessSilent(() => answered(directly, { ...asked, kind: 'hello', nonces: [] }));
      if (hello === null) return null;
      return await falseWhereHeard(directly, nonces, { ...asked, cookie: hello.answer.cookie });
    } finally {
      socket.close();
    }
  }
  const { cookie } = greeting.answer;
  const accept = (sender: Endpoint): boolean => !sameEndpoint(sender, endpoint);
  const knocks: Buffer[] = [];
  const knock = { ...asked, kind: 'knock', cookie, accept, nonces: knocks } as const;
  if ((await unlessSilent(() => answered(way, knock))) !== null) return true;
  return falseWhereHeard(way, knocks, { ...asked, cookie });
}

/** False when one of these requests had come to the outside peer; null when it says none, or nothing. */
async function falseWhereHeard(
  way: Way,
  nonces: readonly Buffer[],
  asked: Omit<Asked, 'kind' | 'nonces'>,
): Promise<false | null> {
  const arrival = await unlessSilent(() => arrivedFrom(way, nonces, asked));
  return arrival === null ? null : false;
}

/** From where the outside peer, asked in another way, had got one of these requests; null when none of them. */
async function arrivedFrom(
  way: Way,
  nonces: readonly Buffer[],
  asked: Omit<Asked, 'kind' | 'nonces'>,
): Promise<Endpoint | null> {
  for (const subject of nonces) {
    const { answer } = await answered(way, { ...asked, kind: 'ask', subject, nonces: [] });
    if (answer.seenFrom !== null) return answer.seenFrom;
  }
  return null;
}

async function unlessSilent<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'timeout') return null;
    throw error;
  }
}

async function examine(
  peer: Endpoint,
  socket: PeerSocket,
  { allocation, outside, clock, signal }: OutsideProbeOptions,
): Promise<OutsideFacts> {
  const { url, secret } = outside;
  const directly = directWay(socket, peer);
  const viaRelay = relayWay(allocation, peer);
  const ask = (way: Way, kind: EchoKind, more: Partial<Asked> = {}): Promise<Echo> =>
    answered(way, { kind, secret, signal, nonces: [], accept: () => true, ...more });
  // The answer to either tells nothing about the other, so both are waited for at once.
  const [greeting, permission] = await Promise.all([
    attempt(clock, () => ask(directly, 'hello')),
    attempt(clock, async () => {
      await allocation.permit([peer.address]);
      return { peer: peer.address };
    }),
  ]);
  const direct: OutsideFacts['direct'] =
    greeting.state === 'done' ? { ...greeting, value: { mapped: greeting.value.seenFrom } } : greeting;
  const facts = { url, peer, direct, permission };
  if (permission.state !== 'done') {
    const none = notTried('the server gave no permission for the outside peer');
    return { ...facts, echo: none, inbound: none, arrival: none };
  }
  const nonces: Buffer[] = [];
  const echo = await attempt(clock, () => ask(viaRelay, 'hello', { nonces }));
  if (echo.state === 'done') {
    const { seenFrom, answer } = echo.value;
    const inbound = await attempt(clock, async () => {
      const { from } = await ask(viaRelay, 'knock', {
        cookie: answer.cookie,
        accept: (sender) => !sameEndpoint(sender, peer),
      });
      return { from };
    });
    const arrival = notTried('the echo came back');
    return { ...facts, echo: { ...echo, value: { seenFrom } }, inbound, arrival };
  }
  const inbound = notTried('no echo came back');
  if (greeting.state !== 'done') {
    const arrival = notTried('the outside peer does not answer this client directly');
    return { ...facts, echo, inbound, arrival };
  }
  const { cookie } = greeting.value.answer;
  const arrival = await attempt(clock, async () => ({
    seenFrom: await arrivedFrom(directly, nonces, { secret, signal, cookie, accept: () => true }),
  }));
  return { ...facts, echo, inbound, arrival };
}

interface Asked {
  readonly kind: EchoKind;
  readonly secret: Secret;
  readonly signal: AbortSignal;
  readonly cookie?: Uint8Array;
  readonly subject?: Uint8Array;
  /** Gets the nonce of each transmission: no request is answered twice, so each has its own. */
  readonly nonces: Buffer[];
  readonly accept: (from: Endpoint) => boolean;
}

function answered(way: Way, { kind, secret, signal, cookie, subject, nonces, accept }: Asked): Promise<Echo> {
  return repeated<Echo>(
    () => {
      const nonce = randomBytes(16);
      nonces.push(nonce);
      way.send(
        encodeEchoRequest({ kind, nonce, ...(cookie && { cookie }), ...(subject && { subject }) }, secret),
      );
    },
    (arrived) => {
      way.listen((bytes, from) => {
        const answer = decodeEchoAnswer(bytes, secret);
        if (answer === null || answer.kind !== kind || !accept(from)) return;
        if (!nonces.some((nonce) => nonce.equals(answer.nonce))) return;
        arrived({ answer, from, seenFrom: answer.seenFrom ?? from });
      });
    },
    signal,
  );
}

function directWay(socket: PeerSocket, peer: Endpoint): Way {
  return {
    send: (bytes) => socket.send(bytes, peer),
    listen(receive) {
      // From elsewhere, the relay would take it for another peer's.
      socket.onBytes = (bytes, from) => {
        if (sameEndpoint(from, peer)) receive(bytes, from);
      };
    },
  };
}

function relayWay(allocation: Relay, peer: Endpoint): Way {
  return {
    send: (bytes) => allocation.send(peer, bytes),
    listen(receive) {
      allocation.onData = (from, payload) => {
        if (sameAddress(from.address, peer.address)) receive(payload, from);
      };
    },
  };
}
