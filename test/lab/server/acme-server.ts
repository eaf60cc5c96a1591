import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { startDetached } from '../namespaces.ts';
import { shared } from './image.ts';
import { addresses, onHost } from './network.ts';
import { directoryOf, type ServerLabId } from './place.ts';

/** Where ACME clients of the lab go (RFC 8555 §7.1.1). Servers trust its certificate. */
export const acmeUrl = 'https://acme.lab.test:14000/dir';

const startTimeoutMs = 15_000;

/** Where a lab keeps the root of the certificates that its ACME server issues. */
export function acmeRootFile(lab: ServerLabId): string {
  return join(directoryOf(lab), 'acme-root.pem');
}

/** Starts Pebble, an ACME server, and the name server of the lab, on its router. */
export async function startAcmeServer(lab: ServerLabId, certificateDays: number): Promise<void> {
  const directory = join(directoryOf(lab), 'acme');
  await mkdir(directory);
  const file = (name: string): string => join(directory, name);
  await execa('openssl', [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-x509', '-days', '30'],
    ...['-subj', '/CN=acme.lab.test', '-addext', 'subjectAltName=DNS:acme.lab.test'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-CA', shared.caCertificate, '-CAkey', shared.caKey],
    ...['-keyout', file('server.key'), '-out', file('server.pem')],
  ]);
  const pebble = {
    listenAddress: `${addresses.router}:14000`,
    managementListenAddress: `${addresses.router}:15000`,
    certificate: file('server.pem'),
    privateKey: file('server.key'),
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
    certificateValidityPeriod: certificateDays * 86_400,
  };
  await writeFile(file('config.json'), JSON.stringify({ pebble }));
  const names = [
    'pebble-challtestsrv',
    ...['-dns01', `${addresses.router}:53`],
    ...['-management', management],
  ];
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv4', '', '-defaultIPv6', ''];
  await startDetached(onHost(lab, 'router', [...names, ...off]), file('names.log'));
  const server = ['pebble', '-config', file('config.json'), '-dnsserver', `${addresses.router}:53`];
  // A challenge is looked at once and at once; no authorization is taken for granted because there was one before.
  const environment = ['env', 'PEBBLE_VA_NOSLEEP=1', 'PEBBLE_AUTHZREUSE=0', 'PEBBLE_WFE_NONCEREJECT=0'];
  await startDetached(onHost(lab, 'router', [...environment, ...server]), file('acme.log'));
  await setName(lab, 'acme.lab.test', { ipv4: addresses.router });
  await writeFile(acmeRootFile(lab), await answered(lab, `https://${addresses.router}:15000/roots/0`));
}

const management = '127.0.0.1:8055';

/** Gives a name its address in the DNS of the lab, or takes both of a name away. */
export async function setName(
  lab: ServerLabId,
  host: string,
  { ipv4, ipv6 }: { readonly ipv4?: string; readonly ipv6?: string },
): Promise<void> {
  const records = [
    ['a', ipv4],
    ['aaaa', ipv6],
  ] as const;
  for (const [type, address] of records) {
    const body = JSON.stringify(address === undefined ? { host } : { host, addresses: [address] });
    const url = `http://${management}/${address === undefined ? 'clear' : 'add'}-${type}`;
    await answered(lab, url, ['--data', body]);
  }
}

/** What a service on the router answers; a service that has just been started may take its time. */
async function answered(lab: ServerLabId, url: string, options: readonly string[] = []): Promise<string> {
  const command = ['curl', '--silent', '--show-error', '--fail', '--insecure', ...options, url];
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const [file, args] = onHost(lab, 'router', command);
    const { exitCode, stdout, stderr } = await execa(file, args, { reject: false, stdin: 'ignore' });
    if (exitCode === 0) return stdout;
    if (performance.now() > deadline) throw new Error(`a service of the lab does not answer: ${stderr}`);
    await sleep(50);
  }
}
