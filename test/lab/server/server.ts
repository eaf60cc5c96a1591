import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startDetached } from '../namespaces.ts';
import { setName } from './acme-server.ts';
import { image, shared, type Suite } from './image.ts';
import { addressesOfServer, domain, onHost, plugIn, resolverSettings } from './network.ts';
import { directoryOf, machineOf, namespaceOf, removeServer, runningPid, type ServerLabId } from './place.ts';

const runProgram = fileURLToPath(new URL('run-server.sh', import.meta.url));
const project = fileURLToPath(new URL('../../..', import.meta.url));

/** Where a server has this project, read-only, to run the command line there. */
export const projectOnServer = '/opt/rtc-ops';

// A server is there in a second; on a busy machine it takes its time.
const bootTimeoutMs = 60_000;

export interface Execution {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** A booted Debian in a lab. */
export interface Server {
  readonly name: string;
  /** What the DNS of the lab knows it by. */
  readonly host: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Its file system, as this machine sees it. */
  readonly root: string;
  /** Runs a shell script over ssh, as the operator does. Never rejects for an exit code. */
  readonly ssh: (script: string, user?: string) => Promise<Execution>;
  /** Runs a shell script on the console, as root: behind its firewall, and when there is no ssh. */
  readonly console: (script: string) => Promise<Execution>;
  /** Boots it again; resolves when it is there. */
  readonly reboot: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The options of ssh that let the operator in. */
export function sshOptions(lab: ServerLabId): string[] {
  return [
    ...['-F', 'none', '-i', shared.privateKey],
    ...['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${knownHostsFile(lab)}`],
  ];
}

export function knownHostsFile(lab: ServerLabId): string {
  return join(directoryOf(lab), 'known_hosts');
}

/** Makes and boots a server. */
export async function openServer(
  lab: ServerLabId,
  name: string,
  { suite, index }: { readonly suite: Suite; readonly index: number },
): Promise<Server> {
  const server = serverOf(lab, name, index);
  try {
    await layOut(lab, server, await image(suite));
    await writeFile(join(directoryOf(lab), name, 'index'), String(index));
    await setName(lab, server.host, server);
    await plugIn(lab, name, index);
    await boot(lab, server);
    return server;
  } catch (error) {
    await removeServer(lab, name);
    throw error;
  }
}

/** A server of a lab that is up. */
export function serverOf(lab: ServerLabId, name: string, index: number): Server {
  const directory = join(directoryOf(lab), name);
  const { ipv4, ipv6 } = addressesOfServer(index);
  const run = async ([file, args]: [string, string[]]): Promise<Execution> => {
    const { stdout, stderr, exitCode } = await execa(file, args, { reject: false, stdin: 'ignore' });
    return { stdout, stderr, exitCode };
  };
  const server: Server = {
    name,
    host: `${name}.${domain}`,
    ipv4,
    ipv6,
    root: join(directory, 'root'),
    ssh: async (script, user = 'root') =>
      run(onHost(lab, 'operator', ['ssh', ...sshOptions(lab), `${user}@${ipv4}`, script])),
    console: async (script) => run(await onConsole(directory, script)),
    reboot: async () => {
      const { stdout: before } = await server.console('cat /proc/1/stat');
      await server.console('systemctl reboot');
      await untilReachable(server, before);
    },
    close: async () => removeServer(lab, name),
  };
  return server;
}

async function onConsole(directory: string, script: string): Promise<[string, string[]]> {
  const nspawn = runningPid(join(directory, 'pid'));
  if (nspawn === null) throw new Error(`the server in ${directory} does not run`);
  const { stdout: first } = await execa('pgrep', ['-P', String(nspawn)]);
  return ['nsenter', ['--target', first.trim(), '--all', 'sh', '-c', script]];
}

/** A file system of its own over the image, with an identity of its own. */
async function layOut(lab: ServerLabId, { name, host, ipv4, root }: Server, base: string): Promise<void> {
  const directory = join(directoryOf(lab), name);
  const [upper, work] = [join(directory, 'upper'), join(directory, 'work')];
  for (const each of [upper, work, root]) await mkdir(each, { recursive: true });
  const layers = `lowerdir=${base},upperdir=${upper},workdir=${work}`;
  await execa('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  await writeFile(join(root, 'etc/hostname'), `${name}\n`);
  await writeFile(join(root, 'etc/hosts'), `127.0.0.1 localhost\n${ipv4} ${host} ${name}\n`);
  await writeFile(join(root, 'etc/resolv.conf'), resolverSettings);
  const hostKey = join(root, 'etc/ssh/ssh_host_ed25519_key');
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey]);
  const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
  await appendFile(knownHostsFile(lab), `${host},${ipv4} ${type} ${key}\n`);
}

async function boot(lab: ServerLabId, server: Server): Promise<void> {
  const directory = join(directoryOf(lab), server.name);
  const mounts = [
    `--bind-ro=${project}:${projectOnServer}`,
    `--bind-ro=${process.execPath}:/usr/local/bin/node`,
  ];
  const machine = machineOf(lab, server.name);
  const command = [runProgram, machine, directory, namespaceOf(lab, server.name), ...mounts];
  await startDetached(['setsid', command], join(directory, 'console.log'));
  await untilReachable(server, null);
}

/** Waits for a boot other than that of `before` to have come to its end. */
async function untilReachable(server: Server, before: string | null): Promise<void> {
  const deadline = performance.now() + bootTimeoutMs;
  for (;;) {
    const { stdout, exitCode, stderr } = await server.ssh(
      'systemctl is-system-running --wait >/dev/null; cat /proc/1/stat',
    );
    if (exitCode === 0 && startOf(stdout) !== startOf(before ?? '')) return;
    if (performance.now() > deadline) throw new Error(`${server.name} does not boot: ${stderr}`);
    await sleep(50);
  }
}

/** When a process was started (proc_pid_stat(5), field 22). */
function startOf(stat: string): string | undefined {
  return stat.split(' ')[21];
}
