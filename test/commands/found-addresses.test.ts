import { describe, expect, it } from 'vitest';
import { pairsOf } from '../../src/commands/found-addresses.ts';
import type { OwnAddressFacts, Sighting } from '../../src/probes/own-addresses.ts';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { discoveryServer } from '../support/discovery-server.ts';
import { directoryWith } from '../support/temporary.ts';

async function render(name: string, port: number, lines = ''): Promise<CliRun> {
  const yaml = `realm: r
auth: { secret: { env: S } }
hosts: [{ name: ${name}, addresses: auto }]
listen: { families: [4] }
addressDiscovery: { stun: ["stun:127.0.0.1:${port}"] }
${lines}`;
  return rtcOps(['render'], { cwd: await directoryWith({ 'rtc-ops.yaml': yaml }) });
}

describe('addresses: auto', () => {
  it('are found, told, and rendered', async () => {
    const { main } = await discoveryServer({ seenAs: ({ port }) => ({ address: '203.0.113.10', port }) });
    const { stdout, stderr, exitCode } = await render('203.0.113.10', main.port);
    expect(stdout).toContain('\nlistening-ip=127.0.0.1\n');
    expect(stdout).toContain('\nexternal-ip=203.0.113.10/127.0.0.1\n');
    expect(stderr).toBe(
      `203.0.113.10: addresses: auto is [203.0.113.10/127.0.0.1], stun:127.0.0.1:${main.port} sees 203.0.113.10, lo has 127.0.0.1\n`,
    );
    expect(exitCode).toBe(0);
  });

  it('are refused when the host is another machine', async () => {
    const { main } = await discoveryServer({ seenAs: ({ port }) => ({ address: '203.0.113.10', port }) });
    const { stdout, stderr, exitCode } = await render('198.51.100.1', main.port);
    expect(stderr).toContain('the name stands for 198.51.100.1, and this machine is 203.0.113.10/127.0.0.1');
    expect(stderr).toContain('write down what is right: addresses: [203.0.113.10/127.0.0.1]');
    expect([stdout, exitCode]).toEqual(['', 3]);
  });

  it('are not guessed when nobody tells them', async () => {
    const silent = await discoveryServer({ alternates: 'silent' });
    const { stdout, stderr, exitCode } = await render('localhost', silent.other.port);
    expect(stdout).toBe('');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/no STUN server told the public one|this machine is another one/);
  });
});

describe('pairsOf', () => {
  const seen = (family: 4 | 6, local: string, mapped: string): Sighting => ({
    family,
    server: 'stun:s',
    state: 'done',
    local,
    mapped,
  });
  const silent = (family: 4 | 6): Sighting => ({
    family,
    server: 'stun:s',
    state: 'failed',
    failure: { kind: 'timeout', afterMs: 1, sent: 1 },
  });
  const facts = (addresses: readonly string[], ...sightings: Sighting[]): OwnAddressFacts => ({
    interfaces: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 24 })),
    sightings,
  });

  it.each<[string, OwnAddressFacts, unknown]>([
    [
      'a translated address',
      facts(['10.0.0.1'], seen(4, '10.0.0.1', '203.0.113.1')),
      ['203.0.113.1/10.0.0.1'],
    ],
    [
      'both families',
      facts([], seen(4, '203.0.113.1', '203.0.113.1'), seen(6, '2001:DB8::1', '2001:db8::1')),
      ['203.0.113.1/203.0.113.1', '2001:db8::1/2001:db8::1'],
    ],
    [
      'the interface, when it is public and nobody answers',
      facts(['10.0.0.1', '203.0.113.1'], silent(4)),
      ['203.0.113.1/203.0.113.1'],
    ],
    ['nothing of a private interface alone', facts(['10.0.0.1'], silent(4)), []],
    ['nothing of two public ones', facts(['203.0.113.1', '203.0.113.2'], silent(4)), []],
    [
      'nothing of a family that was not asked for',
      facts(['203.0.113.1', '2001:db8::1'], silent(4)),
      ['203.0.113.1/203.0.113.1'],
    ],
  ])('is %s', (_, given, pairs) => {
    expect(pairsOf(given).map((pair) => `${pair.public}/${pair.private}`)).toEqual(pairs);
  });
});
