import { createSocket, type Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { familyOf, sameEndpoint, type Endpoint, type Family } from '../../model/endpoint.ts';
import { AttemptError, systemFailure } from '../../model/failure.ts';
import type { OutsideReach, ReachedPort } from '../../model/firewall-facts.ts';
import type { Secret } from '../../model/secret.ts';
import {
  decodeEchoAnswer,
  encodeEchoRequest,
  portSubject,
  type EchoAnswer,
  type EchoKind,
} from '../../net/echo-message.ts';
import { openPeerSocket, type PeerSocket } from '../../net/peer-socket.ts';
import { repeated } from '../repetition.ts';

export interface ReachOptions {
  readonly url: string;
  /** Of the outside peer, one for each family that it has. */
  readonly endpoints: readonly Endpoint[];
  readonly secret: Secret;
  /** UDP ports of this machine. */
  readonly ports: readonly number[];
  readonly signal: AbortSignal;
}

// A port that stays silent costs a second.
const atOnce = 8;

/**
 * Has an `rtc-ops peer` send to UDP ports of this machine from a port that this machine has sent nothing to, and each time
 * to a port that has sent nothing itself. So neither a firewall nor a NAT that lets in replies takes it for one.
 * @throws AttemptError `system` when this machine has no socket; the reason of `signal` when aborted
 */
export async function probeReach(options: ReachOptions): Promise<OutsideReach> {
  const families: OutsideReach['families'][number][] = [];
  for (const peer of options.endpoints) {
    const control = await openPeerSocket(familyOf(peer.address), options.signal);
    try {
      const reach = await reachFrom(peer, control, options);
      if (reach !== null) families.push(reach);
    } finally {
      control.close();
    }
  }
  return { url: options.url, families };
}

interface Conversation {
  readonly control: PeerSocket;
  readonly peer: Endpoint;
  readonly secret: Secret;
  readonly signal: AbortSignal;
  /** What waits for an answer on the control socket. */
  readonly waiting: Set<(answer: EchoAnswer) => void>;
}

async function reachFrom(
  peer: Endpoint,
  control: PeerSocket,
  { secret, ports, signal }: ReachOptions,
): Promise<OutsideReach['families'][number] | null> {
  const family = familyOf(peer.address);
  const conversation: Conversation = { control, peer, secret, signal, waiting: new Set() };
  control.onBytes = (bytes, from) => {
    const answer = sameEndpoint(from, peer) ? decodeEchoAnswer(bytes, secret) : null;
    if (answer !== null) for (const take of conversation.waiting) take(answer);
  };
  const hello = await asked(conversation, 'hello');
  if (hello === null || hello.seenFrom === null) return null;
  const first = await reachedAll(ports, family, conversation);
  // A burst of losses, or the peer's rate: asked once more, fewer are in each other's way.
  const again = first.filter(({ state }) => state === 'unasked').map(({ port }) => port);
  const second = await reachedAll(again, family, conversation);
  const results = [...first.filter(({ port }) => !again.includes(port)), ...second];
  const seenFrom = hello.seenFrom.address;
  return { family, seenFrom, ports: results.toSorted((a, b) => a.port - b.port) };
}

async function reachedAll(
  ports: readonly number[],
  family: Family,
  conversation: Conversation,
): Promise<ReachedPort[]> {
  const results: ReachedPort[] = [];
  const queue = [...ports];
  const lane = async (): Promise<void> => {
    for (let port = queue.shift(); port !== undefined; port = queue.shift()) {
      results.push({ port, state: await reached(port, family, conversation) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

/** An answer to one request on the control socket; null when none comes. */
async function asked(
  { control, peer, secret, signal, waiting }: Conversation,
  kind: EchoKind,
  more: { readonly cookie?: Uint8Array; readonly subject?: Uint8Array } = {},
): Promise<EchoAnswer | null> {
  const nonces: Buffer[] = [];
  let take: ((answer: EchoAnswer) => void) | undefined;
  try {
    return await repeated<EchoAnswer>(
      () => {
        const nonce = randomBytes(16);
        nonces.push(nonce);
        control.send(encodeEchoRequest({ kind, nonce, ...more }, secret), peer);
      },
      (arrived) => {
        take = (answer) => {
          if (answer.kind === kind && nonces.some((nonce) => nonce.equals(answer.nonce))) arrived(answer);
        };
        waiting.add(take);
      },
      signal,
    );
  } catch (error) {
    if (isSilence(error)) return null;
    throw error;
  } finally {
    if (take !== undefined) waiting.delete(take);
  }
}

async function reached(
  port: number,
  family: Family,
  conversation: Conversation,
): Promise<ReachedPort['state']> {
  const { secret, signal, control, peer } = conversation;
  const socket = await boundSocket(port, family);
  if (socket === null) return 'busy';
  const nonces: Buffer[] = [];
  try {
    // One for each port: a cookie is good for seconds, and ports that stay silent take theirs.
    const hello = await asked(conversation, 'hello');
    if (hello === null) return 'unasked';
    const { cookie } = hello;
    await repeated<true>(
      () => {
        const nonce = randomBytes(16);
        nonces.push(nonce);
        const request = { kind: 'reach', nonce, cookie, subject: portSubject(port) } as const;
        control.send(encodeEchoRequest(request, secret), peer);
      },
      (arrived) => {
        socket.on('message', (bytes) => {
          const answer = decodeEchoAnswer(bytes, secret);
          if (answer?.kind === 'reach' && nonces.some((nonce) => nonce.equals(answer.nonce))) arrived(true);
        });
      },
      signal,
    );
    return 'arrived';
  } catch (error) {
    if (!isSilence(error)) throw error;
    return (await wasHeard(nonces, conversation)) ? 'silent' : 'unasked';
  } finally {
    socket.close();
  }
}

/** Whether the peer says that it got one of these requests, and so has sent. An older one does not know them. */
async function wasHeard(nonces: readonly Buffer[], conversation: Conversation): Promise<boolean> {
  const hello = await asked(conversation, 'hello');
  if (hello === null) return false;
  for (const subject of nonces) {
    const answer = await asked(conversation, 'ask', { cookie: hello.cookie, subject });
    if (answer === null) return false;
    if (answer.seenFrom !== null) return true;
  }
  return false;
}

function isSilence(error: unknown): boolean {
  return error instanceof AttemptError && error.failure.kind === 'timeout';
}

/** Null when a program has the port, or it is one for root alone. */
async function boundSocket(port: number, family: Family): Promise<Socket | null> {
  const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', ipv6Only: family === 6 });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // Errors of an unconnected socket are of one packet; the socket lives on.
    socket.on('error', () => {});
    return socket;
  } catch (error) {
    socket.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES') return null;
    throw new AttemptError(systemFailure(error as NodeJS.ErrnoException));
  }
}
