import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { installedVersion } from '../../src/coturn/executable.ts';
import { renderConfig } from '../../src/coturn/render.ts';
import { startCoturn, type CoturnServer } from '../../src/coturn/server.ts';
import { issueCredential } from '../../src/credentials/issue.ts';
import type { Family } from '../../src/model/endpoint.ts';
import { AttemptError } from '../../src/model/failure.ts';
import { Secret } from '../../src/model/secret.ts';
import { allocate, type Allocation } from '../../src/turn/allocation.ts';
import type { TurnCredential } from '../../src/turn/session.ts';
import { complaintsIn } from '../support/calm-log.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

let ports: PortBlock;
let version: string;

beforeEach(async () => {
  ports = await claimPorts();
  onTestFinished(async () => ports.release());
  version = (await installedVersion()) ?? 'none';
});

/** Two addresses of this machine that need no network. */
const host = '{ name: localhost, addresses: [127.0.0.1, "::1"] }';

function yamlWith(lines: string, port = ports.next()): string {
  return `realm: example.org
auth: { secret: { env: S } }
hosts: [${host}]
listen: { udp: ${port}, tcp: ${port}, tls: TLS }
relay: { ports: ${ports.relay.min}-${ports.relay.max} }
${lines}`.replace(', tls: TLS', lines.includes('tls:') ? `, tls: ${ports.next()}` : '');
}

async function start(yaml: string, secrets = [new Secret('north')]): Promise<CoturnServer> {
  const text = renderConfig(parseConfig(yaml, 'rtc-ops.yaml'), { version, secrets });
  const server = await startCoturn({ config: { text } });
  onTestFinished(async () => server.stop());
  return server;
}

async function certificateFiles(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-test-'));
  onTestFinished(async () => rm(directory, { recursive: true }));
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  await writeFile(join(directory, 'cert.pem'), cert);
  await writeFile(join(directory, 'key.pem'), key);
  return `tls: { cert: ${join(directory, 'cert.pem')}, key: ${join(directory, 'key.pem')} }`;
}

needs('coturn').describe('what is rendered starts without a complaint', () => {
  it.each<[string, (yaml: string) => string]>([
    ['by default', (yaml) => yaml],
    ['on one address', (yaml) => yaml.replace(', "::1"', '')],
    ['with its log on standard output', (yaml) => `${yaml}logging: { to: stdout }`],
    [
      'with quotas',
      (yaml) => `${yaml}quotas: { userQuota: 12, totalQuota: 1200, maxBps: 64000, bpsCapacity: 1000000 }`,
    ],
    [
      'with exceptions',
      (yaml) => `${yaml}peers: { allow: [10.1.0.0/16, "fd00::/8"], deny: [198.51.100.0/24] }`,
    ],
    ['for stun-only', (yaml) => `${yaml}profile: stun-only`],
    [
      'with one family',
      (yaml) => yaml.replace('tls: TLS', 'families: [6]').replace(/tcp: \d+/, '$&, families: [6]'),
    ],
    ['denying all but an SFU', (yaml) => `${yaml}peers: { only: [10.1.2.3, "2001:db8::7"] }`],
    ['sized for users', (yaml) => yaml.replace(/relay: .*/, 'relay: { users: 20 }')],
    ['with a facility of syslog', (yaml) => `${yaml}logging: { facility: local3 }`],
    ['over UDP alone', (yaml) => yaml.replace(/tcp: \d+/, 'tcp: off')],
    ['over TCP alone', (yaml) => yaml.replace(/udp: \d+/, 'udp: off')],
  ])('%s', async (_, edit) => {
    const server = await start(edit(yamlWith('')));
    expect(complaintsIn(server.logText())).toEqual([]);
    expect(server.warnings()).toEqual([]);
  });

  it('with TLS', async () => {
    const server = await start(yamlWith(await certificateFiles()));
    expect(server.ports.tls).not.toBeNull();
    expect(complaintsIn(server.logText())).toEqual([]);
  });

  it('with further ports, which serve every transport', async () => {
    const extra = ports.next();
    const yaml = yamlWith(await certificateFiles()).replace('listen: {', `listen: { extraPorts: [${extra}],`);
    const server = await start(yaml);
    const more = server.listeners.filter(({ endpoint }) => endpoint.port === extra);
    expect(more.map(({ transport, endpoint }) => `${transport} ${endpoint.address}`)).toEqual([
      'udp 127.0.0.1',
      'tcp 127.0.0.1',
      'tls 127.0.0.1',
      'udp ::1',
      'tcp ::1',
      'tls ::1',
    ]);
    expect(complaintsIn(server.logText())).toEqual([]);
  });

  it('and an unknown option is one, so that these tests can fail', async () => {
    const text = renderConfig(parseConfig(yamlWith(''), 'rtc-ops.yaml'), {
      version,
      secrets: [new Secret('north')],
    });
    const server = await startCoturn({ config: { text: `${text}\nfingerprin` } });
    await server.stop();
    expect(complaintsIn(server.logText())).toContain('Bad configuration format: fingerprin');
  });
});

