import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, requireConfig } from '../../src/config/load.ts';

const text = 'profile: stun-only\nrealm: REALM\n';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  await mkdir(join(root, 'a', 'b'), { recursive: true });
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(path: string, realm: string): Promise<void> {
  await writeFile(join(root, path), text.replace('REALM', realm));
}

describe('loadConfig', () => {
  it('finds the nearest file above the working directory', async () => {
    await write('rtc-ops.yaml', 'far');
    await write('a/rtc-ops.yaml', 'near');
    const loaded = await loadConfig({ workingDirectory: join(root, 'a', 'b') });
    expect(loaded).toMatchObject({
      file: join(root, 'a', 'rtc-ops.yaml'),
      displayName: join('..', 'rtc-ops.yaml'),
      config: { realm: 'near' },
    });
  });

  it('passes by a directory of that name', async () => {
    await write('rtc-ops.yaml', 'far');
    await mkdir(join(root, 'a', 'rtc-ops.yaml'));
    expect(await loadConfig({ workingDirectory: join(root, 'a') })).toMatchObject({
      config: { realm: 'far' },
    });
  });

  it('takes the file that is named, relative to the working directory', async () => {
    await write('a/rtc-ops.yaml', 'near');
    await write('a/b/other.yaml', 'named');
    const loaded = await loadConfig({ config: 'b/other.yaml', workingDirectory: join(root, 'a') });
    expect(loaded).toMatchObject({ displayName: join('b', 'other.yaml'), config: { realm: 'named' } });
  });

  it('fails for a named file that is not there, whatever lies around', async () => {
    await write('rtc-ops.yaml', 'near');
    const loading = loadConfig({ config: 'other.yaml', workingDirectory: root });
    await expect(loading).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('other.yaml'),
    });
  });

  it('names the file in what it complains about', async () => {
    await writeFile(join(root, 'rtc-ops.yaml'), 'realm: [');
    await expect(loadConfig({ workingDirectory: join(root, 'a') })).rejects.toThrow(
      /^\.\.\/rtc-ops\.yaml:1:\d+ is not YAML/,
    );
  });
});

describe('no config at all', () => {
  // Above a temporary directory nobody has an rtc-ops.yaml; if so, these tests say so.
  it('is null for who can do without', async () => {
    expect(await loadConfig({ workingDirectory: root })).toBeNull();
  });

  it('is an error for who cannot', async () => {
    await expect(requireConfig({ workingDirectory: root })).rejects.toMatchObject({ code: 'configuration' });
  });
});
