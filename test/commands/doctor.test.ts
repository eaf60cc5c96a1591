import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/model/doctor-report.ts';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

describe('rtc-ops doctor', () => {
  it('says what it needs where there is nothing to examine', async () => {
    const { stderr, exitCode } = await rtcOps(['doctor'], { cwd: await directoryWith({}) });
    expect(stderr).toContain(
      'nothing to examine: no URL, no --host and no --local was given, and there is no',
    );
    expect(stderr).toContain('rtc-ops doctor turn.example.com');
    expect(exitCode).toBe(2);
  });

  it.each([
    [['doctor', 'turn.example.com', '--symptom', 'silence'], 'Allowed choices are one-way, none'],
    [['doctor', 'http://turn.example.com'], 'is a http URL, not a TURN or STUN URI'],
    [['doctor', 'turn.example.com', '--timeout', '1ms'], 'It must be 100ms to 24h'],
    [['doctor', 'turn.example.com', '--username', 'a'], 'a username was given without a password'],
    [['doctor', 'turn.example.com', '--secret-file', ''], 'Write the path of a file'],
    [['doctor', '--local', '--host', 'root@a.example'], '--local and --host exclude each other'],
    [['doctor', '--host', 'root@a.example', '--host', 'root@b.example'], 'one server is examined at a time'],
    [['doctor', '--host', '-oProxyCommand=true'], 'Write USER@HOST'],
    [['doctor', 'turn.example.com', '--private-key', 'id'], '--private-key is for --host'],
    [['doctor', 'turn.example.com', '--sudo'], '--sudo is for --local and --host'],
    [['doctor', 'turn.example.com', '--ice-servers', 'x'], '--ice-servers has the URLs to look at'],
    [['doctor', '--ice-servers', 'none.json'], '--ice-servers none.json cannot be read: '],
    [['doctor', '--host', 'a.example', '--ssh-common-args', "'"], "has a ' that does not end"],
  ])('refuses %j', async (args, message) => {
    const { stderr, exitCode } = await rtcOps(args, { cwd: await directoryWith({}) });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('judges what an application gives its browsers, also where no URL of it can be asked', async () => {
    const list = [{ urls: 'turn://turn.example.com', username: 'u', credential: 'not-to-be-seen' }];
    const cwd = await directoryWith({ 'ice-servers.json': JSON.stringify(list) });
    const { stdout, exitCode } = await rtcOps(['doctor', '--ice-servers', 'ice-servers.json'], { cwd });
    expect(stdout).toMatch(/broken\s+Browsers refuse the iceServers of the application/);
    expect(stdout).toContain('iceServers[0].urls: turn:turn.example.com');
    expect(stdout).not.toContain('not-to-be-seen');
    expect(exitCode).toBe(1);
  });

  it('says plainly that ssh does not get there, and ends as a tool that failed', async () => {
    // Nothing listens on port 9 (RFC 863) here.
    const args = ['doctor', '--host', 'nobody@127.0.0.1:9', 'turn:127.0.0.1:9', '--format', 'json'];
    const { stdout, stderr, exitCode } = await rtcOps(args, { cwd: await directoryWith({}) });
    expect(stderr).toMatch(/ssh (?:does not get to nobody@127\.0\.0\.1.*port 9|is not installed)/);
    expect(stderr).toMatch(/ssh -o BatchMode=yes nobody@127\.0\.0\.1 true|apt-get install openssh-client/);
    expect(stdout).toBe('');
    expect(exitCode).toBe(4);
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
