import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, type Subprocess } from 'execa';
import { certificate, publicCertificate, type Certificate } from '../../support/certificates.ts';
import type { Server, Execution } from '../server/server.ts';
import { sshOptions } from '../server/server.ts';
import { setName } from '../server/acme-server.ts';
import { onHost } from '../server/network.ts';
import { openServerLab, type ServerLab } from '../server/server-lab.ts';
import { containerRemoved } from './container.ts';

const bin = fileURLToPath(new URL('../../../bin/rtc-ops.js', import.meta.url));

/** A booted server with a coturn that is in order, and an operator in another network who has an account and ssh to it. */
export interface Box {
  readonly lab: ServerLab;
  readonly server: Server;
  readonly secret: string;
  /** Of the operator, with secret.txt, ca.pem, and what a breakage puts there. */
  readonly directory: string;
  /** The certificates that a breakage can put in the place of the good one. */
  readonly certificates: Readonly<Record<CertificateName, string>>;
  /** Runs a shell script on the server, as root; throws when it fails. */
  readonly onServer: (script: string) => Promise<string>;
  /** Runs the command line where the operator is. */
  readonly rtcOps: (...args: string[]) => Promise<Execution>;
  /** The same, while it runs. Never rejects for an exit code. */
  readonly rtcOpsRunning: (...args: string[]) => Running;
  /** Runs a shell script on the router before the server, or where the operator is. */
  readonly onRouter: (script: string) => Promise<string>;
  readonly onOperator: (script: string) => Promise<string>;
  /** Puts everything back as it was made. */
  readonly restore: () => Promise<void>;
}

type Running = Pick<Subprocess, 'kill'> &
  PromiseLike<Pick<Execution, 'stdout' | 'stderr'> & { readonly exitCode?: number }>;

export type CertificateName =
  'good' | 'renewed' | 'leaf' | 'expired' | 'other name' | 'self-signed' | 'unknown to apps';

export const relayPorts = '49152-49500';
export const certificateDirectory = '/etc/turnserver';

