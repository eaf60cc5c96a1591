import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificate, publicCertificate, type Certificate } from '../support/certificates.ts';
import { directoryOf, onHost, startDetached, type LabId } from './namespaces.ts';
import { addresses } from './network.ts';
import { relayPorts, type Scenario } from './scenarios.ts';

/** The coturn of a lab, and what can be wrong with it. */
export interface TurnServerSetUp {
  /** Lines of turnserver.conf beside the usual ones; `-NAME` takes out the lines that begin with NAME. */
  readonly config?: readonly string[];
  /** `valid`, unless this says what is wrong with it. */
  readonly certificate?: CertificateKind;
}

export type CertificateKind = 'valid' | 'expired' | 'of another name' | 'without its chain' | 'self-signed';

export const secret = 'the-secret-of-the-lab';
export const ports = { plain: 3478, tls: 5349, alternative: 443 } as const;

// coturn opens its sockets within 200 ms on an idle machine.
const startTimeoutMs = 15_000;
const pollMs = 15;

/** Files that a client of the lab needs. */
export interface ClientFiles {
  /** The trust anchor of the server's certificate. */
  readonly caFile: string;
  readonly secretFile: string;
  /** A secret that the server does not know. */
  readonly wrongSecretFile: string;
}

export function clientFiles(lab: LabId): ClientFiles {
  const [caFile, secretFile, wrongSecretFile] = ['ca.pem', 'secret', 'wrong-secret'].map((name) =>
    join(directoryOf(lab), name),
  ) as [string, string, string];
  return { caFile, secretFile, wrongSecretFile };
}

export function serverLogFile(lab: LabId): string {
  return join(directoryOf(lab), 'turnserver.log');
}

/** Writes what the server and its clients read into the folder of the lab. */
export async function writeFiles(lab: LabId, scenario: Scenario, setUp: TurnServerSetUp): Promise<void> {
  const { caFile, secretFile, wrongSecretFile } = clientFiles(lab);
  const { certificateFile, keyFile, configFile } = serverFiles(lab);
  const { ca, chain, key } = await certificates(setUp.certificate ?? 'valid');
  const config = configLines(scenario, setUp, [`cert=${certificateFile}`, `pkey=${keyFile}`]);
  const files = [
    [caFile, ca],
    [certificateFile, chain],
    [keyFile, key],
    [configFile, `${config.join('\n')}\n`],
    [secretFile, `${secret}\n`],
    [wrongSecretFile, 'another-secret\n'],
  ] as const;
  await Promise.all(files.map(async ([file, text]) => writeFile(file, text, { mode: 0o600 })));
}

function serverFiles(lab: LabId) {
  const directory = directoryOf(lab);
  return {
    certificateFile: join(directory, 'cert.pem'),
    keyFile: join(directory, 'key.pem'),
    configFile: join(directory, 'turnserver.conf'),
  };
}

/** Starts coturn on the server of a lab, and waits until it listens on all its ports. */
export async function startTurnServer(lab: LabId, scenario: Scenario): Promise<number> {
  const command = ['turnserver', '-c', serverFiles(lab).configFile, '--pidfile', '', '--userdb', ':memory:'];
  const pid = await startDetached(onHost(lab, 'server', command), serverLogFile(lab));
  const wanted = [ports.plain, ports.tls, ports.alternative];
  const log = async (): Promise<string> => readFile(serverLogFile(lab), 'utf8');
  await untilListening(pid, listeningAddresses(scenario), wanted, log);
  return pid;
}

function listeningAddresses({ server }: Scenario): string[] {
  return server?.nat === '1:1'
    ? [addresses.serverBehindNat]
    : [...Object.values(addresses.server), ...Object.values(addresses.serverAlternate)];
}

function configLines(scenario: Scenario, setUp: TurnServerSetUp, tls: readonly string[]): string[] {
  const listening = listeningAddresses(scenario);
  const alternates: readonly string[] = Object.values(addresses.serverAlternate);
  const relaying = listening.filter((address) => !alternates.includes(address));
  const changes = setUp.config ?? [];
  const usual = [
    ...listening.map((address) => `listening-ip=${address}`),
    ...relaying.map((address) => `relay-ip=${address}`),
    ...relaying.map(
      (address) => `aux-server=${address.includes(':') ? `[${address}]` : address}:${ports.alternative}`,
    ),
    `listening-port=${ports.plain}`,
    `tls-listening-port=${ports.tls}`,
    ...tls,
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    'realm=lab.test',
    `min-port=${relayPorts.min}`,
    `max-port=${relayPorts.max}`,
    'fingerprint',
    'no-multicast-peers',
    'no-cli',
    'log-file=stdout',
    'verbose',
    ...(scenario.server?.config ?? []),
  ];
  const removed = changes.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
  return [
    ...usual.filter((line) => !removed.some((name) => line.startsWith(name))),
    ...changes.filter((line) => !line.startsWith('-')),
  ];
}

/** What the server shows, and what its clients trust. */
async function certificates(kind: CertificateKind): Promise<{ ca: string; chain: string; key: string }> {
  const names = kind === 'of another name' ? ['other.lab.test'] : [addresses.server[4], addresses.server[6]];
  const root = await certificate({ commonName: 'Lab Root', authority: true });
  if (kind === 'self-signed')
    return withChain(root, await certificate({ commonName: 'turn.lab.test', names }));
  const issuer = await certificate({ commonName: 'Lab Intermediate', authority: true, issuer: root });
  if (kind === 'without its chain') {
    return withChain(root, await publicCertificate({ commonName: 'turn.lab.test', names, issuer }));
  }
  const validity = kind === 'expired' ? { validFrom: -60, validUntil: -1 } : {};
  const leaf = await certificate({ commonName: 'turn.lab.test', names, issuer, ...validity });
  return withChain(root, leaf, [issuer]);
}

function withChain(root: Certificate, leaf: Certificate, intermediates: readonly Certificate[] = []) {
  return { ca: root.cert, chain: [leaf, ...intermediates].map(({ cert }) => cert).join('\n'), key: leaf.key };
}

/** Waits until a process has TCP sockets that listen on each address and port, as its own namespace tells. */
async function untilListening(
  pid: number,
  listening: readonly string[],
  wanted: readonly number[],
  log: () => Promise<string>,
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const portsOf = async (): Promise<Set<number>> => {
    const tables = await Promise.all(
      ['tcp', ...(listening.some((address) => address.includes(':')) ? ['tcp6'] : [])].map(async (table) =>
        readFile(`/proc/${pid}/net/${table}`, 'utf8'),
      ),
    );
    const byTable = tables.map((table) => new Set(listeningPorts(table)));
    return new Set(wanted.filter((port) => byTable.every((each) => each.has(port))));
  };
  for (;;) {
    const open = await portsOf().catch(() => null);
    if (open?.size === wanted.length) return;
    const text = await log();
    // coturn itself tries on and on.
    const cannotBind = /Trying to bind fd \d+ to <.+>: errno=/.test(text);
    if (open === null || cannotBind || performance.now() > deadline) {
      const what = open === null ? 'ended' : cannotBind ? 'cannot listen' : 'does not listen';
      throw new Error(
        `coturn ${what}; the end of its log:\n  ${text.trimEnd().split('\n').slice(-8).join('\n  ')}`,
      );
    }
    await sleep(pollMs);
  }
}

/** The ports in state LISTEN (0A) of a table as /proc/net/tcp shows it. */
function listeningPorts(table: string): number[] {
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm)].map(
    ([, port = '']) => Number.parseInt(port, 16),
  );
}
