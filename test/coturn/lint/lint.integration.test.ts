import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { installedVersion } from '../../../src/coturn/executable.ts';
import { lint } from '../../../src/coturn/lint/lint.ts';
import { startCoturn } from '../../../src/coturn/server.ts';
import { nearestVersion } from '../../../src/coturn/versions.ts';
import { AttemptError } from '../../../src/model/failure.ts';
import { Secret } from '../../../src/model/secret.ts';
import { allocate } from '../../../src/turn/allocation.ts';
import { claimPorts } from '../../support/ports.ts';
import { lintFacts, versionFacts } from '../../support/lint-facts.ts';
import { needs } from '../../support/requirements.ts';

/** What coturn logs of a file until it ends: it is made to give up before it opens a socket. */
async function read(config: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  onTestFinished(async () => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'turnserver.conf');
  await writeFile(file, `${config}\nlog-file=stdout\nbps-capacity=1000\nmax-bps=0\n`, 'latin1');
  const { stdout, stderr } = await execa('turnserver', ['-c', file, '--pidfile', '', '--no-stdout-log=0'], {
    cwd: directory,
    reject: false,
    timeout: 5000,
  });
  return `${stdout}\n${stderr}`;
}

async function linted(config: string): Promise<string[]> {
  const version = nearestVersion((await installedVersion()) ?? '');
  const findings = lint(lintFacts(config, versionFacts(version)));
  return findings.map(({ finding }) => finding.code);
}

