import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import type { HostFacts, NodeFacts, PathFacts, ServiceFacts } from '../../model/host-facts.ts';
import type { InterfaceAddress } from '../../model/observations.ts';
import { lastValueOf } from '../directive.ts';
import type { ParsedDirective } from '../parse.ts';
import { pemFacts } from './pem.ts';
import { serviceOf, serviceUnit, unitDirectories } from './service.ts';
import { tlsFileOptions } from './tls.ts';

export interface HostOptions {
  /** The configuration file, absolute. */
  readonly path: string;
  readonly directives: readonly ParsedDirective[];
  readonly addresses: readonly InterfaceAddress[];
  readonly architecture: string;
  /** The root directory of the system that is looked at; `/` but for tests. */
  readonly root?: string;
}

/** Looks at the machine that is to run coturn with this file: modes, owners, certificates, the service. Judges nothing. */
export async function hostFacts(options: HostOptions): Promise<HostFacts> {
  const { path: own, directives, addresses, architecture, root = '/' } = options;
  const files: Record<string, PathFacts> = {};
  for (const name of tlsFileOptions) {
    const path = lastValueOf(directives, name);
    // coturn looks for a relative one in several directories.
    if (path !== undefined && isAbsolute(path)) files[path] = await pathFacts(path, true);
  }
  return {
    addresses,
    architecture,
    service: await serviceFacts(root),
    own: await pathFacts(own, false),
    files,
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}

/** A file with every directory above it, also those behind symbolic links. */
export async function pathFacts(path: string, isPem: boolean): Promise<PathFacts> {
  const nodes: NodeFacts[] = [];
  let error: string | null = null;
  try {
    for (const each of parentsOf(path)) nodes.push(await nodeFacts(each));
    const real = await realpath(path);
    for (const each of parentsOf(real)) {
      if (!nodes.some((known) => known.path === each)) nodes.push(await nodeFacts(each));
    }
    nodes.push({ ...(await nodeFacts(real)), path });
  } catch (thrown) {
    error = codeOf(thrown);
  }
  return { error, nodes, pem: isPem && error === null ? await readPem(path) : null };
}

async function readPem(path: string): Promise<PathFacts['pem']> {
  try {
    return pemFacts(await readFile(path, 'latin1'));
  } catch (thrown) {
    // We may read less than the service does: that is no fact about the file.
    if (['EACCES', 'EPERM'].includes(codeOf(thrown))) return null;
    throw thrown;
  }
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let each = dirname(path); ; each = dirname(each)) {
    parents.unshift(each);
    if (each === dirname(each)) return parents;
  }
}

async function nodeFacts(path: string): Promise<NodeFacts> {
  const { uid, gid, mode } = await stat(path);
  return { path, uid, gid, mode: mode & 0o7777 };
}

/** The unit of systemd that starts coturn, with its drop-ins; null when there is none. */
async function serviceFacts(root: string): Promise<ServiceFacts | null> {
  const units = await Promise.all(
    unitDirectories.map(async (each) => readText(join(root, each, serviceUnit))),
  );
  return serviceOf({
    units: units.filter((each) => each !== null),
    dropIns: await dropIns(root),
    passwd: (await readText(join(root, 'etc/passwd'))) ?? '',
    group: (await readText(join(root, 'etc/group'))) ?? '',
    lowestPort: await readText(join(root, 'proc/sys/net/ipv4/ip_unprivileged_port_start')),
    binaryMayBind: await binaryMayBind(),
  });
}

async function dropIns(root: string): Promise<string[]> {
  const texts: string[] = [];
  for (const directory of unitDirectories.map((each) => join(root, each, `${serviceUnit}.d`))) {
    for (const name of (await namesIn(directory)).filter((each) => each.endsWith('.conf')).toSorted())
      texts.push((await readText(join(directory, name))) ?? '');
  }
  return texts;
}

/** The other way to that right: a capability of the file (setcap). Null when that cannot be asked. */
async function binaryMayBind(): Promise<boolean | null> {
  // getcap lies where only root looks.
  const command = 'PATH="$PATH:/usr/sbin:/sbin"; getcap "$(command -v turnserver)"';
  const { stdout, exitCode } = await execa('sh', ['-c', command], { reject: false, timeout: 2000 });
  return exitCode === 0 ? stdout.includes('cap_net_bind_service') : null;
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return null;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return [];
    throw error;
  }
}
