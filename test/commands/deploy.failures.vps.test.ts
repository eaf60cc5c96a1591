import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatorOf, serviceOn } from '../lab/server/operator.ts';
import { openServerLab, type ServerLab } from '../lab/server/server-lab.ts';
import type { Server } from '../lab/server/server.ts';
import { needs } from '../support/requirements.ts';

/** Whether nothing of a deployment is on a server. */
async function isUntouched(server: Server): Promise<boolean> {
  const traces =
    '/var/lib/rtc-ops /etc/turnserver.conf /usr/bin/turnserver /etc/systemd/system/coturn.service*';
  return (await server.console(`ls -d ${traces} 2>/dev/null`)).stdout === '';
}

needs('server lab').describe('a deployment that cannot be', () => {
  let lab: ServerLab;
  let servers: Server[];
  beforeAll(async () => {
    lab = await openServerLab();
    servers = await Promise.all(['one', 'two', 'three'].map(async (name) => lab.addServer(name)));
  });
  afterAll(async () => lab.close());

  /** The only host of a service, with the login that is asked for. */
  function loginAs(server: Server, user: string): object {
    return serviceOn([server], { hosts: [{ name: server.host, addresses: [server.ipv4], ssh: { user } }] });
  }

  it('says that a host does not take the key, has an unknown key itself, or gives no root', async () => {
    const [server] = servers as [Server];
    const operator = await operatorOf(lab, loginAs(server, 'nobody'));
    const refused = await operator.deploy();
    expect(refused.exitCode).toBe(1);
    expect(refused.report.hosts).toMatchObject([
      {
        outcome: 'failed',
        because: expect.stringMatching(/^it cannot be reached: .*Permission denied/s) as string,
        hint: 'This has to work without a question: ssh -o BatchMode=yes nobody@one.lab.test true',
      },
    ]);
    await operator.configure(loginAs(server, 'guest'));
    expect((await operator.deploy()).report.hosts[0]?.because).toMatch(
      /^it cannot be looked at as root: .*(?:sudo|password)/is,
    );
    const known = await readFile(lab.knownHostsFile, 'utf8');
    await writeFile(lab.knownHostsFile, '');
    await operator.configure(loginAs(server, 'root'));
    expect((await operator.deploy()).report.hosts[0]?.because).toMatch(/Host key verification failed/);
    expect(await readFile(lab.knownHostsFile, 'utf8')).toBe('');
    await appendFile(lab.knownHostsFile, known);
    expect(await isUntouched(server)).toBe(true);
  });

  it('takes back what does not start: a port that is taken, an address that the host does not have', async () => {
    const [taken, elsewhere] = servers as [Server, Server];
    await taken.console(`systemd-run --quiet --unit=squatter python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("${taken.ipv4}", 3478)); time.sleep(600)'`);
    const hosts = [
      { name: taken.host, addresses: [taken.ipv4], ssh: { user: 'root' } },
      { name: elsewhere.host, addresses: ['203.0.113.99'], ssh: { user: 'root' } },
    ];
    const operator = await operatorOf(lab, serviceOn([], { hosts }));
    const { report } = await operator.deploy();
    await taken.console('systemctl stop squatter');
    expect(report.hosts).toMatchObject([{ outcome: 'rolled-back' }, { outcome: 'rolled-back' }]);
    expect(report.hosts[0]?.because).toBe('See that it serves: udp port 3478 is held by python3');
    expect(report.hosts[1]?.because).toMatch(/^See that it serves: coturn does not/);
    expect(await isUntouched(taken)).toBe(true);
    expect(await isUntouched(elsewhere)).toBe(true);
  });

  it('goes on where it was when the connection was cut', async () => {
    const [server] = servers as [Server];
    const operator = await operatorOf(lab, serviceOn([server]));
    const cut = operator.deploy();
    // As soon as the package comes in.
    await expect
      .poll(
        async () => (await server.console('pgrep -x "apt-get|dpkg|python3"; ls /var/lib/rtc-ops')).stdout,
        {
          timeout: 60_000,
        },
      )
      .toContain('state.json');
    await lab.connect(false);
    const { report } = await cut;
    await lab.connect(true);
    expect(report.hosts).toMatchObject([
      { outcome: 'failed', hint: 'Run the same command again: it goes on from there.' },
    ]);
    expect((await operator.deploy()).report).toMatchObject({ verdict: 'healthy', exitCode: 0 });
    expect((await operator.deploy('remove')).report).toMatchObject({ exitCode: 0 });
    expect(await isUntouched(server)).toBe(true);
  });

  it('says that the disk is full, and leaves no half of it', async () => {
    const [server] = servers as [Server];
    const operator = await operatorOf(lab, serviceOn([server]));
    // As much of a disk as the image of the lab has of one of its own.
    await server.console('mkdir -p /var/lib/rtc-ops && mount -t tmpfs -o size=4k tmpfs /var/lib/rtc-ops');
    const { report } = await operator.deploy();
    expect(report.hosts[0]).toMatchObject({ outcome: expect.stringMatching(/failed|rolled-back/) as string });
    expect(report.hosts[0]?.because).toMatch(/No space left on device/);
    await server.console('umount /var/lib/rtc-ops; rmdir /var/lib/rtc-ops');
    expect(await isUntouched(server)).toBe(true);
  });

  it('of a batch of an inventory leaves the rest as it is', async () => {
    const [one, two, three] = servers as [Server, Server, Server];
    const { hosts } = serviceOn(servers) as { hosts: { name: string }[] };
    // Its name has an IPv6 address, and its service none.
    const broken = hosts.map((host) => (host.name === one.host ? { ...host, addresses: [one.ipv4] } : host));
    const operator = await operatorOf(lab, serviceOn(servers, { hosts: broken }));
    const login = (server: Server): object => ({ ansible_host: server.ipv4, ansible_user: 'deploy' });
    const inventory = join(operator.directory, 'hosts.json');
    const groups = { eu: { hosts: { [one.host]: login(one), [two.host]: login(two) } } };
    await writeFile(inventory, JSON.stringify({ all: { children: groups } }));

    const { report, exitCode } = await operator.deploy('--inventory', inventory, '--serial', '1');
    expect(exitCode).toBe(1);
    // The third is not in the inventory.
    expect(report.hosts).toMatchObject([
      { name: one.host, outcome: 'rolled-back', because: expect.stringContaining('not over IPv6') as string },
      { name: two.host, outcome: 'planned', because: 'an earlier batch did not end well' },
    ]);
    for (const server of [one, two, three]) expect(await isUntouched(server)).toBe(true);
    const limited = await operator.deploy('--inventory', inventory, '--limit', 'eu:!one*', '--check');
    expect(limited.report.hosts).toMatchObject([{ name: two.host, outcome: 'planned', because: null }]);
  });

  it('of one host in three leaves the others to be deployed, and is told', async () => {
    const [one, two, three] = servers as [Server, Server, Server];
    await three.console('systemctl stop ssh.socket ssh');
    const operator = await operatorOf(lab, serviceOn([one, two, three]));
    const { report, exitCode } = await operator.deploy();
    expect(exitCode).toBe(1);
    expect(report.hosts).toMatchObject([
      { name: one.host, outcome: 'changed', verification: { verdict: 'healthy' } },
      { name: two.host, outcome: 'changed', verification: { verdict: 'healthy' } },
      {
        name: three.host,
        outcome: 'failed',
        because: expect.stringContaining('cannot be reached') as string,
      },
    ]);
  });
});
