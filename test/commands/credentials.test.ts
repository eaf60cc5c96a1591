import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const env = { RTC_OPS_SECRET: 'foobar' };

async function issue(...args: string[]): Promise<CliRun> {
  return rtcOps(['credentials', 'issue', ...args], { env, cwd: await directoryWith({}) });
}

async function check(args: readonly string[], input?: string): Promise<CliRun> {
  const cwd = await directoryWith({});
  return rtcOps(['credentials', 'check', ...args], { env, cwd, ...(input !== undefined && { input }) });
}

describe('credentials issue', () => {
  it('gives the credential of the draft for a time that is named', async () => {
    const { stdout, stderr, exitCode } = await issue('--expires-at', '1599491771', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      username: '1599491771',
      password: 'Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=',
      expiresAt: 1_599_491_771,
      uris: [],
    });
    expect(stderr).toContain('no server takes it');
    expect(exitCode).toBe(0);
  });

  it('ends twelve hours from now, or as it is told', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const [args, ttl] of [
      [[], 43_200],
      [['--ttl', '7d'], 604_800],
    ] as const) {
      const issued: unknown = JSON.parse((await issue('alice', ...args, '--format', 'json')).stdout);
      expect(issued).toMatchObject({ ttl, username: expect.stringMatching(/^\d+:alice$/) });
      const { expiresAt } = issued as { expiresAt: number };
      expect(expiresAt - ttl - now).toBeLessThan(10);
    }
  });

  it('shows a person what to use and until when', async () => {
    const { stdout } = await issue(
      'alice',
      '--url',
      'turn:turn.example.com',
      '--url',
      'turns:turn.example.com:443',
    );
    expect(stdout).toMatch(
      /^username {2}\d+:alice\npassword {2}\S{27}=\nexpires {3}\S+Z \(in 12 h\)\nuris {6}turn:turn\.example\.com\n {10}turns:turn\.example\.com:443\?transport=tcp\n$/,
    );
  });

  it('makes iceServers that part STUN from TURN', async () => {
    const urls = [
      '--url',
      'stun:s.example.com',
      '--url',
      'turn:t.example.com',
      '--url',
      'turn:t.example.com?transport=tcp',
    ];
    const { stdout } = await issue('--expires-at', '4000000000', ...urls, '--format', 'ice-servers');
    expect(JSON.parse(stdout)).toEqual([
      { urls: ['stun:s.example.com'] },
      {
        urls: ['turn:t.example.com', 'turn:t.example.com?transport=tcp'],
        username: '4000000000',
        credential: expect.stringMatching(/^.{27}=$/),
      },
    ]);
  });

  it('makes variables that a shell reads back', async () => {
    const user = 'a$b`c"d\\e';
    const { stdout } = await issue(
      user,
      '--expires-at',
      '4000000000',
      '--url',
      'turn:t.example.com',
      '--format',
      'env',
    );
    const cwd = await directoryWith({ '.env': stdout });
    const shell = await execa(
      'sh',
      ['-c', '. ./.env; printf "%s|%s|%s" "$TURN_USERNAME" "$TURN_URIS" "$TURN_EXPIRES_AT"'],
      {
        cwd,
      },
    );
    expect(shell.stdout).toBe(`4000000000:${user}|turn:t.example.com|4000000000`);
    const node = await execa(process.execPath, ['--env-file=.env', '-p', 'process.env.TURN_USERNAME'], {
      cwd,
    });
    expect(node.stdout).toBe(`4000000000:${user}`);
  });

  it('makes URIs with the credential in them', async () => {
    const urls = [
      '--url',
      'turn:[2001:db8::1]:3479',
      '--url',
      'turns:t.example.com',
      '--url',
      'stun:s.example.com',
    ];
    const { stdout } = await issue('a@b', '--expires-at', '1599491771', ...urls, '--format', 'uri');
    const [turn = '', turns, stun] = stdout.trimEnd().split('\n');
    expect(turn).toMatch(/^turn:\/\/1599491771%3Aa%40b:[A-Za-z0-9%]+@\[2001:db8::1\]:3479$/);
    expect(turns).toMatch(/^turns:\/\/1599491771%3Aa%40b:\S+@t\.example\.com:5349\?transport=tcp$/);
    expect(stun).toBe('stun://s.example.com:3478');
  });

  it('issues many, each for a user of its own, as one that is issued alone', async () => {
    const { stdout, exitCode } = await issue(
      'load',
      '--count',
      '5000',
      '--expires-at',
      '4000000000',
      '--format',
      'json',
    );
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ username }) => username)).toEqual(
      Array.from({ length: 5000 }, (_, index) => `4000000000:load-${index + 1}`),
    );
    const alone = await issue('load-4711', '--expires-at', '4000000000', '--format', 'json');
    expect({ ...lines[4710], ttl: null }).toEqual({ ...JSON.parse(alone.stdout), ttl: null });
    expect(exitCode).toBe(0);
    const nobody = await issue('--count', '2', '--expires-at', '4000000000');
    expect(nobody.stdout).toMatch(/^4000000000:1 \S{27}=\n4000000000:2 \S{27}=\n$/);
  });

  it('stops when nobody reads on', async () => {
    const command = `"${process.execPath}" bin/rtc-ops.js credentials issue --count 999999 | head -n 1`;
    const startedMs = performance.now();
    const { stdout } = await execa('sh', ['-c', command], { env: { ...env } });
    expect(stdout).toMatch(/^\d+:1 \S{28}$/);
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });

  it('issues with the first secret of a rotation', async () => {
    const cwd = await directoryWith({
      'rtc-ops.yaml': 'realm: r\nauth: { secret: [{ file: new }, { env: OLD_SECRET }] }\n',
      new: 'brand-new',
    });
    const args = ['credentials', 'issue', '--expires-at', '4000000000', '--format', 'json'];
    const issued = JSON.parse((await rtcOps(args, { cwd })).stdout) as { username: string; password: string };
    const given = { env: { OLD_SECRET: 'foobar' }, cwd };
    const checked = await rtcOps(['credentials', 'check', issued.username, issued.password], given);
    expect(checked.stdout).toContain('made with the secret of rtc-ops.yaml (new)');
  });

  it('takes secret and servers from rtc-ops.yaml', async () => {
    const cwd = await directoryWith({
      'rtc-ops.yaml':
        'realm: r\nhosts: [turn.example.com]\nlisten: { tcp: off }\nauth: { secret: { file: s } }\n',
      s: 'foobar\n',
    });
    const args = ['credentials', 'issue', '--expires-at', '1599491771', '--format', 'json'];
    expect(JSON.parse((await rtcOps(args, { cwd })).stdout)).toMatchObject({
      password: 'Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=',
      uris: ['turn:turn.example.com'],
    });
  });

  it.each([
    [['a:b'], 'a colon parts the time from the user', 2],
    [['--ttl', '12'], 'Write a duration such as 30m, 12h or 7d.', 2],
    [['--ttl', '500ms'], 'It must be whole seconds', 2],
    [['--expires-at', 'tomorrow'], 'Write seconds since 1970', 2],
    [['--expires-at', '1599491771000'], 'Then write 1599491771.', 2],
    [['--expires-at', '1599491771', '--ttl', '1h'], 'cannot be used with', 2],
    [['--url', 'http://x'], 'not a TURN or STUN URI', 2],
    [['--format', 'yaml'], 'Allowed choices are human', 2],
    [['--format', 'ice-servers'], 'Add --url turn:HOST, or hosts to rtc-ops.yaml.', 2],
    [["o'ne$ill", '--url', 'turn:t', '--format', 'env'], 'the format env cannot hold the username', 2],
    [['alice', '--url', 'turn:t', '--format', 'synapse'], 'the format synapse has no place for a user', 2],
    [['--expires-at', '4000000000', '--url', 'turn:t', '--format', 'jitsi'], 'no place for --expires-at', 2],
    [['--count', '2', '--format', 'env', '--url', 'turn:t'], 'Take one of human, json, ice-servers, uri.', 2],
    [['--count', '0'], 'Write a whole number from 1 to 999999.', 2],
    [['--secret', 'foobar'], '--secret is no option: what stands on the command line is no secret', 2],
    [['--secret-file', 'missing'], 'the secret file', 2],
  ])('refuses %j', async (args, message, code) => {
    const { stdout, stderr, exitCode } = await issue(...args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
    expect(exitCode).toBe(code);
  });

  it.each([
    ['credentials', 'issue', '--secret=hunter2'],
    ['probe', 'turn.example.org', '--secret', 'hunter2'],
    ['audit', '--static-auth-secret=hunter2', 'turn.example.org'],
    ['lint', '--secret=hunter2'],
    ['peer', '--peer-secret', 'hunter2'],
  ])('is refused with the alternative on any command: %s %s', async (...args) => {
    const { stdout, stderr, exitCode } = await rtcOps(args, { cwd: await directoryWith({}) });
    expect(stderr).toMatch(/is no option: .*\n {2}.*--(?:peer-)?secret-file FILE.*RTC_OPS_(?:PEER_)?SECRET/);
    expect(stdout + stderr).not.toContain('hunter2');
    expect(exitCode).toBe(2);
  });

  it('says where a secret can come from', async () => {
    const { stderr, exitCode } = await rtcOps(['credentials', 'issue'], { cwd: await directoryWith({}) });
    expect(stderr).toContain('Add --secret-file FILE, set RTC_OPS_SECRET');
    expect(exitCode).toBe(2);
  });

  it('says what is wrong with rtc-ops.yaml, as an error of the configuration', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': 'relm: r\n' });
    const { stderr, exitCode } = await rtcOps(['credentials', 'issue'], { cwd });
    expect(stderr).toContain('rtc-ops.yaml:1:1 relm: there is no such key; did you mean realm?');
    expect(exitCode).toBe(3);
  });
});

