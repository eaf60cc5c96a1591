import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { listenersOf } from '../../src/coturn/listener.ts';
import { parseDirectives } from '../../src/coturn/parse.ts';
import { assertPortsFree } from '../../src/coturn/readiness.ts';
import { startCoturn, type CoturnServer } from '../../src/coturn/server.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

let ports: PortBlock;
let server: CoturnServer | undefined;

beforeEach(async () => {
  ports = await claimPorts();
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
  await ports.release();
});

function configText(port: number, more = ''): string {
  return `listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port=${port}
no-tls
no-dtls
no-cli
use-auth-secret
static-auth-secret=a-secret-that-no-log-may-show
realm=example.org
min-port=${ports.relay.min}
max-port=${ports.relay.max}
${more}`;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A directory of its own for temporary files, so that what is left there is ours. */
async function ownTemporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

needs('coturn').describe('startCoturn', () => {
  it('answers over UDP from the moment it resolves', async () => {
    const port = ports.next();
    server = await startCoturn({ config: { text: configText(port) } });
    expect(server.ports).toEqual({ udp: port, tcp: port, tls: null });
    const socket = createSocket('udp4');
    socket.send(Buffer.from('000100002112a442000102030405060708090a0b', 'hex'), port, '127.0.0.1');
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(1000) });
    socket.close();
    expect(Buffer.from(answer).readUInt16BE(0)).toBe(0x0101);
  });

  it('keeps the log, without the secret', async () => {
    server = await startCoturn({ config: { text: configText(ports.next()) }, verbose: true });
    expect(server.logText()).toContain('Default realm: example.org');
    expect(server.logText()).not.toContain('a-secret-that-no-log-may-show');
  });

  it('shows what coturn complains about, and only that', async () => {
    server = await startCoturn({ config: { text: configText(ports.next(), 'fingerprin') } });
    expect(server.warnings()).toContainEqual(expect.stringContaining('Bad configuration format: fingerprin'));
    expect(server.warnings().filter((line) => /realm|listening|relay \S+ initialization/.test(line))).toEqual(
      [],
    );
  });

  it('reads the log of a config that logs elsewhere', async () => {
    server = await startCoturn({ config: { text: configText(ports.next(), 'syslog\nno-stdout-log') } });
    expect(server.logText()).toContain('Default realm: example.org');
  });

  it('stops coturn and leaves no file behind', async () => {
    const directory = await ownTemporaryDirectory();
    server = await startCoturn({ config: { text: configText(ports.next()) } });
    expect(isRunning(server.pid)).toBe(true);
    expect(await readdir(directory)).toEqual([]);
    await server.stop();
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    await server.ended;
  });

  it('stops a frozen coturn', async () => {
    server = await startCoturn({ config: { text: configText(ports.next()) } });
    server.kill('SIGSTOP');
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    // By itself, and not by the SIGKILL that comes in the end.
    expect((await server.ended).signal).toBe('SIGTERM');
  });

  it('tells when coturn dies on its own', async () => {
    server = await startCoturn({ config: { text: configText(ports.next()) } });
    server.kill('SIGKILL');
    expect(await server.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  it('stops coturn when its signal is aborted later', async () => {
    const abort = new AbortController();
    server = await startCoturn({ config: { text: configText(ports.next()) }, signal: abort.signal });
    abort.abort();
    await server.ended;
    expect(isRunning(server.pid)).toBe(false);
  });

  it('rejects with the reason of its signal when aborted during the start', async () => {
    const directory = await ownTemporaryDirectory();
    const abort = new AbortController();
    const starting = startCoturn({ config: { text: configText(ports.next()) }, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 10);
    await expect(starting).rejects.toThrow('enough');
    expect(await readdir(directory)).toEqual([]);
  });

  it('dies with the process that started it', async () => {
    const text = configText(ports.next());
    const script = `
      import { startCoturn } from ${JSON.stringify(new URL('../../dist/coturn/server.js', import.meta.url).href)};
      await startCoturn({ config: { text: ${JSON.stringify(text)} } });
      process.stdout.write('serving');`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const listeners = listenersOf(parseDirectives(text));
    await once(parent.stdout, 'data');
    await expect(assertPortsFree(listeners)).rejects.toThrow('the port is taken');
    parent.kill('SIGTERM');
    await once(parent, 'exit');
    // From 4.6.3 on coturn takes some seconds to end.
    const state = (): Promise<string> => assertPortsFree(listeners).then(() => 'free', String);
    await expect.poll(state, { timeout: 10_000 }).toBe('free');
  });

  it('reports why coturn does not start, in its own last words', async () => {
    const starting = startCoturn({ config: { text: configText(ports.next(), 'bps-capacity=1000') } });
    await expect(starting).rejects.toMatchObject({
      code: 'tool-failed',
      message: 'coturn did not start: it ended at once (exit code 255)',
      hint: expect.stringContaining('you must set --max-bps'),
    });
  });

  it('names the address that this machine does not have', async () => {
    const text = configText(ports.next()).replace('listening-ip=127.0.0.1', 'listening-ip=192.0.2.77');
    await expect(startCoturn({ config: { text } })).rejects.toThrow(
      /cannot listen on udp 192\.0\.2\.77:\d+: this machine does not have the address/,
    );
  });

  it('refuses a port that another coturn shares, which coturn itself would not notice', async () => {
    const text = configText(ports.next());
    server = await startCoturn({ config: { text } });
    await expect(startCoturn({ config: { text } })).rejects.toThrow(/the port is taken/);
  });

  it('gives up on a coturn that does not serve', async () => {
    const text = configText(ports.next());
    const starting = startCoturn({ config: { text }, startTimeoutMs: 1 });
    await expect(starting).rejects.toThrow('it does not serve after 0.001 s');
  });

  it('refuses a config file that it cannot read, where coturn would start without one', async () => {
    const starting = startCoturn({ config: { file: join(tmpdir(), 'no-such-turnserver.conf') } });
    await expect(starting).rejects.toMatchObject({ code: 'configuration' });
  });

  it('runs a config file and leaves it where it is', async () => {
    const directory = await ownTemporaryDirectory();
    const file = join(directory, 'turnserver.conf');
    await writeFile(file, configText(ports.next()));
    server = await startCoturn({ config: { file } });
    expect(await readdir(directory)).toEqual(['turnserver.conf']);
  });

  it('says how to get coturn where there is none', async () => {
    vi.stubEnv('PATH', '/nowhere');
    const starting = startCoturn({ config: { text: configText(ports.next()) } });
    await expect(starting).rejects.toMatchObject({
      code: 'tool-failed',
      message: 'coturn is not installed: there is no turnserver in PATH',
      hint: expect.stringContaining('apt-get install coturn'),
    });
    vi.unstubAllEnvs();
  });
});
