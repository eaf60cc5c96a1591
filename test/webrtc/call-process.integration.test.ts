import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import type { AudioFacts, CallFacts } from '../../src/model/observations.ts';
import { Secret } from '../../src/model/secret.ts';
import { put } from '../../src/stun/attribute.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage } from '../../src/stun/message.ts';
import { judgeCall } from '../../src/rules/call.ts';
import { CallProcess, type CallOptions } from '../../src/webrtc/call-process.ts';
import type { CallProgress } from '../../src/webrtc/call.ts';
import { fatesOf, type Fate, type Impairment } from '../../src/webrtc/impairment.ts';
import { InterarrivalJitter } from '../../src/webrtc/rtp-statistics.ts';
import { criteriaWith, done, healthyFacts, targetOf } from '../support/facts.ts';
import { onlyIpv6, relayServer, wrongCredential, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';
import { isRunning } from '../support/running-process.ts';
import { udpListener, unusedPort } from '../support/strange-listener.ts';

function optionsFor(server: RelayServer, more: Partial<CallOptions> = {}): CallOptions {
  return {
    server: server.listener('udp'),
    credential: server.turnCredential,
    durationMs: 1000,
    connectTimeoutMs: 5000,
    signal: new AbortController().signal,
    ...more,
  };
}

async function factsOf(options: CallOptions): Promise<CallFacts> {
  const result = await CallProcess.start().call(options);
  if (!result.ok) throw new Error(`the call failed: ${JSON.stringify(result.failure)}`);
  return result.value;
}

/** Settles `reached` when media flows. */
function talking(): { onProgress: (progress: CallProgress) => void; reached: Promise<void> } {
  let onProgress = (_progress: CallProgress): void => {};
  const reached = new Promise<void>((resolve) => {
    onProgress = ({ phase }) => (phase === 'talking' ? resolve() : undefined);
  });
  return { onProgress, reached };
}

/** A call during which `happen` comes to pass, a second after media has begun to flow. */
async function factsOfTroubled(options: CallOptions, happen: () => void): Promise<CallFacts> {
  const { onProgress, reached } = talking();
  const call = factsOf({ ...options, onProgress });
  await Promise.race([reached, call]);
  setTimeout(happen, 1000);
  return call;
}

/** Both directions; fails when there are not two. */
function directions({ audio }: CallFacts): [AudioFacts, AudioFacts] {
  const [there, back] = audio;
  if (
    there?.direction !== 'caller-to-callee' ||
    back?.direction !== 'callee-to-caller' ||
    audio.length !== 2
  ) {
    throw new Error(`not the two directions: ${JSON.stringify(audio)}`);
  }
  return [there, back];
}

function judgedAudio(facts: CallFacts): Outcome {
  const target = healthyFacts(targetOf('udp'), { call: done(facts) });
  const context = { criteria: criteriaWith({}), credential: { source: 'none' }, plannedMs: 4000 } as const;
  return judgeCall(target, context)['call-audio'];
}

function expectGoodCall(facts: CallFacts, durationMs: number): void {
  expect(facts.connectError).toBeNull();
  expect(facts.connectMs).toBeGreaterThan(0);
  const relayed = { local: 'relay', remote: 'relay', relayed: true };
  expect(facts.pairs).toEqual([relayed, relayed]);
  for (const audio of directions(facts)) {
    expect(audio).toMatchObject({ sent: durationMs / 20, received: durationMs / 20, lossRatio: 0 });
    expect(audio).toMatchObject({ duplicates: 0, reordered: 0 });
    expect(audio.mos).toBeGreaterThan(4.3);
    expect(audio.rttMs).toBeGreaterThan(0);
    expect(audio.delayMs?.min).toBeGreaterThan(0);
    expect(audio.lastReceivedMs).toBeGreaterThan(durationMs - 200);
  }
  expect(facts.dataChannel?.sent).toBeGreaterThan(2);
  expect(facts.dataChannel?.received).toBe(facts.dataChannel?.sent);
  expect(facts.dataChannel?.rttMs).toBeGreaterThan(0);
  expect(facts).toMatchObject({ endedBecause: null, pacing: { due: durationMs / 20, skipped: 0 } });
  expect(facts.relay).toMatchObject({ lost: [], released: true });
  expect(facts.relay.allocateMs).toBeGreaterThan(0);
}

needs('coturn').describe('a call', () => {
  it.each(['udp', 'tcp', 'tls'] as const)('talks both ways through the relay over %s', async (transport) => {
    const server = await relayServer();
    const facts = await factsOf(optionsFor(server, { server: server.listener(transport) }));
    expect(facts.transport).toBe(transport);
    expectGoodCall(facts, 1000);
    const [caller, callee] = facts.relay.relayed;
    expect(caller?.address).toBe('127.0.0.1');
    expect(caller?.port).not.toBe(callee?.port);
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it.each(['udp', 'tcp', 'tls'] as const)(
    'talks over IPv6, from relay address to relay address, over %s',
    async (transport) => {
      const server = await relayServer(onlyIpv6);
      const facts = await factsOf(optionsFor(server, { server: server.listener(transport), family: 6 }));
      expectGoodCall(facts, 1000);
      expect(facts.relay.relayed.map((relayed) => relayed?.address)).toEqual(['::1', '::1']);
      await expect.poll(server.heldAllocations).toEqual([]);
    },
  );

  it('tells where it is', async () => {
    const progress: CallProgress[] = [];
    const options = optionsFor(await relayServer(), { durationMs: 1200 });
    await factsOf({ ...options, onProgress: (one) => progress.push(one) });
    const phases = new Set(progress.map(({ phase }) => phase));
    expect([...phases]).toEqual(['allocating', 'connecting', 'talking', 'ending']);
    const last = progress.at(-1);
    expect(last).toMatchObject({ phase: 'ending', sent: 120 });
    expect(last?.elapsedMs).toBeGreaterThan(1200);
  });
});

needs('coturn').describe('a call with faults put in on purpose', () => {
  const durationMs = 4000;
  const packets = durationMs / 20;

  /** The fates of the packets to the callee (stream 0) and to the caller (stream 1). */
  function fatesIn(impairment: Impairment, stream: number): Fate[] {
    const source = fatesOf(impairment, stream);
    return Array.from({ length: packets }, () => source.next().value);
  }

  /** What a receiver sees that is never late itself. */
  function theoryOf(fates: readonly Fate[]): { jitter: InterarrivalJitter; medianMs: number } {
    const jitter = new InterarrivalJitter();
    const arrivals = fates.map(({ delayMs }, index) => ({ sentMs: index * 20, atMs: index * 20 + delayMs }));
    for (const { sentMs, atMs } of arrivals.toSorted((a, b) => a.atMs - b.atMs)) jitter.observe(sentMs, atMs);
    const delays = fates.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b);
    return { jitter, medianMs: delays[Math.ceil(delays.length / 2) - 1] ?? NaN };
  }

  /**
   * @returns `lateMs`: by how much a timer of the call's process was late at most, which a busy machine adds to a delay, and
   *   twice to the difference of two
   */
  async function impairedCall(
    impairment: Impairment,
  ): Promise<{ audio: [AudioFacts, AudioFacts]; lateMs: number }> {
    const facts = await factsOf(optionsFor(await relayServer(), { durationMs, impairment }));
    expect(facts.connectError).toBeNull();
    return { audio: directions(facts), lateMs: facts.longestStallMs };
  }

  it('counts every dropped packet', async () => {
    const impairment = { seed: 11, lossRatio: 0.1 };
    const { audio } = await impairedCall(impairment);
    for (const [stream, facts] of audio.entries()) {
      const dropped = fatesIn(impairment, stream).filter((fate) => fate.dropped).length;
      expect(dropped).toBeGreaterThan(8);
      expect(facts).toMatchObject({
        sent: packets,
        received: packets - dropped,
        lossRatio: dropped / packets,
        duplicates: 0,
        reordered: 0,
      });
      // E-model: some 10 % loss, no delay.
      expect(facts.mos).toBeLessThan(3.9);
      expect(facts.mos).toBeGreaterThan(2.5);
    }
  });

  it('counts duplicates, and does not let them hide losses', async () => {
    const impairment = { seed: 12, lossRatio: 0.05, duplicateRatio: 0.2 };
    const { audio } = await impairedCall(impairment);
    for (const [stream, facts] of audio.entries()) {
      const fates = fatesIn(impairment, stream);
      const dropped = fates.filter((fate) => fate.dropped).length;
      const duplicated = fates.filter((fate) => fate.duplicated).length;
      expect(dropped).toBeGreaterThan(2);
      expect(duplicated).toBeGreaterThan(20);
      expect(facts).toMatchObject({ received: packets - dropped, duplicates: duplicated, reordered: 0 });
    }
  });

  it('counts packets that changed places', async () => {
    const impairment = { seed: 13, reorderRatio: 0.1 };
    const { audio } = await impairedCall(impairment);
    for (const [stream, facts] of audio.entries()) {
      const fates = fatesIn(impairment, stream);
      // The last packet has none behind it to change places with, and stays where it is held.
      const lost = fates.at(-1)?.swapped === true ? 1 : 0;
      const swapped = fates.filter((fate) => fate.swapped).length - lost;
      expect(swapped).toBeGreaterThan(8);
      expect(facts).toMatchObject({ received: packets - lost, reordered: swapped, duplicates: 0 });
    }
  });

  it('measures delay and jitter as theory has them', async () => {
    const impairment = { seed: 14, delayMs: { min: 20, max: 180 } };
    const { audio, lateMs } = await impairedCall(impairment);
    for (const [stream, facts] of audio.entries()) {
      const theory = theoryOf(fatesIn(impairment, stream));
      expect(facts).toMatchObject({ received: packets, lossRatio: 0, duplicates: 0 });
      // Delays even over 160 ms: E|D| is 53 ms where packets keep their order, and less where they overtake.
      expect(theory.jitter.meanMs).toBeGreaterThan(30);
      expect(Math.abs(facts.jitterMeanMs - theory.jitter.meanMs)).toBeLessThan(12 + lateMs);
      const p95 = theory.jitter.variation.quantile(0.95) ?? NaN;
      expect(Math.abs((facts.delayVariationMs?.p95 ?? NaN) - p95)).toBeLessThan(25 + 2 * lateMs);
      // A timer is never early by more than a millisecond.
      expect(facts.delayMs?.min).toBeGreaterThan(19);
      expect(facts.delayMs?.p50).toBeGreaterThan(theory.medianMs - 1);
      expect(facts.delayMs?.p50).toBeLessThan(theory.medianMs + 20 + lateMs);
    }
  });

  it('waits for packets that are still under way at the end', async () => {
    const { audio } = await impairedCall({ seed: 15, delayMs: { min: 300, max: 300 } });
    const [there, back] = audio;
    expect(there).toMatchObject({ received: packets, lossRatio: 0 });
    expect(back).toMatchObject({ received: packets, lossRatio: 0 });
    // 300 ms one way: R falls by the delay impairment of some 350 ms mouth to ear.
    expect(there.mos).toBeLessThan(3.9);
  });
});

needs('coturn').describe('a call without a good server', () => {
  it('gives the real error code of a wrong password at once', async () => {
    const server = await relayServer();
    const begun = performance.now();
    const facts = await factsOf(optionsFor(server, { credential: wrongCredential(server.turnCredential) }));
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(facts).toMatchObject({ connectMs: null, audio: [], pairs: [], dataChannel: null });
    expect(facts.connectError).toMatch(/got no allocation/);
    expect(facts.relay.relayed).toEqual([null, null]);
    expect(facts.relay.lost).toEqual([
      { atMs: expect.any(Number), failure: expect.objectContaining({ kind: 'stun-error', code: 401 }) },
    ]);
  });

  it('frees the first allocation when there is no second one', async () => {
    const server = await relayServer(['user-quota=1']);
    const facts = await factsOf(optionsFor(server));
    expect(facts.connectMs).toBeNull();
    expect(facts.relay.relayed.filter((relayed) => relayed !== null).length).toBeLessThan(2);
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'stun-error', code: 486 });
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it('says so when the server denies its own relay address as a peer', async () => {
    const server = await relayServer(['denied-peer-ip=127.0.0.0-127.255.255.255']);
    const begun = performance.now();
    const facts = await factsOf(optionsFor(server));
    expect(performance.now() - begun).toBeLessThan(2500);
    expect(facts.connectMs).toBeNull();
    expect(facts.connectError).toMatch(/no permission for the relay address of the other peer/);
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'stun-error', code: 403 });
    expect(facts.relay.released).toBe(true);
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it('notices at once when a server dies that its kernel speaks for', async () => {
    const server = await relayServer();
    const begun = performance.now();
    const facts = await factsOfTroubled(optionsFor(server, { durationMs: 20_000 }), () =>
      server.coturn.kill('SIGKILL'),
    );
    expect(performance.now() - begun).toBeLessThan(8000);
    expect(facts.connectError).toBeNull();
    const [lost] = facts.relay.lost;
    expect(lost?.failure).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
    expect(facts.endedBecause).toEqual({
      kind: 'relay-lost',
      detail: 'the server ended an allocation',
      atMs: expect.closeTo(lost?.atMs ?? NaN, -2),
    });
    expect(lost?.atMs).toBeGreaterThan(1000);
    expect(lost?.atMs).toBeLessThan(5000);
    expect(facts.relay.released).toBe(false);
    for (const audio of directions(facts)) {
      expect(audio.received).toBeGreaterThan(30);
      expect(audio.sent - audio.received).toBeLessThan(20);
    }
  });

  it.each(['tcp', 'tls'] as const)(
    'notices a server that closes the connection over %s',
    async (transport) => {
      const server = await relayServer();
      const begun = performance.now();
      const options = optionsFor(server, { server: server.listener(transport), durationMs: 20_000 });
      const facts = await factsOfTroubled(options, () => server.coturn.kill('SIGKILL'));
      expect(performance.now() - begun).toBeLessThan(8000);
      expect(facts.relay.lost.length).toBe(1);
      expect(['closed', 'system']).toContain(facts.relay.lost[0]?.failure.kind);
      expect(facts.endedBecause?.kind).toBe('relay-lost');
      for (const audio of directions(facts)) expect(audio.received).toBeGreaterThan(30);
    },
  );

  it('finds out that a server has fallen silent', async () => {
    const server = await relayServer();
    onTestFinished(() => server.coturn.kill('SIGCONT'));
    const begun = performance.now();
    const options = optionsFor(server, { durationMs: 30_000, connectTimeoutMs: 2000 });
    const facts = await factsOfTroubled(options, () => server.coturn.kill('SIGSTOP'));
    expect(facts.endedBecause?.kind).toBe('server-silent');
    // 1 s until it stops, 2 s of silence, 2 s for an answer, 1 s for the release.
    expect(performance.now() - begun).toBeLessThan(12_000);
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'timeout' });
    expect(facts.relay.released).toBe(false);
    for (const audio of directions(facts)) {
      expect(audio.received).toBeGreaterThan(30);
      expect(audio.lastReceivedMs).toBeLessThan(4000);
      expect(audio.lossRatio).toBeGreaterThan(0.2);
    }
  });

  it('says so when a server is silent at the end', async () => {
    const server = await relayServer();
    onTestFinished(() => server.coturn.kill('SIGCONT'));
    const facts = await factsOfTroubled(optionsFor(server, { durationMs: 2000 }), () =>
      server.coturn.kill('SIGSTOP'),
    );
    expect(facts.relay.released).toBe(false);
    // The call had lasted its time: that the release was not confirmed has ended nothing.
    expect(facts.relay.lost).toEqual([]);
    expect(facts.endedBecause).toBeNull();
  });
});

