import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import {
  configureHosts,
  createNamespaces,
  directoryOf,
  namespaceOf,
  onHost,
  removeLab,
  removeLeftovers,
  startDetached,
  type LabId,
} from './namespaces.ts';
import { networkOf, type HostName, type Network } from './network.ts';
import { scenarios, type Line, type Scenario, type ScenarioName } from './scenarios.ts';
import {
  clientFiles,
  serverLogFile,
  startTurnServer,
  writeFiles,
  type ClientFiles,
  type TurnServerSetUp,
} from './turn-server.ts';

const lineProgram = fileURLToPath(new URL('line.py', import.meta.url));

/** A network of the lab that is up. */
export interface Lab extends ClientFiles {
  readonly id: LabId;
  /** Runs a command on a host. Never rejects for an exit code. */
  readonly exec: (host: HostName, command: readonly string[], options?: ExecOptions) => Promise<Execution>;
  /** Starts a program that runs until the lab is closed; resolves when it has printed `ready`. */
  readonly start: (host: HostName, command: readonly string[], ready: string) => Promise<void>;
  readonly serverLog: () => Promise<string>;
  readonly killServer: () => void;
  /** What the bad line of the scenario has done so far: from the site to the internet, and back. */
  readonly lineCounters: () => Promise<[LineCounters, LineCounters]>;
  readonly close: () => Promise<void>;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Execution {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** Of one direction. */
export interface LineCounters {
  readonly came: number;
  readonly lost: number;
  readonly delivered: number;
  readonly meanDelayMs: number;
  readonly delayDeviationMs: number;
}

export interface LabOptions {
  /** A name for a lab that stays when this process ends. Without one it goes with its process. */
  readonly name?: string;
  /** Null: nothing runs on the server. */
  readonly server?: TurnServerSetUp | null;
}

// Python starts in 50 ms, on a busy machine in a second.
const startTimeoutMs = 15_000;
const pollMs = 10;

let labs = 0;
let tidied: Promise<void> | undefined;

/**
 * Brings up one network with a coturn in it. Any number can be up at the same time.
 * @throws Error when it cannot; nothing is left of it then
 */
export async function openLab(name: ScenarioName, options: LabOptions = {}): Promise<Lab> {
  tidied ??= removeLeftovers();
  await tidied;
  const scenario: Scenario = scenarios[name];
  const id = options.name ?? `${process.pid}.${++labs}`;
  // Fails for a name that is in use, whose lab is to stay.
  await mkdir(directoryOf(id), { mode: 0o700 });
  try {
    const network = networkOf(scenario);
    await writeFiles(id, scenario, options.server ?? {});
    await createNamespaces(id, network);
    await startLines(id, network);
    await configureHosts(id, network);
    const serverPid = options.server === null ? null : await startTurnServer(id, scenario);
    return labWith(id, serverPid);
  } catch (error) {
    await removeLab(id);
    throw error;
  }
}

function labWith(id: LabId, serverPid: number | null): Lab {
  let programs = 0;
  return {
    id,
    ...clientFiles(id),
    exec: async (host, command, { env = {}, timeoutMs = 60_000 } = {}) => {
      const [file, args] = onHost(id, host, command);
      const options = { reject: false, stdin: 'ignore', env, timeout: timeoutMs } as const;
      const { stdout, stderr, exitCode } = await execa(file, args, options);
      return { stdout, stderr, exitCode };
    },
    start: async (host, command, ready) => {
      const log = join(directoryOf(id), `program-${++programs}.log`);
      await startDetached(onHost(id, host, command), log);
      await until(
        async () => (await readFile(log, 'utf8')).includes(ready),
        () => readFile(log, 'utf8'),
      );
    },
    serverLog: async () => readFile(serverLogFile(id), 'utf8'),
    killServer: () => {
      if (serverPid !== null) process.kill(serverPid, 'SIGKILL');
    },
    lineCounters: async () => {
      await sleep(countersAgeMs);
      return JSON.parse(await readFile(countersFile(id), 'utf8')) as [LineCounters, LineCounters];
    },
    close: async () => removeLab(id),
  };
}

// line.py writes its counters ten times a second.
const countersAgeMs = 250;

function countersFile(id: LabId): string {
  return join(directoryOf(id), 'line.json');
}

async function startLines(id: LabId, { cables }: Network): Promise<void> {
  for (const { ends, line } of cables) {
    if (line === undefined) continue;
    const plugs = ends.flatMap(({ host, device }) => [namespaceOf(id, host), device]);
    const log = join(directoryOf(id), 'line.log');
    await startDetached(['python3', [lineProgram, ...plugs, ...lineOptions(line, countersFile(id))]], log);
    await until(
      async () => existsSync(countersFile(id)),
      () => readFile(log, 'utf8'),
    );
  }
}

function lineOptions({ delayMs, jitterMs, lossPercent }: Line, counters: string): string[] {
  const figures = ['--delay', delayMs, '--jitter', jitterMs, '--loss', lossPercent].map(String);
  return ['--counters', counters, ...figures];
}

async function until(condition: () => Promise<boolean>, explain: () => Promise<string>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`a program of the lab does not start: ${await explain()}`);
    await sleep(pollMs);
  }
}
