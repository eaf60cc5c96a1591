/**
 * Clients that log in again and again, as a process of its own in the network of the operator. Reads, as a line of JSON, where
 * and with which secrets; ends with its standard input, and then says what came of it.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueCredential } from '../../../src/credentials/issue.ts';
import { AttemptError } from '../../../src/model/failure.ts';
import { Secret } from '../../../src/model/secret.ts';
import { allocate } from '../../../src/turn/allocation.ts';

export interface LoginLoop {
  readonly address: string;
  readonly port: number;
  /** Each has clients of its own. */
  readonly secrets: readonly string[];
  readonly clients: number;
}

/** For each secret how many allocations were granted, and why others were not. */
export type LoginTally = readonly { granted: number; failures: Record<string, number> }[];

const timeoutMs = 5000;
// coturn lends a relay port again only some seconds after it was given back.
const pauseMs = 20;

const lines = createInterface({ input: process.stdin });
const over = new AbortController();
lines.once('close', () => over.abort());
const [first] = (await once(lines, 'line')) as [string];
const { address, port, secrets, clients } = JSON.parse(first) as LoginLoop;
const tally: LoginTally = secrets.map(() => ({ granted: 0, failures: {} }));
await Promise.all(
  secrets.flatMap((secret, index) =>
    Array.from({ length: clients }, async () => {
      while (!over.signal.aborted) {
        await logIn(new Secret(secret), tally[index]);
        await sleep(pauseMs);
      }
    }),
  ),
);
process.stdout.write(JSON.stringify(tally));

async function logIn(secret: Secret, count: LoginTally[number] | undefined): Promise<void> {
  if (count === undefined) return;
  const credential = issueCredential({ secret, user: 'login', ttlSeconds: 3600, now: new Date() });
  const server = { transport: 'udp', endpoint: { address, port }, verifyTls: false } as const;
  try {
    const signal = new AbortController().signal;
    const allocation = await allocate({ server, credential, timeoutMs, signal });
    await allocation.release(timeoutMs);
    count.granted++;
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const { failure } = error;
    const why = failure.kind === 'stun-error' ? String(failure.code) : failure.kind;
    count.failures[why] = (count.failures[why] ?? 0) + 1;
  }
}
