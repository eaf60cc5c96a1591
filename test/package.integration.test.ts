import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect } from 'vitest';
import { needs } from './support/requirements.ts';

const { describe, it } = needs('coturn');

const root = fileURLToPath(new URL('..', import.meta.url));

interface PackedFile {
  readonly path: string;
}

describe('the packed tarball', () => {
  let folder: string;
  let files: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtc-ops-package-'));
    // Without scripts: the build is up to date, as before every test.
    const packed = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
    });
    const [tarball] = JSON.parse(packed.stdout) as { filename: string; files: PackedFile[] }[];
    if (tarball === undefined) throw new Error('npm pack told of no tarball');
    files = tarball.files.map(({ path }) => path);
    await writeFile(join(folder, 'package.json'), '{ "private": true }');
    await execa('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball.filename}`], {
      cwd: folder,
    });
  }, 240_000);

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('holds what it needs to run, and nothing of the development', () => {
    expect(files).toEqual(
      expect.arrayContaining(['bin/rtc-ops.js', 'dist/bundle/cli.js', 'src/webrtc/speech.opus']),
    );
    expect(files.filter((path) => path.startsWith('templates/')).length).toBeGreaterThan(0);
    const strange = files.filter(
      (path) => !/^(bin|dist|templates|ansible)\/|^[A-Z]+(\.md)?$|^package\.json$|speech\.opus$/.test(path),
    );
    expect(strange).toEqual([]);
  });

  it('runs the whole job from an empty folder', async () => {
    const bin = join(folder, 'node_modules', '.bin', 'rtc-ops');
    const { stdout, exitCode } = await execa(bin, ['try'], {
      cwd: folder,
      reject: false,
      env: { FORCE_COLOR: '' },
    });
    expect(stdout).toMatch(/✔ healthy {3}audio flows through the relay over udp, tcp and tls/);
    expect(exitCode).toBe(0);
  });

  it('fills its templates', async () => {
    const bin = join(folder, 'node_modules', '.bin', 'rtc-ops');
    const args = ['credentials', 'issue', 'alice', '--url', 'turn:turn.example.com', '--format', 'env'];
    const { stdout } = await execa(bin, args, { cwd: folder, env: { RTC_OPS_SECRET: 'secret' } });
    expect(stdout).toContain('turn:turn.example.com');
  });
});
