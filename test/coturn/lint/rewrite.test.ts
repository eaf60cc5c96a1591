import { chmod, readFile, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rewriteFile } from '../../../src/coturn/lint/rewrite.ts';
import { directoryWith } from '../../support/temporary.ts';

const now = new Date('2026-11-21T10:20:30.400Z');
const [before, after] = [Buffer.from('old\n'), Buffer.from('new\n')];

describe('rewriteFile', () => {
  it('keeps the mode, and the old file beside the new one', async () => {
    const directory = await directoryWith({ 'turnserver.conf': 'old\n' });
    const file = join(directory, 'turnserver.conf');
    await chmod(file, 0o640);
    const backup = await rewriteFile({ file, before, after, now });
    expect(backup).toBe(`${file}.bak.20261121T102030Z`);
    expect(await readFile(file, 'utf8')).toBe('new\n');
    expect(await readFile(backup, 'utf8')).toBe('old\n');
    for (const each of [file, backup]) expect((await stat(each)).mode & 0o777).toBe(0o640);
    expect((await readdir(directory)).toSorted()).toEqual([
      'turnserver.conf',
      'turnserver.conf.bak.20261121T102030Z',
    ]);
  });

  it('leaves a symbolic link one', async () => {
    const directory = await directoryWith({ real: 'old\n' });
    await symlink('real', join(directory, 'link'));
    await rewriteFile({ file: join(directory, 'link'), before, after, now });
    expect(await readlink(join(directory, 'link'))).toBe('real');
    expect(await readFile(join(directory, 'real'), 'utf8')).toBe('new\n');
  });

  it('writes nothing over a file that has changed meanwhile, and leaves no draft', async () => {
    const directory = await directoryWith({ f: 'other\n' });
    const file = join(directory, 'f');
    await expect(rewriteFile({ file, before, after, now })).rejects.toThrow(/changed meanwhile/);
    expect(await readFile(file, 'utf8')).toBe('other\n');
    expect(await readdir(directory)).not.toContain(`f.${process.pid}.draft`);
  });

  it('never overwrites a backup', async () => {
    const directory = await directoryWith({ f: 'old\n' });
    const file = join(directory, 'f');
    await writeFile(`${file}.bak.20261121T102030Z`, 'precious');
    await expect(rewriteFile({ file, before, after, now })).rejects.toMatchObject({ code: 'tool-failed' });
    expect(await readFile(`${file}.bak.20261121T102030Z`, 'utf8')).toBe('precious');
    expect(await readFile(file, 'utf8')).toBe('old\n');
  });
});
