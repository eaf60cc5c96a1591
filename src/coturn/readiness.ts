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
 * Waits until every listener serves. UDP and TCP count once a request is answered: coturn answers only after it
 * has opened all sockets of all its threads. TLS counts once a connection is accepted.
 * @returns when all do; rejects when `signal` is aborted first
 */
export async function untilAllServe(listeners: readonly Listener[], signal: AbortSignal): Promise<void> {
  await Promise.all(
    listeners.map(({ transport, endpoint }) =>
      transport === 'udp'
        ? untilUdpAnswers(dialled(endpoint), signal)
        : untilStreamServes(dialled(endpoint), transport, signal),
    ),
  );
}

/** Over one socket, so that an answer that comes late finds it open: coturn logs the ICMP error that else returns. */
async function untilUdpAnswers(target: Endpoint, signal: AbortSignal): Promise<void> {
  const socket = createSocket(familyOf(target.address) === 6 ? 'udp6' : 'udp4');
  socket.on('error', retriesComeAnyway);
  try {
    socket.connect(target.port, target.address);
    await once(socket, 'connect', { signal });
    for (;;) {
      for (const request of [bindingRequest(), allocateRequest()]) {
        socket.send(request);
        if (await firstOf(socket, 'message', signal, answerMs)) return;
      }
      await sleep(retryMs, undefined, { signal });
    }
  } finally {
    socket.close();
  }
}

/** An error that nobody listens for would end the process; that coturn is not there yet is expected. */
function retriesComeAnyway(): void {}

// On loopback an answer takes well below 1 ms. Without one, coturn is not there yet, or does not answer such requests.
const answerMs = 200;

async function untilStreamServes(
  target: Endpoint,
  transport: 'tcp' | 'tls',
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const socket = connect({ host: target.address, port: target.port });
    socket.on('error', retriesComeAnyway);
    try {
      if (
        (await firstOf(socket, 'connect', signal)) &&
        (transport === 'tls' || (await answers(socket, signal)))
      ) {
        return;
      }
    } finally {
      socket.destroy();
    }
    await sleep(retryMs, undefined, { signal });
  }
}

async function answers(socket: Socket, signal: AbortSignal): Promise<boolean> {
  socket.write(bindingRequest());
  let answered = await firstOf(socket, 'data', signal, answerMs);
  if (!answered && !socket.destroyed) {
    socket.write(allocateRequest());
    answered = await firstOf(socket, 'data', signal);
  }
  // With an answer still under way the connection would be reset, which coturn logs as an error.
  socket.resume();
  socket.end();
  await firstOf(socket, 'close', signal, answerMs);
  return answered;
}

/** Whether `event` comes before an error, the end of the stream, an abort, and `withinMs`. */
function firstOf(
  socket: UdpSocket | Socket,
  event: string,
  signal: AbortSignal,
  withinMs?: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (outcome: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', failed);
      socket.off(event, came).off('error', failed).off('close', failed);
      resolve(outcome);
    };
    const came = (): void => settle(true);
    const failed = (): void => settle(false);
    const timer = withinMs === undefined ? undefined : setTimeout(failed, withinMs);
    socket.on('error', failed).on('close', failed).on(event, came);
    if (signal.aborted) failed();
    else signal.addEventListener('abort', failed, { once: true });
  });
}

/** A server with no-stun leaves it unanswered. */
function bindingRequest(): Uint8Array {
  return emptyRequest('0001');
}

/** A server with stun-only leaves it unanswered. */
function allocateRequest(): Uint8Array {
  return emptyRequest('0003');
}

/** RFC 8489 §5: a header without attributes. */
function emptyRequest(type: string): Uint8Array {
  return Buffer.concat([Buffer.from(`${type}00002112a442`, 'hex'), randomBytes(12)]);
}
