import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { serverLabIds } from './place.ts';
import { sshOptions } from './server.ts';
import { openServerLab } from './server-lab.ts';

needs('server lab').describe('a lab of servers', () => {
  it('boots several, lets the operator in by name, and leaves nothing behind', async () => {
    const lab = await openServerLab();
    try {
      const servers = await Promise.all(['one', 'two'].map(async (name) => lab.addServer(name)));
      for (const server of servers) {
        expect(await server.ssh('hostname; systemctl is-system-running')).toMatchObject({
          stdout: `${server.name}\nrunning`,
        });
        const ssh = ['ssh', ...sshOptions(lab.id), `deploy@${server.host}`, 'echo "$SSH_CONNECTION"'];
        expect((await lab.operator(ssh)).stdout).toContain(`${server.ipv6} 22`);
      }
      expect((await servers[0]?.ssh('sudo -n id -u', 'deploy'))?.stdout).toBe('0');
      expect((await servers[0]?.ssh('sudo -n id -u', 'guest'))?.exitCode).not.toBe(0);
    } finally {
      await lab.close();
    }
    expect(serverLabIds()).not.toContain(lab.id);
    expect(existsSync(lab.directory)).toBe(false);
  });

  it('boots a server again, which forgets its firewall', async () => {
    const lab = await openServerLab();
    try {
      const server = await lab.addServer('one');
      await server.console(
        'apt-get update -qq && apt-get install -qq -y nftables >/dev/null && nft add table inet trial',
      );
      await server.reboot();
      expect((await server.ssh('nft list ruleset')).stdout).toBe('');
    } finally {
      await lab.close();
    }
  });
});
