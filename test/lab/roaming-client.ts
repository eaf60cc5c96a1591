/**
 * A client that coturn no longer knows, or knows too well: `roaming-client.ts ADDRESS USER SECRET-FILE HOW`.
 * `same-port`: it forgets its allocation, and asks for one from the same port again. `waits`: it is silent until the NAT
 * before it has forgotten it, and refreshes then; both end with the answer 437 (Allocation Mismatch). `leaves`: it frees its
 * allocation, as it should.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueCredential } from '../../src/credentials/issue.ts';
import { AttemptError } from '../../src/model/failure.ts';
import { Secret } from '../../src/model/secret.ts';
import { put } from '../../src/stun/attribute.ts';
import { method } from '../../src/stun/message.ts';
import { lifetime, relayProtocol, requestedTransport } from '../../src/stun/relay-attributes.ts';
import { openConnection } from '../../src/turn/server.ts';
import { TurnSession } from '../../src/turn/session.ts';

const [address = '', user = '', secretFile = '', how = ''] = process.argv.slice(2);
const secret = new Secret(readFileSync(secretFile, 'utf8').trimEnd());
const options = { timeoutMs: 5000, signal: new AbortController().signal };
const server = { transport: 'udp', endpoint: { address, port: 3478 }, verifyTls: false } as const;

const { connection } = await openConnection(server, options).ready;
const credential = issueCredential({ secret, user, ttlSeconds: 3600, now: new Date() });
const session = new TurnSession(connection, credential);
const allocate = [put(requestedTransport, relayProtocol.udp)];
await session.request(method.allocate, allocate, options);
// Longer than the NAT of the lab keeps it.
if (how === 'waits') await sleep(1500);
try {
  if (how === 'leaves') {
    await session.request(method.refresh, [put(lifetime, 0)], options);
    process.exit(0);
  }
  if (how === 'same-port') await session.request(method.allocate, allocate, options);
  else await session.request(method.refresh, [put(lifetime, 600)], options);
} catch (error) {
  if (!(error instanceof AttemptError) || error.failure.kind !== 'stun-error' || error.failure.code !== 437)
    throw error;
  process.exit(0);
}
throw new Error('the server did not answer with 437');
