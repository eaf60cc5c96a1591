import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { installedVersion } from '../../src/coturn/executable.ts';
import { coturnOptions, hasOption, type OptionValue } from '../../src/coturn/options.ts';
import { parseVersion } from '../../src/coturn/versions.ts';
import { needs } from '../support/requirements.ts';

/** The names in a config that coturn does not know, as it logs them. It ends before it opens a socket. */
async function unknownTo(config: string): Promise<Set<string>> {
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  const file = join(directory, 'turnserver.conf');
  // A capacity without a limit for one user makes coturn give up, after it has read its whole config.
  await writeFile(
    file,
    `${config}\nbps-capacity=1000\nmax-bps=0\nlog-file=stdout\nno-stdout-log=0\nsyslog=0\n`,
  );
  const { stdout } = await execa('turnserver', ['-c', file, '--pidfile', ''], {
    // Among the options is one that makes it write a log there.
    cwd: directory,
    reject: false,
    timeout: 5000,
  });
  await rm(directory, { recursive: true });
  expect(stdout).toContain('must set --max-bps');
  return new Set([...stdout.matchAll(/Bad configuration format: (\S+)/g)].map(([, name = '']) => name));
}

// Options of parts that a distribution leaves out: the Debian package has no Prometheus and no MongoDB.
const maybeLeftOut = /^(?:prometheus|(?:mongo|mysql|psql|redis|sql)-|udp-(?:gso|recvmmsg|sendmmsg))/;

// A flag that is off, an account that every system has: so that coturn reads on to the end.
const harmless: Partial<Record<OptionValue, string>> = {
  flag: '0',
  account: 'root',
  port: '1',
  integer: '1',
  seconds: '1',
};

needs('coturn').describe('the installed coturn', () => {
  it('knows exactly the options that the table gives to its version', async () => {
    const version = parseVersion((await installedVersion()) ?? '');
    const options = coturnOptions.filter(
      ({ name, value }) => value !== 'command-line-only' && !maybeLeftOut.test(name),
    );
    const config = options.map(({ name, value }) => `${name}=${harmless[value] ?? '127.0.0.1'}`);
    const expected = options.map(({ name }) => name).filter((name) => !hasOption(version, name));
    expect([...(await unknownTo(config.join('\n')))].toSorted()).toEqual(expected.toSorted());
  });
});
