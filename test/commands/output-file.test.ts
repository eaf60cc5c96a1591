import { chmod, mkdir, readFile, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { openOutputFile } from '../../src/commands/output-file.ts';
import { directoryWith } from '../support/temporary.ts';

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

describe('an output file', () => {
  it('appears only when it is written, whole, with nothing beside it', async () => {
    const directory = await directoryWith({});
    const file = join(directory, 'rtc.prom');
    const output = await openOutputFile(file, 0o644);
    expect(await readdir(directory)).toEqual([]);
    await output.write('one\n');
    await output.write('two\n');
    expect(await readFile(file, 'utf8')).toBe('two\n');
    expect(await readdir(directory)).toEqual(['rtc.prom']);
  });

  it('has the mode that is asked for, whatever the umask and the file before it', async () => {
    const directory = await directoryWith({ 'old.prom': 'old' });
    const before = process.umask(0o077);
    try {
      for (const name of ['old.prom', 'new.prom']) {
        await (await openOutputFile(join(directory, name), 0o644)).write('x');
        expect(await modeOf(join(directory, name))).toBe(0o644);
      }
    } finally {
      process.umask(before);
    }
  });

  it('keeps its mode, and the link that leads to it', async () => {
    const directory = await directoryWith({ 'report.json': 'old' });
    const file = join(directory, 'report.json');
    await chmod(file, 0o640);
    await symlink(file, join(directory, 'latest.json'));
    await (await openOutputFile(join(directory, 'latest.json'), null)).write('new');
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await modeOf(file)).toBe(0o640);
  });

  it('is made where a link leads to that has nothing behind it yet, and the links stay', async () => {
    const directory = await directoryWith({});
    await mkdir(join(directory, 'reports'));
    const link = join(directory, 'latest.json');
    await symlink('reports/current.json', link);
    await symlink('today.json', join(directory, 'reports/current.json'));
    const output = await openOutputFile(link, null);
    expect(await readdir(join(directory, 'reports'))).toEqual(['current.json']);
    await output.write('new');
    expect(await readFile(join(directory, 'reports/today.json'), 'utf8')).toBe('new');
    expect(await readlink(link)).toBe('reports/current.json');
  });

  it.each([
    ['latest.json', 'ELOOP'],
    ['gone/report.json', 'ENOENT'],
  ])('is refused behind a link to %s, which leads nowhere', async (target, code) => {
    const directory = await directoryWith({});
    const link = join(directory, 'latest.json');
    await symlink(target, link);
    await expect(openOutputFile(link, null)).rejects.toMatchObject({ code: 'usage', cause: { code } });
    expect(await readlink(link)).toBe(target);
  });

  it('may be a device', async () => {
    await (await openOutputFile('/dev/null', null)).write('x');
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('is never seen in part by who reads it', async () => {
    const file = join(await directoryWith({}), 'report.json');
    const output = await openOutputFile(file, null);
    const texts = ['a'.repeat(1_000_000), 'b'.repeat(1_000_000)];
    await output.write(texts[0] ?? '');
    const writing = (async () => {
      for (let turn = 0; turn < 20; turn++) await output.write(texts[turn % 2] ?? '');
    })();
    for (let turn = 0; turn < 50; turn++) expect(texts).toContain(await readFile(file, 'utf8'));
    await writing;
  });

  it.each([
    ['a directory', 'folder', 'it is a directory'],
    ['in no directory', 'missing/report.json', 'ENOENT'],
    ['below a file', 'file/report.json', 'ENOTDIR'],
  ])('is refused at once: %s', async (_, name, told) => {
    const directory = await directoryWith({ file: '' });
    await mkdir(join(directory, 'folder'));
    await expect(openOutputFile(join(directory, name), null)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(told) as string,
    });
  });

  it('that cannot be written later is told as such', async () => {
    const directory = await directoryWith({});
    const file = join(directory, 'report.json');
    const output = await openOutputFile(file, null);
    await mkdir(file);
    await writeFile(join(file, 'x'), '');
    await expect(output.write('x')).rejects.toMatchObject({ exitCode: 4 });
    expect(await readdir(directory)).toEqual(['report.json']);
  });
});

describe('a pipe with a name', () => {
  it('that nobody reads is an error, and nothing waits for a reader', async () => {
    const directory = await directoryWith({});
    await execa('mkfifo', [join(directory, 'pipe')]);
    await expect(openOutputFile(join(directory, 'pipe'), null)).rejects.toThrow(/nobody reads the pipe/);
  });

  it('gets a result that is larger than it', async () => {
    const directory = await directoryWith({});
    await execa('mkfifo', [join(directory, 'pipe')]);
    const text = 'line\n'.repeat(60_000);
    const reader = execa('head', ['-c', String(text.length), join(directory, 'pipe')]);
    // The reader takes a moment to open the pipe.
    const output = await vi.waitFor(() => openOutputFile(join(directory, 'pipe'), null), 5000);
    await output.write(text);
    expect((await reader).stdout.length).toBe(text.trimEnd().length);
  });
});
