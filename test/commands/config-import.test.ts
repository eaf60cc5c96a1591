import { chmod, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const conf = `listening-ip=172.16.0.10
external-ip=203.0.113.10/172.16.0.10
use-auth-secret
static-auth-secret=a-secret-that-no-output-may-show
realm=turn.example.org
mobility
`;

describe('config import', () => {
  it('writes a config that renders, with the secret beside it, and lists what it left', async () => {
    const cwd = await directoryWith({ 'turnserver.conf': conf });
    const { stdout, stderr, exitCode } = await rtcOps(['config', 'import', 'turnserver.conf'], { cwd });
    expect(stdout).toBe(`${join(cwd, 'rtc-ops.secret')}
${join(cwd, 'rtc-ops.yaml')}

Not carried over, or not as it is:
  turnserver.conf denied-peer-ip: 22 special ranges that were open are denied from here on, such as 10.0.0.0/8; peers.allow excepts
  turnserver.conf:6 mobility: rtc-ops.yaml has no key for it
`);
    expect([stderr, exitCode]).toEqual(['', 0]);
    const yaml = await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8');
    expect(yaml).not.toContain('a-secret');
    expect(await readFile(join(cwd, 'rtc-ops.secret'), 'utf8')).toBe('a-secret-that-no-output-may-show\n');
    expect((await stat(join(cwd, 'rtc-ops.secret'))).mode & 0o777).toBe(0o600);
    await rtcOps(['render', '--out', 'out'], { cwd });
    const rendered = await readFile(join(cwd, 'out', 'turnserver.conf'), 'utf8');
    expect(rendered).toContain('external-ip=203.0.113.10/172.16.0.10\n');
    expect(rendered).toContain('static-auth-secret=a-secret-that-no-output-may-show\n');
  });

  it('speaks JSON, takes the host, and makes a secret where there is none', async () => {
    const cwd = await directoryWith({ 'turnserver.conf': 'realm=r\nlt-cred-mech\n' });
    const args = ['config', 'import', 'turnserver.conf', '--host', 'turn.example.org', '--format', 'json'];
    const { stdout } = await rtcOps(args, { cwd });
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      files: [join(cwd, 'rtc-ops.secret'), join(cwd, 'rtc-ops.yaml')],
      kept: [],
      notCarried: expect.arrayContaining([
        {
          line: null,
          name: 'auth.secret',
          because: expect.stringContaining('a new one is in rtc-ops.secret'),
        },
      ]),
    });
    expect(await readFile(join(cwd, 'rtc-ops.secret'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8')).toContain('name: turn.example.org');
  });

  it('reads standard input', async () => {
    const cwd = await directoryWith({});
    const { stdout, exitCode } = await rtcOps(['config', 'import', '-'], { cwd, input: conf });
    expect(stdout).toContain('  -:6 mobility: rtc-ops.yaml has no key for it\n');
    expect(exitCode).toBe(0);
  });

  it('overwrites nothing without --force', async () => {
    const cwd = await directoryWith({ 'turnserver.conf': conf, 'rtc-ops.yaml': 'mine' });
    const refused = await rtcOps(['config', 'import', 'turnserver.conf'], { cwd });
    expect(refused.stderr).toContain('rtc-ops.yaml is there already');
    expect([refused.stdout, refused.exitCode]).toEqual(['', 2]);
    expect((await readdir(cwd)).toSorted()).toEqual(['rtc-ops.yaml', 'turnserver.conf']);
    expect(await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8')).toBe('mine');
    const forced = await rtcOps(['config', 'import', 'turnserver.conf', '--force'], { cwd });
    expect(forced.exitCode).toBe(0);
    expect(await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8')).toContain('realm: turn.example.org');
  });

  it('gives each config secrets of its own, and keeps what --force replaces', async () => {
    const cwd = await directoryWith({
      'turnserver.conf': conf,
      'rtc-ops.secret': 'of rtc-ops.yaml\n',
      'other.yaml': 'old',
      'other.secret': 'old secret',
    });
    await chmod(join(cwd, 'other.secret'), 0o600);
    const args = ['--config', 'other.yaml', 'config', 'import', 'turnserver.conf', '--force'];
    const { stdout, exitCode } = await rtcOps(args, { cwd });
    expect(exitCode).toBe(0);
    expect(await readFile(join(cwd, 'rtc-ops.secret'), 'utf8')).toBe('of rtc-ops.yaml\n');
    expect(await readFile(join(cwd, 'other.secret'), 'utf8')).toBe('a-secret-that-no-output-may-show\n');
    expect(await readFile(join(cwd, 'other.yaml'), 'utf8')).toContain('file: other.secret');
    const kept = (await readdir(cwd)).filter((name) => name.includes('.bak.')).toSorted();
    expect(kept.map((name) => name.replace(/\d{8}T\d{6}Z$/, ''))).toEqual([
      'other.secret.bak.',
      'other.yaml.bak.',
    ]);
    expect(await Promise.all(kept.map(async (name) => readFile(join(cwd, name), 'utf8')))).toEqual([
      'old secret',
      'old',
    ]);
    expect((await stat(join(cwd, kept[0] ?? ''))).mode & 0o777).toBe(0o600);
    expect(stdout).toContain(`What was there before:\n  ${join(cwd, kept[0] ?? '')}\n`);
    // The same once more changes nothing, so nothing is kept.
    const again = await rtcOps(args, { cwd });
    expect(again.stdout).not.toContain('before');
  });

  it('leaves everything as it was when it cannot write all', async () => {
    const cwd = await directoryWith({ 'turnserver.conf': conf, 'other.secret': 'old secret' });
    await mkdir(join(cwd, 'other.yaml'));
    const args = ['--config', 'other.yaml', 'config', 'import', 'turnserver.conf', '--force'];
    const { stderr, exitCode } = await rtcOps(args, { cwd });
    expect(stderr).toContain('cannot write');
    expect(exitCode).toBe(2);
    expect((await readdir(cwd)).toSorted()).toEqual(['other.secret', 'other.yaml', 'turnserver.conf']);
    expect(await readFile(join(cwd, 'other.secret'), 'utf8')).toBe('old secret');
  });

  it.each([
    ['realm=r\n', 'none.conf', 'cannot read none.conf', 2],
    ['realm=" x"\n', 'turnserver.conf', 'what the file says cannot stand in rtc-ops.yaml: must be text', 3],
  ])('of %j refuses %s', async (text, name, told, code) => {
    const cwd = await directoryWith({ 'turnserver.conf': text });
    const { stderr, exitCode } = await rtcOps(['config', 'import', name], { cwd });
    expect(stderr).toContain(told);
    expect(exitCode).toBe(code);
    expect(await readdir(cwd)).toEqual(['turnserver.conf']);
  });
});
