import { expect, it } from 'vitest';
import { AttemptError } from '../../src/model/failure.ts';
import { probeRelay, type RelayFacts } from '../../src/probes/relay-probe.ts';
import { silence } from '../support/facts.ts';
import { standInRelay, type StandInOptions } from '../support/stand-in-relay.ts';

/** Of a client that the server knows under another address than that from which the peer sends, 127.0.0.1. */
async function factsOf(options: StandInOptions): Promise<RelayFacts> {
  return probeRelay({
    allocation: await standInRelay(options),
    own: { address: '127.0.0.9', port: 9 },
    stunServers: [],
    clock: () => performance.now(),
    signal: new AbortController().signal,
  });
}

/** Lets the first so many packets be lost. */
function losing(count: number): () => boolean {
  let come = 0;
  return () => ++come > count;
}

it('sends once more when another address was granted, however soon', async () => {
  const { peer, inbound, reply } = await factsOf({ takes: losing(5) });
  expect(peer).toMatchObject({ value: { permitted: ['127.0.0.9', '127.0.0.1'] } });
  expect([inbound.state, reply.state]).toEqual(['done', 'done']);
});

it('sends no more where no other address was granted', async () => {
  let come = 0;
  const { inbound } = await factsOf({
    permit: ([address]) =>
      address === '127.0.0.9' ? Promise.resolve() : Promise.reject(new AttemptError(silence)),
    takes: () => ++come < 0,
  });
  expect([inbound.state, come]).toEqual(['failed', 5]);
});
