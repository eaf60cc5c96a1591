import { configurationLines } from '../../coturn/command-line.ts';
import { stoppedAt, type Account } from '../../coturn/lint/access.ts';
import { pemFacts } from '../../coturn/lint/pem.ts';
import { serviceOf, serviceUnit, unitDirectories } from '../../coturn/lint/service.ts';
import { serverSettings } from '../../coturn/server-settings.ts';
import type { CoturnVersion } from '../../coturn/versions.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { HostFacts, NodeFacts, PathFacts, PemFacts, ServiceFacts } from '../../model/host-facts.ts';
import { Secret } from '../../model/secret.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type { ConfigurationFacts, DaemonConfiguration } from '../../model/server-facts.ts';
import { accountOf, argvOf, isElsewhere } from './account.ts';
import { interfaceAddressesOf } from './machine-network.ts';
import { seen, sectionOf, seenText, textOf, unknown } from './section.ts';
import { architectureOf, timeText } from './system.ts';

/** A process, and since when. */
export interface Reader extends Account {
  readonly startedAt: string | null;
  /** Whether it was started as root, and gave that up after it had read its configuration. */
  readonly hasDropped: boolean;
}

/** Where a process has its configuration from, as the script found it. Process 0 stands for the next start. */
export function configurationOf(
  evidence: ServerEvidence,
  pid: number,
  reader: Reader | null = null,
): DaemonConfiguration {
  const [, from = 'none', path = ''] =
    /^(argument|search|missing|none)(?: (.*))?$/m.exec(textOf(evidence, `configuration ${pid} origin`)) ?? [];
  if (from === 'none') return { from, path: null, id: pid === 0 ? null : `${pid}:`, unread: null };
  if (from === 'missing')
    return { from, path, id: null, unread: { because: 'there is no such file', isSure: false } };
  const nodes = nodesOf(evidence, `configuration ${pid}`);
  // What this account may not reach can be there all the same.
  const isThere = nodes.error !== 'ENOENT';
  return {
    from: isThere ? (from as 'argument' | 'search') : 'missing',
    path,
    id: isThere ? `${pid}:${path}` : null,
    unread: reader === null ? null : unreadBy(reader, nodes),
  };
}

/** Why a process has not read a file. Sure where that which keeps it out was so before the process was started. */
function unreadBy(reader: Reader, nodes: ReturnType<typeof nodesOf>): DaemonConfiguration['unread'] {
  const startedS = reader.startedAt === null ? 0 : Date.parse(reader.startedAt) / 1000;
  // In whole seconds.
  const isOlder = (path: string | undefined): boolean =>
    path !== undefined && (nodes.touchedS.get(path) ?? Number.POSITIVE_INFINITY) < startedS - 1;
  if (nodes.error === 'ENOENT')
    return { because: 'there is no such file', isSure: isOlder(nodes.nodes.at(-1)?.path) };
  const stop = reader.hasDropped ? null : stoppedAt(nodes, reader);
  return stop === null
    ? null
    : { because: `it is stopped at ${stop.at}, as ${stop.because}`, isSure: isOlder(stop.at) };
}

/** What a process reads, or would read. */
export function configurationFacts(
  evidence: ServerEvidence,
  pid: number,
  version: CoturnVersion,
): ConfigurationFacts | null {
  const { id, path } = configurationOf(evidence, pid);
  if (id === null) return null;
  const lines = configurationLines(argvOf(evidence, pid)).join('\n');
  const text = path === null ? seen('') : configurationText(evidence, pid, path);
  const own = path === null ? noFile : nodesOf(evidence, `configuration ${pid}`);
  return {
    id,
    path: path ?? `the command line of process ${pid}`,
    pids: pid === 0 ? [] : [pid],
    text: text.state === 'seen' ? seen(new Secret(text.value)) : text,
    argumentLines: new Secret(lines),
    modifiedAt: own.modifiedAt,
    host: isElsewhere(evidence, pid) ? null : hostOf(evidence, pid, own),
    settings: text.state === 'seen' ? serverSettings(`${text.value}\n${lines}`, version) : null,
  };
}

/** What stands in the file that a process is to read, or why that is not known. */
export function configurationText(evidence: ServerEvidence, pid: number, path: string): Seen<string> {
  const isClosed = nodesOf(evidence, `configuration ${pid}`).error === 'EACCES';
  return isClosed
    ? unknown(`${path} cannot be read without root`)
    : seenText(evidence, `configuration ${pid} text`, path);
}

function hostOf(evidence: ServerEvidence, pid: number, own: PathFacts): HostFacts {
  const files: Record<string, PathFacts> = {};
  for (const name of ['cert', 'pkey'] as const) {
    const nodes = nodesOf(evidence, `${name} ${pid}`);
    const path = sectionOf(evidence, `${name} ${pid} path`).text.trim();
    if (path !== '') files[path] = { ...nodes, pem: pemOf(evidence, name, pid) };
  }
  return {
    addresses: interfaceAddressesOf(evidence),
    architecture: architectureOf(evidence),
    service: runningService(evidence, pid) ?? serviceFacts(evidence),
    own: { error: own.error, nodes: own.nodes, pem: null },
    files,
  };
}

