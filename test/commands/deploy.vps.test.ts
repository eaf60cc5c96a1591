import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import type { LoginTally } from '../lab/server/login-loop.ts';
import { startLogins } from '../lab/server/logins.ts';
import { operatorOf, serviceOn } from '../lab/server/operator.ts';
import { openServerLab, type ServerLab } from '../lab/server/server-lab.ts';
import { projectOnServer, type Server } from '../lab/server/server.ts';
import { needs } from '../support/requirements.ts';

/** What tells one state of a server from another: packages, files of ours, users, units. */
const inventory = `dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' | grep -v 'not-installed\\|config-files'
  find /etc /var/lib/rtc-ops /usr/local -type f -newer /etc/hostname 2>/dev/null | grep -v '/etc/ssl/\\|cache\\|subuid\\|\\(passwd\\|group\\|g\\?shadow\\)-\\?$' | sort
  getent passwd turnserver; ls /etc/systemd/system`;

async function stateOf(server: Server): Promise<string> {
  return (await server.console(inventory)).stdout;
}

/** What coturn has logged to journald. */
async function journalOf(server: Server): Promise<string> {
  return (await server.console('journalctl --quiet --output=cat --unit=coturn')).stdout;
}

/** Why logins were not granted; a port that is used again too soon (437) is no refusal. */
function refusals(tally: LoginTally): string[] {
  expect(Math.min(...tally.map(({ granted }) => granted))).toBeGreaterThan(20);
  return tally.flatMap(({ failures }) => Object.keys(failures)).filter((why) => why !== '437');
}

