import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { parseVersion } from '../../src/coturn/versions.ts';
import { acmeUrl } from '../lab/server/acme-server.ts';
import { operatorOf, serviceOn, type Operator } from '../lab/server/operator.ts';
import { openServerLab } from '../lab/server/server-lab.ts';
import { projectOnServer, type Server } from '../lab/server/server.ts';
import { everyOption, unknownByTable, unknownOptions } from '../support/every-option.ts';
import { needs } from '../support/requirements.ts';

/** Brings the coturn of the next Debian, as apt does where nobody is there; false where the lab could not get it. */
async function upgradeCoturn(server: Server): Promise<boolean> {
  const { stdout } = await server.console(`test -d /srv/later || exit
    echo 'deb [trusted=yes] file:/srv/later ./' >>/etc/apt/sources.list; apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get full-upgrade -qq --yes </dev/null >/var/tmp/upgrade.log 2>&1
    dpkg-query --show --showformat='\${Version}' coturn`);
  expect(stdout).not.toMatch(/^4\.6\./);
  return stdout !== '';
}

/** That it is told what another coturn changes, by a table of options that is right for it. */
async function expectNotesOfUpgrade(server: Server, operator: Operator): Promise<void> {
  const [checked] = (await operator.deploy('--check')).report.hosts;
  expect(checked?.plan?.steps).toMatchObject([{ title: 'change /etc/turnserver.conf' }, { kind: 'service' }]);
  expect(checked?.plan?.notes.join()).toMatch(
    /its configuration was made for 4\.6\.1: it has no no-tlsv1, .*no-dtls.* any more; no-cli, .*do nothing in it/,
  );
  await writeFile(join(server.root, 'root/every.conf'), everyOption);
  const { stdout } = await server.console('cd /root; turnserver -c every.conf --pidfile= 2>&1');
  const version = parseVersion(/Version Coturn-([\d.]+)/.exec(stdout)?.[1] ?? '');
  expect(unknownOptions(stdout)).toEqual(unknownByTable(version));
}

needs('server lab').describe('a deployed service', () => {
  it('on Debian 13 survives a reboot and an upgrade of coturn, goes back a generation, and is removed without a trace', async () => {
    const lab = await openServerLab();
    try {
      const server = await lab.addServer('thirteen', 'trixie');
      const before = (await server.console('dpkg-query -W; ls -A /etc /var/lib')).stdout;
      // TLS on 443, as networks let it out that let out nothing else.
      const tls = { tls: { certbot: { server: acmeUrl } }, listen: { tls: 443 } };
      const operator = await operatorOf(lab, serviceOn([server], tls));
      expect((await operator.deploy()).report).toMatchObject({
        verdict: 'healthy',
        hosts: [{ generation: 1 }],
      });

      await server.reboot();
      expect((await operator.deploy()).report).toMatchObject({
        verdict: 'healthy',
        hosts: [{ outcome: 'unchanged' }],
      });

      // Whatever can be read of it on the server by others: logs, the process list, what everybody may read.
      await writeFile(join(server.root, 'var/tmp/needle'), `${operator.secret}\n`, { mode: 0o600 });
      const { stdout: leaks } = await server.console(
        `journalctl | grep -cf /var/tmp/needle; grep -alf /var/tmp/needle /proc/[0-9]*/cmdline /proc/[0-9]*/environ
         find / -xdev -type f -perm /o+r -not -path '/proc/*' -print0 2>/dev/null | xargs -0 grep -slf /var/tmp/needle`,
      );
      expect(leaks.trim()).toBe('0');

      const config = (await server.console('sha256sum /etc/turnserver.conf')).stdout;
      const isUpgraded = await upgradeCoturn(server);
      if (isUpgraded) await expectNotesOfUpgrade(server, operator);
      else await operator.configure(serviceOn([server], { ...tls, quotas: { userQuota: 20 } }));
      expect((await operator.deploy()).report).toMatchObject({
        verdict: 'healthy',
        hosts: [{ generation: 2, warnings: [] }],
      });
      const back = await operator.deploy('rollback');
      expect(back.report).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'changed', generation: 1 }] });
      if (isUpgraded) {
        expect(back.report.hosts[0]?.plan?.notes.join()).toMatch(
          /was made for coturn 4\.6\.1, and [\d.]+ is installed/,
        );
      }
      expect((await server.console('sha256sum /etc/turnserver.conf')).stdout).toBe(config);
      const probe = async (): Promise<Report> => {
        const urls = [`turn:${server.host}`, `turns:${server.host}:443`];
        const how = [
          '--secret-file',
          'secret.txt',
          '--ca',
          lab.acmeRootFile,
          '--no-call',
          '--format',
          'json',
        ];
        return JSON.parse((await operator.rtcOps('probe', ...urls, ...how)).stdout) as Report;
      };
      expect((await probe()).verdict).toBe('healthy');
      expect((await operator.deploy('rollback', '--to', '7')).report.hosts[0]?.because).toBe(
        'it keeps no earlier generation 7',
      );

      expect((await operator.deploy('remove')).report).toMatchObject({
        exitCode: 0,
        hosts: [{ outcome: 'changed' }],
      });
      expect((await server.console('dpkg-query -W; ls -A /etc /var/lib')).stdout).toBe(before);
      expect((await operator.deploy('remove')).report).toMatchObject({
        exitCode: 0,
        hosts: [{ outcome: 'unchanged' }],
      });
    } finally {
      await lab.close();
    }
  });

  it('is deployed on the server itself, which cannot say whether others reach it', async () => {
    const lab = await openServerLab();
    try {
      const server = await lab.addServer('local');
      const { secret } = await operatorOf(lab, {});
      const config = JSON.stringify({ auth: { secret: { file: 'secret.txt' } }, ...serviceOn([server]) });
      await server.console(
        `mkdir /srv/turn; cd /srv/turn; umask 077; echo ${secret} > secret.txt; echo '${config}' > rtc-ops.yaml`,
      );
      const rtcOps = `cd /srv/turn && node ${projectOnServer}/bin/rtc-ops.js`;
      const { stdout, stderr, exitCode } = await server.console(`${rtcOps} deploy --local --yes`);
      expect(stderr).toContain('installing ansible-core');
      expect(stdout).toContain('? unknown');
      expect(stdout).toContain(`rtc-ops probe ${server.host} --secret-file FILE`);
      expect(exitCode).toBe(1);
      expect(await server.console(`${rtcOps} deploy --local --yes --no-verify`)).toMatchObject({
        exitCode: 0,
      });
    } finally {
      await lab.close();
    }
  });
});
