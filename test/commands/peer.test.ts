import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endpointOption } from '../../src/commands/peer.ts';
import { rtcOps } from '../support/cli.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const secret = 'a secret of the tests';
const env = { RTC_OPS_PEER_SECRET: secret };

describe('--listen', () => {
  it.each([
    ['198.51.100.7:3479', { address: '198.51.100.7', port: 3479 }],
    ['[2001:db8::7]:3479', { address: '2001:db8::7', port: 3479 }],
    ['127.0.0.1:0', { address: '127.0.0.1', port: 0 }],
  ])('%s', (text, endpoint) => {
    expect(endpointOption(text)).toEqual(endpoint);
  });

  it.each([
    'peer.example.net:3479',
    '198.51.100.7',
    '2001:db8::7:3479',
    '[198.51.100.7]:1',
    '1.2.3.4:70000',
    '',
  ])('not %j', (text) => {
    expect(() => endpointOption(text)).toThrow(/ADDRESS:PORT/);
  });

  it.each(['0.0.0.0:3479', '[::]:3479', '[0:0::0]:3479', '[::ffff:0.0.0.0]:3479'])('not %s', (text) => {
    expect(() => endpointOption(text)).toThrow(/every address of this machine/);
  });
});

describe('rtc-ops peer', () => {
  it('says where it listens, and ends by itself when it is told to, without a word of its secret', async () => {
    const args = [bin, 'peer', '--listen', '127.0.0.1:0', '--format', 'json'];
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env } });
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await expect.poll(() => text, { timeout: 10_000 }).toContain('\n');
    const ready = JSON.parse(text) as { event: string; port: number; url: string };
    expect(ready).toMatchObject({ event: 'ready', url: `udp://127.0.0.1:${ready.port}` });
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(JSON.parse(text.split('\n')[1] ?? '')).toMatchObject({
      event: 'stopped',
      answered: 0,
      dropped: 0,
    });
    expect(text).not.toContain(secret);
  });

  it('says in its help that ending it is no failure', async () => {
    expect((await rtcOps(['peer', '--help'])).stdout).toMatch(/Exit code: 0 when ended by Ctrl-C/);
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['a secret', ['--listen', '127.0.0.1:0'], {}, /secret that probe and peer share is missing/],
    ['a long secret', ['--listen', '127.0.0.1:0'], { RTC_OPS_PEER_SECRET: 'short' }, /fewer than 16/],
    ['an address of this machine', ['--listen', '192.0.2.1:9'], env, /192\.0\.2\.1:9: .*EADDRNOTAVAIL/],
    ['an address', [], env, /--listen/],
  ])('needs %s', async (_what, args, variables, message) => {
    const run = await rtcOps(['peer', ...args], { env: variables });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});