// Beyond the time that a test may take: what waits for it fails.
const farDeadlineMs = 300_000;

describe('a call without any server', () => {
  const credential = { username: 'anyone', password: new Secret('anything') };
  const base = { credential, durationMs: 1000, signal: new AbortController().signal };

  it.each(['udp', 'tcp', 'tls'] as const)('says that nothing listens there, over %s', async (transport) => {
    const endpoint = { address: '127.0.0.1', port: await unusedPort() };
    const facts = await factsOf({
      ...base,
      server: { transport, endpoint, verifyTls: false },
      connectTimeoutMs: farDeadlineMs,
    });
    expect(facts.connectMs).toBeNull();
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
  });

  it.each([437, 442, 508])('passes error %i on at once', async (code) => {
    const port = await udpListener((datagram) => {
      const { method, transactionId } = decodeMessage(datagram);
      const attributes = [put(errorCode, { code, reason: '' })];
      return encodeMessage({ class: 'error', method, transactionId, attributes });
    });
    const facts = await factsOf({
      ...base,
      server: { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false },
      connectTimeoutMs: farDeadlineMs,
    });
    expect(facts.connectMs).toBeNull();
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'stun-error', code });
  });

  it('does not wait for the second allocation when the first is refused', async () => {
    let silentTransaction: string | null = null;
    const port = await udpListener((datagram) => {
      const { method, transactionId } = decodeMessage(datagram);
      silentTransaction ??= transactionId.toString();
      if (transactionId.toString() === silentTransaction) return null;
      const attributes = [put(errorCode, { code: 508, reason: '' })];
      return encodeMessage({ class: 'error', method, transactionId, attributes });
    });
    const facts = await factsOf({
      ...base,
      server: { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false },
      connectTimeoutMs: farDeadlineMs,
    });
    expect(facts.relay.lost.map(({ failure }) => failure)).toEqual([
      expect.objectContaining({ kind: 'stun-error', code: 508 }),
    ]);
  });

  it('gives up on silence when its time is over', async () => {
    const endpoint = { address: '127.0.0.1', port: await udpListener(() => null) };
    const begun = performance.now();
    const facts = await factsOf({
      ...base,
      server: { transport: 'udp', endpoint, verifyTls: false },
      connectTimeoutMs: 1000,
    });
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(facts.connectMs).toBeNull();
    expect(facts.relay.lost[0]?.failure).toMatchObject({ kind: 'timeout' });
  });
});

