import { createHmac } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { startCoturn, type CoturnServer } from '../../src/coturn/server.ts';
import { checkCredential } from '../../src/credentials/check.ts';
import { AttemptError } from '../../src/model/failure.ts';
import { Secret } from '../../src/model/secret.ts';
import { allocate } from '../../src/turn/allocation.ts';
import { claimPorts } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

const secret = 'north-wind';

async function server(): Promise<CoturnServer> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const text = `listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port=${ports.next()}
min-port=${ports.relay.min}
max-port=${ports.relay.max}
no-tls
no-cli
realm=example.org
static-auth-secret=${secret}
`;
  const coturn = await startCoturn({ config: { text } });
  onTestFinished(async () => coturn.stop());
  return coturn;
}

async function isGranted(coturn: CoturnServer, username: string, password: string): Promise<boolean> {
  try {
    const allocation = await allocate({
      server: {
        transport: 'udp',
        endpoint: { address: '127.0.0.1', port: coturn.ports.udp ?? 0 },
        verifyTls: false,
      },
      credential: { username, password: new Secret(password) },
      timeoutMs: 3000,
      signal: AbortSignal.timeout(20_000),
    });
    await allocation.release();
    return true;
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'stun-error') return false;
    throw error;
  }
}

const now = Math.floor(Date.now() / 1000);
const time = now + 600;
const name = `${time}:alice`;

function signed(
  username: string,
  encoding: 'base64' | 'base64url' | 'hex' = 'base64',
  hash = 'sha1',
): [string, string] {
  return [username, createHmac(hash, secret).update(username).digest(encoding)];
}

needs('coturn').it('judges as coturn does', async () => {
  const coturn = await server();
  const [, right] = signed(name);
  const cases: readonly [string, string][] = [
    signed(name),
    signed(String(time)),
    signed(`${time}:a@b.c-d_é`),
    signed(`${now - 60}:alice`),
    signed('3600:alice'),
    signed('alice'),
    signed(name, 'hex'),
    signed(name, 'base64', 'sha256'),
    [name, right.replace('=', '')],
    [name, `${right}=`],
    [name, createHmac('sha1', `${secret}\n`).update(name).digest('base64')],
    [name, createHmac('sha1', 'south').update(name).digest('base64')],
    [name, signed(String(time))[1]],
  ];
  for (const [username, password] of cases) {
    const check = checkCredential({
      username,
      password: new Secret(password),
      secrets: [new Secret(secret)],
      now: new Date(),
    });
    expect([username, password, check.valid]).toEqual([
      username,
      password,
      await isGranted(coturn, username, password),
    ]);
  }
});

needs('coturn').it('is stricter than coturn where other servers are', async () => {
  const coturn = await server();
  // coturn looks for the time on both sides of the colon.
  const [username, password] = signed(`alice:${time}`);
  expect(await isGranted(coturn, username, password)).toBe(true);
  const check = checkCredential({
    username,
    password: new Secret(password),
    secrets: [new Secret(secret)],
    now: new Date(),
  });
  expect(check.problems).toEqual([{ kind: 'swapped', username: name }]);
});
