import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { installedVersion } from '../../src/coturn/executable.ts';
import { parseVersion } from '../../src/coturn/versions.ts';
import { everyOption, unknownByTable, unknownOptions } from '../support/every-option.ts';
import { needs } from '../support/requirements.ts';

needs('coturn').describe('the installed coturn', () => {
  it('knows exactly the options that the table gives to its version', async () => {
    const version = parseVersion((await installedVersion()) ?? '');
    const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
    const file = join(directory, 'turnserver.conf');
    await writeFile(file, everyOption);
    const { stdout } = await execa('turnserver', ['-c', file, '--pidfile', ''], {
      // Among the options is one that makes it write a log there.
      cwd: directory,
      reject: false,
      timeout: 5000,
    });
    await rm(directory, { recursive: true });
    expect(unknownOptions(stdout)).toEqual(unknownByTable(version));
  });
});
