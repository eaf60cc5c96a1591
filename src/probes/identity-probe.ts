import type { Failure, IdentityFacts } from '../model/observations.ts';
import { put, read } from '../stun/attribute.ts';
import { nonce, realm } from '../stun/authentication-attributes.ts';
import { software } from '../stun/message-attributes.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import { lifetime, relayProtocol, requestedTransport } from '../stun/relay-attributes.ts';
import { AttemptError } from '../model/failure.ts';
import type { StunConnection } from '../turn/connection.ts';
import { openConnection, type TurnServer } from '../turn/server.ts';
import { errorOf, reading, TurnSession, type TurnCredential } from '../turn/session.ts';

interface IdentityProbeOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// The kernel shares source ports between the sockets of a port (SO_REUSEPORT): of two, both are met by 16 ports in all
// but one of 32,000 runs.
const sourcePorts = 16;
// Who answers at all answers in a fraction of this; a lost packet is repeated once.
const mostMs = 1500;

/**
 * Asks one UDP listener from several source ports who it is. Takes no allocation: an anonymous Allocate is refused, and
 * a signed Refresh without an allocation is answered 437 where the credential is good, and 401 where it is not.
 */
export async function probeIdentities(options: IdentityProbeOptions): Promise<{ answers: IdentityFacts[] }> {
  const bounded = { ...options, timeoutMs: Math.min(mostMs, options.timeoutMs) };
  const asked = await Promise.allSettled(Array.from({ length: sourcePorts }, () => identityOf(bounded)));
  return {
    answers: asked.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    }),
  };
}

async function identityOf(options: IdentityProbeOptions): Promise<IdentityFacts> {
  const nobody: IdentityFacts = { code: null, realm: null, software: null, signed: null };
  let connection: StunConnection | null = null;
  try {
    ({ connection } = await openConnection(options.server, options).ready);
    return await question(connection, options);
  } catch (error) {
    if (error instanceof AttemptError) return nobody;
    throw error;
  } finally {
    connection?.close();
  }
}

async function question(connection: StunConnection, options: IdentityProbeOptions): Promise<IdentityFacts> {
  const request = encodeMessage({
    class: 'request',
    method: method.allocate,
    attributes: [put(requestedTransport, relayProtocol.udp)],
    fingerprint: true,
  });
  const { message } = await connection.exchange(request, options);
  const told = reading(message, (response: StunMessage) => ({
    realm: read(response, realm) ?? null,
    software: read(response, software) ?? null,
    hasNonce: read(response, nonce) !== undefined,
  }));
  const identity = { realm: told.realm, software: told.software };
  const session = new TurnSession(connection, options.credential);
  if (message.class === 'success') {
    await freed(session, options);
    return { ...identity, code: 0, signed: null };
  }
  const { code } = reading(message, errorOf);
  const signs = options.credential !== null && code === 401 && told.hasNonce && session.learn(message);
  return { ...identity, code, signed: signs ? await freed(session, options) : null };
}

/** The code of the answer to a Refresh with lifetime 0; 0 for a success, null for none. */
async function freed(session: TurnSession, options: IdentityProbeOptions): Promise<number | null> {
  try {
    await session.request(method.refresh, [put(lifetime, 0)], options);
    return 0;
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const { failure }: { failure: Failure } = error;
    return failure.kind === 'stun-error' ? failure.code : null;
  }
}
