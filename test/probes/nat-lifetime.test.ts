import { expect, it } from 'vitest';
import type { NatFacts } from '../../src/model/observations.ts';
import { probeNat } from '../../src/probes/nat-probe.ts';
import { discoveryServer, type DiscoveryOptions } from '../support/discovery-server.ts';
import { targetOf } from '../support/facts.ts';

async function lifetimeAt(options: DiscoveryOptions): Promise<NatFacts['lifetime'] | undefined> {
  const { main } = await discoveryServer({ names: 'nothing', ...options });
  const [facts] = await probeNat([targetOf('udp', main)], {
    clock: () => performance.now(),
    lifetimeMs: 600,
    signal: new AbortController().signal,
  });
  return facts?.lifetime;
}

it('a binding that outlives the longest time that was asked for', async () => {
  expect(await lifetimeAt({})).toMatchObject({ state: 'done', value: { aliveMs: 600, goneMs: null } });
});

it('a binding that ends before', async () => {
  expect(await lifetimeAt({ bindingMs: 300 })).toMatchObject({
    state: 'done',
    value: { aliveMs: 0, goneMs: 600 },
  });
});

it.each([
  ['refuses RESPONSE-PORT', { responsePort: 'refused' }, { kind: 'stun-error', code: 420 }],
  ['sends nothing there, even to a fresh binding', { bindingMs: 0 }, { kind: 'timeout' }],
] as const)('a server that %s tells nothing of it', async (_, options, failure) => {
  expect(await lifetimeAt(options)).toMatchObject({ state: 'failed', failure });
});

it('a NAT with an address for each binding is said to have several', async () => {
  let index = 0;
  const seenAs = ({ port }: { port: number }): { address: string; port: number } => ({
    address: `198.51.100.${++index % 250}`,
    port,
  });
  expect(await lifetimeAt({ seenAs })).toEqual({
    state: 'not-tried',
    because: 'the NAT has several public addresses',
  });
});
