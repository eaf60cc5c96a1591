import { expect, it } from 'vitest';
import type { Family } from '../../src/model/endpoint.ts';
import type { TurnUri } from '../../src/model/turn-uri.ts';
import { probeOwnAddresses, type OwnAddressFacts } from '../../src/probes/own-addresses.ts';
import { discoveryServer } from '../support/discovery-server.ts';

function stun(port: number, host = '127.0.0.1'): TurnUri {
  return { scheme: 'stun', host, port, transport: 'udp' };
}

async function found(
  servers: readonly TurnUri[],
  families: readonly Family[] = [4],
): Promise<OwnAddressFacts> {
  const { signal } = new AbortController();
  return probeOwnAddresses({ servers, families, resolve: async (host) => [host], timeoutMs: 300, signal });
}

it('tells both sides of a translation', async () => {
  const { main } = await discoveryServer({ seenAs: ({ port }) => ({ address: '203.0.113.10', port }) });
  const { interfaces, sightings } = await found([stun(main.port)]);
  expect(sightings).toEqual([
    {
      family: 4,
      server: `stun:127.0.0.1:${main.port}`,
      state: 'done',
      local: '127.0.0.1',
      mapped: '203.0.113.10',
    },
  ]);
  expect(interfaces).toContainEqual(expect.objectContaining({ address: '127.0.0.1' }));
});

it('asks the next server when one is silent, and none after one has answered', async () => {
  const { main, requests } = await discoveryServer();
  const silent = await discoveryServer({ alternates: 'silent' });
  const { sightings } = await found([stun(silent.other.port), stun(main.port), stun(main.port)]);
  expect(sightings).toMatchObject([
    { state: 'failed', failure: { kind: 'timeout' } },
    { state: 'done', mapped: '127.0.0.1' },
  ]);
  expect(requests).toHaveLength(1);
});

it('tells why there is no answer, for each family by itself', async () => {
  const { main } = await discoveryServer();
  const { sightings } = await found([stun(main.port)], [4, 6]);
  expect(sightings).toMatchObject([
    { family: 4, state: 'done' },
    { family: 6, state: 'failed', failure: { kind: 'internal', detail: '127.0.0.1 has no IPv6 address' } },
  ]);
});
