import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { fileSource, streamSource } from '../../../src/evidence/byte-source.ts';
import { readCapture } from '../../../src/evidence/pcap/capture.ts';
import { readServerLog } from '../../../src/evidence/server-log.ts';
import type { CaptureFacts } from '../../../src/model/capture-facts.ts';
import { judgeAlignment } from '../../../src/rules/analysis/alignment.ts';
import { judgeCapture } from '../../../src/rules/analysis/packets.ts';
import { allocate } from '../../../src/turn/allocation.ts';
import { relayServer, wrongCredential } from '../../support/relay-server.ts';
import { rtcOps } from '../../support/cli.ts';
import { needs } from '../../support/requirements.ts';
import { directoryWith } from '../../support/temporary.ts';

const { signal } = new AbortController();

/** What tcpdump sees on loopback while `work` runs. */
async function captured(filter: string, work: () => Promise<void>): Promise<CaptureFacts> {
  const file = join(await directoryWith({}), 'x.pcap');
  const tcpdump = spawn('tcpdump', ['-i', 'lo', '-U', '-Z', 'root', '-w', file, filter], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void tcpdump.kill('SIGKILL'));
  let said = '';
  tcpdump.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes('listening on')) {
    if (tcpdump.exitCode !== null) throw new Error(`tcpdump ended: ${said}`);
    await sleep(20);
  }
  await work();
  // It looks at the interface once a second.
  await sleep(1200);
  tcpdump.kill('SIGINT');
  await once(tcpdump, 'exit');
  return readCapture(fileSource(file, 'x.pcap'), 'x.pcap');
}

needs('root', 'coturn', 'tcpdump').describe('a capture of a real client and a real coturn', () => {
  it('has the story of a session over UDP and TCP', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    const peer = { address: '127.0.0.1', port: 9 };
    const facts = await captured(`port ${server.port}`, async () => {
      for (const transport of ['udp', 'tcp'] as const) {
        const allocation = await allocate({
          server: server.listener(transport),
          credential: server.turnCredential,
          timeoutMs: 5000,
          signal,
        });
        await allocation.bindChannel(peer);
        for (let n = 0; n < 5; n++) allocation.send(peer, Buffer.alloc(40, 0xc0));
        await sleep(50);
        await allocation.release();
      }
    });
    const sessions = facts.flows.filter(({ turn }) => turn !== null);
    expect(sessions.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
    for (const { turn } of sessions) {
      expect(turn).toMatchObject({
        isClientA: true,
        server: { address: '127.0.0.1', port: server.port },
        username: server.turnCredential.username,
        realm: 'test',
        lifetimeS: 0,
        toPeers: { packets: 5, bytes: 200 },
        fromPeers: { packets: 0 },
        peers: [{ address: '127.0.0.1', isPermitted: true, refusedWith: null, sent: 5, received: 0 }],
      });
      expect(turn?.requests.allocate).toMatchObject({
        requests: 2,
        succeeded: 1,
        errors: [{ code: 401, count: 1 }],
        unanswered: 0,
      });
      expect(turn?.requests.refresh).toMatchObject({ succeeded: 1 });
      expect(turn?.relayed?.address).toBe('127.0.0.1');
    }
    expect(judgeCapture(facts).findings).toEqual([]);

    // The log of the same two sessions, by coturn's own seconds.
    const text = streamSource(Readable.from([Buffer.from(server.coturn.logText())]), 'x.log');
    const [together] = judgeAlignment(await readServerLog(text, 'x.log', Date.now()), facts);
    expect(together).toMatchObject({ code: 'RECORDINGS_ALIGNED', evidence: { log: 'x.log' } });
    const startedAt =
      together !== undefined && 'startedAt' in together.evidence ? together.evidence.startedAt : null;
    expect(Math.abs(Date.parse(startedAt ?? '') - (facts.firstAtMs ?? 0))).toBeLessThan(10_000);
  });

  it('names no error in a probe with a call over UDP and TCP', { timeout: 60_000 }, async () => {
    const server = await relayServer();
    const args = [
      'probe',
      server.urls[0],
      server.urls[1],
      ...server.credential(3600),
      '--call',
      '--duration',
      '2s',
    ];
    const facts = await captured(`port ${server.port}`, async () => {
      expect((await rtcOps(args)).exitCode).toBe(0);
    });
    expect(judgeCapture(facts).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const media = facts.flows.filter(({ rtp, relayedBy }) => relayedBy !== null && rtp.length > 0);
    expect(media.length).toBeGreaterThan(1);
    for (const { rtp, dtls } of media) {
      expect(
        rtp
          .map(({ isFromA, clockRateHz, lost }) => [isFromA, clockRateHz, lost])
          .toSorted(([a], [b]) => Number(a) - Number(b)),
      ).toEqual([
        [false, 48_000, 0],
        [true, 48_000, 0],
      ]);
      expect(dtls).toMatchObject({ isAnswered: true, isEncrypted: true, alerts: [] });
    }
  });

  it('tells credentials that are refused', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    const facts = await captured(`port ${server.port}`, async () => {
      await expect(
        allocate({
          server: server.listener('udp'),
          credential: wrongCredential(server.turnCredential),
          timeoutMs: 5000,
          signal,
        }),
      ).rejects.toThrow('401');
    });
    expect(judgeCapture(facts).findings).toMatchObject([{ code: 'CAPTURE_CREDENTIALS_REFUSED' }]);
  });

  it('tells a port on which nothing listens', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    await server.coturn.stop();
    const facts = await captured(`port ${server.port} or icmp`, async () => {
      for (const transport of ['udp', 'tcp'] as const) {
        await expect(
          allocate({
            server: server.listener(transport),
            credential: server.turnCredential,
            timeoutMs: 2000,
            signal,
          }),
        ).rejects.toThrow('refused');
      }
    });
    expect(
      judgeCapture(facts).findings.map(({ code, evidence }) => [
        code,
        'transport' in evidence && evidence.transport,
      ]),
    ).toEqual([
      ['CAPTURE_PORT_CLOSED', 'udp'],
      ['CAPTURE_PORT_CLOSED', 'tcp'],
    ]);
  });
});
