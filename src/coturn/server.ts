import { setMaxListeners } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { TransportKind } from '../model/turn-uri.ts';
import { coturnMissingError } from './executable.ts';
import { isInterrupted } from './interrupt.ts';
import { listenersOf, type Listener } from './listener.ts';
import { parseDirectives } from './parse.ts';
import { assertPortsFree, bindProblem, untilAllServe } from './readiness.ts';
import { ServerLog } from './server-log.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

export interface StartOptions {
  /** The `turnserver.conf` to run, as text or as the path of a file, which is only read. */
  readonly config: { readonly text: string } | { readonly file: string };
  /** Stops coturn when aborted, during the start and later. */
  readonly signal?: AbortSignal;
  /** Log sessions, permissions and refused requests too. */
  readonly verbose?: boolean;
  /** Until every listener serves; 10 s if not given. */
  readonly startTimeoutMs?: number;
}

/** How a process ended: one of the two is null. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A coturn that this process has started, serving on all its listeners. */
export interface CoturnServer {
  readonly pid: number;
  readonly listeners: readonly Listener[];
  /** The port of each transport; null for one that is off. */
  readonly ports: Readonly<Record<TransportKind, number | null>>;
  /** What coturn has logged so far (the last 4 MiB). */
  logText(): string;
  /** The lines of the log by which coturn complains: what it ignores, cannot do, or finds dangerous. */
  warnings(): string[];
  /** Sends a signal: SIGKILL for a crash, SIGSTOP for a freeze, SIGUSR2 to have certificates read again. */
  kill(signal: NodeJS.Signals): void;
  /** Stops coturn and waits until it is gone; a second call waits for the same. Never rejects. */
  stop(): Promise<void>;
  /** Settles when coturn is gone, for whatever reason. */
  readonly ended: Promise<ProcessEnd>;
}

// coturn ends at once on SIGTERM; one that does not (frozen, draining) is killed after this.
const stopTimeoutMs = 2000;

/**
 * Starts coturn in the foreground and waits until each of its listeners serves. Beside the config it gets a database
 * in memory and no pid file, so that it touches nothing of a coturn that is installed as a service; its log
 * comes to us whatever the config says. It dies with this process.
 * @throws RtcOpsError `tool-failed` when coturn is missing, ends, cannot bind, or does not serve in time (with the
 *   end of its log); `configuration` when the config file cannot be read; the reason of `signal` when aborted
 */
export async function startCoturn(options: StartOptions): Promise<CoturnServer> {
  options.signal?.throwIfAborted();
  const text = 'text' in options.config ? options.config.text : await readConfig(options.config.file);
  const listeners = listenersOf(parseDirectives(text));
  await assertPortsFree(listeners);
  const directory = await createTemporaryDirectory('rtc-ops-coturn-');
  try {
    const file = join(directory, 'turnserver.conf');
    await writeFile(file, `${text}\n${loggingToUs}`, { mode: 0o600 });
    return await started(file, listeners, options);
  } finally {
    // coturn never reads its config again: the secret in it need not be on the disk for as long as coturn runs.
    await rm(directory, { recursive: true, force: true });
  }
}

// Later lines win over earlier ones; a service's config logs to syslog or to a file.
const loggingToUs = 'log-file=stdout\nsyslog=0\nno-stdout-log=0\n';

