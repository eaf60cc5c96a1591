import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CommandContext } from '../../src/commands/context.ts';
import { define } from '../../src/commands/init.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/config.ts';
import { rtcOps } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

async function configIn(directory: string): Promise<Config> {
  return parseConfig(await readFile(join(directory, 'rtc-ops.yaml'), 'utf8'), 'rtc-ops.yaml');
}

describe('init', () => {
  it('writes a config that renders, and a secret of 256 bits for nobody else', async () => {
    const cwd = await directoryWith({});
    const { stdout, exitCode } = await rtcOps(
      ['init', '--host', 'turn.example.com', '--tls', 'certbot', '--email', 'ops@example.com'],
      { cwd },
    );
    expect(stdout).toBe(`${join(cwd, 'rtc-ops.yaml')}\n${join(cwd, 'rtc-ops.secret')}\n`);
    expect(exitCode).toBe(0);
    const secret = await readFile(join(cwd, 'rtc-ops.secret'), 'utf8');
    expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stat(join(cwd, 'rtc-ops.secret'))).mode & 0o777).toBe(0o600);
    const text = await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8');
    expect(text).not.toContain(secret.trim());
    expect(parse(text)).toMatchObject({
      profile: 'turn',
      realm: 'turn.example.com',
      auth: { secret: { file: 'rtc-ops.secret' } },
      tls: { certbot: { email: 'ops@example.com' } },
    });
    const rendered = await rtcOps(['render', '--out', 'out'], { cwd });
    expect([rendered.stderr, rendered.exitCode]).toEqual(['', 0]);
  });

  it('makes another secret each time', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(async () => {
        const cwd = await directoryWith({});
        await rtcOps(['init', '--host', 'a'], { cwd });
        return readFile(join(cwd, 'rtc-ops.secret'), 'utf8');
      }),
    );
    expect(one).not.toBe(two);
  });

  it.each([
    [['--tls', 'off'], null],
    [['--tls', 'files'], { certbot: null }],
    [['--tls', 'certbot'], { certbot: { email: null, challenge: 'http-01' } }],
    [[], null],
  ])('takes %j', async (args, tls) => {
    const cwd = await directoryWith({});
    await rtcOps(['init', '--host', '203.0.113.5', '--realm', 'off: #x', ...args], { cwd });
    expect((await configIn(cwd)).tls).toEqual(
      tls === null
        ? null
        : expect.objectContaining({ certbot: tls.certbot && expect.objectContaining(tls.certbot) }),
    );
  });

  it('needs no secret for a server that does not relay', async () => {
    const cwd = await directoryWith({});
    const { exitCode } = await rtcOps(['init', '--host', '::1', '--profile', 'stun-only'], { cwd });
    expect(exitCode).toBe(0);
    expect(await readdir(cwd)).toEqual(['rtc-ops.yaml']);
    expect(await configIn(cwd)).toMatchObject({
      profile: 'stun-only',
      secrets: [],
      hosts: [{ name: '::1' }],
    });
  });

  it('leaves what is there, and with --force the secret all the same', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': 'mine', 'rtc-ops.secret': 'hunter2' });
    const refused = await rtcOps(['init', '--host', 'a'], { cwd });
    expect(refused.stderr).toContain('rtc-ops.yaml is there already');
    expect(refused.exitCode).toBe(2);
    expect(await readFile(join(cwd, 'rtc-ops.yaml'), 'utf8')).toBe('mine');
    const forced = await rtcOps(['init', '--host', 'a', '--force'], { cwd });
    expect([forced.stdout, forced.exitCode]).toEqual([`${join(cwd, 'rtc-ops.yaml')}\n`, 0]);
    expect(forced.stderr).toContain('kept the secret in');
    expect((await configIn(cwd)).realm).toBe('a');
    expect(await readFile(join(cwd, 'rtc-ops.secret'), 'utf8')).toBe('hunter2');
  });

  it('leaves a secret that lies there alone', async () => {
    const cwd = await directoryWith({ 'rtc-ops.secret': 'hunter2' });
    expect((await rtcOps(['init', '--host', 'a'], { cwd })).stderr).toContain(
      'rtc-ops.secret is there already',
    );
    expect(await readdir(cwd)).toEqual(['rtc-ops.secret']);
  });

  it('leaves nothing behind when it cannot write all of it', async () => {
    const cwd = await directoryWith({});
    await mkdir(join(cwd, 'rtc-ops.yaml'));
    await writeFile(join(cwd, 'rtc-ops.yaml', 'x'), '');
    const { stderr, exitCode } = await rtcOps(['init', '--host', 'a', '--force'], { cwd });
    expect(stderr).toContain('cannot write');
    expect(exitCode).toBe(2);
    expect(await readdir(cwd)).toEqual(['rtc-ops.yaml']);
  });

  it.each([
    [[], '--host is missing, and there is no terminal to ask on'],
    [['--host', 'a b'], '--host a b: must be a host name or an IP address'],
    [['--host', 'a', '--realm', 'x\ny'], 'must be text without quotes, line breaks'],
    [['--host', 'a', '--tls', 'certbot', '--email', 'me'], '--email me: must be an e-mail address'],
    [['--host', 'a', '--email', 'a@example.org'], '--email is for --tls certbot alone'],
    [['--host', 'a', '--tls', 'on'], 'Allowed choices are certbot, files, off'],
  ])('of %j is refused', async (args, told) => {
    const cwd = await directoryWith({});
    const { stderr, exitCode } = await rtcOps(['init', ...args], { cwd });
    expect(stderr).toContain(told);
    expect(exitCode).toBe(2);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('init on a terminal', () => {
  async function answering(
    args: string[],
    answers: string[],
  ): Promise<{ asked: string[]; told: string; cwd: string }> {
    const cwd = await directoryWith({});
    const [asked, left]: [string[], string[]] = [[], [...answers]];
    let told = '';
    const context: CommandContext = {
      stdout: () => {},
      stderr: (text) => void (told += text),
      ask: async (question) => {
        asked.push(question);
        return left.shift() ?? '';
      },
      stdin: async () => '',
      env: {},
      workingDirectory: cwd,
      signal: new AbortController().signal,
      stdoutIsTerminal: true,
      stdoutIsClosed: false,
      stderrIsTerminal: true,
      stdinIsTerminal: true,
      onHangUp: () => {},
      columns: 80,
      stderrColumns: 80,
      now: () => new Date(),
      exitWith: () => {},
    };
    const command = new Command('init');
    define(command, context);
    await command.parseAsync(args, { from: 'user' });
    return { asked, told, cwd };
  }

  it('asks for what no option says, again when the answer cannot be', async () => {
    const { asked, told, cwd } = await answering(
      [],
      ['a b', 'turn.example.com', '', 'stun-only', 'tls', 'off'],
    );
    expect(asked).toEqual([
      'Name or address that clients dial: ',
      'Name or address that clients dial: ',
      'Realm of the credentials [turn.example.com]: ',
      'Profile, turn or stun-only [turn]: ',
      'Certificate for TLS, certbot, files or off [certbot]: ',
      'Certificate for TLS, certbot, files or off [certbot]: ',
    ]);
    expect(told).toBe('  must be a host name or an IP address\n  must be certbot or files or off\n');
    expect(await configIn(cwd)).toMatchObject({ profile: 'stun-only', realm: 'turn.example.com', tls: null });
  });

  it('takes an empty answer for what it proposes', async () => {
    const { asked, cwd } = await answering(['--host', 'a.example.org'], []);
    expect(asked.at(-1)).toBe('E-mail address for the certificate authority (may be empty): ');
    expect(await configIn(cwd)).toMatchObject({ profile: 'turn', tls: { certbot: { email: null } } });
  });

  it('asks nothing when all is said', async () => {
    const args = ['--host', 'a', '--realm', 'r', '--profile', 'turn', '--tls', 'off'];
    expect((await answering(args, [])).asked).toEqual([]);
  });
});
