import { execa } from 'execa';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firewallRules } from '../../../src/coturn/firewall/backends.ts';
import { firewallScript } from '../../../src/coturn/firewall/script.ts';
import { usualOpenings } from '../../support/openings.ts';
import { directoryWith } from '../../support/temporary.ts';

const script = firewallScript(firewallRules('ufw', usualOpenings));
const told = '#!/bin/sh\necho "${0##*/} $1 $2"\n';

/** What a script calls where there is nothing but these programs. */
async function run(
  programs: Record<string, string>,
  input = script,
): Promise<{ calls: string[]; exitCode?: number | undefined }> {
  const directory = await directoryWith(programs);
  await Promise.all(Object.keys(programs).map(async (name) => chmod(join(directory, name), 0o700)));
  const { stdout, exitCode } = await execa('/bin/sh', ['-s'], {
    input,
    env: { PATH: directory },
    extendEnv: false,
    reject: false,
  });
  return { calls: stdout.split('\n').filter((line) => line !== ''), exitCode };
}

const root = '#!/bin/sh\necho 0\n';
const somebody = '#!/bin/sh\necho 1000\n';
const calls = ['install -D -m', 'ufw app update', 'ufw allow rtc-ops'];

describe('the script for a firewall of the server', () => {
  it('needs no sudo as root', async () => {
    expect(await run({ id: root, install: told, ufw: told })).toEqual({ calls, exitCode: 0 });
  });

  it('goes by sudo as anybody else', async () => {
    const sudo = '#!/bin/sh\necho "sudo $1"\n';
    expect((await run({ id: somebody, sudo })).calls).toEqual(['sudo install', 'sudo ufw', 'sudo ufw']);
  });

  it('stops at what fails, and says so', async () => {
    const failing = `${told}exit 3\n`;
    expect(await run({ id: root, install: failing, ufw: told })).toEqual({
      calls: calls.slice(0, 1),
      exitCode: 3,
    });
  });

  it('leaves the shell alone that it is pasted into', async () => {
    const failing = `${told}exit 3\n`;
    const { calls: seen } = await run(
      { id: root, install: failing, ufw: told },
      `${script}echo still here\n`,
    );
    expect(seen.at(-1)).toBe('still here');
  });

  it('does nothing when a part of it arrives', async () => {
    const part = script.slice(0, script.lastIndexOf('sudo ufw allow'));
    const { calls: seen, exitCode } = await run({ id: root, install: told, ufw: told }, part);
    expect(seen).toEqual([]);
    expect(exitCode).not.toBe(0);
  });
});
