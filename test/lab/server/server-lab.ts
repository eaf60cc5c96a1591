import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { acmeRootFile, startAcmeServer } from './acme-server.ts';
import { image, type Suite } from './image.ts';
import { createNetwork, onHost } from './network.ts';
import { directoryOf, removeLeftovers, removeServerLab, serversOf, type ServerLabId } from './place.ts';
import { knownHostsFile, openServer, serverOf, type Execution, type Server } from './server.ts';

/** Booted servers, an ACME server that issues for their names, and an operator in another network. */
export interface ServerLab {
  readonly id: ServerLabId;
  readonly directory: string;
  /** The root of the certificates that the ACME server issues. */
  readonly acmeRootFile: string;
  readonly knownHostsFile: string;
  /** Boots one more server, known as NAME.lab.test. */
  readonly addServer: (name: string, suite?: Suite) => Promise<Server>;
  /** Runs a command on the operator's machine. Never rejects for an exit code. */
  readonly operator: (command: readonly string[], options?: OperatorOptions) => Promise<Execution>;
  /** Runs a command on the router between the operator and the servers. Never rejects for an exit code. */
  readonly router: (command: readonly string[]) => Promise<Execution>;
  /** Joins the networks of the operator and of the servers, or parts them. */
  readonly connect: (isOn: boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface OperatorOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerLabOptions {
  /** Of a lab that stays when this process ends; without one it goes with its process. */
  readonly name?: string;
  /** How long the certificates of its ACME server are good. certbot renews one that has less than 30 days left. */
  readonly certificateDays?: number;
}

let labs = 0;
let tidied: Promise<void> | undefined;

/**
 * Opens a lab without servers. Any number can be up at the same time.
 */
export async function openServerLab({
  name,
  certificateDays = 90,
}: ServerLabOptions = {}): Promise<ServerLab> {
  tidied ??= removeLeftovers();
  await tidied;
  const id = name ?? `${process.pid}-${++labs}`;
  // Fails for a name that is in use, whose lab is to stay.
  await mkdir(directoryOf(id), { mode: 0o755 });
  try {
    await writeFile(knownHostsFile(id), '');
    await createNetwork(id);
    await image('bookworm');
    await startAcmeServer(id, certificateDays);
    return labWith(id, 0);
  } catch (error) {
    await removeServerLab(id);
    throw error;
  }
}

/** A lab that somebody keeps, with the servers that it has; null when there is none of that name. */
export async function findServerLab(name: string): Promise<(ServerLab & { servers: Server[] }) | null> {
  if (!existsSync(directoryOf(name))) return null;
  const indexed = await Promise.all(
    serversOf(name).map(async (server) => {
      const index = Number(await readFile(join(directoryOf(name), server, 'index'), 'utf8'));
      return { index, server: serverOf(name, server, index) };
    }),
  );
  const next = Math.max(-1, ...indexed.map(({ index }) => index)) + 1;
  return { ...labWith(name, next), servers: indexed.map(({ server }) => server) };
}

function labWith(id: ServerLabId, next: number): ServerLab {
  let servers = next;
  return {
    id,
    directory: directoryOf(id),
    acmeRootFile: acmeRootFile(id),
    knownHostsFile: knownHostsFile(id),
    addServer: async (name, suite = 'bookworm') => openServer(id, name, { suite, index: servers++ }),
    operator: async (command, { cwd = directoryOf(id), env = {} } = {}) => {
      const [file, args] = onHost(id, 'operator', command);
      const { stdout, stderr, exitCode } = await execa(file, args, {
        reject: false,
        stdin: 'ignore',
        cwd,
        env,
      });
      return { stdout, stderr, exitCode };
    },
    router: async (command) => {
      const [file, args] = onHost(id, 'router', command);
      const { stdout, stderr, exitCode } = await execa(file, args, { reject: false, stdin: 'ignore' });
      return { stdout, stderr, exitCode };
    },
    connect: async (isOn) => {
      // Without a word to either side, as when a cable is cut; a device that goes down would forget its IPv6 addresses.
      const value = isOn ? 1 : 0;
      const settings = [`net.ipv4.ip_forward=${value}`, `net.ipv6.conf.all.forwarding=${value}`];
      const [file, args] = onHost(id, 'router', ['sysctl', '-qw', ...settings]);
      await execa(file, args);
    },
    close: async () => removeServerLab(id),
  };
}