needs('coturn').describe('CallProcess', () => {
  function startProcess(): { call: CallProcess; pid: number } {
    const call = CallProcess.start();
    if (call.pid === undefined) throw new Error('the process did not start');
    return { call, pid: call.pid };
  }

  it('is gone when the call is over', async () => {
    const { call, pid } = startProcess();
    const result = await call.call(optionsFor(await relayServer()));
    expect(result.ok).toBe(true);
    expect(isRunning(pid)).toBe(false);
  });

  it('ends without having been used', async () => {
    const { call, pid } = startProcess();
    call.close();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('is killed when it freezes', async () => {
    const { call, pid } = startProcess();
    const { onProgress, reached } = talking();
    const running = call.call(optionsFor(await relayServer(), { durationMs: 60_000, onProgress }));
    await reached;
    process.kill(pid, 'SIGSTOP');
    const begun = performance.now();
    expect(await running).toEqual({
      ok: false,
      failure: { kind: 'internal', detail: expect.stringMatching(/froze: no sign of life/) },
    });
    expect(performance.now() - begun).toBeLessThan(8000);
    expect(isRunning(pid)).toBe(false);
  });

  it('tells that it stood still, and how much was not sent for that', async () => {
    const { call, pid } = startProcess();
    onTestFinished(() => void (isRunning(pid) && process.kill(pid, 'SIGCONT')));
    const { onProgress, reached } = talking();
    const running = call.call(optionsFor(await relayServer(), { durationMs: 4000, onProgress }));
    await reached;
    process.kill(pid, 'SIGSTOP');
    // Less than the watchdog takes for a freeze.
    await sleep(2000);
    process.kill(pid, 'SIGCONT');
    const result = await running;
    if (!result.ok) throw new Error(JSON.stringify(result.failure));
    const { audio, pacing, longestStallMs, endedBecause } = result.value;
    expect(longestStallMs).toBeGreaterThan(1800);
    expect(endedBecause).toBeNull();
    expect(pacing?.due).toBe(200);
    expect(pacing?.skipped).toBeGreaterThan(80);
    for (const { sent } of audio) expect(sent).toBe(200 - (pacing?.skipped ?? 0));
    expect(judgedAudio(result.value)).toEqual({
      status: 'unknown',
      because: expect.stringMatching(/^only \d+ of 200 packets were sent: this machine did not run the call/),
    });
  });

  it('says how it died', async () => {
    const { call, pid } = startProcess();
    const { onProgress, reached } = talking();
    const running = call.call(optionsFor(await relayServer(), { durationMs: 60_000, onProgress }));
    await reached;
    process.kill(pid, 'SIGSEGV');
    const result = await running;
    expect(result).toMatchObject({
      ok: false,
      failure: { kind: 'internal', detail: expect.stringContaining('SIGSEGV') },
    });
  });

  it.each(['connecting', 'talking'] as const)(
    'frees its allocations when it is aborted while %s',
    async (wanted) => {
      const server = await relayServer();
      const { call, pid } = startProcess();
      const abort = new AbortController();
      const reason = new Error('enough');
      let abortedAt = Infinity;
      const running = call.call(
        optionsFor(server, {
          durationMs: 60_000,
          signal: abort.signal,
          onProgress: ({ phase }) => {
            if (phase !== wanted) return;
            abortedAt = performance.now();
            abort.abort(reason);
          },
        }),
      );
      await expect(running).rejects.toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(1700);
      expect(isRunning(pid)).toBe(false);
      await expect.poll(server.heldAllocations).toEqual([]);
    },
  );

  it('frees its allocations at whatever moment of allocating it is aborted', async () => {
    const server = await relayServer();
    const reason = new Error('enough');
    for (let afterMs = 0; afterMs < 60; afterMs += 4) {
      const abort = new AbortController();
      const onProgress = ({ phase }: CallProgress): void => {
        if (phase === 'allocating') setTimeout(() => abort.abort(reason), afterMs);
      };
      await expect(
        CallProcess.start().call(optionsFor(server, { signal: abort.signal, onProgress })),
      ).rejects.toBe(reason);
    }
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it('is gone when it is aborted before it has begun', async () => {
    const { call, pid } = startProcess();
    const abort = new AbortController();
    const reason = new Error('enough');
    const running = call.call(optionsFor(await relayServer(), { signal: abort.signal }));
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(isRunning(pid)).toBe(false);
  });

  it('leaves Ctrl-C to its parent', async () => {
    const server = await relayServer();
    const { call, pid } = startProcess();
    const { onProgress, reached } = talking();
    const running = call.call(optionsFor(server, { durationMs: 1500, onProgress }));
    await reached;
    process.kill(pid, 'SIGINT');
    expect(await running).toMatchObject({ ok: true, value: { relay: { released: true } } });
  });
});
