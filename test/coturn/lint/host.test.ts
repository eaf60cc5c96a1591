import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { hostFacts, pathFacts } from '../../../src/coturn/lint/host.ts';
import { pemFacts } from '../../../src/coturn/lint/pem.ts';
import { parseDirectives } from '../../../src/coturn/parse.ts';
import { directoryWith } from '../../support/temporary.ts';

const passwd = 'root:x:0:0::/root:/bin/sh\nturnserver:x:102:105::/:/bin/false\n';
const group = 'root:x:0:\nturnserver:x:105:\nssl-cert:x:110:www,turnserver\n';
const unit = '[Service]\nUser=turnserver\nGroup=turnserver\nExecStart=/usr/bin/turnserver\n';

async function factsOf(files: Readonly<Record<string, string>>, config = ''): ReturnType<typeof hostFacts> {
  const root = await directoryWith({
    'etc/turnserver.conf': config,
    'etc/passwd': passwd,
    'etc/group': group,
    ...files,
  });
  return hostFacts({
    path: join(root, 'etc/turnserver.conf'),
    directives: parseDirectives(config.replaceAll('ROOT', root)),
    addresses: [],
    architecture: 'x64',
    root,
  });
}

describe('hostFacts', () => {
  it('finds the service, its user and its groups', async () => {
    const { service } = await factsOf({ 'lib/systemd/system/coturn.service': unit });
    expect(service).toMatchObject({ unit: 'coturn.service', user: 'turnserver', uid: 102, gids: [105, 110] });
  });

  it('reads drop-ins over the unit, and that of the administrator over that of the package', async () => {
    const { service } = await factsOf({
      'lib/systemd/system/coturn.service': unit,
      'etc/systemd/system/coturn.service': unit.replace('User=turnserver', 'User=root'),
      'etc/systemd/system/coturn.service.d/ports.conf':
        '[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n',
    });
    expect(service).toMatchObject({ user: 'root', uid: 0, lowestPort: 0 });
  });

  it('takes the lowest port from the kernel', async () => {
    const { service } = await factsOf({
      'lib/systemd/system/coturn.service': unit,
      'proc/sys/net/ipv4/ip_unprivileged_port_start': '80\n',
    });
    expect([80, null, 0]).toContain(service?.lowestPort);
  });

  it('knows of no service where there is none', async () => {
    expect((await factsOf({})).service).toBeNull();
  });

  it('looks at the files that the configuration names', async () => {
    const config = 'cert=/nowhere/cert.pem\npkey=relative.pem\n';
    const { files } = await factsOf({}, config);
    expect(Object.keys(files)).toEqual(['/nowhere/cert.pem']);
    expect(files['/nowhere/cert.pem']).toMatchObject({ error: 'ENOENT', pem: null });
  });
});

describe('pathFacts', () => {
  it('has every directory, also those behind a symbolic link', async () => {
    const root = await directoryWith({ 'archive/key.pem': 'x' });
    await mkdir(join(root, 'live'));
    await symlink('../archive/key.pem', join(root, 'live/key.pem'));
    await chmod(join(root, 'archive'), 0o700);
    const { error, nodes } = await pathFacts(join(root, 'live/key.pem'), false);
    expect(error).toBeNull();
    expect(nodes.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        '/',
        root,
        join(root, 'live'),
        join(root, 'archive'),
        join(root, 'live/key.pem'),
      ]),
    );
    expect(nodes.find(({ path }) => path.endsWith('archive'))?.mode).toBe(0o700);
    expect(nodes.at(-1)).toMatchObject({ path: join(root, 'live/key.pem'), mode: 0o600 });
  });
});

describe('pemFacts', () => {
  it('pairs a certificate with its key, and holds nothing of the key itself', async () => {
    const made = async (): ReturnType<typeof generate> =>
      generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' });
    const [one, two] = [await made(), await made()];
    const cert = pemFacts(`${one.cert}\n${two.cert}`);
    expect(cert.certificates).toHaveLength(2);
    expect(cert.certificates[0]).toMatchObject({ selfIssued: true, namesIssuerUrl: false });
    const key = pemFacts(one.private);
    expect(key.keyFingerprint).toBe(cert.certificates[0]?.keyFingerprint);
    expect(key.keyFingerprint).not.toBe(cert.certificates[1]?.keyFingerprint);
    expect(JSON.stringify(key)).not.toContain(one.private.split('\n')[1]);
  });

  it.each([
    ['', null, null],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /cannot be read as PEM/, null],
    ['-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----', null, null],
  ])('says what it cannot use: %j', (text, error, fingerprint) => {
    const facts = pemFacts(text);
    if (error === null) expect(facts.error).toBeNull();
    else expect(facts.error).toMatch(error);
    expect(facts.keyFingerprint).toBe(fingerprint);
    expect(facts.isEncrypted).toBe(text.includes('ENCRYPTED'));
  });

  it('needs no file that is there', async () => {
    const root = await directoryWith({});
    await writeFile(join(root, 'bad.pem'), 'nothing');
    expect((await pathFacts(join(root, 'bad.pem'), true)).pem).toMatchObject({
      error: null,
      certificates: [],
    });
  });
});
