import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { CallFacts } from '../../src/model/observations.ts';
import { CallProcess } from '../../src/webrtc/call-process.ts';
import { relayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

const durationMs = 70_000;
// Each of them ends several times within the call.
const lifetimes = { permissionSeconds: 20, channelSeconds: 24 };
const lines = ['max-allocate-lifetime=30', 'permission-lifetime=20', 'channel-lifetime=24', 'stale-nonce=25'];

/** Resident memory of a process, in MB. */
function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

const runsOut = needs('coturn');

runsOut.describe('makeCall beyond every lifetime', () => {
  runsOut.it(
    'loses no packet when allocation, permission, channel and nonce expire, and does not grow',
    async () => {
      const server = await relayServer(lines);
      const call = CallProcess.start();
      const memory: number[] = [];
      const watch = setInterval(() => memory.push(residentMb(call.pid ?? 0)), 1000);
      const result = await call.call({
        server: server.listener('udp'),
        credential: server.turnCredential,
        durationMs,
        connectTimeoutMs: 5000,
        lifetimes,
        signal: new AbortController().signal,
      });
      clearInterval(watch);
      if (!result.ok) throw new Error(JSON.stringify(result.failure));
      expectNothingLost(result.value);
      expectAllExpired(server.coturn.logText());
      await expect.poll(server.heldAllocations).toEqual([]);
      // After the first twenty seconds everything is loaded and compiled.
      const [begin, end] = [memory.slice(20, 30), memory.slice(-10)].map((part) => Math.min(...part));
      expect((end ?? NaN) - (begin ?? NaN)).toBeLessThan(8);
    },
    120_000,
  );
});

function expectNothingLost(facts: CallFacts): void {
  expect(facts.connectError).toBeNull();
  expect(facts.relay).toMatchObject({ lost: [], released: true });
  expect(facts.audio.length).toBe(2);
  for (const audio of facts.audio) {
    expect(audio).toMatchObject({ sent: durationMs / 20, received: durationMs / 20, duplicates: 0 });
    expect(audio.rttMs).toBeGreaterThan(0);
  }
  // Five a second, from when the channel is open.
  expect(facts.dataChannel?.sent).toBeGreaterThan(340);
  expect(facts.dataChannel?.received).toBe(facts.dataChannel?.sent);
}

/** By coturn's log: how often each of two sessions was extended, and that nonces were refused as stale. */
function expectAllExpired(log: string): void {
  const count = (pattern: RegExp): number => log.match(pattern)?.length ?? 0;
  expect(count(/refreshed, .* lifetime=30\b/g)).toBeGreaterThanOrEqual(2 * 2);
  expect(count(/peer 127\.0\.0\.1 lifetime updated: 20\b/g)).toBeGreaterThanOrEqual(2 * 3);
  expect(count(/Wrong nonce|stale nonce|error 438/gi)).toBeGreaterThanOrEqual(2);
}