/** With a shared secret, or as a user. */
async function allocation(
  server: CoturnServer,
  login: Secret | TurnCredential,
  family: Family = 4,
): Promise<Allocation> {
  const credential =
    login instanceof Secret
      ? issueCredential({ secret: login, user: 'test', ttlSeconds: 60, now: new Date() })
      : login;
  const allocated = await allocate({
    server: {
      transport: 'udp',
      endpoint: { address: '127.0.0.1', port: server.ports.udp ?? 0 },
      verifyTls: false,
    },
    credential,
    family,
    timeoutMs: 3000,
    signal: AbortSignal.timeout(30_000),
  });
  onTestFinished(async () => {
    await allocated.release();
  });
  return allocated;
}

/** The code with which the server refuses a peer; null when it does not. */
async function refusalOf(relay: Allocation, address: string): Promise<number | null> {
  try {
    await relay.permit([address]);
    return null;
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'stun-error') return error.failure.code;
    throw error;
  }
}

async function refusedAmong(relay: Allocation, addresses: readonly string[]): Promise<string[]> {
  const refused: string[] = [];
  for (const address of addresses) if ((await refusalOf(relay, address)) === 403) refused.push(address);
  return refused;
}

needs('coturn').describe('peers of a server that was rendered', () => {
  const inside = [
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '172.31.255.255',
  ];
  const more = [
    '192.0.0.192',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '0.1.2.3',
  ];
  const inside6 = [
    '::1',
    '::a00:0',
    '::a01:0',
    '::a00:100',
    '::a01:1',
    '::ffff:a00:1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
  ];
  const more6 = ['2001::1', '2002:a00:1::', 'fd00:ec2::254', 'fe80::1', 'fec0::1', 'ff02::1', '::'];

  it('are refused when they are not on the internet', async () => {
    const relay = await allocation(await start(yamlWith('')), new Secret('north'));
    expect(await refusedAmong(relay, [...inside, ...more])).toEqual([...inside, ...more]);
  });

  it('are refused over IPv6, in every spelling of IPv4', async () => {
    const relay = await allocation(await start(yamlWith('')), new Secret('north'), 6);
    expect(await refusedAmong(relay, [...inside6, ...more6])).toEqual([...inside6, ...more6]);
  });

  it('are accepted when they are', async () => {
    const server = await start(yamlWith(''));
    const [relay, relay6] = [
      await allocation(server, new Secret('north')),
      await allocation(server, new Secret('north'), 6),
    ];
    expect(await refusedAmong(relay, ['8.8.8.8', '172.32.0.1', '203.0.113.9', '100.128.0.1'])).toEqual([]);
    expect(await refusedAmong(relay6, ['2606:4700::1111', '2001:db8::1', '2a00:1450::'])).toEqual([]);
  });

  it('are excepted as the config says', async () => {
    const server = await start(
      yamlWith('peers: { allow: [127.0.0.0/8, 10.1.0.0/16], deny: [203.0.113.0/24] }'),
    );
    const relay = await allocation(server, new Secret('north'));
    const asked = ['127.0.0.1', '10.1.2.3', '10.2.2.3', '203.0.113.9', '8.8.8.8'];
    expect(await refusedAmong(relay, asked)).toEqual(['10.2.2.3', '203.0.113.9']);
  });
});