needs('server lab').describe('rtc-ops deploy', () => {
  let lab: ServerLab;
  beforeAll(async () => {
    lab = await openServerLab();
  });
  afterAll(async () => lab.close());

  it('makes a verified service of a fresh server, and changes nothing the second time', async () => {
    const server = await lab.addServer('fresh');
    const operator = await operatorOf(lab, serviceOn([server]));
    const before = await stateOf(server);

    const checked = await operator.deploy('--check');
    expect(checked.report).toMatchObject({ check: true, verdict: null, hosts: [{ outcome: 'planned' }] });
    expect(await stateOf(server)).toBe(before);

    const first = await operator.deploy();
    expect(first.stderr).toBe('');
    expect(first.report).toMatchObject({ verdict: 'healthy', exitCode: 0, hosts: [{ outcome: 'changed' }] });
    const peers = first.report.hosts[0]?.verification?.peers ?? [];
    expect(peers.map(({ peer, denied }) => `${peer} ${denied}`)).toContain('127.0.0.1 true');
    expect(peers.filter(({ denied }) => denied !== true)).toEqual([]);
    const { stdout } = await server.console(
      `stat -c '%U:%G %a' /etc/turnserver.conf; systemctl is-enabled coturn; ss -Hlun 'sport = :3478' | wc -l`,
    );
    expect(stdout.split('\n').slice(0, 2)).toEqual(['root:turnserver 640', 'enabled']);
    // By syslog, as it is without a word about it.
    expect(await journalOf(server)).toMatch(/Relay ports initialization done/);

    const pid = (await server.console('systemctl show -P MainPID coturn')).stdout;
    const second = await operator.deploy();
    expect(second.report).toMatchObject({ verdict: 'healthy', hosts: [{ outcome: 'unchanged' }] });
    expect((await server.console('systemctl show -P MainPID coturn')).stdout).toBe(pid);

    for (const { stdout: told, stderr } of [checked, first, second]) {
      expect(told + stderr).not.toContain(operator.secret);
    }
  });

  it('changes its secret under load: no call loses a packet, no login is refused', async () => {
    const server = await lab.addServer('rotated');
    const log = '/var/log/coturn/turn.log';
    const operator = await operatorOf(
      lab,
      serviceOn([server], { relay: {}, logging: { to: log, verbose: true } }),
    );
    // In the place of the kernel's own, which many labs share: one value may be raised, the other not.
    const settings = '/proc/sys/net/core';
    await server.console(`for each in rmem_max wmem_max; do
        echo 212992 > /run/$each; mount --bind /run/$each ${settings}/$each; done
      mount -o remount,bind,ro ${settings}/wmem_max`);
    const file = (name: string): string => join(operator.directory, name);
    const { report: first } = await operator.deploy('--no-verify');
    expect(first.hosts[0]?.plan?.notes.join()).toContain(
      'net.core.wmem_max is 212992, and coturn asks for 2097152; that is not allowed to be changed here',
    );
    expect(first.hosts[0]?.plan?.steps.map(({ title }) => title)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^install logrotate/),
        'raise net.core.rmem_max from 212992 to 2097152',
      ]),
    );
    const pid = (await server.console('systemctl show -P MainPID coturn')).stdout;
    const [before, after] = [operator.secret, randomBytes(32).toString('hex')];
    await writeFile(file('secret.txt.new'), `${after}\n`, { mode: 0o600 });
    await writeFile(file('before.txt'), `${before}\n`, { mode: 0o600 });
    const logins = (secret: string): (() => Promise<LoginTally>) =>
      startLogins(lab, { address: server.ipv4, port: 3478, secrets: [secret], clients: 2 });

    const call = operator.rtcOps(
      ...['probe', `turn:${server.host}?transport=udp`, '--secret-file', 'before.txt'],
      ...['--family', '4', '--duration', '30s', '--format', 'json'],
    );
    const byOld = logins(before);
    const { stdout: values } = await server.console(`cat ${settings}/rmem_max ${settings}/wmem_max`);
    expect(values).toBe('2097152\n212992');
    // With logins at all times coturn has something to write, and so opens the new file at once.
    await server.console(`logrotate -f /etc/logrotate.d/rtc-ops-coturn`);
    await expect
      .poll(async () => (await server.console(`grep -c 'session .*: new' ${log}`)).stdout, {
        timeout: 10_000,
      })
      .toMatch(/^[1-9]/);
    const { stdout: held } = await server.console(
      `ls -l /proc/${pid}/fd | grep -o '${log}.*'; stat -c '%U:%G %a %n' ${log}*; grep -rl ${before} /var/log`,
    );
    expect(held.split('\n')).toEqual([
      log,
      ...[log, `${log}.1`].map((path) => `turnserver:turnserver 640 ${path}`),
    ]);
    const serving = `python3 ${projectOnServer}/ansible/roles/coturn/files/serving.py '[]' ${log}`;
    await server.console(`echo '1: : WARNING: planted' >> ${log}`);
    expect((await server.console(serving)).stdout).toContain('WARNING: planted');
    const begun = await operator.deploy('rotate-secret', '--ttl', '12h');
    expect(begun.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed', because: null }] });
    expect(await readFile(file('secret.txt'), 'utf8')).toBe(`${after}\n`);
    const byNew = logins(after);
    // Both are what rtc-ops.yaml says now.
    expect((await operator.deploy('--check')).report.hosts).toMatchObject([{ outcome: 'unchanged' }]);
    expect((await operator.deploy('rotate-secret', '--finish')).report).toMatchObject({
      exitCode: 1,
      hosts: [
        { because: expect.stringContaining('there are credentials made with the old secret') as string },
      ],
    });
    const refused = refusals(await byOld());

    const state = join(server.root, 'var/lib/rtc-ops/state.json');
    await writeFile(
      state,
      (await readFile(state, 'utf8')).replace(/"at": "\d+(?=[^{}]*"ttlSeconds")/, '"at": "2020'),
    );
    const finished = await operator.deploy('rotate-secret', '--finish');
    // It has tried the old one, too.
    expect(finished.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed', because: null }] });
    expect([...refused, ...refusals(await byNew())]).toEqual([]);
    const { call: called } = JSON.parse((await call).stdout) as Report;
    expect(called?.audio).toMatchObject({ lossRatio: 0 });

    expect((await server.console('systemctl show -P MainPID coturn')).stdout).toBe(pid);
    // Who compares times, as doctor does, must not think that coturn runs with an older configuration.
    const copy = '/run/rtc-ops-coturn/turnserver.conf';
    expect((await server.console(`find /etc/turnserver.conf -newer ${copy}`)).stdout).toBe('');
    const { stdout: left } = await server.console(
      `grep -rl ${before} /etc /var/lib/turn /var/lib/rtc-ops /run`,
    );
    expect(left).toBe('');
    expect(JSON.parse(await readFile(file('rtc-ops.yaml'), 'utf8'))).toMatchObject({
      auth: { secret: { file: 'secret.txt' } },
    });
    // The generation that is kept has the secret of today, and the database is as the package made it without us.
    expect((await operator.deploy('remove')).report).toMatchObject({ exitCode: 0 });
    expect((await server.console('ls /var/lib/turn /run/rtc-ops-coturn')).stdout).toBe('');
    const { stdout: traces } = await server.console(
      `cat ${settings}/rmem_max ${settings}/wmem_max; ls -d /var/log/coturn /etc/logrotate.d/rtc* /etc/sysctl.d/*rtc*`,
    );
    expect(traces).toBe('212992\n212992');
  });

  it('shows what differs on a server that somebody has changed, and puts it right', async () => {
    const server = await lab.addServer('drifted');
    // It asks the coturn of another one for its addresses.
    const hosts = [{ name: server.host, addresses: 'auto', ssh: { user: 'root' } }];
    const addressDiscovery = { stun: ['stun:fresh.lab.test'] };
    const logging = { to: 'stdout' };
    const operator = await operatorOf(lab, serviceOn([server], { hosts, addressDiscovery, logging }));
    await operator.deploy('--no-verify');
    expect(await journalOf(server)).toMatch(/Relay ports initialization done/);
    await server.console(
      `sed -i 's/^min-port=.*/min-port=50000/' /etc/turnserver.conf; chmod 644 /etc/turnserver.conf`,
    );
    const { report } = await operator.deploy('--check');
    expect(report.hosts[0]?.plan?.steps).toEqual([
      {
        kind: 'file',
        title: 'change /etc/turnserver.conf, root:turnserver 0644 → root:turnserver 0640',
        diff: expect.stringMatching(/^@@.*\n[^]*\n-min-port=50000\n\+min-port=49152\n/) as string,
      },
      { kind: 'service', title: 'restart coturn: calls that it relays end', diff: null },
    ]);
    expect((await operator.deploy()).report).toMatchObject({ verdict: 'healthy' });
    expect((await operator.deploy('--check')).report.hosts).toMatchObject([{ outcome: 'unchanged' }]);
  });

  it('leaves a fresh server as it was when the service does not verify', async () => {
    const server = await lab.addServer('undone');
    // The name has an IPv6 address, and the service none.
    const hosts = [{ name: server.host, addresses: [server.ipv4], ssh: { user: 'deploy' } }];
    const operator = await operatorOf(lab, serviceOn([server], { hosts }));
    const before = await stateOf(server);
    const { report, exitCode } = await operator.deploy();
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({
      verdict: 'broken',
      hosts: [
        { outcome: 'rolled-back', because: 'the service does not verify: works over IPv4, not over IPv6' },
      ],
    });
    expect(await stateOf(server)).toBe(before);
  });

  it('brings the old service back when the new one does not verify', async () => {
    const server = await lab.addServer('restored');
    const operator = await operatorOf(lab, serviceOn([server]));
    await operator.deploy('--no-verify');
    const config = (await server.console('sha256sum /etc/turnserver.conf')).stdout;
    await operator.configure(serviceOn([server], { peers: { deny: ['128.0.0.0/1'] } }));
    const { report } = await operator.deploy();
    expect(report).toMatchObject({ verdict: 'broken', hosts: [{ outcome: 'rolled-back', generation: 1 }] });
    expect((await server.console('sha256sum /etc/turnserver.conf')).stdout).toBe(config);
    await operator.configure(serviceOn([server]));
    expect((await operator.deploy()).report).toMatchObject({
      verdict: 'healthy',
      hosts: [{ outcome: 'unchanged' }],
    });
  });

  it('keeps a configuration that was made by hand, and says so', async () => {
    const server = await lab.addServer('handmade');
    const { stdout: handmade } =
      await server.console(`apt-get update -qq; apt-get install -qq -y --no-install-recommends coturn >/dev/null 2>&1
      printf 'listening-port=3999\\nlt-cred-mech\\nrealm=old\\nuser=alice:opensesame\\n' > /etc/turnserver.conf; systemctl restart coturn; sha256sum /etc/turnserver.conf`);
    const operator = await operatorOf(lab, serviceOn([server], { peers: { deny: ['128.0.0.0/1'] } }));
    const { report, stdout } = await operator.deploy();
    expect(report.hosts).toMatchObject([{ outcome: 'rolled-back' }]);
    expect(report.hosts[0]?.plan?.notes.join()).toContain('written by hand');
    expect(stdout).not.toContain('opensesame');
    expect((await server.console('sha256sum /etc/turnserver.conf')).stdout).toBe(handmade.split('\n').at(-1));
    await expect
      .poll(async () => (await server.console(`ss -Hlun 'sport = :3999'`)).stdout, { timeout: 5000 })
      .toContain('3999');
  });
});
