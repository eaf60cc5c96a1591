import { fork, type ChildProcess } from 'node:child_process';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { withoutOwnVariables, type Environment } from '../model/environment.ts';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { LookupAnswer, LookupRequest } from './lookup-worker.ts';

interface Waiting {
  readonly settle: (answer: LookupAnswer) => void;
  readonly fail: (how: string) => void;
}

// Each takes a thread while it lasts. 100 of them cost the child some 10 MB.
const lookupsAtOnce = 100;
// libuv gives half of its threads to lookups.
const threads = 2 * lookupsAtOnce;

/**
 * Looks up names as every program on this machine would: by getaddrinfo, with the hosts file, mDNS and whatever else
 * nsswitch.conf names, none of which a DNS client of our own would see. getaddrinfo cannot be cancelled: with a resolver
 * that never answers it holds its process for 10 s and more (no exit() ends that sooner), and Node.js lets two of them
 * run at a time. So it runs in a child process that has threads enough and can be killed.
 */
export class NameResolver {
  #child: ChildProcess | null = null;
  #closed: Promise<void> = Promise.resolve();
  readonly #waiting = new Map<number, Waiting>();
  readonly #queue: LookupRequest[] = [];
  #lookups = 0;
  #underWay = 0;

  readonly #env: Environment;

  /** @param env what getaddrinfo is to see: RES_OPTIONS, LOCALDOMAIN… */
  constructor(env: Environment) {
    this.#env = env;
  }

  /**
   * All addresses of a host; an IP literal stands for itself. The time counts from the call, for all lookups alike; one
   * whose turn has not come by then says so.
   * @throws AttemptError `system` (`ENOTFOUND`, `EAI_AGAIN`…), `timeout`, or `internal` when it was never asked for; the
   *   reason of `signal` when aborted
   */
  async resolve(host: string, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
    if (isIP(host)) return [host];
    signal.throwIfAborted();
    const id = this.#lookups++;
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => {};
    try {
      const answer = await new Promise<LookupAnswer>((settle, reject) => {
        const fail = (detail: string): void => reject(new AttemptError({ kind: 'internal', detail }));
        this.#waiting.set(id, { settle, fail });
        timer = setTimeout(() => reject(this.#lateness(id, timeoutMs)), timeoutMs);
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
        this.#queue.push({ id, host });
        this.#next();
      });
      const { error, addresses } = answer;
      if (error !== null)
        throw new AttemptError(systemFailure(Object.assign(new Error(error.message), error)));
      return [...new Set(addresses)];
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  /** Ends the child, whatever it waits for. */
  async close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#closed;
  }

  #next(): void {
    this.#child ??= this.#start();
    while (this.#underWay < lookupsAtOnce) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      if (!this.#waiting.has(request.id)) continue;
      this.#underWay++;
      // A child that is gone is noticed by its end.
      if (this.#child.connected) this.#child.send(request, () => {});
    }
  }

  #lateness(id: number, timeoutMs: number): AttemptError {
    if (!this.#queue.some((request) => request.id === id)) {
      return new AttemptError({ kind: 'timeout', afterMs: timeoutMs, sent: 1 });
    }
    const detail = `it was not asked for within ${timeoutMs / 1000} s: ${this.#underWay} other names still waited for the resolver`;
    return new AttemptError({ kind: 'internal', detail });
  }

  #start(): ChildProcess {
    const file = fileURLToPath(new URL('../../dist/bundle/lookup-worker.js', import.meta.url));
    const child = fork(file, [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...withoutOwnVariables(this.#env), UV_THREADPOOL_SIZE: String(threads) },
    });
    child.on('message', (answer: LookupAnswer) => {
      this.#underWay--;
      this.#waiting.get(answer.id)?.settle(answer);
      this.#next();
    });
    this.#closed = new Promise((resolve) => {
      const end = (how: string): void => {
        // Closed by us, nobody waits any more.
        for (const { fail } of this.#waiting.values()) fail(`the process that looks up names ${how}`);
        resolve();
      };
      child.once('exit', (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
      child.once('error', (error) => end(`could not be started: ${error.message}`));
    });
    return child;
  }
}
