import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RecordingReport } from '../../src/model/recording-report.ts';
import { encodeMessage, method } from '../../src/stun/message.ts';
import { ipBytes, pcapOf } from '../support/capture-writer.ts';
import { rtcOps } from '../support/cli.ts';
import { recordingPath } from '../support/recorded-calls.ts';
import { directoryWith } from '../support/temporary.ts';

const refusal = (name: string): string =>
  `2026-11-21T12:50:15+0000: session 000000000000000001: realm <r> user <${name}>: incoming packet message processed, error 401: `;
const expired = refusal('1600000000:alice');

describe('analyze', () => {
  it('names the fault, from standard input', async () => {
    const { stdout, exitCode } = await rtcOps(['analyze', '-'], { input: expired });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✖ Clients came with credentials that had expired +LOG_CREDENTIALS_EXPIRED\n/);
    expect(stdout.match(/credentials that had expired/g)).toHaveLength(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('at 2026-11-21 12:50:15 UTC (1600000000:alice)');
  });

  it('reads gzip, several files at once, and speaks JSON', async () => {
    const directory = await directoryWith({});
    await writeFile(join(directory, 'a'), gzipSync(expired));
    await writeFile(join(directory, 'b'), '0: : Default realm: \n');
    const { stdout, exitCode } = await rtcOps(['analyze', 'a', 'b', '--format', 'json'], { cwd: directory });
    const report = JSON.parse(stdout) as RecordingReport;
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ schemaVersion: 1, command: 'analyze', exitCode: 1 });
    expect(report.findings.map(({ code, subject }) => [code, subject])).toEqual([
      ['LOG_CREDENTIALS_EXPIRED', { kind: 'file', file: 'a' }],
      ['LOG_REALM_EMPTY', { kind: 'file', file: 'b' }],
    ]);
    expect(report.recordings.map(({ kind, facts }) => [kind, facts.file])).toEqual([
      ['server-log', 'a'],
      ['server-log', 'b'],
    ]);
  });

  it('reads a capture beside a log, by what is in it', async () => {
    const directory = await directoryWith({ 'a.pcap': expired });
    const from = { address: '192.0.2.7', port: 51000 };
    const to = { address: '203.0.113.10', port: 3478 };
    const payload = encodeMessage({
      class: 'request',
      method: method.allocate,
      transactionId: Buffer.alloc(12),
    });
    const packets = [0, 1, 3, 7].map((at) => ({ at, bytes: ipBytes({ at, from, to, payload }) }));
    await writeFile(join(directory, 'b.log'), gzipSync(pcapOf(packets)));
    const { stdout, exitCode } = await rtcOps(['analyze', 'a.pcap', 'b.log', '--format', 'json'], {
      cwd: directory,
    });
    const { findings, recordings } = JSON.parse(stdout) as RecordingReport;
    expect([exitCode, recordings.map(({ kind }) => kind)]).toEqual([1, ['server-log', 'capture']]);
    expect(findings.map(({ code }) => code)).toEqual(['LOG_CREDENTIALS_EXPIRED', 'CAPTURE_SERVER_SILENT']);
  });

  it('prints nothing that a terminal obeys', async () => {
    const { stdout } = await rtcOps(['analyze', '-'], { input: refusal('\u001b[2Jx') });
    expect(stdout).toContain('�[2Jx');
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    ['0: : Relay ports initialization done\n', 'there is no call in it'],
    ['0: : session 000000000000000001: delete: realm=<r>, username=<u>\n', 'there is no call in it'],
  ])('without a call does not pass for healthy: %j', async (input, words) => {
    const { stdout, exitCode } = await rtcOps(['analyze', '-'], { input });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(words);
  });

  it.each([
    ['', 'standard input is empty'],
    ['hello\nworld\n', 'standard input is nothing that rtc-ops analyze can read'],
  ])('of %j is an error', async (input, words) => {
    const { stdout, stderr, exitCode } = await rtcOps(['analyze', '-'], { input });
    expect([stdout, exitCode]).toEqual(['', 3]);
    expect(stderr).toContain(words);
  });

  it('of a gzip bomb says so, and how large a file may be', async () => {
    const directory = await directoryWith({});
    await writeFile(join(directory, 'bomb'), gzipSync(`${expired}\n`.repeat(100_000)));
    const { stdout, stderr, exitCode } = await rtcOps(['analyze', 'bomb', '--max-unpacked', '2M'], {
      cwd: directory,
    });
    expect([stdout, exitCode]).toEqual(['', 3]);
    expect(stderr).toMatch(/^rtc-ops: bomb unpacks to more than 2 MB\n.*--max-unpacked/s);
    expect((await rtcOps(['analyze', 'bomb', '--max-unpacked', '1.5X'], { cwd: directory })).exitCode).toBe(
      2,
    );
  });

  it('of no file is a usage error, and of a missing one says so', async () => {
    expect((await rtcOps(['analyze'])).exitCode).toBe(2);
    const { stderr, exitCode } = await rtcOps(['analyze', '/does/not/exist.log']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/cannot read \/does\/not\/exist\.log/);
  });
});

