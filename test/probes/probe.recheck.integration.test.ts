import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';
import { probe } from '../../src/probes/probe.ts';
import { relayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

/** A probe of a server that freezes two seconds after the call was begun. */
async function probedUntilFrozen(callDurationMs: number): Promise<TargetFacts> {
  const server = await relayServer();
  const finished = new AbortController();
  onTestFinished(() => {
    finished.abort();
    server.coturn.kill('SIGCONT');
  });
  const freeze = async (): Promise<void> => {
    await sleep(2000);
    if (!finished.signal.aborted) server.coturn.kill('SIGSTOP');
  };
  const { targets } = await probe({
    uris: [parseTurnUri(`turn:127.0.0.1:${server.port}?transport=udp`)],
    transports: null,
    families: null,
    credential: { source: 'given', ...server.turnCredential },
    callDurationMs,
    controls: [],
    nat: null,
    timeoutMs: 2000,
    concurrency: 1,
    env: process.env,
    now: () => new Date(),
    signal: new AbortController().signal,
    onProgress: ({ step }) => {
      if (step === 'call-audio' && callDurationMs > 2000) void freeze();
    },
  });
  const [facts] = targets;
  if (facts === undefined) throw new Error('there was no target');
  return facts;
}

needs('coturn').describe('after a call', () => {
  it('in which the server fell silent, it is asked once more whether it is there', async () => {
    const { call, recheck } = await probedUntilFrozen(30_000);
    expect(call).toMatchObject({ state: 'done', value: { endedBecause: { kind: 'server-silent' } } });
    expect(recheck).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
  });

  it('in which it answered, it is not', async () => {
    const { call, recheck } = await probedUntilFrozen(1000);
    expect(call).toMatchObject({ state: 'done', value: { endedBecause: null } });
    expect(recheck).toMatchObject({ state: 'not-tried' });
  });
});
