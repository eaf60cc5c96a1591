import type { Amplification, ListenerAuditFacts } from '../model/audit.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Target } from '../model/observations.ts';
import { put, read } from '../stun/attribute.ts';
import { software } from '../stun/message-attributes.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
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
  const { clock } = options;
  const notTls = notTried('the listener does not speak TLS');
  const isTls = target.transport === 'tls';
  // One after the other: what an attacker does at once would look like one.
  const asked = await askBoth(target, options);
  return {
    target,
    ...asked,
    tlsOffers: isTls ? await attempt(clock, () => offerTls(options)) : notTls,
    web:
      target.transport === 'udp'
        ? notTried('a browser speaks TCP')
        : await attempt(clock, () => askAdminPort(options.server.endpoint, 'web admin', options)),
  };
}

type Asked = Pick<ListenerAuditFacts, 'challenge' | 'alternate' | 'software' | 'amplification'>;

async function askBoth(target: Target, options: ListenerAuditOptions): Promise<Asked> {
  const { clock, server } = options;
  const opened = await attempt(clock, async () => (await openConnection(server, options).ready).connection);
  if (opened.state !== 'done') {
    return { challenge: opened, alternate: null, software: opened, amplification: opened };
  }
  const connection = opened.value;
  try {
    let alternate: Endpoint | null = null;
    const challenge = await attempt(clock, async () => {
      const session = new TurnSession(connection, null);
      const asked = await askAnonymously(connection, session, { ...options, family: target.family });
      alternate = asked.alternate?.alternate ?? null;
      return asked.facts;
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
      return { challenge, alternate, software: name, amplification };
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
    return { challenge, alternate, software: name, amplification };
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
