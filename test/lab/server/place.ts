import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { isRunning } from '../../support/running-process.ts';

/**
 * Where a server lab is: network namespaces, control groups and a folder, all named after it, so that they can be found and
 * removed without any record, by another process too.
 *
 * Its id is `PID-NUMBER` for a lab that lives as long as the process with that id, and a name for one that somebody keeps.
 */
export type ServerLabId = string;

const prefix = 'rtc-ops-vps';
const folderPattern = /^rtc-ops-vps-lab-([\w-]+)$/;

/** Root file systems are large, and /tmp is memory on some machines. */
const storage = '/var/tmp';

/** What all labs of this machine share: images, the key for ssh, the authority that servers trust. */
export const sharedDirectory = join(storage, `${prefix}-images`);

export function directoryOf(lab: ServerLabId): string {
  return join(storage, `${prefix}-lab-${lab}`);
}

/** Of a server by its name, of the `router` between them, or of the `operator`, who sits in another network. */
export function namespaceOf(lab: ServerLabId, host: string): string {
  return `${prefix}:${lab}:${host}`;
}

/** The name of a server for systemd, and of its control group. */
export function machineOf(lab: ServerLabId, server: string): string {
  return `${prefix}-${lab}-${server}`;
}

/** The process id in a file; null when there is none, or when it has ended. */
export function runningPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return pid > 1 && isRunning(pid) ? pid : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Ends a server at once and removes it. What is gone already is no error. */
export async function removeServer(lab: ServerLabId, server: string): Promise<void> {
  const directory = join(directoryOf(lab), server);
  const nspawn = runningPid(join(directory, 'pid'));
  if (nspawn !== null) {
    // When its first process ends, the kernel ends all others of the server, and systemd-nspawn goes by itself.
    await execa('pkill', ['-KILL', '-P', String(nspawn)], { reject: false });
    await ended(nspawn);
  }
  await removeNamespace(namespaceOf(lab, server));
  await execa('umount', [join(directory, 'root')], { reject: false });
  for (const group of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd']) {
    const path = join(group, machineOf(lab, server));
    await execa('find', [path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], { reject: false });
  }
  await rm(directory, { recursive: true, force: true });
}

/** The servers of a lab, up or not. */
export function serversOf(lab: ServerLabId): string[] {
  return entriesOf(directoryOf(lab)).filter((name) =>
    entriesOf(join(directoryOf(lab), name)).includes('root'),
  );
}

/** Removes a lab with all that runs in it. */
export async function removeServerLab(lab: ServerLabId): Promise<void> {
  for (const server of serversOf(lab)) await removeServer(lab, server);
  const ours = entriesOf('/run/netns').filter((name) => name.startsWith(`${prefix}:${lab}:`));
  for (const namespace of ours) await removeNamespace(namespace);
  await rm(directoryOf(lab), { recursive: true, force: true });
}

export function serverLabIds(): ServerLabId[] {
  return entriesOf(storage).flatMap((name) => folderPattern.exec(name)?.[1] ?? []);
}

/** Removes the labs of processes that were killed before they could do so. */
export async function removeLeftovers(): Promise<void> {
  for (const lab of serverLabIds()) {
    const [, pid] = /^(\d+)-\d+$/.exec(lab) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) await removeServerLab(lab);
  }
}

async function removeNamespace(namespace: string): Promise<void> {
  const { stdout } = await execa('ip', ['netns', 'pids', namespace], { reject: false });
  const pids = stdout.split('\n').filter((line) => line !== '');
  if (pids.length > 0) await execa('kill', ['-KILL', ...pids], { reject: false });
  await execa('ip', ['netns', 'delete', namespace], { reject: false });
  await rm(join('/etc/netns', namespace), { recursive: true, force: true });
}

async function ended(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isRunning(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} of the lab does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return [];
    throw error;
  }
}
