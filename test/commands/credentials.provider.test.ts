import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { credentialFormats } from '../../src/credentials/format.ts';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const key = 'the-api-key-of-the-tests';

/** A directory with the config of a Metered that answers with this. */
async function hosted(status: number, body: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return directoryWith({
    'rtc-ops.yaml': `provider: { metered: { app: a, apiKey: { file: key }, endpoint: "http://127.0.0.1:${port}" } }\n`,
    key,
  });
}

const servers = [
  { urls: 'stun:s.example.com' },
  { urls: 'turn:t.example.com:80?transport=tcp', username: 'hosted-user', credential: 'hosted-password' },
];

describe('credentials issue with a provider', () => {
  it.each(Object.keys(credentialFormats).filter((format) => format !== 'nextcloud'))(
    'as %s',
    async (format) => {
      const cwd = await hosted(200, servers);
      const run = await rtcOps(['credentials', 'issue', '--format', format], { cwd });
      expect(run).toMatchObject({ stderr: '', exitCode: 0 });
      expect(run.stdout).toContain('hosted-user');
      expect(run.stdout).toContain('hosted-password');
      expect(run.stdout).toContain('t.example.com');
      expect(run.stdout).not.toContain(key);
    },
  );

  it('says that a credential without an end has none', async () => {
    const { stdout } = await rtcOps(['credentials', 'issue'], { cwd: await hosted(200, servers) });
    expect(stdout).toContain('expires   not by itself\n');
  });

  it('gives no credential for a refusal, and says why', async () => {
    const run = await rtcOps(['credentials', 'issue'], {
      cwd: await hosted(401, { error: 'Invalid API Key' }),
    });
    expect(run).toMatchObject({ stdout: '', exitCode: 4 });
    expect(run.stderr).toMatch(
      /^rtc-ops: provider metered refuses \(401\): Invalid API Key\n {2}Is what stands/,
    );
  });

  it.each([
    [['--count', '2'], '--count has no meaning with the provider of rtc-ops.yaml', 2],
    [['--url', 'turn:x'], '--url has no meaning', 2],
    [['alice'], 'metered makes up its users itself', 2],
    [['--expires-at', '1'], '--expires-at lies in the past', 2],
    [['--format', 'nextcloud'], 'a hosted provider has none', 2],
  ])('refuses %j', async (args, message, code) => {
    const run = await rtcOps(['credentials', 'issue', ...args], { cwd: await hosted(200, servers) });
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ stdout: '', exitCode: code });
  });

  it('takes servers with a fixed user', async () => {
    const cwd = await directoryWith({
      'rtc-ops.yaml':
        'provider: { static: { urls: [google, turn:t.example.com], username: u, password: { env: P } } }\n',
    });
    const args = ['credentials', 'issue', '--format', 'ice-servers'];
    const { stdout } = await rtcOps(args, { cwd, env: { P: 'p' } });
    expect(JSON.parse(stdout)).toEqual([
      { urls: ['stun:stun.l.google.com:19302'] },
      { urls: ['turn:t.example.com'], username: 'u', credential: 'p' },
    ]);
    const unset = await rtcOps(args, { cwd });
    expect(unset.stderr).toContain('provider.static.password names the variable P, which is not set');
    expect(unset.exitCode).toBe(3);
  });
});

describe('with a provider', () => {
  it.each([['render'], ['firewall', 'show']])('there is nothing to %s', async (...args) => {
    const run = await rtcOps(args, { cwd: await hosted(200, servers) });
    expect(run.stderr).toContain(
      'provider names servers of metered, and this command is for servers of our own',
    );
    expect(run.exitCode).toBe(3);
  });

  it('config show shows it, and no secret', async () => {
    const run = await rtcOps(['config', 'show'], { cwd: await hosted(200, servers) });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('provider.metered.app');
    expect(run.stdout).not.toContain(key);
  });
});
