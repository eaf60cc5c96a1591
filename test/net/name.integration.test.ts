import { execa } from 'execa';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { needs } from '../support/requirements.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

/** A network of its own whose only name server takes every question and answers none. */
async function networkWithoutAnswers(): Promise<string> {
  const name = `rtc-ops-dns-${process.pid}`;
  const settings = `/etc/netns/${name}`;
  await execa('ip', ['netns', 'add', name]);
  onTestFinished(async () => {
    await execa('ip', ['netns', 'del', name]);
    await rm(settings, { recursive: true });
  });
  await execa('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  await mkdir(settings, { recursive: true });
  await writeFile(`${settings}/resolv.conf`, 'nameserver 127.0.0.53\noptions timeout:30 attempts:5\n');
  const swallow = `require('node:dgram').createSocket('udp4').bind(53, '127.0.0.53', () => console.log('up'))`;
  const server = execa('ip', ['netns', 'exec', name, process.execPath, '-e', swallow], { reject: false });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  await new Promise((resolve) => server.stdout.once('data', resolve));
  return name;
}

needs('root', 'iproute2').describe('with a resolver that never answers', () => {
  // getaddrinfo itself would go on for 150 s: what waits for it fails by the time that a test may take.
  it('a probe of 60 names ends when the time for one is over', async () => {
    const network = await networkWithoutAnswers();
    const uris = Array.from({ length: 60 }, (_, index) => `turn:h${index}.example.org`);
    const command = [
      process.execPath,
      bin,
      'probe',
      ...uris,
      '--no-call',
      '--timeout',
      '2s',
      '--format',
      'json',
    ];
    const { stdout, exitCode } = await execa('ip', ['netns', 'exec', network, ...command], { reject: false });
    expect(exitCode).toBe(1);
    const { verdict, checks } = JSON.parse(stdout) as { verdict: string; checks: { because: string }[] };
    expect(verdict).toBe('unknown');
    expect(checks).toHaveLength(60);
    for (const { because } of checks) expect(because).toContain('no answer within 2 s');
  }, 30_000);
});
