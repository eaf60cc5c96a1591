import { connect as connectTls, type SecureVersion } from 'node:tls';
import type { AdminPort, Amplification, ListenerAuditFacts, TlsOffer } from '../model/audit.ts';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Target } from '../model/observations.ts';
import { connectTcp, handshakeTls } from '../net/stream.ts';
import { put, read } from '../stun/attribute.ts';
import { software } from '../stun/message-attributes.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import { relayProtocol, requestedTransport } from '../stun/relay-attributes.ts';
import type { StunConnection } from '../turn/connection.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { reading, TurnSession } from '../turn/session.ts';
import { attempt, notTried, type Clock } from './attempt.ts';
import { firstAnswer } from './audit-admin.ts';
import { askAnonymously } from './challenge-probe.ts';

export interface ListenerAuditOptions {
  readonly server: TurnServer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a listener gives away to whoever asks, without credentials. */
export async function auditListener(
  target: Target,
  options: ListenerAuditOptions,
): Promise<ListenerAuditFacts> {
  const { clock } = options;
  const notTls = notTried('the listener does not speak TLS');
  const isTls = target.transport === 'tls';
  // One after the other: what an attacker does at once would look like one.
  const asked = await askBoth(target, options);
  return {
    target,
    ...asked,
    tlsOffers: isTls ? await attempt(clock, () => tlsOffers(options)) : notTls,
    web: isTls ? await attempt(clock, () => askWeb(options)) : notTls,
  };
}

type Asked = Pick<ListenerAuditFacts, 'challenge' | 'software' | 'amplification'>;

async function askBoth(target: Target, options: ListenerAuditOptions): Promise<Asked> {
  const { clock, server } = options;
  const opened = await attempt(clock, async () => (await openConnection(server, options).ready).connection);
  if (opened.state !== 'done') return { challenge: opened, software: opened, amplification: opened };
  const connection = opened.value;
  try {
    const challenge = await attempt(clock, async () => {
      const session = new TurnSession(connection, null);
      return (await askAnonymously(connection, session, { ...options, family: target.family })).facts;
    });
    const binding = await attempt(clock, () => exchanged('Binding', connection, options));
    const name =
      binding.state === 'done'
        ? {
            ...binding,
            value: { name: reading(binding.value.message, (answer) => read(answer, software)) ?? null },
          }
        : binding;
    if (target.transport !== 'udp') {
      const amplification = notTried('the sender of a TCP connection cannot be forged');
      return { challenge, software: name, amplification };
    }
    const amplification = await attempt(clock, async () => {
      const answers = [
        await exchanged('Binding', connection, options),
        // Granted, it would not be amplification that is the fault of this server.
        ...(challenge.state === 'done' && !challenge.value.granted
          ? [await exchanged('Allocate', connection, options)]
          : []),
      ];
      return answers.map(({ sizes }) => sizes);
    });
    return { challenge, software: name, amplification };
  } finally {
    connection.close();
  }
}

/** The smallest request of its kind, and what it brings. */
async function exchanged(
  request: Amplification['request'],
  connection: StunConnection,
  options: ListenerAuditOptions,
): Promise<{ message: StunMessage; sizes: Amplification }> {
  const bytes = encodeMessage(
    request === 'Binding'
      ? { class: 'request', method: method.binding }
      : {
          class: 'request',
          method: method.allocate,
          attributes: [put(requestedTransport, relayProtocol.udp)],
        },
  );
  const { message } = await connection.exchange(bytes, options);
  return {
    message,
    sizes: { request, requestBytes: bytes.length, answerBytes: message.bytes.length },
  };
}

// coturn says nothing to a ClientHello whose version it refuses.
const longestHandshakeMs = 2000;

const legacy = ['TLSv1', 'TLSv1.1'] as const;

/**
 * Whether a handshake with an old version alone succeeds; null where nothing comes back.
 * @throws AttemptError when the port does not take a connection; the reason of `signal` when aborted
 */
async function tlsOffers(options: ListenerAuditOptions): Promise<TlsOffer[]> {
  const offers: TlsOffer[] = [];
  for (const version of legacy) offers.push({ version, accepted: await accepts(version, options) });
  return offers;
}

async function accepts(
  version: SecureVersion,
  { server, timeoutMs, signal }: ListenerAuditOptions,
): Promise<boolean | null> {
  const socket = await connectTcp({ remote: server.endpoint, timeoutMs, signal });
  const secure = connectTls({
    socket,
    minVersion: version,
    maxVersion: version,
    // At OpenSSL's usual level this machine would refuse by itself what the server is asked for.
    ciphers: 'ALL:@SECLEVEL=0',
    rejectUnauthorized: false,
  });
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => resolve(null), Math.min(timeoutMs, longestHandshakeMs));
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      secure.once('secureConnect', () => resolve(true));
      // An alert, or the end of the connection, is a refusal; a fault of this machine is none.
      secure.once('error', (error: NodeJS.ErrnoException) =>
        isRefusal(error) ? resolve(false) : reject(new AttemptError(systemFailure(error))),
      );
      secure.once('close', () => resolve(false));
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    secure.destroy();
  }
}

function isRefusal({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith('ERR_SSL_') === true || code === 'ECONNRESET' || code === 'EPIPE';
}

/** What the listener says to a browser. */
async function askWeb({ server, timeoutMs, signal }: ListenerAuditOptions): Promise<AdminPort> {
  const socket = await connectTcp({ remote: server.endpoint, timeoutMs, signal });
  const { socket: secure } = await handshakeTls(socket, {
    servername: server.servername ?? server.endpoint.address,
    protocols: ['http/1.1'],
    timeoutMs,
    signal,
  });
  const banner = await firstAnswer(secure, 'GET / HTTP/1.0\r\n\r\n', { timeoutMs, signal });
  return { what: 'web admin', port: server.endpoint.port, banner };
}
