import { describe, expect, it } from 'vitest';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

describe('rtc-ops audit', () => {
  it('refuses a server that is not known to be the user’s own', async () => {
    const { stderr, exitCode } = await rtcOps(['audit', 'turn.example.com'], {
      cwd: await directoryWith({}),
    });
    expect(stderr).toContain('turn.example.com is none of the hosts of rtc-ops.yaml');
    expect(stderr).toContain('--i-own-this');
    expect(exitCode).toBe(2);
  });

  it('takes the hosts of rtc-ops.yaml for the user’s own, and says of a name that is not found', async () => {
    const yaml = 'realm: example.org\nauth: { secret: { env: S } }\nhosts: [turn.rtc-ops.invalid]\n';
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    const args = ['audit', 'turn.rtc-ops.invalid', '--username', 'a', '--password', 'b', '--timeout', '2s'];
    const { stdout, exitCode } = await rtcOps(args, { cwd });
    expect(stdout).toMatch(/^\? unknown/);
    expect(stdout).toContain('not audited: turn.rtc-ops.invalid');
    expect(exitCode).toBe(1);
  });

  it('needs a server that relays', async () => {
    const { stderr, exitCode } = await rtcOps(['audit', 'stun:127.0.0.1']);
    expect(stderr).toContain('127.0.0.1 is named as a STUN server, which relays nothing');
    expect(exitCode).toBe(2);
  });

  it('says of a port where nothing listens that nothing is known', async () => {
    const args = ['audit', 'turn:127.0.0.1:9', '--username', 'a', '--password', 'b', '--format', 'json'];
    const { stdout, exitCode } = await rtcOps(args);
    const report = JSON.parse(stdout) as { servers: { checks: { id: string; status: string }[] }[] };
    const unknown = report.servers[0]?.checks
      .filter(({ status }) => status === 'unknown')
      .map(({ id }) => id);
    expect(unknown).toEqual(
      expect.arrayContaining(['anonymous-relay', 'loopback-peers', 'quota', 'version']),
    );
    expect(exitCode).toBe(1);
  });
});
