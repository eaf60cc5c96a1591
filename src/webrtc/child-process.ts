import { fork, type ChildProcess as NodeChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../model/observations.ts';
import { printable } from '../model/printable.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** What came of work in a child process. A failure is always `internal`: it says nothing about the server. */
export type ProcessResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export interface RunOptions<Progress> {
  /** After this the child is killed, whatever it says. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

interface Pending<Result, Progress> {
  readonly settle: (result: ProcessResult<Result>) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly deadlineMs: number;
  watches: number;
}

// Native code can freeze the child's JavaScript thread for good; a busy machine delays a heartbeat by a second or two.
const longestSilenceMs = 5000;
// Until the first sign of life: a process that starts while many others do.
const longestStartMs = 20_000;
const watchMs = 500;
// Two releases of a second each run side by side; then the child has nothing left to be waited for.
const abortGraceMs = 1500;
const keptErrorBytes = 4096;

// A parent that exits without a word closes the channel, which ends a healthy child; a frozen one would stay.
const living = new Set<NodeChildProcess>();
let killsAtExit = false;

/**
 * A child process that works in `dist/bundle/NAME.js` under a watchdog. While it has no work it holds nobody up: a
 * process that ends without closing it ends it too.
 */
export class ChildProcess<Request, Result, Progress> {
  readonly #purpose: string;
  readonly #child: NodeChildProcess;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, Pending<Result, Progress>>();
  #works = 0;
  #watch: NodeJS.Timeout | undefined;
  #errors = '';
  /** Watch intervals since the last sign of life. Counted, not timed: a machine that slept must not look like a freeze. */
  #silentWatches = 0;
  #begun = false;
  /** How it ended. */
  #end: string | null = null;

  /**
   * Starts the process at once; what it has to load is loaded while the caller does other things.
   * @param purpose for messages: the process of what
   */
  constructor(name: string, purpose: string) {
    this.#purpose = purpose;
    const file = fileURLToPath(new URL(`../../dist/bundle/${name}.js`, import.meta.url));
    this.#child = fork(file, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    killAtExit(this.#child);
    this.#child.on('message', (message: FromWorker<Result, Progress>) => this.#receive(message));
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-keptErrorBytes);
    });
    this.#exited = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#fail(`${how}${this.#lastErrorLine()}`);
        resolve();
      };
      // Not 'exit': the last words on stderr come before 'close'.
      this.#child.once('close', (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
      this.#child.once('error', (error) => end(`could not be started: ${error.message}`));
    });
    this.#holdUp(false);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can do no more work: it has ended, or is about to. */
  get hasEnded(): boolean {
    return this.#end !== null;
  }

  /**
   * Has one piece of work done; several may be under way at once.
   * @throws the reason of `signal`, after the child has freed what it held or had 1.5 s for it
   */
  async run(request: Request, options: RunOptions<Progress>): Promise<ProcessResult<Result>> {
    const { signal, deadlineMs, onProgress } = options;
    signal.throwIfAborted();
    const id = this.#works++;
    let grace: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      this.#send({ type: 'abort', id });
      grace = setTimeout(() => this.#fail('did not stop'), abortGraceMs);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const result = await new Promise<ProcessResult<Result>>((settle) => {
        this.#pending.set(id, { settle, onProgress, deadlineMs, watches: 0 });
        if (this.#end !== null) this.#fail(this.#end);
        else this.#begin({ type: 'run', id, request });
      });
      signal.throwIfAborted();
      return result;
    } finally {
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#rest();
    }
  }

  /** Ends the process, whatever it does, and waits until it is gone. */
  async close(): Promise<void> {
    this.#fail('was closed');
    // Else the event loop could run empty before the process is seen to be gone.
    this.#holdUp(true);
    await this.#exited;
  }

  #begin(message: ToWorker<Request>): void {
    this.#holdUp(true);
    this.#watch ??= setInterval(() => this.#look(), watchMs);
    this.#send(message);
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#silentWatches = 0;
    this.#holdUp(false);
  }

  #receive(message: FromWorker<Result, Progress>): void {
    this.#silentWatches = 0;
    this.#begun = true;
    if (message.type === 'alive') return;
    if (message.type === 'failed' && message.id === null) {
      this.#fail(`failed: ${message.detail}`);
      return;
    }
    const pending = message.id === null ? undefined : this.#pending.get(message.id);
    if (message.type === 'progress') pending?.onProgress?.(message.progress);
    else if (message.type === 'done') pending?.settle({ ok: true, value: message.result });
    else if (message.type === 'aborted') pending?.settle(this.#failure('was stopped'));
    else pending?.settle(this.#failure(`failed: ${message.detail}`));
  }

  /** The watchdog. */
  #look(): void {
    const silentMs = ++this.#silentWatches * watchMs;
    if (silentMs > (this.#begun ? longestSilenceMs : longestStartMs)) {
      this.#fail(`froze: no sign of life for ${silentMs / 1000} s`);
    }
    for (const pending of this.#pending.values()) {
      // One interval more than the deadline has: the first one is cut short.
      if (++pending.watches * watchMs > pending.deadlineMs + watchMs) {
        this.#fail(`was not done after ${pending.deadlineMs / 1000} s`);
      }
    }
  }

  /** The end of the process and of all its work. */
  #fail(how: string): void {
    this.#end ??= how;
    for (const { settle } of this.#pending.values()) settle(this.#failure(this.#end));
    // Not left to exit by itself: the native library's destructors are where it crashes or hangs.
    this.#child.kill('SIGKILL');
  }

  #failure(how: string): ProcessResult<never> {
    return { ok: false, failure: { kind: 'internal', detail: `the process of the ${this.#purpose} ${how}` } };
  }

  #lastErrorLine(): string {
    const line = this.#errors.trimEnd().split('\n').at(-1) ?? '';
    return line === '' ? '' : `: ${printable(line)}`;
  }

  #send(message: ToWorker<Request>): void {
    // A child that is gone is noticed by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #holdUp(hold: boolean): void {
    const { channel, stderr } = this.#child;
    // The pipe of a child is a socket, though typed as a stream only.
    const handles = [this.#child, channel, stderr instanceof Socket ? stderr : null];
    for (const handle of handles) {
      if (hold) handle?.ref();
      else handle?.unref();
    }
  }
}

function killAtExit(child: NodeChildProcess): void {
  if (!killsAtExit) {
    process.on('exit', () => {
      for (const one of living) one.kill('SIGKILL');
    });
    killsAtExit = true;
  }
  living.add(child);
  child.once('close', () => living.delete(child));
}
