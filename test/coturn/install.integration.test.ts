import { expect, it } from 'vitest';
import { coturnMissing, installedVersion } from '../../src/coturn/executable.ts';
import { installCoturn } from '../../src/coturn/install.ts';
import { needs } from '../support/requirements.ts';

needs('root', 'coturn').describe('installCoturn', () => {
  it('leaves a coturn that is installed as it is', async () => {
    const before = await installedVersion();
    let output = '';
    await installCoturn({ signal: AbortSignal.timeout(30_000), onOutput: (text) => (output += text) });
    expect(output).toBe('');
    expect(await installedVersion()).toBe(before);
  });

  it('begins nothing once it was told to stop', async () => {
    await expect(
      installCoturn({ signal: AbortSignal.abort(new Error('enough')), onOutput: () => {} }),
    ).rejects.toThrow('enough');
  });
});

needs('coturn').describe('coturnMissing', () => {
  it('is false where these tests run', async () => {
    expect(await coturnMissing()).toBe(false);
  });
});
