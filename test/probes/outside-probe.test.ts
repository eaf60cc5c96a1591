import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import type { Attempt, OutsideFacts } from '../../src/model/observations.ts';
import { Secret } from '../../src/model/secret.ts';
import { EchoService } from '../../src/net/echo-service.ts';
import { knockedFrom, probeOutside, type OutsidePeer } from '../../src/probes/outside-probe.ts';
import { standInRelay, type StandInOptions } from '../support/stand-in-relay.ts';

const secret = new Secret('a secret of the tests');

async function service(): Promise<EchoService> {
  const peer = await EchoService.open({ listen: { address: '127.0.0.1', port: 0 }, secret });
  onTestFinished(() => peer.close());
  return peer;
}

async function seenOf(
  outside: Partial<OutsidePeer>,
  relay: StandInOptions = {},
): Promise<Attempt<OutsideFacts>> {
  return probeOutside({
    allocation: await standInRelay(relay),
    outside: { url: 'udp://peer.test:1', secret, endpoints: [], lookupFailure: null, ...outside },
    clock: () => performance.now(),
    signal: new AbortController().signal,
  });
}

it('asks an outside peer with and without the relay', async () => {
  const { local } = await service();
  expect(await seenOf({ endpoints: [local] })).toMatchObject({
    value: { direct: { state: 'done' }, echo: { state: 'done' }, inbound: { state: 'done' } },
  });
});

it('has it tell what arrived, where nothing comes back', async () => {
  const { local } = await service();
  expect(await seenOf({ endpoints: [local] }, { takes: () => false })).toMatchObject({
    value: { echo: { state: 'failed' }, arrival: { value: { seenFrom: { address: '127.0.0.1' } } } },
  });
});

it('says why it could not be asked', async () => {
  const lookupFailure = { kind: 'timeout', afterMs: 5000, sent: 1 } as const;
  expect(await seenOf({ lookupFailure })).toEqual({
    state: 'not-tried',
    because: 'the lookup of udp://peer.test:1 failed: no answer within 5 s',
  });
  expect(await seenOf({ endpoints: [{ address: '::1', port: 1 }] })).toEqual({
    state: 'not-tried',
    because: 'udp://peer.test:1 has no IPv4 address, which this relay would need',
  });
});

it('takes no answer from another address of the peer, which the relay would not either', async () => {
  const { local } = await service();
  // As a socket on all addresses answers: from the one that the route has.
  const [front, back] = [createSocket('udp4'), createSocket('udp4')];
  onTestFinished(() => {
    front.close();
    back.close();
  });
  front.bind(0, '127.0.0.3');
  back.bind(0, '127.0.0.4');
  await Promise.all([once(front, 'listening'), once(back, 'listening')]);
  const clients: { readonly address: string; readonly port: number }[] = [];
  front.on('message', (bytes, from) => {
    clients.push(from);
    back.send(bytes, local.port, local.address);
  });
  back.on('message', (bytes) => {
    for (const { address, port } of clients) back.send(bytes, port, address);
  });
  const peer = { address: '127.0.0.3', port: front.address().port };
  const seen = await seenOf({ endpoints: [peer] }, { takes: ({ address }) => address === peer.address });
  expect(seen).toMatchObject({
    value: {
      direct: { state: 'failed' },
      echo: { state: 'failed' },
      arrival: { because: 'the outside peer does not answer this client directly' },
    },
  });
});

it.each<[string, StandInOptions['takes'], boolean | null]>([
  ['comes in', () => true, true],
  ['does not come in, while answers do', undefined, false],
  ['does not come in, and nothing else either', () => false, false],
])('a knock that %s', async (_what, takes, expected) => {
  const { local: endpoint } = await service();
  const relay = await standInRelay({ takes: takes ?? (({ port }) => port === endpoint.port) });
  const { signal } = new AbortController();
  expect(await knockedFrom({ endpoint, secret }, relay, signal)).toBe(expected);
});

it('a knock that the outside peer was not asked for, or does not tell of, shows nothing', async () => {
  const { local: endpoint } = await service();
  const { signal } = new AbortController();
  // A loss on the way there, or what is beyond its rate.
  const lost = { ...(await standInRelay()), send: () => {} };
  expect(await knockedFrom({ endpoint, secret }, lost, signal)).toBeNull();
  const wrong = new Secret('another secret of the tests');
  expect(await knockedFrom({ endpoint, secret: wrong }, await standInRelay(), signal)).toBeNull();
});
