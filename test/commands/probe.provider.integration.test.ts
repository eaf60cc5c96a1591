import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { startCoturn } from '../../src/coturn/server.ts';
import { rtcOps, rtcOpsReport } from '../support/cli.ts';
import { claimPorts } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const { describe, it } = needs('coturn');

/** A coturn with one user, and the directory of a config whose provider hands out that user, or another password. */
async function hosted(password: string): Promise<string> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const port = ports.next();
  const text = `listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port=${port}
min-port=${ports.relay.min}
max-port=${ports.relay.max}
no-tls
no-cli
lt-cred-mech
realm=example.org
user=hosted:right-password
`;
  const coturn = await startCoturn({ config: { text } });
  onTestFinished(async () => coturn.stop());
  const iceServers = [{ urls: [`turn:127.0.0.1:${port}`], username: 'hosted', credential: password }];
  const api = createServer((_request, response) => void response.end(JSON.stringify({ iceServers })));
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void api.close());
  const endpoint = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  return directoryWith({
    'rtc-ops.yaml': `provider: { cloudflare: { keyId: k, apiToken: { env: TOKEN }, endpoint: "${endpoint}" } }\n`,
  });
}

const env = { TOKEN: 'the-token-of-the-tests' };

describe('probe without a URL, with a provider', () => {
  it('tests its servers with a credential of it', async () => {
    const cwd = await hosted('right-password');
    const { report } = await rtcOpsReport(['probe', '--no-call', '--transport', 'udp'], { cwd, env });
    const [target] = report.targets;
    expect(target?.checks.find(({ id }) => id === 'turn-allocate')?.status).toBe('passed');
    expect(JSON.stringify(report)).not.toMatch(/right-password|the-token/);
  });

  it('finds that a server does not take it', async () => {
    const cwd = await hosted('wrong-password');
    const { report } = await rtcOpsReport(['probe', '--no-call', '--transport', 'udp'], { cwd, env });
    const [target] = report.targets;
    expect(target?.checks.find(({ id }) => id === 'turn-allocate')?.status).toBe('failed');
    expect(report.exitCode).toBe(1);
  });

  it('watches nothing with a credential that ends', async () => {
    const run = await rtcOps(['probe', '--watch', '1s'], { cwd: await hosted('right-password'), env });
    expect(run.stderr).toContain('--watch would outlive the credential of the provider');
    expect(run.exitCode).toBe(2);
  });
});
