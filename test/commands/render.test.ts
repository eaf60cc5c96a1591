import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const secret = 'a-secret-that-no-output-may-show';
const yaml = 'realm: example.org\nauth: { secret: { file: secret } }\n';
const twoHosts = `${yaml}hosts:
  - { name: a.example.org, addresses: [203.0.113.1] }
  - { name: b.example.org, addresses: [203.0.113.2] }
`;

async function directory(text: string): Promise<string> {
  return directoryWith({ 'rtc-ops.yaml': text, secret: `${secret}\n` });
}

async function render(text: string, ...args: string[]): Promise<CliRun> {
  return rtcOps(['render', ...args], { cwd: await directory(text) });
}

describe('render', () => {
  it('prints the config for the coturn that Debian ships, without the secret', async () => {
    const { stdout, stderr, exitCode } = await render(yaml);
    expect(stdout).toMatch(/^# turnserver\.conf for coturn 4\.6\.1,/);
    expect(stdout).toContain('\nrealm=example.org\nuse-auth-secret\n# static-auth-secret=[redacted]\n');
    expect(stdout).not.toContain(secret);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('tells what counts for nothing in a server that does not relay', async () => {
    const text = `${yaml}profile: stun-only\nquotas: { userQuota: 5 }\nlisten: { udp: 3479, tcp: 3479 }\n`;
    const { stderr, exitCode } = await render(text);
    expect(stderr).toBe('rtc-ops: auth, quotas count for nothing with the profile stun-only\n');
    expect(exitCode).toBe(0);
    expect((await render(text, '--quiet')).stderr).toBe('');
  });

  it('prints it without reading the secret', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': yaml });
    expect((await rtcOps(['render'], { cwd })).exitCode).toBe(0);
  });

  it('prints it for another version and another host', async () => {
    const { stdout } = await render(twoHosts, '--coturn-version', '4.17', '--host', 'b.example.org');
    expect(stdout).toMatch(/^# turnserver\.conf for coturn 4\.17\.2,/);
    expect(stdout).toContain('listening-ip=203.0.113.2');
    expect(stdout).not.toContain('no-cli');
  });

  it('writes the file as it lands, for its owner alone', async () => {
    const cwd = await directory(yaml);
    const { stdout, exitCode } = await rtcOps(['render', '--out', 'out/here'], { cwd });
    const file = join(cwd, 'out', 'here', 'turnserver.conf');
    expect(stdout).toBe(`${file}\n`);
    expect(exitCode).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const shown = (await rtcOps(['render'], { cwd })).stdout;
    const written = await readFile(file, 'utf8');
    expect(written).toBe(shown.replace('# static-auth-secret=[redacted]', `static-auth-secret=${secret}`));
  });

  it('writes one for each host that has addresses of its own', async () => {
    const cwd = await directory(twoHosts);
    await rtcOps(['render', '--out', 'out'], { cwd });
    expect((await readdir(join(cwd, 'out'))).toSorted()).toEqual(['a.example.org', 'b.example.org']);
    const second = await readFile(join(cwd, 'out', 'b.example.org', 'turnserver.conf'), 'utf8');
    expect(second).toContain('relay-ip=203.0.113.2');
  });

  it('replaces what was there, and leaves nothing else', async () => {
    const cwd = await directory(yaml);
    await mkdir(join(cwd, 'out'));
    await writeFile(join(cwd, 'out', 'turnserver.conf'), 'old', { mode: 0o644 });
    await rtcOps(['render', '--out', 'out'], { cwd });
    expect(await readdir(join(cwd, 'out'))).toEqual(['turnserver.conf']);
    expect((await stat(join(cwd, 'out', 'turnserver.conf'))).mode & 0o777).toBe(0o600);
  });

  it('leaves what was there when it cannot write', async () => {
    const cwd = await directory(yaml);
    await mkdir(join(cwd, 'out', 'turnserver.conf'), { recursive: true });
    const { stderr, exitCode } = await rtcOps(['render', '--out', 'out'], { cwd });
    expect(stderr).toContain('cannot write');
    expect(exitCode).toBe(2);
    expect(await readdir(join(cwd, 'out'))).toEqual(['turnserver.conf']);
  });

  it.each(['file', 'file/below', '/proc/nothing', '/proc/nothing/below'])(
    'into %s is refused, as no directory can be made there',
    async (out) => {
      const cwd = await directory(yaml);
      await writeFile(join(cwd, 'file'), 'a');
      const { stdout, stderr, exitCode } = await rtcOps(['render', '--out', out], { cwd });
      expect(stderr).toContain('--out: cannot write');
      expect([stdout, exitCode]).toEqual(['', 2]);
    },
  );

  it.each([
    [yaml, ['--coturn-version', '4.19.0'], 'coturn 4.19.0 is not a known version', 2],
    [yaml, ['--host', 'x'], 'x is none of the hosts of rtc-ops.yaml', 2],
    [twoHosts, [], 'Add --host with one of a.example.org, b.example.org.', 2],
    ['relm: x', [], 'rtc-ops.yaml:1:1 relm: there is no such key; did you mean realm?', 3],
    [yaml, ['--config', 'other.yaml'], 'cannot read other.yaml', 3],
  ])('of %j with %j is refused', async (text, args, message, code) => {
    const { stdout, stderr, exitCode } = await render(text, ...args);
    expect(stderr).toContain(message);
    expect([stdout, exitCode]).toEqual(['', code]);
  });

  it('without a config says so', async () => {
    const { stderr, exitCode } = await rtcOps(['render'], { cwd: await directoryWith({}) });
    expect(stderr).toContain('there is no rtc-ops.yaml in');
    expect(exitCode).toBe(3);
  });
});