describe('analyze of a dump', () => {
  const dump = (name: string): string => recordingPath(`${name}.internals.gz`);

  it('says in one headline why audio did not flow, with what to type', async () => {
    const { stdout, exitCode } = await rtcOps(['analyze', dump('wrong-password')]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✖ broken {3}the TURN server refused the credentials +TURN_AUTH_FAILED\n/);
    expect(stdout).toContain('rtc-ops credentials check USERNAME PASSWORD');
    expect(stdout).toMatch(/✖ the ICE servers serve +TURN_AUTH_FAILED/);
  });

  it('of a healthy call ends with 0, and draws what flowed', async () => {
    const { stdout, exitCode } = await rtcOps(['analyze', dump('healthy-relay')]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^✔ healthy {3}audio flowed both ways, relay to relay over udp\n/);
    expect(stdout).toMatch(/packets received {2}[▁▂▃▄▅▆▇█]+/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('can be gated on a direction, and on one connection', async () => {
    const args = ['analyze', dump('direction-mismatch'), '--format', 'json'];
    const { stdout, exitCode } = await rtcOps(args);
    const report = JSON.parse(stdout) as RecordingReport;
    expect([exitCode, report.verdict]).toEqual([1, 'broken']);
    const [offering] = report.calls?.calls ?? [];
    const gated = await rtcOps([...args, '--expect', 'send', '--pc', offering?.connection ?? '']);
    expect(gated.exitCode).toBe(0);
  });

  it('gives the whole of it as JSON, with pseudonyms where that is asked for', async () => {
    const { stdout } = await rtcOps(['analyze', dump('one-way'), '--format', 'json', '--redact']);
    const report = JSON.parse(stdout) as RecordingReport;
    expect(report).toMatchObject({
      verdict: 'broken',
      recordings: [{ kind: 'calls', facts: { kind: 'webrtc-internals', writer: 'Chromium 156' } }],
    });
    expect(stdout).toContain('ip4-global-1');
    expect(stdout).not.toMatch(/198\.51\.100|rtc-ops\.test/);
  });

  it.each([
    [['--pc', 'nobody'], 2, /no connection "nobody"/],
    [['--since', 'yesterday'], 2, /Write a duration such as 10m/],
    [['--expect', 'sound'], 2, /Allowed choices are both, send, recv/],
  ])('%j is refused', async (args, code, words) => {
    const { stderr, exitCode } = await rtcOps(['analyze', dump('no-turn'), ...args]);
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(words);
  });

  it('writes one page that needs nothing else', async () => {
    const { stdout } = await rtcOps(['analyze', dump('one-way'), '--format', 'html']);
    expect(stdout).toMatch(/^<!doctype html>/);
    expect(stdout).not.toMatch(/src=|href=/);
  });

  it('of a good call says what a log beside it has of others', async () => {
    const log = recordingPath('joined/wrong-password.log.gz');
    const { stdout, exitCode } = await rtcOps(['analyze', dump('healthy-relay'), log, '--format', 'json']);
    const report = JSON.parse(stdout) as RecordingReport;
    expect([exitCode, report.verdict]).toEqual([1, 'healthy']);
    expect(report.headline).toBe(
      `audio flowed both ways, relay to relay over udp; but in ${log}: Clients came with a password that is not that of the server`,
    );
  });

  it('reads several, and judges the worst', async () => {
    const { stdout } = await rtcOps(['analyze', dump('healthy-direct'), dump('path-lost')]);
    expect(stdout).toMatch(/^✖ broken {3}the connection was up, and then its path died +CONNECTION_LOST\n/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('the worst of 4 with audio');
  });
});
