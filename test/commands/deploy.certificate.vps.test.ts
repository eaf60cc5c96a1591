import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { acmeUrl, setName } from '../lab/server/acme-server.ts';
import { filesOf, knock, packagesOf, portsOf, unpackaged } from '../lab/server/footprint.ts';
import { openNameServer } from '../lab/server/name-server.ts';
import { operatorOf, serviceOn, type Operator } from '../lab/server/operator.ts';
import { openServerLab, type ServerLab, type ServerLabOptions } from '../lab/server/server-lab.ts';
import type { Server } from '../lab/server/server.ts';
import { needs } from '../support/requirements.ts';

async function within(options: ServerLabOptions, work: (lab: ServerLab) => Promise<void>): Promise<void> {
  const lab = await openServerLab(options);
  try {
    await work(lab);
  } finally {
    await lab.close();
  }
}

const certbot = { tls: { certbot: { server: acmeUrl, email: 'ops@lab.test' } } };

type Deployed = Awaited<ReturnType<Operator['deploy']>>;

/** The serial of the certificate that a server serves. */
async function servedSerial(server: Server): Promise<string> {
  const { stdout } = await server.console(
    `openssl s_client -connect ${server.ipv4}:5349 </dev/null 2>/dev/null | openssl x509 -noout -serial`,
  );
  return stdout;
}

/** What a host says of what deployments have put there. */
interface Manifest {
  readonly paths: readonly string[];
  readonly packagesAdded: readonly string[];
}

/** What a deployment has brought and its host does not name, beside what certbot keeps, and the copy of that for coturn. */
async function unsaidOn(
  server: Server,
  before: { readonly files: ReadonlyMap<string, string>; readonly packages: readonly string[] },
): Promise<string[]> {
  const { stdout } = await server.console('cat /var/lib/rtc-ops/state.json');
  const { paths, packagesAdded } = JSON.parse(stdout) as Manifest;
  // Links are made by scripts of packages and of systemd, as alternatives or for the boot.
  const added = [...(await filesOf(server))].flatMap(([path, content]) =>
    /^[\da-f]{64}$/.test(content) && !before.files.has(path) ? [path] : [],
  );
  const known = /^\/etc\/(?:letsencrypt|coturn\/tls)\//;
  const files = (await unpackaged(server, added)).filter(
    (path) => !paths.includes(path) && !known.test(path),
  );
  const names = packagesAdded.map((name) => name.split(':')[0]);
  const packages = await packagesOf(server);
  return [...files, ...packages.filter((name) => ![...before.packages, ...names].includes(name))];
}

/** The web server that held the port proves the name. */
async function deployByWebroot(server: Server, operator: Operator): Promise<Deployed> {
  await server.console(
    `systemctl stop web; mkdir /srv/www; systemd-run --quiet python3 -m http.server --bind :: --directory /srv/www 80`,
  );
  const challenge = { webroot: '/srv/www' };
  await operator.configure(serviceOn([server], { tls: { certbot: { ...certbot.tls.certbot, challenge } } }));
  return operator.deploy('--no-verify');
}

/** A name server on `dns` takes the record from whoever has its key (RFC 2136, RFC 8945), and proves a name without address. */
async function deployByDns(
  lab: ServerLab,
  { dns, key, server }: { readonly dns: Server; readonly key: string; readonly server: Server },
): Promise<Deployed> {
  const challenge = { dns: 'rfc2136', credentials: 'dns.ini' };
  const operator = await operatorOf(
    lab,
    serviceOn([server], {
      hosts: [{ name: server.host, addresses: [server.ipv4], ssh: { address: server.ipv4, user: 'root' } }],
      tls: { certbot: { ...certbot.tls.certbot, challenge } },
    }),
  );
  await writeFile(join(operator.directory, 'dns.ini'), credentialsFor(dns, key));
  // What certbot would wait for by itself, for other servers of the zone to have the record too: a minute.
  await server.console(
    'mkdir -p /etc/letsencrypt; echo dns-rfc2136-propagation-seconds = 1 >/etc/letsencrypt/cli.ini',
  );
  const deployed = await operator.deploy('--no-verify');
  expect(deployed.stdout + deployed.stderr).not.toContain(key);
  const credentials = '/etc/letsencrypt/rtc-ops-dns.ini';
  expect((await server.console(`stat -c '%U:%G %a' ${credentials}`)).stdout).toBe('root:root 600');
  await writeFile(join(server.root, 'var/tmp/needle'), `${key}\n`, { mode: 0o600 });
  const { stdout: leaks } = await server.console(
    `journalctl | grep -cf /var/tmp/needle
    find / -xdev -type f -perm /o+r -not -path '/proc/*' -print0 2>/dev/null | xargs -0 grep -slf /var/tmp/needle`,
  );
  expect(leaks).toBe('0');
  return deployed;
}

const credentialsFor = (dns: Server, key: string): string =>
  [
    `dns_rfc2136_server = ${dns.ipv4}`,
    'dns_rfc2136_name = certbot.',
    `dns_rfc2136_secret = ${key}`,
    'dns_rfc2136_algorithm = HMAC-SHA512',
    '',
  ].join('\n');