/** Boots a server under `name`, in a lab of its own. */
export async function openBox(name: string): Promise<Box> {
  const lab = await openServerLab();
  try {
    const server = await lab.addServer(name);
    await setName(lab.id, server.host, {});
    await setName(lab.id, server.host, { ipv4: server.ipv4 });
    const directory = join(lab.directory, 'operator');
    const secret = randomBytes(32).toString('hex');
    await mkdir(directory);
    const { ca, certificates } = await makeCertificates(server);
    await writeFile(join(directory, 'ca.pem'), ca);
    await writeFile(join(directory, 'secret.txt'), `${secret}\n`, { mode: 0o600 });
    await writeSsh(lab, directory);
    const box = boxOf({ lab, server, secret, directory, certificates });
    await install(box);
    return box;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** The operator's ssh knows the servers of the lab, as that of a person does by their configuration. */
async function writeSsh(lab: ServerLab, directory: string): Promise<void> {
  const options = sshOptions(lab.id).map((option) => `'${option}'`);
  await mkdir(join(directory, 'bin'));
  const text = `#!/bin/sh\nexec /usr/bin/ssh ${options.join(' ')} "$@"\n`;
  await writeFile(join(directory, 'bin/ssh'), text, { mode: 0o755 });
}

function boxOf(parts: Pick<Box, 'lab' | 'server' | 'secret' | 'directory' | 'certificates'>): Box {
  const { lab, server, directory } = parts;
  const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1' };
  const succeeded = ({ stdout, stderr, exitCode }: Execution, script: string): string => {
    if (exitCode !== 0) throw new Error(`${script}\nended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  };
  const box: Box = {
    ...parts,
    onServer: async (script) => succeeded(await server.console(script), script),
    rtcOpsRunning: (...args) =>
      execa(...onHost(lab.id, 'operator', [process.execPath, bin, ...args]), {
        cwd: directory,
        env,
        stdin: 'ignore',
        reject: false,
      }),
    rtcOps: async (...args) => lab.operator([process.execPath, bin, ...args], { cwd: directory, env }),
    onRouter: async (script) => succeeded(await lab.router(['sh', '-c', script]), script),
    onOperator: async (script) =>
      succeeded(await lab.operator(['sh', '-c', script], { cwd: directory, env }), script),
    restore: async () => restored(box),
  };
  return box;
}

async function makeCertificates({
  host,
}: Server): Promise<{ ca: string; certificates: Box['certificates'] }> {
  const root = await certificate({ commonName: 'Lab Root', authority: true });
  const issuer = await certificate({ commonName: 'Lab Intermediate', authority: true, issuer: root });
  const named = { commonName: host, names: [host], issuer };
  // Their names are those of a public CA; the operator trusts it, as browsers do.
  const publicRoot = await certificate({ commonName: 'ISRG Root X1', authority: true });
  const publicIssuer = await certificate({ commonName: 'R11', authority: true, issuer: publicRoot });
  const files = (leaf: Certificate, chain: readonly Certificate[]): string =>
    [leaf.key, leaf.cert, ...chain.map(({ cert }) => cert)].join('\n');
  const leaf = await publicCertificate(named);
  const other = { ...named, commonName: 'other.lab.test', names: ['other.lab.test'] };
  return {
    ca: `${root.cert}\n${publicRoot.cert}`,
    certificates: {
      good: files(leaf, [issuer]),
      renewed: files(await certificate(named), [issuer]),
      leaf: files(leaf, []),
      expired: files(await certificate({ ...named, validFrom: -60, validUntil: -1 }), [issuer]),
      'other name': files(await certificate(other), [issuer]),
      'self-signed': files(await certificate({ commonName: host, names: [host] }), []),
      'unknown to apps': files(await certificate({ ...named, issuer: publicIssuer }), [publicIssuer]),
    },
  };
}

const unit = '/etc/systemd/system/coturn.service.d';
const kept = '/var/lib/in-order';

/** What the role of a deployment would do, in a tenth of its time. */
async function install(box: Box): Promise<void> {
  const { server, secret, onServer } = box;
  // The service of the package is not to start with its own configuration, which lets everyone relay.
  await onServer(`echo 'force-unsafe-io' >/etc/dpkg/dpkg.cfg.d/lab
    ln -s /dev/null /etc/systemd/system/coturn.service
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends coturn nftables ufw >/dev/null 2>&1
    rm /etc/systemd/system/coturn.service
    install -d -m 750 -o root -g turnserver ${certificateDirectory}`);
  await writeFile(join(server.root, 'etc/turnserver.conf'), configOf(box, secret));
  await onServer(`chown root:turnserver /etc/turnserver.conf; chmod 640 /etc/turnserver.conf`);
  await putCertificate(box, 'good');
  await onServer(`mkdir -p ${kept} ${unit}
    cp -a /etc/turnserver.conf /etc/hosts ${certificateDirectory} ${kept}
    systemctl daemon-reload; systemctl enable --quiet --now coturn`);
}

function configOf({ server }: Box, secret: string): string {
  const { ipv4, ipv6 } = server;
  const [least, most] = relayPorts.split('-');
  const lines = [
    ...[ipv4, ipv6].flatMap((address) => [`listening-ip=${address}`, `relay-ip=${address}`]),
    'listening-port=3478',
    'tls-listening-port=5349',
    `min-port=${least}`,
    `max-port=${most}`,
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    'realm=lab.test',
    `cert=${certificateDirectory}/chain.pem`,
    `pkey=${certificateDirectory}/key.pem`,
    'fingerprint',
    'no-multicast-peers',
    ...deniedPeers.map((range) => `denied-peer-ip=${range}`),
    'no-tcp-relay',
    'no-tlsv1',
    'no-tlsv1_1',
    'no-cli',
    'no-software-attribute',
    'user-quota=20',
    'total-quota=200',
    'syslog',
    'verbose',
  ];
  return `${lines.join('\n')}\n`;
}

const deniedPeers = [
  '0.0.0.0-0.255.255.255',
  '10.0.0.0-10.255.255.255',
  '100.64.0.0-100.127.255.255',
  '127.0.0.0-127.255.255.255',
  '169.254.0.0-169.254.255.255',
  '172.16.0.0-172.31.255.255',
  '192.168.0.0-192.168.255.255',
  '::ffff:0:0-::ffff:ffff:ffff',
  '::1',
  'fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
];

/** Writes certificate and key to where the configuration has them; coturn goes on with what it has read. */
export async function putCertificate(
  { server, certificates, onServer }: Box,
  name: CertificateName,
): Promise<void> {
  const text = certificates[name];
  const [key = '', ...chain] = text.split(/(?=-----BEGIN CERTIFICATE)/);
  const directory = join(server.root, certificateDirectory);
  await writeFile(join(directory, 'chain.pem'), chain.join(''), { mode: 0o640 });
  await writeFile(join(directory, 'key.pem'), key, { mode: 0o640 });
  await onServer(`chown root:turnserver ${certificateDirectory}/*`);
}

async function restored({ onServer, onRouter, onOperator }: Box): Promise<void> {
  await onRouter('nft flush ruleset');
  await onOperator(
    'nft flush ruleset; [ ! -e holder.pid ] || kill $(cat holder.pid) 2>/dev/null; rm -f holder.pid',
  );
  // What an earlier fault has left in the journal is no fault of the next service.
  await onServer(`: >/etc/environment; nft flush ruleset
    ufw --force reset >/dev/null 2>&1; systemctl stop 'lab-*' 2>/dev/null
    iptables -F; ip6tables -F; nft flush ruleset
    systemctl stop coturn 2>/dev/null; pkill -x turnserver; ${containerRemoved}
    rm -rf ${unit} ${certificateDirectory}; mkdir ${unit}
    cp -a ${kept}/* /etc/
    systemctl daemon-reload; systemctl reset-failed; journalctl --quiet --rotate --vacuum-time=1s
    systemctl start coturn`);
}
