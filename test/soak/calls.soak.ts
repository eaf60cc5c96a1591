import { expect, it } from 'vitest';
import type { CallFacts, Failure } from '../../src/model/observations.ts';
import { CallProcess } from '../../src/webrtc/call-process.ts';
import { relayServer } from '../support/relay-server.ts';
import { isRunning } from '../support/running-process.ts';

const calls = 300;
const durationMs = 1000;
const transports = ['udp', 'tcp', 'tls'] as const;

interface Tally {
  good: number;
  /** What was wrong with the others, with the number of the call. */
  readonly bad: string[];
  readonly connectMs: number[];
  readonly totalMs: number[];
}

it(`${calls} calls in a row: none hangs, none crashes, none leaves an allocation`, async () => {
  const server = await relayServer();
  const tally: Tally = { good: 0, bad: [], connectMs: [], totalMs: [] };
  const pids: number[] = [];
  for (let index = 0; index < calls; index++) {
    const transport = transports[index % transports.length] ?? 'udp';
    const begun = performance.now();
    const child = CallProcess.start();
    pids.push(child.pid ?? 0);
    const result = await child.call({
      server: server.listener(transport),
      credential: server.turnCredential,
      durationMs,
      connectTimeoutMs: 5000,
      signal: new AbortController().signal,
    });
    tally.totalMs.push(performance.now() - begun);
    const wrong = result.ok ? faultsOf(result.value) : [describe(result.failure)];
    if (wrong.length === 0) tally.good++;
    else tally.bad.push(`call ${index} over ${transport}: ${wrong.join(', ')}`);
    if (result.ok && result.value.connectMs !== null) tally.connectMs.push(result.value.connectMs);
  }
  process.stdout.write(`${report(tally)}\n`);
  expect(tally.bad).toEqual([]);
  expect(Math.max(...tally.totalMs)).toBeLessThan(durationMs + 5000);
  await expect.poll(server.heldAllocations).toEqual([]);
  expect(pids.filter(isRunning)).toEqual([]);
});

function faultsOf(facts: CallFacts): string[] {
  const faults: string[] = [];
  if (facts.connectError !== null) faults.push(facts.connectError);
  if (
    facts.connectMs !== null &&
    !(facts.pairs.length === 2 && facts.pairs.every(({ relayed }) => relayed))
  ) {
    faults.push(`not relayed at both ends: ${JSON.stringify(facts.pairs)}`);
  }
  for (const { direction, sent, received } of facts.audio) {
    if (sent !== durationMs / 20 || received !== sent) faults.push(`${direction} ${received} of ${sent}`);
  }
  for (const { failure } of facts.relay.lost) faults.push(describe(failure));
  if (!facts.relay.released) faults.push('not released');
  return faults;
}

function describe(failure: Failure): string {
  return JSON.stringify(failure);
}

function report({ good, bad, connectMs, totalMs }: Tally): string {
  const beyondMs = totalMs.map((ms) => ms - durationMs);
  return [
    `${good} of ${calls} calls without a fault`,
    `connected after    p50 ${quantile(connectMs, 0.5)} ms, p95 ${quantile(connectMs, 0.95)} ms, max ${quantile(connectMs, 1)} ms`,
    `beyond the call    p50 ${quantile(beyondMs, 0.5)} ms, p95 ${quantile(beyondMs, 0.95)} ms, max ${quantile(beyondMs, 1)} ms`,
    ...bad,
  ].join('\n');
}

function quantile(values: readonly number[], q: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN).toFixed(0);
}