needs('server lab').describe('a certificate of a deployment', () => {
  it('is issued, served, renewed by the timer of certbot, and no call loses a packet by that', async () => {
    await within({ certificateDays: 25 }, async (lab) => {
      const server = await lab.addServer('renewed');
      const before = { files: await filesOf(server), packages: await packagesOf(server) };
      const others = await portsOf(server);
      const operator = await operatorOf(lab, serviceOn([server], certbot));
      const first = await operator.deploy();
      expect(first.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed' }] });
      expect((await server.console('systemctl is-enabled certbot.timer')).stdout).toBe('enabled');
      const serial = await servedSerial(server);
      expect(serial).toMatch(/^serial=/);

      const probing = operator.rtcOps(
        ...['probe', `turns:${server.host}`, '--secret-file', 'secret.txt', '--ca', lab.acmeRootFile],
        ...['--family', '4', '--duration', '20s', '--format', 'json'],
      );
      await new Promise((resolve) => setTimeout(resolve, 6000));
      const renewal = await server.console('systemctl start certbot.service');
      expect(renewal).toMatchObject({ exitCode: 0 });
      expect(await servedSerial(server)).not.toBe(serial);
      const probed = JSON.parse((await probing).stdout) as Report;
      expect(probed.call?.audio).toMatchObject({ lossRatio: 0 });
      expect(probed.targets[0]?.observations.call).toMatchObject({ state: 'done' });

      expect(await unsaidOn(server, before)).toEqual([]);
      // By now its owner has installed something that needs what came with coturn.
      await server.console(`mkdir -p /srv/mine/DEBIAN; echo mine > /etc/coturn/mine; cd /srv
        printf '%s\\n' 'Package: mine' 'Version: 1' 'Architecture: all' 'Maintainer: me' 'Description: mine' \\
          'Depends: none | sqlite3' > mine/DEBIAN/control
        dpkg-deb -b mine && dpkg -i mine.deb`);
      const served = (await portsOf(server)).filter((port) => !others.includes(port));
      expect(served).toEqual(['tcp 3478', 'tcp 5349', 'udp 3478']);
      expect(await knock(lab, server, served)).toEqual(served.map((port) => `${port} answers`));
      expect((await operator.deploy('remove')).report).toMatchObject({ exitCode: 0 });
      expect(await knock(lab, server, [...served, 'tcp 80', 'tcp 22'])).toEqual([
        ...[...served, 'tcp 80'].map((port) => `${port} ConnectionRefusedError`),
        'tcp 22 answers',
      ]);
      expect(await portsOf(server)).toEqual(others);
      expect(await packagesOf(server)).toEqual([...before.packages, 'mine', 'sqlite3'].toSorted());
      await server.console('dpkg -P mine sqlite3; rm -r /etc/coturn');
      expect(Object.fromEntries(await filesOf(server))).toEqual(Object.fromEntries(before.files));
    });
  });

  it('that cannot be issued is told with what the authority saw, and leaves the server as it was', async () => {
    await within({ certificateDays: 25 }, async (lab) => {
      const [taken, nameless, walled] = await Promise.all([
        lab.addServer('taken'),
        lab.addServer('nameless'),
        lab.addServer('walled'),
      ]);
      await setName(lab.id, nameless.host, {});
      await lab.router(['nft', wallBefore(walled)]);
      await taken.console('systemd-run --quiet --unit=web python3 -m http.server 80');
      const operator = await operatorOf(lab, {
        ...serviceOn([taken, nameless, walled], certbot),
        hosts: [taken, nameless, walled].map(({ host, ipv4 }) => ({
          name: host,
          addresses: [ipv4],
          ssh: { address: ipv4, user: 'root' },
        })),
      });
      const { report, exitCode } = await operator.deploy();
      expect(exitCode).toBe(1);
      const back = Array.from({ length: 3 }, () => 'rolled-back');
      expect(report.hosts.map(({ outcome }) => outcome)).toEqual(back);
      expect(report.hosts[0]?.because).toMatch(/^Get the certificate: .*port 80/);
      expect(report.hosts[1]?.because).toMatch(/^Get the certificate: .*nameless\.lab\.test/);
      expect(report.hosts[2]?.because).toMatch(/^Get the certificate: .*walled\.lab\.test.*[Tt]ime/);
      for (const server of [taken, nameless, walled]) {
        const { stdout } = await server.console(
          'ls -d /etc/letsencrypt /etc/coturn /usr/bin/certbot /usr/bin/turnserver',
        );
        expect(stdout).toBe('');
      }
      const key = randomBytes(32).toString('base64');
      await openNameServer(lab, taken, { zone: `_acme-challenge.${nameless.host}`, key });
      const [byWebroot, byDns] = await Promise.all([
        deployByWebroot(taken, operator),
        deployByDns(lab, { dns: taken, key, server: nameless }),
      ]);
      expect(byWebroot.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed', because: null }] });
      expect(byDns.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed', because: null }] });
      expect(await servedSerial(taken)).toMatch(/^serial=/);
      const first = await servedSerial(nameless);
      expect(first).toMatch(/^serial=/);
      expect(await nameless.console('systemctl start certbot.service')).toMatchObject({ exitCode: 0 });
      expect(await servedSerial(nameless)).not.toBe(first);
    });
  });
});

/** A firewall that keeps the authority, which is on the router, from port 80. */
function wallBefore({ ipv4, ipv6 }: Server): string {
  return `add table inet wall; add chain inet wall out { type filter hook output priority 0; }
    add rule inet wall out ip daddr ${ipv4} tcp dport 80 drop
    add rule inet wall out ip6 daddr ${ipv6} tcp dport 80 drop`;
}
