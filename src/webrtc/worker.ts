import { inspect } from 'node:util';

/** What the parent sends to a child process. `id` tells pieces of work apart. */
export type ToWorker<Request> =
  | { readonly type: 'run'; readonly id: number; readonly request: Request }
  | { readonly type: 'abort'; readonly id: number };

/** What a child process sends to its parent. */
export type FromWorker<Result, Progress> =
  /** The JavaScript thread runs: sent without end. */
  | { readonly type: 'alive' }
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'done'; readonly id: number; readonly result: Result }
  /** Stopped as told; nothing is held any more. */
  | { readonly type: 'aborted'; readonly id: number }
  /** A fault of the child itself. Without `id` it befell no piece of work in particular. */
  | { readonly type: 'failed'; readonly id: number | null; readonly detail: string };

export interface WorkHooks<Progress> {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export type Work<Request, Result, Progress> = (
  request: Request,
  hooks: WorkHooks<Progress>,
) => Promise<Result>;

const heartbeatMs = 250;

/**
 * Makes this process a worker: does the work that its parent asks for, tells the results, and waits to be ended. It
 * never outlives its parent.
 */
export function serve<Request, Result, Progress>(work: Work<Request, Result, Progress>): void {
  const send = (message: FromWorker<Result, Progress>): void => {
    // A parent that is gone in this moment: 'disconnect' follows, and ends the process.
    if (process.connected) process.send?.(message, () => {});
  };
  const fail = (id: number | null, error: unknown): void => {
    send({ type: 'failed', id, detail: error instanceof Error ? error.message : inspect(error) });
  };
  const running = new Map<number, AbortController>();
  const run = async (id: number, request: Request): Promise<void> => {
    const abort = new AbortController();
    running.set(id, abort);
    const onProgress = (progress: Progress): void => send({ type: 'progress', id, progress });
    try {
      send({ type: 'done', id, result: await work(request, { signal: abort.signal, onProgress }) });
    } catch (error) {
      if (abort.signal.aborted) send({ type: 'aborted', id });
      else fail(id, error);
    } finally {
      running.delete(id);
    }
  };
  // Not by exit(): that runs the native library's destructors, where it may crash or hang.
  const die = (): void => void process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', die);
  if (!process.connected) die();
  // Ctrl-C reaches the whole process group. The parent decides what becomes of us: an allocation is still to be freed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('uncaughtException', (error) => fail(null, error));
  setInterval(() => send({ type: 'alive' }), heartbeatMs);
  process.on('message', (message: ToWorker<Request>) => {
    if (message.type === 'abort') running.get(message.id)?.abort();
    else void run(message.id, message.request);
  });
  send({ type: 'alive' });
}
