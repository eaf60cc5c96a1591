import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { ProbeStep } from '../../src/model/check.ts';
import type { TargetFacts } from '../../src/model/observations.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';
import { probe } from '../../src/probes/probe.ts';
import { relayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';
import { tcpListener } from '../support/strange-listener.ts';

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
  return probed(server, `turn:127.0.0.1:${server.port}?transport=udp`, callDurationMs, (step) => {
    if (step === 'call-audio' && callDurationMs > 2000) void freeze();
  });
}

/** A probe of a server behind a balancer that leaves a client its newest connection alone. */
async function probedByOneConnection(): Promise<TargetFacts> {
  const server = await relayServer();
  let earlier: Socket | null = null;
  const port = await tcpListener((socket) => {
    earlier?.destroy();
    earlier = socket;
    const to = connect(server.port, '127.0.0.1');
    socket.pipe(to).pipe(socket);
    socket.on('error', () => to.destroy()).on('close', () => to.destroy());
    to.on('error', () => socket.destroy());
  });
  return probed(server, `turn:127.0.0.1:${port}?transport=tcp`, 1000);
}

async function probed(
  { turnCredential }: Awaited<ReturnType<typeof relayServer>>,
  uri: string,
  callDurationMs: number,
  onStep: (step: ProbeStep) => void = () => {},
): Promise<TargetFacts> {
  const { targets } = await probe({
    uris: [parseTurnUri(uri)],
    transports: null,
    families: null,
    credential: { source: 'given', ...turnCredential },
    callDurationMs,
    controls: [],
    nat: null,
    timeoutMs: 2000,
    concurrency: 1,
    env: process.env,
    now: () => new Date(),
    signal: new AbortController().signal,
    onProgress: ({ step }) => {
      if (step !== null) onStep(step);
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

  it('of which a connection was ended, too', async () => {
    const { call, recheck } = await probedByOneConnection();
    expect(call).toMatchObject({ state: 'done', value: { relay: { lost: [{ failure: {} }] } } });
    expect(recheck).toMatchObject({ state: 'done' });
  });

  it('in which it answered, it is not', async () => {
    const { call, recheck } = await probedUntilFrozen(1000);
    expect(call).toMatchObject({ state: 'done', value: { endedBecause: null } });
    expect(recheck).toMatchObject({ state: 'not-tried' });
  });
});