async function readConfig(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    // coturn itself would start without its config then, and relay for anyone.
    throw new RtcOpsError('configuration', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}

type Subprocess = ReturnType<typeof spawn>;

function spawn(file: string, verbose: boolean) {
  const args = ['-c', file, '--pidfile', '', '--userdb', ':memory:', ...(verbose ? ['--verbose'] : [])];
  return execa('turnserver', args, {
    stdin: 'ignore',
    buffer: false,
    reject: false,
    cleanup: true,
    forceKillAfterDelay: stopTimeoutMs,
  });
}

async function started(
  file: string,
  listeners: readonly Listener[],
  options: StartOptions,
): Promise<RunningCoturn> {
  const subprocess = spawn(file, options.verbose === true);
  const { pid } = subprocess;
  if (pid === undefined) {
    const result = await subprocess;
    if (result.code === 'ENOENT') throw coturnMissingError(result);
    throw new RtcOpsError('tool-failed', `cannot run turnserver: ${result.shortMessage}`, { cause: result });
  }
  const server = new RunningCoturn(pid, subprocess, listeners, options);
  try {
    await server.untilServing();
  } catch (error) {
    await server.stop();
    if (await isInterrupted(options.signal)) options.signal?.throwIfAborted();
    throw error;
  }
  return server;
}

class RunningCoturn implements CoturnServer {
  readonly pid: number;
  readonly listeners: readonly Listener[];
  readonly ended: Promise<ProcessEnd>;
  readonly #subprocess: Subprocess;
  readonly #log: ServerLog;
  readonly #signal: AbortSignal | undefined;
  readonly #startTimeoutMs: number;

  constructor(pid: number, subprocess: Subprocess, listeners: readonly Listener[], options: StartOptions) {
    this.pid = pid;
    this.listeners = listeners;
    this.#subprocess = subprocess;
    this.#log = new ServerLog([subprocess.stdout, subprocess.stderr]);
    this.#signal = options.signal;
    this.#startTimeoutMs = options.startTimeoutMs ?? 10_000;
    const stopOnAbort = (): void => void this.stop();
    this.#signal?.addEventListener('abort', stopOnAbort, { once: true });
    this.ended = (async () => {
      const result = await subprocess;
      this.#signal?.removeEventListener('abort', stopOnAbort);
      return { exitCode: result.exitCode ?? null, signal: result.signal ?? null };
    })();
  }

  get ports(): Record<TransportKind, number | null> {
    const portOf = (kind: TransportKind): number | null =>
      this.listeners.find(({ transport }) => transport === kind)?.endpoint.port ?? null;
    return { udp: portOf('udp'), tcp: portOf('tcp'), tls: portOf('tls') };
  }

  logText(): string {
    return this.#log.text();
  }

  warnings(): string[] {
    return this.#log.warnings();
  }

  kill(signal: NodeJS.Signals): void {
    this.#subprocess.kill(signal);
  }

  async stop(): Promise<void> {
    this.#subprocess.kill('SIGTERM');
    // One that is frozen would see the SIGTERM only once it runs again.
    this.#subprocess.kill('SIGCONT');
    await this.ended;
  }

  async untilServing(): Promise<void> {
    const over = new AbortController();
    const signals = [over.signal, ...(this.#signal ? [this.#signal] : [])];
    const signal = AbortSignal.any(signals);
    // Each listener of the config waits with it.
    setMaxListeners(0, signal);
    try {
      await Promise.race([
        untilAllServe(this.listeners, signal),
        this.ended.then((end) => {
          throw this.#startFailure(`it ended at once (${end.signal ?? `exit code ${end.exitCode}`})`);
        }),
        this.#log
          .untilLine(/Trying to bind fd \d+ to <(.+)>: errno=(\d+)/, signal)
          .then(([, address, errno]) => {
            throw this.#startFailure(
              `it cannot listen on ${address}: ${bindProblem(errnoName(Number(errno)))}`,
            );
          }),
        sleep(this.#startTimeoutMs, undefined, { signal }).then(() => {
          throw this.#startFailure(`it does not serve after ${this.#startTimeoutMs / 1000} s`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }

  #startFailure(what: string): RtcOpsError {
    const tail = this.#log.tail(8);
    const lines =
      tail.length === 0 ? 'It logged nothing.' : `The end of its log:\n    ${tail.join('\n    ')}`;
    return new RtcOpsError('tool-failed', `coturn did not start: ${what}`, { hint: lines });
  }
}

function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : '';
}
