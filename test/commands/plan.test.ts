import { describe, expect, it } from 'vitest';
import type { PlanReport } from '../../src/model/plan-report.ts';
import { rtcOps } from '../support/cli.ts';

describe('plan', () => {
  it('shows the figures, how they come about, and what others charge, in 80 columns', async () => {
    const { stdout, stderr, exitCode } = await rtcOps(['plan', '--users', '100', '--minutes', '50000']);
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toContain('relay ports    400, relay.ports: 65136-65535\n');
    expect(stdout).toContain(
      'bandwidth      2.2 Mbit/s in and 2.2 Mbit/s out, when 20 are relayed at once\n',
    );
    expect(stdout).toContain('traffic        8.3 GB in and 8.3 GB out a month\n');
    expect(stdout).toContain('machine        1 core, 1 GiB of memory\n');
    expect(stdout).toMatch(/Twilio Network Traversal +\$3\.38 a month\n/);
    expect(stdout).toContain('2026-09-08  https://www.twilio.com/en-us/stun-turn/pricing\n');
    expect(stdout).toContain('Prices change');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('prints the same as JSON, with what was asked', async () => {
    const args = ['plan', '--users', '40', '--minutes', '20000', '--relayed', '100%', '--bitrate', '1500'];
    const { stdout, exitCode } = await rtcOps([...args, '--format', 'json']);
    const report = JSON.parse(stdout) as PlanReport;
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({
      schemaVersion: 1,
      command: 'plan',
      usage: { users: 40, minutes: 20_000, relayedRatio: 1, bitrateBps: 1_500_000, frameMs: 20 },
      capacity: { relay: { ports: 160, range: { min: 65_376, max: 65_535 } }, peak: { relayedUsers: 40 } },
    });
    expect(report.formulas.map(({ name }) => name)).toContain('traffic');
    expect(report.hosted.length).toBeGreaterThan(4);
  });

  it('says that one address is not enough', async () => {
    const { stdout } = await rtcOps(['plan', '--users', '20000', '--minutes', '100000']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('share the users among 2 servers');
  });

  it.each([
    [['--minutes', '10'], "required option '--users <count>'"],
    [['--users', '0', '--minutes', '10'], 'whole number from 1'],
    [['--users', '1e3', '--minutes', '10'], 'whole number from 1'],
    [['--users', '5', '--minutes', '10', '--relayed', '120%'], 'percentage'],
    [['--users', '1', '--minutes', '50000'], 'A month has 44640 minutes'],
  ])('refuses %j', async (args, message) => {
    const { stdout, stderr, exitCode } = await rtcOps(['plan', ...args]);
    expect(stderr).toContain(message);
    expect([stdout, exitCode]).toEqual(['', 2]);
  });
});
