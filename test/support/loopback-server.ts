import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { onTestFinished } from 'vitest';
import { startCoturn, type CoturnServer } from '../../src/coturn/server.ts';
import { claimPorts } from './ports.ts';

export interface LoopbackServer {
  readonly coturn: CoturnServer;
  readonly directory: string;
  readonly certificateFile: string;
  readonly secretFile: string;
  readonly port: number;
  readonly tlsPort: number;
  /** `turn:` over UDP and TCP, and `turns:`. */
  readonly urls: readonly [string, string, string];
  /** `--username … --password …` of a credential that ends so many seconds from now. */
  readonly credential: (ttlSeconds: number) => string[];
}

export const secret = 'a-secret-of-the-tests';

/**
 * A coturn on 127.0.0.1 for one test. `lines` are added to a config that is right; a line `-NAME` takes the line that
 * begins with NAME out of it, and `@min` stands for the first relay port.
 */
export async function loopbackServer(lines: readonly string[] = []): Promise<LoopbackServer> {
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  onTestFinished(async () => rm(directory, { recursive: true, force: true }));
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const [port, tlsPort] = [ports.next(), ports.next()];
  const certificateFile = join(directory, 'cert.pem');
  const keyFile = join(directory, 'key.pem');
  const secretFile = join(directory, 'secret');
  const { cert, private: key } = await generate([{ name: 'commonName', value: `rtc-ops test ${port}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  await writeFile(certificateFile, cert);
  await writeFile(keyFile, key);
  await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
  const removed = lines.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
  const text = [
    'listening-ip=127.0.0.1',
    'relay-ip=127.0.0.1',
    `listening-port=${port}`,
    `tls-listening-port=${tlsPort}`,
    `cert=${certificateFile}`,
    `pkey=${keyFile}`,
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    'realm=test',
    `min-port=${ports.relay.min}`,
    `max-port=${ports.relay.max}`,
    'allow-loopback-peers',
    'no-cli',
  ]
    .filter((line) => !removed.some((prefix) => line.startsWith(prefix)))
    .concat(lines.filter((line) => !line.startsWith('-')))
    .map((line) => line.replace('@min', String(ports.relay.min)))
    .join('\n');
  const coturn = await startCoturn({ config: { text } });
  onTestFinished(async () => coturn.stop());
  const host = `127.0.0.1:${port}`;
  return {
    coturn,
    directory,
    certificateFile,
    secretFile,
    port,
    tlsPort,
    urls: [`turn:${host}`, `turn:${host}?transport=tcp`, `turns:127.0.0.1:${tlsPort}`],
    credential: (ttlSeconds) => {
      const username = `${Math.floor(Date.now() / 1000) + ttlSeconds}:test`;
      const password = createHmac('sha1', secret).update(username).digest('base64');
      return ['--username', username, '--password', password];
    },
  };
}
