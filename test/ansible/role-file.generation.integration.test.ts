import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const script = fileURLToPath(new URL('../../ansible/roles/coturn/files/generation.py', import.meta.url));

/** The program as a host runs it, with the note of who deploys in a directory of its own. */
async function hostIn(
  directory: string,
): Promise<(...args: string[]) => Promise<{ told: string; exitCode: number }>> {
  const text = await readFile(script, 'utf8');
  const place = '"/run/rtc-ops-deployment.json"';
  expect(text).toContain(place);
  const input = text.replace(place, JSON.stringify(join(directory, 'claim.json')));
  return async (command, ...args) => {
    const {
      stdout,
      stderr,
      exitCode = -1,
    } = await execa('python3', ['-', command, join(directory, 'state'), ...args], {
      input,
      reject: false,
    });
    return { told: stdout + stderr, exitCode };
  };
}

needs('root', 'python3', 'systemd').describe('a host', () => {
  it('takes one deployment at a time, goes on with one that was cut off, and tells whose it is', async () => {
    const host = await hostIn(await directoryWith({}));
    const [alice, bob] = ['alice@laptop, process 1', 'bob@laptop, process 2'];
    expect(await host('begin', alice, '')).toMatchObject({ exitCode: 0 });
    expect(await host('begin', alice, '')).toMatchObject({ exitCode: 0 });
    expect(await host('begin', bob, '')).toMatchObject({
      exitCode: 1,
      told: expect.stringContaining(`another deployment is under way here, by ${alice}`) as string,
    });
    expect(await host('begin', bob, alice)).toMatchObject({ exitCode: 0 });
    expect(await host('commit', '5', '[]')).toMatchObject({ exitCode: 0 });
    expect(await host('begin', alice, '')).toMatchObject({ exitCode: 0 });
  });

  it('takes nothing back that another deployment has put there since', async () => {
    const directory = await directoryWith({ managed: 'of bob' });
    const host = await hostIn(directory);
    await host('begin', 'alice', '');
    expect((await host('commit', '5', '[]')).told).toContain('"generation": 1');
    await host('begin', 'bob', '');
    expect((await host('commit', '5', JSON.stringify([join(directory, 'managed')]))).told).toContain(
      '"generation": 2',
    );
    expect(await host('restore', '1', '[]', 'alice', '', '1')).toEqual({
      exitCode: 1,
      told: 'it has generation 2 by now, of another deployment',
    });
    // It is free for the next.
    expect(await host('begin', 'carol', '')).toMatchObject({ exitCode: 0 });
  });
});