describe('credentials check', () => {
  const good = ['4000000000:alice', 'jYGgHl7Y8zkJTd/pU2xs0fgUaJE='];

  it('exits with 0 for a valid one', async () => {
    const { stdout, exitCode } = await check(good);
    expect(stdout).toMatch(/^✔ valid {3}until 2096-10-02T07:06:40Z \(in [\d]+ d .*\)\n/);
    expect(exitCode).toBe(0);
  });

  it('names the mistake and exits with 1', async () => {
    const { stdout, exitCode } = await check(['1599491771', 'Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=']);
    expect(stdout).toMatch(
      /^✖ not valid\n\n {2}It ended at 2020-09-07T15:16:11Z, \d+ d .*ago\.\n {2}Fix {2}Issue a new one/,
    );
    expect(exitCode).toBe(1);
  });

  it('speaks JSON, and never of the secret or the password', async () => {
    const { stdout, exitCode } = await check(['4000000000:alice', `${good[1]}x`, '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      valid: false,
      expiresAt: 4_000_000_000,
      source: null,
      problems: [{ kind: 'wrong-secret' }],
    });
    expect(stdout).not.toContain('foobar');
    expect(stdout).not.toContain(good[1]);
    expect(exitCode).toBe(1);
  });

  it('takes the password from standard input, with what is wrong with it', async () => {
    expect((await check([good[0] ?? '', '-'], `${good[1]}\n`)).exitCode).toBe(0);
    expect((await check([good[0] ?? '', '-'], `${good[1]} \n`)).stdout).toContain(
      'blanks or a line break in the password',
    );
    const none = await check([good[0] ?? '', '-'], '');
    expect(none.stderr).toContain('no password came by standard input');
    expect(none.exitCode).toBe(2);
  });

  it('accepts every secret of a rotation, and says which it was', async () => {
    const cwd = await directoryWith({
      'rtc-ops.yaml': 'realm: r\nauth: { secret: [{ file: new }, { file: old }] }\n',
      new: 'brand-new',
      old: 'foobar',
    });
    const { stdout, exitCode } = await rtcOps(['credentials', 'check', ...good], { cwd });
    expect(stdout).toContain('made with the secret of rtc-ops.yaml (old)');
    expect(exitCode).toBe(0);
  });
});
