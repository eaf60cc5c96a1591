import { describe, expect, it } from 'vitest';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const config = (hosts: string): string => `realm: r\nhosts: ${hosts}\nauth: { secret: { file: secret } }\n`;

async function run(hosts: string, ...args: string[]): Promise<CliRun> {
  const cwd = await directoryWith({ 'rtc-ops.yaml': config(hosts), secret: 'a secret of the tests\n' });
  // Where Ansible is not: what is wrong with options and config is told before it is needed.
  return rtcOps(args, { cwd, env: { PATH: '' } });
}

describe('rtc-ops deploy', () => {
  it.each([
    [['--local', '--host', 'root@a.example'], '--local and --host exclude each other', 2],
    [['--host', 'root@c.example'], '--host c.example is none of the hosts of rtc-ops.yaml', 2],
    [['--local'], 'it does not say which of the hosts of rtc-ops.yaml this machine is', 2],
    [['--host', '-oProxyCommand=x'], 'Write USER@HOST', 2],
    [['--host', 'a b'], 'Write USER@HOST', 2],
    [['--serial', '0'], 'Write a whole number', 2],
    [['--ca', 'nowhere.pem'], '--ca nowhere.pem cannot be read', 2],
  ])('refuses %j', async (args, text, code) => {
    const { stderr, exitCode, stdout } = await run('[a.example, b.example]', 'deploy', ...args);
    expect(stderr).toContain(text);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
  });

  it.each(['deploy', 'rollback', 'remove'])('needs a host: %s', async (command) => {
    const { stderr, exitCode } = await run('[]', command);
    expect(stderr).toContain('rtc-ops.yaml names no host');
    expect(exitCode).toBe(3);
  });

  it.each(['deploy', 'rollback', 'remove'])('says how to get Ansible: %s', async (command) => {
    const { stderr, exitCode } = await run('[a.example]', command, '--check');
    expect(stderr).toContain('Ansible is needed');
    expect(stderr).toContain('apt-get install ansible-core');
    expect(exitCode).toBe(4);
  });

  it('says what a secret that is missing is', async () => {
    const cwd = await directoryWith({ 'rtc-ops.yaml': config('[a.example]') });
    const { stderr, exitCode } = await rtcOps(['deploy'], { cwd });
    expect(stderr).toContain('secret cannot be read');
    expect(exitCode).toBe(3);
  });
});
