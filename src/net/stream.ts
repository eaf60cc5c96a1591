import { TLSSocket, checkServerIdentity, connect as connectTlsSocket } from 'node:tls';
import { connect, isIP, type Socket } from 'node:net';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Failure, TlsFacts } from '../model/observations.ts';
import { chainOf } from './certificate.ts';
import type { ConnectOptions, Transport } from './transport.ts';

/**
 * A TCP connection without delay (Nagle's algorithm would hold small media packets back).
 * @throws AttemptError `system` (refused, unreachable) or `timeout`
 */
export async function connectTcp({ remote, timeoutMs, signal }: ConnectOptions): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: remote.address, port: remote.port, noDelay: true });
  await settled(socket, 'connect', timeoutMs, signal, (error) => systemFailure(error));
  return socket;
}

export interface HandshakeOptions {
  /** Sent as SNI and compared with the certificate; an IP literal is compared but not sent (RFC 6066 §3). */
  readonly servername: string;
  /** Additional trust anchors, PEM. Without it, those of Node.js. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * TLS over a connected socket. An invalid certificate does not end it: what is wrong stands in the facts, so that
 * everything behind the handshake can still be examined. Offers ALPN `stun.turn` (RFC 7443).
 * @throws AttemptError `tls`, `closed`, `system` or `timeout` when the handshake itself fails
 */
export async function handshakeTls(
  socket: Socket,
  { servername, ca, timeoutMs, signal }: HandshakeOptions,
): Promise<{ socket: TLSSocket; facts: TlsFacts }> {
  signal.throwIfAborted();
  const secure = connectTlsSocket({
    socket,
    ...(isIP(servername) ? {} : { servername }),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: ['stun.turn'],
    rejectUnauthorized: false,
    // The name is judged below: here a wrong name would hide behind, or hide, an error of the chain.
    checkServerIdentity: () => undefined,
  });
  await settled(secure, 'secureConnect', timeoutMs, signal, (error) => tlsFailure(error, socket));
  return { socket: secure, facts: tlsFacts(secure, servername) };
}

function tlsFacts(socket: TLSSocket, servername: string): TlsFacts {
  const certificate = socket.getPeerCertificate(true);
  const nameError = checkServerIdentity(servername, certificate);
  const { authorizationError } = socket;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
    servername,
    chainError: socket.authorized ? null : String(authorizationError),
    nameError: nameError === undefined ? null : nameError.message,
    chain: chainOf(certificate),
  };
}

function tlsFailure(error: NodeJS.ErrnoException, socket: Socket): Failure {
  // OpenSSL's codes; a reset or a close in the middle of the handshake stays what it is.
  if (error.code?.startsWith('ERR_SSL') || error.code?.startsWith('ERR_TLS') || error.code === 'EPROTO') {
    const reason = /:([^:]+):(?:[^:]*\.c):\d+/.exec(error.message)?.[1] ?? error.message;
    return { kind: 'tls', code: error.code, message: reason };
  }
  if (/before secure TLS connection was established/.test(error.message)) {
    return { kind: 'closed', bytesReceived: socket.bytesRead };
  }
  return systemFailure(error);
}

/** Waits for `event`; on an error, the deadline or the abort the socket is destroyed. */
async function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
  signal: AbortSignal,
  failureOf: (error: NodeJS.ErrnoException) => Failure,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      socket.once('error', (error) => reject(new AttemptError(failureOf(error))));
      socket.once('close', () =>
        reject(new AttemptError({ kind: 'closed', bytesReceived: socket.bytesRead })),
      );
      timer = setTimeout(
        () => reject(new AttemptError({ kind: 'timeout', afterMs: timeoutMs, sent: 1 })),
        timeoutMs,
      );
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    socket.removeAllListeners('error').removeAllListeners('close');
  } catch (error) {
    // An error after the first one has nobody left to tell.
    socket.removeAllListeners('error').on('error', () => {});
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

// A peer that reads no more would keep unsent bytes, and with them the process, for ever.
const flushLimitMs = 1000;

/** A connected TCP or TLS socket as a transport; it takes the socket over. */
export function streamTransport(socket: Socket, remote: ConnectOptions['remote']): Transport {
  let open = true;
  let bytesReceived = 0;
  const end = (failure: Failure): void => {
    if (!open) return;
    transport.close();
    transport.onClosed(failure);
  };
  const transport: Transport = {
    kind: socket instanceof TLSSocket ? 'tls' : 'tcp',
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote,
    send(bytes) {
      if (open) socket.write(bytes);
    },
    onBytes: () => {},
    onClosed: () => {},
    close() {
      if (!open) return;
      open = false;
      // end() flushes what was written (a Refresh with lifetime 0 must leave) before the FIN; destroy() would drop it.
      socket.end();
      socket.once('finish', () => socket.destroy());
      setTimeout(() => socket.destroy(), flushLimitMs).unref();
    },
  };
  socket.on('data', (bytes: Buffer) => {
    bytesReceived += bytes.length;
    if (open) transport.onBytes(bytes);
  });
  socket.on('error', (error) => end(systemFailure(error)));
  socket.on('close', () => end({ kind: 'closed', bytesReceived }));
  socket.on('end', () => end({ kind: 'closed', bytesReceived }));
  return transport;
}