needs('coturn').describe('peers of a server for an SFU', () => {
  const only = 'peers: { only: [203.0.113.7, "2001:db8::/64"] }';

  it('are those that are named, and nobody else', async () => {
    const server = await start(yamlWith(only));
    const relay = await allocation(server, new Secret('north'));
    const asked = ['203.0.113.7', '203.0.113.8', '8.8.8.8', '1.0.0.0', '10.1.2.3', '127.0.0.1', '0.1.2.3'];
    expect(await refusedAmong(relay, asked)).toEqual(asked.slice(1));
    const relay6 = await allocation(server, new Secret('north'), 6);
    const asked6 = ['2001:db8::7', '2001:db8:1::', '2606:4700::1111', '2a00:100::', '::1', '::ffff:808:808'];
    expect(await refusedAmong(relay6, asked6)).toEqual(asked6.slice(1));
  });
});

needs('coturn').describe('static users of a server that was rendered', () => {
  it('are let in by their passwords', async () => {
    const key = createHash('md5').update('bob:example.org:its key').digest('hex');
    const users = new Map([
      ['alice', new Secret('a # "b" = c;d')],
      ['bob', new Secret(`0x${key}`)],
    ]);
    const yaml = yamlWith('').replace('secret: { env: S }', 'users: { alice: { env: A }, bob: { env: B } }');
    const config = parseConfig(yaml, 'rtc-ops.yaml');
    const passwords = { users, database: null };
    const text = renderConfig(config, { version, secrets: [], passwords });
    const server = await startCoturn({ config: { text } });
    onTestFinished(async () => server.stop());
    expect(complaintsIn(server.logText())).toEqual([]);
    const login = async (username: string, password: string): Promise<unknown> =>
      allocation(server, { username, password: new Secret(password) });
    await login('alice', 'a # "b" = c;d');
    await login('bob', 'its key');
    const refused = { failure: { kind: 'stun-error', code: 401 } };
    await expect(login('alice', 'another')).rejects.toMatchObject(refused);
    await expect(login('carol', 'a')).rejects.toMatchObject(refused);
  });
});

needs('coturn').describe('secrets of a server that was rendered', () => {
  it.each(['a # "b" = c;d', "é'\\$x", 'x'.repeat(256)])('%j is the one that counts', async (secret) => {
    const relay = await allocation(await start(yamlWith(''), [new Secret(secret)]), new Secret(secret));
    expect(relay.relayed.port).toBeGreaterThanOrEqual(ports.relay.min);
  });

  it('are all accepted during a rotation, and nothing else', async () => {
    const server = await start(yamlWith(''), [new Secret('new'), new Secret('old')]);
    await allocation(server, new Secret('new'));
    await allocation(server, new Secret('old'));
    await expect(allocation(server, new Secret('other'))).rejects.toMatchObject({
      failure: { kind: 'stun-error', code: 401 },
    });
  });

  it('let nobody in when they are redacted, with a credential or without', async () => {
    const config = parseConfig(yamlWith(''), 'rtc-ops.yaml');
    const text = renderConfig(config, { version, secrets: [new Secret('north')], redact: true });
    const server = await startCoturn({ config: { text } });
    onTestFinished(async () => server.stop());
    for (const guess of ['north', '[redacted]', '-']) {
      const refused = { failure: { kind: 'stun-error', code: 401 } };
      await expect(allocation(server, new Secret(guess))).rejects.toMatchObject(refused);
    }
  });

  it('are in no line of the log', async () => {
    const secret = new Secret('a-secret-that-no-log-may-show');
    const server = await start(yamlWith('logging: { verbose: true }'), [secret]);
    await allocation(server, secret);
    expect(server.logText()).toContain('session');
    expect(server.logText()).not.toContain(secret.reveal());
  });
});
