import { describe, expect, it } from 'vitest';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const yaml = `realm: example.org
auth: { secret: [{ env: NEW_ONE }, { file: old }] }
hosts: [{ name: a, quotas: { userQuota: 3 } }, b]
`;

describe('config show', () => {
  it('prints each value with its source, and no secret', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml, old: 'hunter2' });
    const { stdout, exitCode } = await rtcOps(['config', 'show'], { cwd, env: { NEW_ONE: 'hunter3' } });
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual(['realm', 'example.org', 'rtc-ops.yaml:1:8']);
    expect(rows).toContainEqual(['listen.udp', '3478', 'default']);
    expect(rows).toContainEqual(['auth.secret[0]', '[redacted]', 'environment NEW_ONE (rtc-ops.yaml:2:18)']);
    expect(rows).toContainEqual(['auth.secret[1]', '[redacted]', 'file old (rtc-ops.yaml:2:36)']);
    expect(stdout).not.toContain('hunter');
    expect(exitCode).toBe(0);
  });

  it('says when a variable is not set', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    expect((await rtcOps(['config', 'show'], { cwd })).stdout).toContain(
      'environment NEW_ONE, which is not set',
    );
  });

  it('speaks JSON, for one host too', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    const { stdout } = await rtcOps(['config', 'show', '--host', 'a', '--format', 'json'], { cwd });
    const { schemaVersion, values } = JSON.parse(stdout) as { schemaVersion: number; values: unknown[] };
    expect(schemaVersion).toBe(1);
    expect(values).toContainEqual({
      key: 'quotas.userQuota',
      value: 3,
      origin: { kind: 'file', line: 3, column: 41 },
    });
    expect(values).toContainEqual({
      key: 'auth.secret[0]',
      value: '[redacted]',
      origin: { kind: 'file', line: 2, column: 18 },
      secret: { env: 'NEW_ONE', isSet: false },
    });
  });

  it.each([
    [['--host', 'x'], 'x is none of the hosts of rtc-ops.yaml', 2],
    [['--config', 'none.yaml'], 'cannot read none.yaml', 3],
  ])('%j is refused', async (args, told, code) => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    const { stdout, stderr, exitCode } = await rtcOps(['config', 'show', ...args], { cwd });
    expect(stderr).toContain(told);
    expect([stdout, exitCode]).toEqual(['', code]);
  });
});

describe('config schema', () => {
  it('is a JSON Schema, and needs no config', async () => {
    const { stdout, exitCode } = await rtcOps(['config', 'schema'], { cwd: await directoryWith({}) });
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      anyOf: [{ required: ['realm'] }, { required: ['provider'] }],
      properties: { profile: { enum: ['turn', 'stun-only'] } },
    });
    expect(exitCode).toBe(0);
  });
});
