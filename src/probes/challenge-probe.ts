import { formatEndpoint, sameEndpoint, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { ChallengeFacts } from '../model/observations.ts';
import { xorRelayedAddress } from '../stun/address-attributes.ts';
import { put, read } from '../stun/attribute.ts';
import { nonce, realm } from '../stun/authentication-attributes.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import {
  lifetime,
  relayProtocol,
  requestedAddressFamily,
  requestedTransport,
} from '../stun/relay-attributes.ts';
import { alternateOf } from '../turn/allocation.ts';
import type { StunConnection } from '../turn/connection.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { errorOf, failureOf, reading, TryAlternateError, TurnSession } from '../turn/session.ts';

interface AskOptions {
  readonly family: Family;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly hurry?: AbortSignal;
}

export interface Challenge {
  readonly facts: ChallengeFacts;
  /** With 300 Try-Alternate: where to. */
  readonly alternate: TryAlternateError | null;
}

/**
 * An Allocate without credentials; what it teaches `session` (realm, nonce) signs the next request. What is granted is
 * freed.
 * @throws AttemptError when no usable answer came
 */
export async function askAnonymously(
  connection: StunConnection,
  session: TurnSession,
  options: AskOptions,
): Promise<Challenge> {
  const request = encodeMessage({
    class: 'request',
    method: method.allocate,
    attributes: [
      put(requestedTransport, relayProtocol.udp),
      ...(options.family === 6 ? [put(requestedAddressFamily, options.family)] : []),
    ],
    fingerprint: true,
  });
  const { message } = await connection.exchange(request, options);
  if (message.class === 'success') {
    const relayed = reading(message, (response) => read(response, xorRelayedAddress));
    await freeAnonymous(connection, options);
    if (relayed === undefined) throw incomplete('Allocate', 'XOR-RELAYED-ADDRESS');
    return { facts: { granted: true, relayed }, alternate: null };
  }
  return reading(message, (response: StunMessage) => {
    session.learn(response);
    const { code } = errorOf(response);
    const refusal = failureOf(response);
    return {
      facts: {
        granted: false,
        code,
        realm: read(response, realm) ?? null,
        nonce: read(response, nonce) !== undefined,
      },
      alternate: refusal instanceof TryAlternateError ? refusal : null,
    };
  });
}

// As many as an allocation follows.
const mostRedirects = 3;

/**
 * Asks the server that 300 Try-Alternate named for an allocation without credentials, and the one that it names in turn.
 * @throws AttemptError when one of them gives no usable answer, or they send in a circle
 */
export async function askAlternate(
  server: TurnServer,
  first: TryAlternateError,
  options: AskOptions,
): Promise<{ server: Endpoint; answer: ChallengeFacts }> {
  const asked = [server.endpoint];
  let next: TurnServer = alternateOf(server, first);
  for (;;) {
    const here = next;
    if (asked.length > mostRedirects || asked.some((endpoint) => sameEndpoint(endpoint, here.endpoint))) {
      const detail = 'the servers send each other clients in a circle';
      throw new AttemptError({ kind: 'malformed', detail, preview: formatEndpoint(here.endpoint) });
    }
    asked.push(here.endpoint);
    const { connection } = await openConnection(here, options).ready;
    try {
      const { facts, alternate } = await askAnonymously(
        connection,
        new TurnSession(connection, null),
        options,
      );
      if (alternate === null) return { server: here.endpoint, answer: facts };
      next = alternateOf(here, alternate);
    } finally {
      connection.close();
    }
  }
}

async function freeAnonymous(connection: StunConnection, options: AskOptions): Promise<void> {
  const request = encodeMessage({
    class: 'request',
    method: method.refresh,
    attributes: [put(lifetime, 0)],
    fingerprint: true,
  });
  try {
    await connection.exchange(request, options);
  } catch (error) {
    // Whether that succeeds changes nothing of the finding; the allocation expires in any case.
    if (!(error instanceof AttemptError)) throw error;
  }
}

/** An answer without what it must have. */
export function incomplete(request: string, attribute: string): AttemptError {
  const detail = `the ${request} success response has no ${attribute}`;
  return new AttemptError({ kind: 'malformed', detail, preview: 'incomplete' });
}
