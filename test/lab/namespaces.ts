import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { isRunning } from '../support/running-process.ts';
import type { Cable, Host, HostName, Network } from './network.ts';

/**
 * Network namespaces, by `ip` and `nft`. Everything is named after the lab that it belongs to, so that it can be found and
 * removed without any record of it: by another process, and after this one was killed.
 *
 * A lab's id is `PID.NUMBER` for one that lives as long as the process with that id, and a name for one that somebody keeps.
 */
export type LabId = string;

const prefix = 'rtc-ops-lab';
const namespacePattern = /^rtc-ops-lab:(.+):([a-z-]+)$/;

export function namespaceOf(lab: LabId, host: HostName): string {
  return `${prefix}:${lab}:${host}`;
}

/** Where a lab keeps its files. */
export function directoryOf(lab: LabId): string {
  return join(tmpdir(), `${prefix}-${lab}`);
}

/** Makes the namespaces and the cables between them; a cable with a `line` is left out, and no device is on yet. */
export async function createNamespaces(lab: LabId, { hosts, cables }: Network): Promise<void> {
  const ends = ({ ends: [one, other] }: Cable): string =>
    [
      `link add ${one.device} netns ${namespaceOf(lab, one.host)} type veth`,
      `peer name ${other.device} netns ${namespaceOf(lab, other.host)}`,
    ].join(' ');
  await ip(
    [],
    [
      ...hosts.map(({ name }) => `netns add ${namespaceOf(lab, name)}`),
      ...cables.filter(({ line }) => line === undefined).map(ends),
    ],
  );
}

/** Gives each host its addresses, routes and firewall. */
export async function configureHosts(lab: LabId, { hosts }: Network): Promise<void> {
  await Promise.all(hosts.map(async (host) => configureHost(lab, host)));
}

async function configureHost(lab: LabId, host: Host): Promise<void> {
  const namespace = namespaceOf(lab, host.name);
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  // An address that is checked for duplicates cannot be used meanwhile, and a router without its link-local address finds no
  // neighbour: for the first two seconds nothing would get through.
  const script = `for device in /proc/sys/net/ipv6/conf/*; do echo 0 >"$device/accept_dad"; done
    ${host.forwards === true ? `sysctl -qw ${forwarding.join(' ')}` : ''}`;
  await execa('ip', ['netns', 'exec', namespace, 'sh', '-ec', script]);
  // The firewall first: nothing passes a router before it filters.
  if (host.ruleset !== undefined && host.ruleset !== '') {
    await execa('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: host.ruleset });
  }
  await ip(['-n', namespace], ['link set lo up', ...host.ip]);
}

async function ip(options: readonly string[], lines: readonly string[]): Promise<void> {
  await execa('ip', [...options, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** The command that runs another one on a host. */
export function onHost(lab: LabId, host: HostName, command: readonly string[]): [string, string[]] {
  return ['ip', ['netns', 'exec', namespaceOf(lab, host), ...command]];
}

/** Starts a program that goes on when this process ends, until its lab is removed. Its output goes to the file `log`. */
export async function startDetached(
  [file, args]: readonly [string, readonly string[]],
  log: string,
): Promise<number> {
  const output = openSync(log, 'a');
  try {
    const child = spawn(file, args, { detached: true, stdio: ['ignore', output, output] });
    await once(child, 'spawn');
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(output);
  }
}

/** Ends every process in the namespaces of a lab, and removes them and its files. What is gone already is no error. */
export async function removeLab(lab: LabId): Promise<void> {
  await Promise.all(
    namespacesOf(lab).map(async (namespace) => {
      const { stdout } = await execa('ip', ['netns', 'pids', namespace], { reject: false });
      for (const pid of stdout.split('\n').filter((line) => line !== '')) end(Number(pid));
      await execa('ip', ['netns', 'delete', namespace], { reject: false });
    }),
  );
  await rm(directoryOf(lab), { recursive: true, force: true });
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Ended since it was listed.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function namespacesOf(lab: LabId): string[] {
  return allNamespaces().filter((namespace) => namespacePattern.exec(namespace)?.[1] === lab);
}

/** Every lab of this machine. */
export function labIds(): LabId[] {
  return [...new Set(allNamespaces().flatMap((namespace) => namespacePattern.exec(namespace)?.[1] ?? []))];
}

function allNamespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Removes the labs of processes that were killed before they could do so. */
export async function removeLeftovers(): Promise<void> {
  const leftovers = labIds().filter((lab) => {
    const [, pid] = /^(\d+)\.\d+$/.exec(lab) ?? [];
    return pid !== undefined && !isRunning(Number(pid));
  });
  await Promise.all(leftovers.map(removeLab));
}
