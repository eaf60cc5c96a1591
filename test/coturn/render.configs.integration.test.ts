import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { generate } from 'selfsigned';
import { expect, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { installedVersion } from '../../src/coturn/executable.ts';
import { renderConfig } from '../../src/coturn/render.ts';
import { startCoturn } from '../../src/coturn/server.ts';
import { RtcOpsError } from '../../src/model/error.ts';
import { arbitraryYaml, secretsFor, type Surroundings } from '../support/arbitrary-config.ts';
import { complaintsIn } from '../support/calm-log.ts';
import { claimPorts } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

/** Loopback, ports that nobody else has, and a certificate. */
async function here(): Promise<Surroundings> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  onTestFinished(async () => rm(directory, { recursive: true }));
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  await writeFile(cert, pem.cert);
  await writeFile(key, pem.private);
  return {
    addresses: ['127.0.0.1', '::1'],
    ports: [ports.next(), ports.next(), ports.next(), ports.next()],
    relay: ports.relay,
    cert,
    key,
  };
}

needs('coturn').it(
  'whatever the schema allows, with addresses and for this version, starts without a complaint',
  async () => {
    const version = (await installedVersion()) ?? 'none';
    const configs = arbitraryYaml(await here()).filter((yaml) => renderFirst(yaml, version) !== null);
    const property = fc.asyncProperty(configs, async (yaml) => {
      const server = await startCoturn({ config: { text: renderFirst(yaml, version) ?? '' } });
      try {
        expect(complaintsIn(server.logText())).toEqual([]);
      } finally {
        await server.stop();
      }
    });
    await fc.assert(property, { numRuns: 25 });
  },
  120_000,
);

/**
 * For the first host; null where the version or the addresses do not allow for it. And where there are none: coturn warns
 * that it takes all of the machine then, and would be open to its network.
 */
function renderFirst(yaml: string, version: string): string | null {
  const config = parseConfig(yaml, 'rtc-ops.yaml');
  try {
    const text = renderConfig(config, { version, host: config.hosts[0]?.name, ...secretsFor(config) });
    return text.includes('\nlistening-ip=') ? text : null;
  } catch (error) {
    if (error instanceof RtcOpsError && error.code === 'configuration') return null;
    throw error;
  }
}
