import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { dialled, type Listener } from './listener.ts';

// coturn needs some 100 ms to open its sockets; asking this often costs nothing and loses little.
const retryMs = 20;

/**
 * Fails when another program has one of the ports. coturn would not: it binds with SO_REUSEPORT, so that a second
 * coturn shares the port of the first without a word and each gets a part of the clients.
 * @throws RtcOpsError `tool-failed`, naming the port
 */
export async function assertPortsFree(listeners: readonly Listener[]): Promise<void> {
  for (const { transport, endpoint } of listeners) {
    try {
      await (transport === 'udp' ? bindUdp(endpoint) : bindTcp(endpoint));
    } catch (cause) {
      const code = codeOf(cause);
      const where = `${transport} ${formatEndpoint(endpoint)}`;
      throw new RtcOpsError('tool-failed', `coturn cannot listen on ${where}: ${bindProblem(code)}`, {
        hint: 'Choose another port or address, or stop the program that has it (ss -lnptu shows it).',
        cause,
      });
    }
  }
}

/** The code that Node gives a system error, such as `EADDRINUSE`; empty for any other. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** What an errno of bind(2) means, in words. */
export function bindProblem(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have the address';
    case 'EACCES':
      return 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE';
    default:
      return code === '' ? 'the system refuses it' : `the system refuses it (${code})`;
  }
}

async function bindUdp({ address, port }: Endpoint): Promise<void> {
  const socket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

async function bindTcp({ address, port }: Endpoint): Promise<void> {
  const server = createServer();
  server.listen({ host: address, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/**
 * Waits until every listener serves. UDP and TCP count once a request is answered: coturn
 * answers only after it has opened all sockets of all its threads. TLS counts once a connection is accepted.
 * @returns when all do; rejects with the reason of `signal` when that is aborted first
 */
export async function untilAllServe(listeners: readonly Listener[], signal: AbortSignal): Promise<void> {
  await Promise.all(listeners.map((listener) => untilServes(listener, signal)));
}

async function untilServes({ transport, endpoint }: Listener, signal: AbortSignal): Promise<void> {
  const target = dialled(endpoint);
  while (
    !(await (transport === 'udp' ? answersUdp(target, signal) : answersTcp(target, transport, signal)))
  ) {
    await sleep(retryMs, undefined, { signal });
  }
}

async function answersUdp(target: Endpoint, signal: AbortSignal): Promise<boolean> {
  const socket = createSocket(familyOf(target.address) === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(target.port, target.address);
    await once(socket, 'connect', { signal });
    for (const request of firstRequests()) socket.send(request);
    return await firstOf(socket, ['message'], signal);
  } finally {
    socket.close();
  }
}

async function answersTcp(target: Endpoint, transport: 'tcp' | 'tls', signal: AbortSignal): Promise<boolean> {
  const socket = connect({ host: target.address, port: target.port });
  try {
    if (!(await firstOf(socket, ['connect'], signal, Infinity))) return false;
    if (transport === 'tls') return true;
    for (const request of firstRequests()) socket.write(request);
    return await firstOf(socket, ['data'], signal);
  } finally {
    socket.destroy();
  }
}

/** Whether one of `events` comes before an error, the end of the stream, the time for one try, or an abort. */
function firstOf(
  socket: UdpSocket | Socket,
  events: readonly string[],
  signal: AbortSignal,
  // A lost datagram is asked for again after this; on loopback an answer takes well below 1 ms.
  tryMs = 200,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = tryMs === Infinity ? undefined : setTimeout(() => settle(() => resolve(false)), tryMs);
    const aborted = (): void => settle(() => resolve(false));
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      outcome();
    };
    for (const event of events) socket.once(event, () => settle(() => resolve(true)));
    for (const event of ['error', 'close']) socket.on(event, () => settle(() => resolve(false)));
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}

/** A Binding and an Allocate without attributes (RFC 8489 §5): with no-stun only the second is answered, with stun-only the first. */
function firstRequests(): Uint8Array[] {
  return ['0001', '0003'].map((type) =>
    Buffer.concat([Buffer.from(`${type}00002112a442`, 'hex'), randomBytes(12)]),
  );
}
