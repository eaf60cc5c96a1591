import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sshTarget } from '../../../src/probes/server/ssh-target.ts';
import { needs } from '../../support/requirements.ts';
import { directoryWith } from '../../support/temporary.ts';

needs('server lab').describe('sshTarget', () => {
  it('finds where a name of the configuration of ssh leads, and has no other', async () => {
    const folder = await directoryWith({ config: 'Host turn1\n  HostName 203.0.113.10\n' });
    const options = ['-F', join(folder, 'config')];
    const { signal } = new AbortController();
    expect(await sshTarget('root@turn1', options, signal)).toBe('203.0.113.10');
    expect(await sshTarget('turn.example.com', options, signal)).toBe('turn.example.com');
    expect(await sshTarget('turn1', ['-F', join(folder, 'none')], signal)).toBeNull();
  });
});
