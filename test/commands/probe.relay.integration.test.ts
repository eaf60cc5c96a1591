import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { CheckId } from '../../src/model/check.ts';
import type { CheckReport, Report } from '../../src/model/report.ts';
import { Secret } from '../../src/model/secret.ts';
import { EchoService } from '../../src/net/echo-service.ts';
import { rtcOpsReport } from '../support/cli.ts';
import { loopbackServer, type LoopbackServer } from '../support/loopback-server.ts';
import { needs } from '../support/requirements.ts';

const { describe, it } = needs('coturn');

function argumentsFor(server: LoopbackServer, urls: readonly string[] = [server.urls[0]]): string[] {
  return ['probe', ...urls, '--secret-file', server.secretFile, '--ca', server.certificateFile];
}

function codesOf({ findings }: Report): string[] {
  return findings.map(({ code }) => code).filter((code) => code !== 'VANTAGE_TOO_CLOSE');
}

function checkOf(report: Report, id: CheckId): Pick<CheckReport, 'status' | 'because' | 'detail'> {
  const found = report.targets.flatMap(({ checks }) => checks).find((check) => check.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

describe('a small quota', () => {
  for (const quota of [1, 2, 3, 4]) {
    it(`of ${quota} is not taken for a used up one because of the probe's own allocations`, async () => {
      const server = await loopbackServer([`user-quota=${quota}`]);
      const { report } = await rtcOpsReport([...argumentsFor(server, server.urls), '--no-call']);
      expect(codesOf(report)).toEqual([]);
      expect(report.verdict).toBe('healthy');
    });
  }

  it('of 1 is told as what keeps the call from being made', async () => {
    const server = await loopbackServer(['user-quota=1']);
    const { report, exitCode } = await rtcOpsReport([...argumentsFor(server), '--duration', '1s']);
    expect(codesOf(report)).toEqual(['QUOTA_TOO_SMALL']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'unknown', exitCode: 1 });
    expect(report.headline).toBe('the quota allows 1 allocation at once; a call needs 2');
  });

  it('of the whole server, of 2, is enough for a call', async () => {
    const server = await loopbackServer(['total-quota=2']);
    const { report } = await rtcOpsReport([...argumentsFor(server), '--duration', '1s']);
    expect([codesOf(report), report.verdict]).toEqual([[], 'healthy']);
  });
});

describe('--ports', () => {
  it('tries so many relay ports, once for all listeners of a server', async () => {
    const server = await loopbackServer();
    const args = [...argumentsFor(server, server.urls), '--no-call', '--ports', '24'];
    const { report } = await rtcOpsReport(args);
    expect(report.targets.map(({ checks }) => checks.some(({ id }) => id === 'relay-ports'))).toEqual([
      true,
      false,
      false,
    ]);
    expect(checkOf(report, 'relay-ports')).toMatchObject({ status: 'passed' });
    expect(checkOf(report, 'relay-ports').detail).toMatch(/^2[0-4] ports, \d+ to \d+$/);
  });

  it('goes on one by one under a quota', async () => {
    const server = await loopbackServer(['user-quota=1']);
    const { report } = await rtcOpsReport([...argumentsFor(server), '--no-call', '--ports', '3']);
    expect(report.targets[0]?.observations.ports).toMatchObject({
      value: { stopped: null, samples: { length: 3 } },
    });
    expect(checkOf(report, 'relay-ports').status).toBe('unknown');
  });
});

describe('--peer', () => {
  const secret = randomBytes(16).toString('hex');

  it('has another rtc-ops play the other end of the relay', async () => {
    const server = await loopbackServer();
    const listen = { address: '127.0.0.2', port: 0 };
    const peer = await EchoService.open({ listen, secret: new Secret(secret) });
    onTestFinished(() => peer.close());
    const url = `udp://127.0.0.2:${peer.local.port}`;
    const file = join(server.directory, 'peer.secret');
    await writeFile(file, secret, { mode: 0o600 });
    const args = [...argumentsFor(server), '--no-call', '--peer', url];
    const { report } = await rtcOpsReport([...args, '--peer-secret-file', file]);
    const { outside, allocate } = report.targets[0]?.observations ?? {};
    if (outside?.state !== 'done' || allocate?.state !== 'done') throw new Error('it was not tried');
    expect(outside.value.echo).toMatchObject({ state: 'done', value: { seenFrom: allocate.value.relayed } });
    expect(outside.value.inbound).toMatchObject({ state: 'done', value: { from: { address: '127.0.0.2' } } });
    expect(report.findings).toMatchObject([{ code: 'VANTAGE_TOO_CLOSE', evidence: { provenBy: url } }]);
    expect(JSON.stringify(report)).not.toContain(secret);

    const wrong = await rtcOpsReport(args, { env: { RTC_OPS_PEER_SECRET: 'another secret than that' } });
    expect(codesOf(wrong.report)).toEqual(['OUTSIDE_PEER_SILENT']);
    expect(wrong.report.verdict).toBe('degraded');
  });

  it('that has no address is told of', async () => {
    const server = await loopbackServer();
    const args = [...argumentsFor(server), '--no-call', '--peer', 'udp://nonexistent.invalid:3479'];
    const { report } = await rtcOpsReport(args, { env: { RTC_OPS_PEER_SECRET: secret } });
    expect(codesOf(report)).toEqual(['OUTSIDE_PEER_SILENT']);
    expect(report.findings[0]?.proof).toMatch(/the lookup of udp:\/\/nonexistent\.invalid:3479 failed: /);
  });
});

describe('two servers on one port', () => {
  it('are found, and the refusals that come of it are told as their effect', async () => {
    const server = await loopbackServer();
    const text = [
      'listening-ip=127.0.0.1',
      'relay-ip=127.0.0.1',
      `listening-port=${server.port}`,
      'no-tls',
      'no-dtls',
      'use-auth-secret',
      'static-auth-secret=an-older-one',
      'realm=old.example.com',
      'no-cli',
      'log-file=stdout',
      `pidfile=${join(server.directory, 'older.pid')}`,
      `userdb=${join(server.directory, 'older.db')}`,
    ].join('\n');
    const conf = join(server.directory, 'older.conf');
    await writeFile(conf, text);
    // Not by startCoturn, which would notice that the port is taken.
    const older = spawn('turnserver', ['-c', conf]);
    let log = '';
    older.stdout.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
    onTestFinished(() => void older.kill('SIGKILL'));
    await expect.poll(() => log, { timeout: 10_000 }).toMatch(/main listener thread/);
    const { report, exitCode } = await rtcOpsReport([...argumentsFor(server), '--no-call']);
    const roots = report.findings.filter(
      ({ severity, causedBy }) => severity === 'error' && causedBy === null,
    );
    expect(roots.map(({ code }) => code)).toEqual(['TWO_SERVERS_ANSWER']);
    expect(roots[0]?.proof).toMatch(/of 16: realm old\.example\.com, refuses these credentials/);
    expect(exitCode).toBe(1);
  });
});

describe('300 Try-Alternate', () => {
  it('is followed by the question without credentials as well', async () => {
    const behind = await loopbackServer();
    const server = await loopbackServer([`alternate-server=127.0.0.1:${behind.port}`]);
    const { report } = await rtcOpsReport([...argumentsFor(server), '--no-call']);
    expect(checkOf(report, 'turn-challenge').status).toBe('passed');
    const open = await loopbackServer(['-use-auth-secret', '-static-auth-secret', 'no-auth']);
    const sender = await loopbackServer([`alternate-server=127.0.0.1:${open.port}`]);
    const led = await rtcOpsReport([...argumentsFor(sender), '--no-call']);
    expect(codesOf(led.report)).toContain('ANONYMOUS_RELAY');
    expect(led.report.verdict).toBe('broken');
  });
});