interface Nodes extends PathFacts {
  readonly modifiedAt: string | null;
  /** When modes, owners or what is in them changed last, in seconds, by path. */
  readonly touchedS: ReadonlyMap<string, number>;
}

const noFile: Nodes = { error: null, nodes: [], pem: null, touchedS: new Map(), modifiedAt: null };

interface Stat extends NodeFacts {
  readonly changedS: number;
  readonly touchedS: number;
}

/**
 * `UID GID MODE CHANGED TOUCHED PATH` for each directory and the file, and `error CODE` where it ends before: on the way as it
 * is written, then from the root again on the one behind all symbolic links.
 */
function nodesOf(evidence: ServerEvidence, prefix: string): Nodes {
  const text = textOf(evidence, `${prefix} nodes`);
  const walked: Stat[] = text.split('\n').flatMap((line) => {
    const [, uid, gid, mode, time, touched, path = ''] =
      /^(\d+) (\d+) ([0-7]+) (\d+) (\d+) (.+)$/.exec(line) ?? [];
    if (path === '') return [];
    const numbers = { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode ?? '0', 8) };
    return [{ path, ...numbers, changedS: Number(time), touchedS: Number(touched) }];
  });
  const again = walked.findLastIndex(({ path }) => path === '/');
  // A link at the end of the way has the mode of its file, and is no directory to pass.
  const way = again <= 0 ? walked : [...walked.slice(0, again - 1), ...walked.slice(again)];
  const nodes = way.filter(({ path }, index) => way.findIndex((each) => each.path === path) === index);
  const file = nodes.at(-1);
  const error = /^error (\w+)$/m.exec(text)?.[1] ?? (file === undefined ? 'UNKNOWN' : null);
  return {
    error,
    nodes: nodes.map(({ path, uid, gid, mode }) => ({ path, uid, gid, mode })),
    pem: null,
    touchedS: new Map(walked.map(({ path, touchedS }) => [path, touchedS])),
    modifiedAt: error !== null || file === undefined ? null : timeText(file.changedS),
  };
}

/** Of a key the server tells no more than the fingerprint of its public half. */
function pemOf(evidence: ServerEvidence, name: 'cert' | 'pkey', pid: number): PemFacts | null {
  const { status, text } = sectionOf(evidence, `${name} ${pid} text`);
  if (['absent', 'denied', 'cut', '127', '124'].includes(status)) return null;
  if (name === 'cert') return pemFacts(text);
  const isEncrypted = /ENCRYPTED/.test(text);
  const keyFingerprint = /\b([\da-f]{64})\b/.exec(text)?.[1] ?? null;
  const hasKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text);
  const error = hasKey && keyFingerprint === null && !isEncrypted ? 'its key cannot be read' : null;
  return { error, certificates: [], keyFingerprint, isEncrypted };
}

/** The process itself, where one runs: what it may do counts, not what a unit says that it would. */
function runningService(evidence: ServerEvidence, pid: number): ServiceFacts | null {
  if (textOf(evidence, `process ${pid} status`) === '') return null;
  const { uid, gids, user, mayBindLowPorts, hasDropped } = accountOf(evidence, pid);
  // It had all rights when it read its files and opened its ports.
  if (hasDropped) return { unit: serviceUnit, user: 'root', uid: 0, gids: [0], lowestPort: 0 };
  const lowest = Number(textOf(evidence, 'lowest-port').trim() || 1024);
  const lowestPort = mayBindLowPorts === null ? null : mayBindLowPorts ? 0 : lowest;
  return { unit: serviceUnit, user, uid, gids, lowestPort };
}

function serviceFacts(evidence: ServerEvidence): ServiceFacts | null {
  const unitFile = (directory: string): string => `unit-file /${directory}/${serviceUnit}`;
  const isThere = (name: string): boolean => sectionOf(evidence, name).status === '0';
  const dropIns = unitDirectories.flatMap((directory) =>
    Object.keys(evidence.sections)
      .filter((name) => name.startsWith(`${unitFile(directory)}.d/`) && isThere(name))
      .toSorted()
      .map((name) => textOf(evidence, name)),
  );
  const capabilities = sectionOf(evidence, 'getcap');
  return serviceOf({
    units: unitDirectories
      .map(unitFile)
      .filter(isThere)
      .map((name) => textOf(evidence, name)),
    dropIns,
    passwd: textOf(evidence, 'passwd'),
    group: textOf(evidence, 'group'),
    lowestPort: textOf(evidence, 'lowest-port') || null,
    binaryMayBind: capabilities.status === '0' ? capabilities.text.includes('cap_net_bind_service') : null,
  });
}
