import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acmeUrl } from '../lab/server/acme-server.ts';
import { operatorOf, serviceOn } from '../lab/server/operator.ts';
import { openServerLab, type ServerLab } from '../lab/server/server-lab.ts';
import { needs } from '../support/requirements.ts';

/** How each firewall is switched on by its owner, with ssh let in; and what of it is to be as it was after `remove`. */
const firewalls = {
  ufw: {
    setUp:
      'apt-get install -qq -y --no-install-recommends ufw >/dev/null 2>&1; ufw allow 22/tcp; ufw --force enable',
    rules: 'ufw status; ls /etc/ufw/applications.d',
  },
  firewalld: {
    setUp:
      'apt-get install -qq -y --no-install-recommends firewalld >/dev/null 2>&1; systemctl start firewalld',
    rules: 'firewall-cmd --list-all; ls /etc/firewalld/services',
  },
  nftables: {
    setUp: `apt-get install -qq -y --no-install-recommends nftables >/dev/null 2>&1; cat > /etc/nftables.conf <<'END'
flush ruleset
table inet filter {
  set bans {
    type ipv4_addr; elements = { 203.0.113.1 }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr @bans drop
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport 22 accept
  }
}
table inet bans {
  chain input {
    type filter hook input priority -1; policy accept;
    ip saddr 192.0.2.1 drop
  }
}
END
systemctl enable --now nftables`,
    rules: 'nft list ruleset; ls /etc/systemd/system /usr/local/sbin',
  },
} as const;

needs('server lab').describe('a deployment behind a firewall', () => {
  let lab: ServerLab;
  beforeAll(async () => {
    lab = await openServerLab();
  });
  afterAll(async () => lab.close());

  it.each(['ufw', 'firewalld', 'nftables'] as const)(
    'opens its ports in %s, and closes them again',
    async (name) => {
      const { setUp, rules } = firewalls[name];
      const server = await lab.addServer(name);
      await server.console(`apt-get update -qq; ${setUp}`);
      const before = (await server.console(rules)).stdout;
      const operator = await operatorOf(lab, serviceOn([server], { tls: { certbot: { server: acmeUrl } } }));
      const { report } = await operator.deploy();
      expect(report).toMatchObject({ verdict: 'healthy', hosts: [{ outcome: 'changed' }] });
      expect(report.hosts[0]?.plan?.steps).toContainEqual({
        kind: 'firewall',
        title: `open the ports in ${name}`,
        diff: null,
      });
      // certbot is through, and the timer that would have closed all of it is gone.
      const { stdout: closed } =
        await server.console(`timeout 2 bash -c '</dev/tcp/${server.ipv4}/80' && echo open
      systemctl list-timers --all | grep -c firewall-undo`);
      expect(closed).toBe('0');
      expect((await server.console(rules)).stdout).not.toContain('80');

      if (name === 'nftables') {
        const { stdout: opened } = await server.console('nft list chain inet bans input');
        expect(opened).not.toContain('rtc-ops');
        // Whom the owner has banned stays out: the router, for one.
        const reach = ['timeout', '1', 'bash', '-c', `</dev/tcp/${server.ipv4}/3478`];
        expect((await lab.operator(reach)).exitCode).toBe(0);
        expect((await lab.router(reach)).exitCode).toBe(124);
        // systemd waits for nftables alone, and not for what it does after it.
        const loaded = `for how in reload restart; do systemctl $how nftables
          timeout 60 sh -c 'until rtc-ops-firewall check; do sleep 0.1; done' || echo closed by $how; done`;
        expect((await server.console(loaded)).stdout).toBe('');
      }

      await server.reboot();
      expect((await operator.deploy()).report).toMatchObject({
        verdict: 'healthy',
        hosts: [{ outcome: 'unchanged' }],
      });
      expect((await operator.deploy('remove')).report).toMatchObject({ exitCode: 0 });
      expect((await server.console(rules)).stdout).toBe(before);
    },
  );

  it('takes back what leaves a server out of reach, and its timer has closed the ports by then', async () => {
    const server = await lab.addServer('unreached');
    await server.console(`apt-get update -qq; ${firewalls.nftables.setUp}`);
    const operator = await operatorOf(lab, serviceOn([server]));
    const host = { ansible_host: server.ipv4, ansible_user: 'root', coturn_firewall_undo_seconds: 3 };
    const inventory = join(operator.directory, 'hosts.json');
    await writeFile(inventory, JSON.stringify({ all: { hosts: { [server.host]: host } } }));
    const before = (await server.console('nft list ruleset')).stdout;
    const cut =
      'nft add table inet cut; nft "add chain inet cut in { type filter hook input priority -200; policy drop; }"';
    await server.console(
      `systemd-run --quiet sh -c 'until nft list ruleset | grep -q rtc-ops; do sleep 0.02; done
       ${cut}; sleep 6; nft delete table inet cut'`,
    );
    const { report } = await operator.deploy('--inventory', inventory);
    expect(report.hosts).toMatchObject([
      { outcome: 'rolled-back', because: expect.stringContaining('Stop the timer, in time') as string },
    ]);
    const { stdout: log } = await server.console('journalctl -o cat -u rtc-ops-firewall-undo.service');
    expect(log).toContain('rtc-ops-firewall remove');
    expect((await server.console('nft list ruleset')).stdout).toBe(before);
  });
});
