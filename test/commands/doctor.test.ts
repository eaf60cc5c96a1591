import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/model/doctor-report.ts';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

describe('rtc-ops doctor', () => {
  it('says what it needs where there is nothing to examine', async () => {
    const { stderr, exitCode } = await rtcOps(['doctor'], { cwd: await directoryWith({}) });
    expect(stderr).toContain('nothing to examine: no URL was given, and there is no rtc-ops.yaml');
    expect(stderr).toContain('rtc-ops doctor turn.example.com');
    expect(exitCode).toBe(2);
  });

  it.each([
    [['doctor', 'turn.example.com', '--symptom', 'silence'], 'Allowed choices are one-way, none'],
    [['doctor', 'http://turn.example.com'], 'is a http URL, not a TURN or STUN URI'],
    [['doctor', 'turn.example.com', '--timeout', '1ms'], 'It must be 100ms to 24h'],
    [['doctor', 'turn.example.com', '--username', 'a'], 'a username was given without a password'],
    [['doctor', 'turn.example.com', '--secret-file', ''], 'Write the path of a file'],
  ])('refuses %j', async (args, message) => {
    const { stderr, exitCode } = await rtcOps(args, { cwd: await directoryWith({}) });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('examines the hosts of rtc-ops.yaml, and says of a name that is not found what users feel', async () => {
    const yaml = 'realm: example.org\nauth: { secret: { env: S } }\nhosts: [turn.rtc-ops.invalid]\n';
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    const args = ['doctor', '--username', 'a', '--password', 'b', '--symptom', 'none', '--timeout', '2s'];
    const { stdout, exitCode } = await rtcOps([...args, '--format', 'json'], { cwd });
    const report = JSON.parse(stdout) as DoctorReport;
    expect(report).toMatchObject({ schemaVersion: 1, command: 'doctor', symptom: { id: 'none' } });
    // A resolver that does not answer leaves it unknown.
    expect(['broken', 'unknown']).toContain(report.verdict);
    expect(report.client?.probe.command).toBe('probe');
    expect(exitCode).toBe(1);
  });
});