needs('coturn').describe('what the lint says of a line, the installed coturn does', () => {
  it.each<[string, string, RegExp]>([
    ['fingerprin', 'CONFIG_OPTION_UNKNOWN', /Bad configuration format: fingerprin/],
    ['--fingerprint', 'CONFIG_OPTION_UNKNOWN', /Bad configuration format: --fingerprint/],
    ['realm:x', 'CONFIG_OPTION_UNKNOWN', /Bad configuration format: realm:x/],
    ['multiplex-peer', 'CONFIG_OPTION_TOO_NEW', /Bad configuration format: multiplex-peer/],
    ['sha256', 'CONFIG_OPTION_REMOVED', /Bad configuration format: sha256/],
    ['\u00ef\u00bb\u00bflt-cred-mech', 'CONFIG_BYTE_ORDER_MARK', /Bad configuration format: .+lt-cred-mech/],
    ['realm=a;', 'CONFIG_SEMICOLON', /ends with semicolon: "realm=a;"/],
    ['realm=a # b', 'CONFIG_INLINE_COMMENT', /Default realm: a # b$/m],
    ["realm='a'", 'CONFIG_QUOTE', /Default realm: 'a'$/m],
    ['realm="a', 'CONFIG_QUOTE', /Default realm: a$/m],
    ['realm=a\nrealm=b', 'CONFIG_DUPLICATE', /Default realm: b$/m],
    ['realm=a\0b', 'CONFIG_NUL', /Default realm: a$/m],
    ['server-name=x\rrealm=a', 'CONFIG_LINE_ENDINGS', /Default realm: $/m],
    [`cipher-list=${'A'.repeat(1011)}realm=b`, 'CONFIG_LINE_TOO_LONG', /Default realm: b$/m],
    [`#${'a'.repeat(1022)}realm=b`, 'CONFIG_LINE_TOO_LONG', /Default realm: b$/m],
    [`#${'a'.repeat(1022)}max-bps=64k`, 'CONFIG_VALUE_MISREAD', /64 bytes per second allowed per session/],
    ['max-bps=64k', 'CONFIG_VALUE_MISREAD', /64 bytes per second allowed per session/],
    [
      'external-ip=1.2.3.4\nexternal-ip=1.2.3.5',
      'EXTERNAL_IP_REPEATED',
      /cannot define external IP more than once/,
    ],
    ['external-ip=1.2.3.444', 'CONFIG_ADDRESS_INVALID', /Wrong address format: 1\.2\.3\.444/],
    ['cli-ip=1.2.3.4/5', 'CONFIG_ADDRESS_INVALID', /Cannot set cli address: 1\.2\.3\.4\/5/],
    ['listening-ip=10.0.0.0/8', 'CONFIG_ADDRESS_INVALID', /Cannot add a listener address/],
    [
      'denied-peer-ip=10.0.0.0/8',
      'DENIED_RANGE_CIDR',
      /Wrong address format: 10\.0\.0\.0\/8|invalid denied-peer-ip/,
    ],
    ['user=abc', 'USER_MALFORMED', /Wrong user account: abc/],
    [
      'allocation-default-address-family=v6',
      'CONFIG_VALUE_MISREAD',
      /invalid allocation_default_address_family/,
    ],
  ])('%j: %s', async (config, code, logged) => {
    expect(await linted(config)).toContain(code);
    expect(await read(config)).toMatch(logged);
  });

  it.each([
    'fingerprint=enabled',
    'fingerprint # x',
    'version',
    'no-udp-relay\nno-tcp-relay',
    'no-auth\nlt-cred-mech',
    'allow-loopback-peers',
  ])('%j: does not start', async (config) => {
    const codes = await linted(config);
    expect(codes.some((code) => ['CONFIG_PREVENTS_START', 'CONFIG_INLINE_COMMENT'].includes(code))).toBe(
      true,
    );
    const ports = await claimPorts();
    onTestFinished(async () => ports.release());
    const text = `${config}\nlistening-ip=127.0.0.1\nlistening-port=${ports.next()}\nno-tls\nno-dtls\n`;
    await expect(startCoturn({ config: { text } })).rejects.toThrow(/it ended at once/);
  });

  it('and reads what the lint takes for harmless without a complaint', async () => {
    const config = '\t realm \t=  "a b"  \r\nfingerprint=Yes\r\nmin-port = 50000\r\n# realm=c\r\n';
    expect(await linted(config)).not.toContain('CONFIG_QUOTE');
    const log = await read(config);
    expect(log).toMatch(/Default realm: a b$/m);
    expect(log).not.toMatch(/Bad configuration|semicolon|Unknown/);
  });
});

needs('coturn').describe('whether a relay is open', () => {
  const secret = 'static-auth-secret=4e8f7a9c3b5d1e0f28a7f3c5e9b1d204';
  it.each([
    '',
    'realm=x',
    'no-auth',
    `${secret}\nno-auth=0`,
    `${secret}\nlt-cred-mech=0`,
    `lt-cred-mech=0\n${secret}`,
    'use-auth-secret=off',
    'lt-cred-mech=0\nuser=a:b',
    'user=a:b',
    'lt-cred-mech',
    'lt-cred-mech # on',
    'lt_cred_mech',
    'st-cred-mech',
  ])('is seen from its file: %j', async (config) => {
    const ports = await claimPorts();
    onTestFinished(async () => ports.release());
    const port = ports.next();
    const text = `${config}\nlistening-ip=127.0.0.1\nlistening-port=${port}\nno-tcp\nno-tls\nno-dtls\nno-cli
min-port=${ports.relay.min}\nmax-port=${ports.relay.max}\n`;
    const codes = await linted(text);
    if (codes.includes('CONFIG_PREVENTS_START') || codes.includes('CONFIG_INLINE_COMMENT')) {
      await expect(startCoturn({ config: { text } })).rejects.toThrow(/did not start/);
      return;
    }
    const server = await startCoturn({ config: { text } });
    onTestFinished(async () => server.stop());
    expect(codes.includes('OPEN_RELAY_CONFIGURED')).toBe(await isOpen(port));
  });
});

/** Whether an allocation with made-up credentials, or without any, succeeds. */
async function isOpen(port: number): Promise<boolean> {
  try {
    const relay = await allocate({
      server: { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false },
      credential: { username: 'nobody', password: new Secret('wrong') },
      family: 4,
      timeoutMs: 3000,
      signal: AbortSignal.timeout(20_000),
    });
    await relay.release();
    return true;
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'stun-error' && error.failure.code === 401)
      return false;
    throw error;
  }
}
