import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coturnMissing, installedVersion } from '../../src/coturn/executable.ts';
import { knownVersions } from '../../src/coturn/versions.ts';
import { needs } from '../support/requirements.ts';

needs('coturn').describe('the coturn of this machine', () => {
  it('says its version', async () => {
    expect(knownVersions).toContain(await installedVersion());
    expect(await coturnMissing()).toBe(false);
  });
});

describe('another turnserver', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
    vi.stubEnv('PATH', directory);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  async function turnserver(script: string): Promise<void> {
    const file = join(directory, 'turnserver');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  it('is missing', async () => {
    expect(await installedVersion()).toBeNull();
    expect(await coturnMissing()).toBe(true);
  });

  it('is 4.5.2, which prints its usage, and is asked for it so that it does not start', async () => {
    await turnserver('[ "$2" = -h ] && echo "Usage: turnserver [options]\n --acme-redirect <URL>"');
    expect(await installedVersion()).toBe('4.5.2');
  });

  it('is older still, or something else', async () => {
    await turnserver('echo "Usage: turnserver [options]"');
    await expect(installedVersion()).rejects.toMatchObject({ code: 'tool-failed' });
  });
});
