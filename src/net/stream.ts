import {
  TLSSocket,
  connect as connectTlsSocket,
  createSecureContext,
  rootCertificates,
  type SecureContext,
} from 'node:tls';
import { connect, isIP, type Socket } from 'node:net';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Failure, TlsFacts } from '../model/observations.ts';
import { chainOf, nameErrorOf } from './certificate.ts';
import type { ConnectOptions, Transport } from './transport.ts';

/**
 * A TCP connection without delay (Nagle's algorithm would hold small media packets back).
 * @throws AttemptError `system` (refused, unreachable) or `timeout`
 */
export async function connectTcp(options: ConnectOptions): Promise<Socket> {
  const { remote, signal } = options;
  signal.throwIfAborted();
  const socket = connect({ host: remote.address, port: remote.port, noDelay: true });
  await settled(socket, 'connect', options);
  return socket;
}

export interface HandshakeOptions extends Omit<ConnectOptions, 'remote'> {
  /** Sent as SNI and compared with the certificate; an IP literal is compared but not sent (RFC 6066 §3). */
  readonly servername: string;
  /** Trust anchors beside those of Node.js, PEM. */
  readonly ca?: string | undefined;
  /** Offered by ALPN; `stun.turn` (RFC 7443) when absent. */
  readonly protocols?: readonly string[];
}

/**
 * TLS over a connected socket. An invalid certificate does not end it: what is wrong stands in the facts, so that
 * everything behind the handshake can still be examined.
 * @throws AttemptError `tls`, `closed`, `system` or `timeout` when the handshake itself fails
 */
export async function handshakeTls(
  socket: Socket,
  options: HandshakeOptions,
): Promise<{ socket: TLSSocket; facts: TlsFacts }> {
  const { servername, ca, protocols = ['stun.turn'], signal } = options;
  signal.throwIfAborted();
  // The dot that ends an absolute name is no part of it in TLS (RFC 6066 §3).
  const name = servername.replace(/\.$/, '');
  const secure = connectTlsSocket({
    socket,
    ...(isIP(name) ? {} : { servername: name }),
    ...(ca === undefined ? {} : { secureContext: contextTrusting(ca) }),
    ALPNProtocols: [...protocols],
    rejectUnauthorized: false,
    // The name is judged below: here a wrong name would hide behind, or hide, an error of the chain.
    checkServerIdentity: () => undefined,
  });
  await settled(secure, 'secureConnect', options);
  return { socket: secure, facts: tlsFacts(secure, name) };
}

const contexts = new Map<string, SecureContext>();

/** Given alone, `ca` would take the place of the roots that everybody trusts. To read those takes 30 ms: once is enough. */
function contextTrusting(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] });
  contexts.set(ca, context);
  return context;
}

function tlsFacts(socket: TLSSocket, servername: string): TlsFacts {
  // To be asked for once: asking takes the certificates behind the leaf out of the socket.
  const certificate = socket.getPeerX509Certificate();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
    servername,
    chainError: socket.authorized ? null : String(socket.authorizationError),
    nameError: nameErrorOf(certificate, servername),
    chain: chainOf(certificate),
  };
}

/** Waits for `event`; on an error, a close, the deadline or the abort the socket is destroyed. */
function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { timeoutMs, signal, hurry }: Omit<ConnectOptions, 'remote'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      hurry?.removeEventListener('abort', onHurry);
      socket.off(event, onEvent).off('close', onClose).off('error', onError);
      if (error === null) {
        resolve();
        return;
      }
      // An error after the first one has nobody left to tell.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const fail = (failure: Failure): void => settle(new AttemptError(failure));
    const onEvent = (): void => settle(null);
    const onError = (error: Error): void => fail(streamFailure(error, socket));
    const onClose = (): void => fail({ kind: 'closed', bytesReceived: socket.bytesRead });
    const onAbort = (): void => settle(signal.reason as Error);
    const expire = (afterMs: number): void => fail({ kind: 'timeout', afterMs, sent: 1 });
    const onHurry = (): void => expire(Math.round(performance.now() - began));
    const timer = setTimeout(() => expire(timeoutMs), timeoutMs);
    socket.on(event, onEvent).on('close', onClose).on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    hurry?.addEventListener('abort', onHurry, { once: true });
    if (hurry?.aborted === true) onHurry();
  });
}

function streamFailure(error: NodeJS.ErrnoException & { reason?: string }, socket: Socket): Failure {
  // OpenSSL's codes; a reset or a close in the middle of the handshake stays what it is.
  if (error.code?.startsWith('ERR_SSL') || error.code === 'EPROTO') {
    return { kind: 'tls', code: error.code, message: error.reason ?? error.message };
  }
  if (/before secure TLS connection was established/.test(error.message)) {
    return { kind: 'closed', bytesReceived: socket.bytesRead };
  }
  return systemFailure(error);
}

// A peer that reads no more, or does not close its side, would keep the socket, and with it the process, for ever.
const closeLimitMs = 1000;
// Media that waits longer than this much of it takes is of no use when it arrives: ten seconds of 800 kbit/s.
const backlogLimitBytes = 1 << 20;

/**
 * A connected TCP or TLS socket as a transport; it takes the socket over. When the peer does not read, what is sent
 * beyond a backlog of 1 MiB is dropped, whole packets at a time, as a datagram would be.
 */
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
      if (open && socket.writableLength <= backlogLimitBytes) socket.write(bytes);
    },
    onBytes: () => {},
    onClosed: () => {},
    close() {
      if (!open) return;
      open = false;
      // end() flushes what was written (a Refresh with lifetime 0 must leave) before the FIN, and reads on until the
      // peer's FIN: a socket destroyed with something unread resets the connection, and what was sent last can get lost.
      const limit = setTimeout(() => socket.destroy(), closeLimitMs).unref();
      socket.once('close', () => clearTimeout(limit)).end();
    },
  };
  socket.on('data', (bytes: Buffer) => {
    bytesReceived += bytes.length;
    if (open) transport.onBytes(bytes);
  });
  socket.on('error', (error) => end(streamFailure(error, socket)));
  socket.on('close', () => end({ kind: 'closed', bytesReceived }));
  socket.on('end', () => end({ kind: 'closed', bytesReceived }));
  return transport;
}
