import type { Socket } from 'node:net';
import { AttemptError } from '../model/failure.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Failure, TlsFacts } from '../model/observations.ts';
import type { TransportKind } from '../model/turn-uri.ts';
import type { ConnectOptions } from '../net/transport.ts';
import { connectTcp, handshakeTls, streamTransport } from '../net/stream.ts';
import { openUdp } from '../net/udp.ts';
import { StunConnection } from './connection.ts';

/** How to reach one listener of one server. */
export interface TurnServer {
  readonly transport: TransportKind;
  readonly endpoint: Endpoint;
  /** TLS: the name to ask for and to find in the certificate; the address when absent. */
  readonly servername?: string;
  /** TLS: additional trust anchors, PEM. */
  readonly ca?: string;
  /** TLS: whether an invalid certificate ends the connection. Otherwise it is only recorded. */
  readonly verifyTls: boolean;
}

export interface Opened {
  readonly connection: StunConnection;
  /** Null without TLS. */
  readonly tls: TlsFacts | null;
  /**
   * Where a second try was ready before the first, and `followFirst` was given: that the first one waited to its
   * deadline in vain, or null when it did not.
   */
  readonly firstTry: Promise<Failure | null> | null;
}

/** A connection in the making, in its two stages. Each rejects with AttemptError; `ready` also when `connected` does. */
export interface Opening {
  /** UDP: the socket. TCP and TLS: the TCP handshake. Gives the local endpoint. */
  readonly connected: Promise<Endpoint>;
  /** TLS: the TLS handshake. Else the same moment as `connected`. */
  readonly ready: Promise<Opened>;
}

export interface OpenOptions extends Omit<ConnectOptions, 'remote'> {
  /** Whether a first try goes on when a second one was ready before it, to know what became of it. */
  readonly followFirst?: boolean;
  /** After how long a stream that is not ready is tried once more; a second when absent. */
  readonly secondTryAfterMs?: number;
}

/**
 * Opens a connection to a listener, both stages within `timeoutMs`. With `verifyTls`, an invalid certificate makes
 * `ready` reject.
 */
export function openConnection(server: TurnServer, options: OpenOptions): Opening {
  return inStages(begin(server, options));
}

/** Who waits for one of the two stages alone must not have the other's rejection end the process. */
function inStages(opening: Opening): Opening {
  for (const stage of [opening.connected, opening.ready]) stage.catch(() => {});
  return opening;
}

function begin(server: TurnServer, options: OpenOptions): Opening {
  if (server.transport !== 'udp') return inTwoTries(server, options);
  const transport = openUdp({ remote: server.endpoint, signal: options.signal });
  return {
    connected: transport.then(({ local }) => local),
    ready: transport.then((udp) => ({ connection: new StunConnection(udp), tls: null, firstTry: null })),
  };
}

// After as long the kernel sends a lost SYN again (RFC 6298 §2.1); each time that is lost too it waits twice as long.
const usualSecondTryAfterMs = 1000;

/**
 * A stream that is not ready after a while is tried once more, beside the first try: on a path that loses packets, a
 * handshake can miss its deadline by bad luck, and the server would be blamed for it. Only the first try can fail; where the
 * other side ended it, the second one, for which it may have done so, gets its time.
 */
function inTwoTries(server: TurnServer, options: OpenOptions): Opening {
  const { timeoutMs, signal, followFirst = false, secondTryAfterMs = usualSecondTryAfterMs } = options;
  const ends = { first: new AbortController(), second: new AbortController() };
  const limited = ({ signal: end }: AbortController): AbortSignal => AbortSignal.any([signal, end]);
  const hurry = new AbortController();
  const first = openStream(server, { timeoutMs, signal: limited(ends.first), hurry: hurry.signal });
  const second = afterAWhile(first, secondTryAfterMs, () =>
    openStream(server, {
      timeoutMs: Math.max(1, timeoutMs - secondTryAfterMs),
      signal: limited(ends.second),
    }),
  );
  const ready = firstReady({ first, second, ends, followFirst });
  hurryUntil(ready, options.hurry, hurry);
  const connected = new Promise<Endpoint>((resolve, reject) => {
    first.connected.then(resolve, reject);
    second.whenBegun.then(({ connected: local }) => local).then(resolve, () => {});
  });
  return { connected, ready };
}

/** A second try: whether it has begun, and when it does. Where the first one settles before, it never does. */
interface SecondTry {
  readonly whenBegun: Promise<Opening>;
  hasBegun: boolean;
}

