import type { Amplification, ListenerAuditFacts } from '../model/audit.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Attempt, ChallengeFacts, Target } from '../model/observations.ts';
import { askByDatagram } from '../net/datagrams.ts';
import type { Transport } from '../net/transport.ts';
import { openUdp } from '../net/udp.ts';
import { put, read } from '../stun/attribute.ts';
import { software as softwareAttribute } from '../stun/message-attributes.ts';
import { encodeMessage, method, type MessageToEncode } from '../stun/message.ts';
import { relayProtocol, requestedTransport } from '../stun/relay-attributes.ts';
import type { StunConnection } from '../turn/connection.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { reading, TurnSession } from '../turn/session.ts';
import { attempt, notTried, type Clock } from './attempt.ts';
import { askAdminPort } from './audit-admin.ts';
import { offerTls } from './audit-tls.ts';
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
  const { clock, server } = options;
  const isTls = target.transport === 'tls';
  // One after the other: what an attacker does at once would look like one.
  const asked = await askBoth(target, options);
  return {
    target,
    ...asked,
    tlsOffers: isTls ? await attempt(clock, () => offerTls(options)) : noTls,
    web:
      target.transport === 'udp'
        ? notTried('a browser speaks TCP')
        : await attempt(clock, () => askAdminPort(server.endpoint, 'web admin', options)),
  };
}

const noTls = notTried('the listener does not speak TLS');

type Asked = Pick<ListenerAuditFacts, 'challenge' | 'alternate' | 'software' | 'amplification' | 'tls'>;

async function askBoth(target: Target, options: ListenerAuditOptions): Promise<Asked> {
  const { clock, server } = options;
  const opened = await attempt(clock, async () => openConnection(server, options).ready);
  if (opened.state !== 'done') {
    const tls = target.transport === 'tls' ? opened : noTls;
    return { challenge: opened, alternate: null, software: opened, amplification: opened, tls };
  }
  const { connection } = opened.value;
  const tls = opened.value.tls === null ? noTls : { ...opened, value: opened.value.tls };
  try {
    let alternate: Endpoint | null = null;
    const challenge = await attempt(clock, async () => {
      const session = new TurnSession(connection, null);
      const asked = await askAnonymously(connection, session, { ...options, family: target.family });
      alternate = asked.alternate?.alternate ?? null;
      return asked.facts;
    });
    const software = await attempt(clock, async () => ({ name: await nameOf(connection, options) }));
    const amplification =
      target.transport === 'udp'
        ? await attempt(clock, () => measured(challenge, options))
        : notTried('the sender of a TCP connection cannot be forged');
    return { challenge, alternate, software, amplification, tls };
  } finally {
    connection.close();
  }
}

/** The SOFTWARE attribute of the answer to a Binding. */
async function nameOf(connection: StunConnection, options: ListenerAuditOptions): Promise<string | null> {
  const { message } = await connection.exchange(encodeMessage(requests.Binding), options);
  return reading(message, (answer) => read(answer, softwareAttribute)) ?? null;
}

const requests = {
  Binding: { class: 'request', method: method.binding },
  Allocate: {
    class: 'request',
    method: method.allocate,
    attributes: [put(requestedTransport, relayProtocol.udp)],
  },
} as const satisfies Partial<Record<Amplification['request'], MessageToEncode>>;

/** How much the smallest request of each kind brings; from a socket of their own, so that all of it counts. */
async function measured(
  challenge: Attempt<ChallengeFacts>,
  options: ListenerAuditOptions,
): Promise<Amplification[]> {
  const { server, signal } = options;
  const transport = await openUdp({ remote: server.endpoint, signal });
  try {
    const sizes = [await answerSize('Binding', transport, options)];
    // Granted, it would not be amplification that is the fault of this server.
    if (challenge.state === 'done' && !challenge.value.granted) {
      sizes.push(await answerSize('Allocate', transport, options));
    }
    return sizes;
  } finally {
    transport.close();
  }
}

async function answerSize(
  request: keyof typeof requests,
  transport: Transport,
  { timeoutMs, signal }: ListenerAuditOptions,
): Promise<Amplification> {
  const bytes = encodeMessage(requests[request]);
  const { sent, answers } = await askByDatagram(transport, bytes, { timeoutMs, signal });
  if (answers.length === 0) throw new AttemptError({ kind: 'timeout', afterMs: timeoutMs, sent });
  const total = answers.reduce((sum, { length }) => sum + length, 0);
  return { request, requestBytes: bytes.length, answerBytes: Math.ceil(total / sent) };
}