function afterAWhile(first: Opening, afterMs: number, open: () => Opening): SecondTry {
  const second: SecondTry = {
    hasBegun: false,
    whenBegun: new Promise((resolve) => {
      const timer = setTimeout(() => {
        second.hasBegun = true;
        resolve(inStages(open()));
      }, afterMs);
      const forget = (): void => clearTimeout(timer);
      first.ready.then(forget, forget);
    }),
  };
  return second;
}

interface TwoTries {
  readonly first: Opening;
  readonly second: SecondTry;
  readonly ends: Readonly<Record<'first' | 'second', AbortController>>;
  readonly followFirst: boolean;
}

/** The try that is ready first. The other one is ended, or with `followFirst` told of. */
function firstReady({ first, second, ends, followFirst }: TwoTries): Promise<Opened> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const take = (opened: Opened, end: () => void): void => {
      // Both were ready in the same moment, or the first one late.
      if (isOver) opened.connection.close();
      isOver = true;
      end();
      resolve(opened);
    };
    const fail = (error: Error): void => {
      isOver = true;
      ends.second.abort();
      reject(error);
    };
    const secondReady = second.whenBegun.then(({ ready }) => ready);
    first.ready.then(
      (opened) => take(opened, () => ends.second.abort()),
      (error: Error) => {
        if (second.hasBegun && wasEnded(error)) secondReady.catch(() => fail(error));
        else fail(error);
      },
    );
    secondReady.then(
      (opened) =>
        followFirst
          ? take({ ...opened, firstTry: first.ready.then(() => null, whyInVain) }, () => {})
          : take(opened, () => ends.first.abort()),
      () => {},
    );
  });
}

/** Hands a hurry on, as long as nothing is ready: what the first try is followed for has its whole time. */
function hurryUntil(ready: Promise<Opened>, from: AbortSignal | undefined, to: AbortController): void {
  if (from === undefined) return;
  const hand = (): void => to.abort();
  if (from.aborted) hand();
  from.addEventListener('abort', hand, { once: true });
  const forget = (): void => from.removeEventListener('abort', hand);
  ready.then(forget, forget);
}

function whyInVain(error: unknown): Failure | null {
  return error instanceof AttemptError && error.failure.kind === 'timeout' ? error.failure : null;
}

/** By the other side: it had been connected. */
function wasEnded(error: Error): boolean {
  if (!(error instanceof AttemptError)) return false;
  const { failure } = error;
  return failure.kind === 'closed' || (failure.kind === 'system' && failure.code === 'ECONNRESET');
}

function openStream(server: TurnServer, options: OpenOptions): Opening {
  const { timeoutMs } = options;
  const remote = server.endpoint;
  const deadline = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(1, Math.round(deadline - performance.now()));
  const socket = connectTcp({ ...options, remote });
  return {
    connected: socket.then(({ localAddress = '', localPort = 0 }) => ({
      address: localAddress,
      port: localPort,
    })),
    ready: socket.then((tcp) =>
      server.transport === 'tcp'
        ? { connection: new StunConnection(streamTransport(tcp, remote)), tls: null, firstTry: null }
        : secured(tcp, server, leftMs, options),
    ),
  };
}

async function secured(
  tcp: Socket,
  server: TurnServer,
  leftMs: () => number,
  options: OpenOptions,
): Promise<Opened> {
  const { endpoint: remote, servername = remote.address, ca } = server;
  const handshake = (socket: Socket, protocols?: string[]) =>
    handshakeTls(socket, {
      ...options,
      servername,
      ca,
      timeoutMs: leftMs(),
      ...(protocols && { protocols }),
    });
  const { socket, facts } = await handshake(tcp).catch(async (error: unknown) => {
    // A front that knows HTTP alone refuses our protocol. Browsers offer none, and get through.
    if (!isProtocolRefusal(error)) throw error;
    return handshake(await connectTcp({ ...options, remote, timeoutMs: leftMs() }), []);
  });
  const invalid = facts.chainError ?? facts.nameError;
  if (server.verifyTls && invalid !== null) {
    socket.destroy();
    throw new AttemptError({
      kind: 'tls',
      code: invalid,
      message: `the certificate is not valid: ${invalid}`,
    });
  }
  return { connection: new StunConnection(streamTransport(socket, remote)), tls: facts, firstTry: null };
}

/** The alert no_application_protocol (RFC 7301 §3.2). */
function isProtocolRefusal(error: unknown): boolean {
  return (
    error instanceof AttemptError &&
    error.failure.kind === 'tls' &&
    error.failure.code.endsWith('_NO_APPLICATION_PROTOCOL')
  );
}
