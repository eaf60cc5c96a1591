import { lookup } from 'node:dns';

/** Asks for all addresses of `host`; `id` comes back with the answer. */
export interface LookupRequest {
  readonly id: number;
  readonly host: string;
}

export interface LookupAnswer {
  readonly id: number;
  /** The code and the message of what went wrong; null when nothing did. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly addresses: readonly string[];
}

process.on('message', ({ id, host }: LookupRequest) => {
  lookup(host, { all: true, verbatim: true }, (error, found) => {
    const answer: LookupAnswer = error
      ? { id, error: { code: error.code ?? 'UNKNOWN', message: error.message }, addresses: [] }
      : { id, error: null, addresses: found.map(({ address }) => address) };
    // A parent that is gone in this moment has no use for it.
    if (process.connected) process.send?.(answer, () => {});
  });
});
// A lookup under way would keep the process until the resolver gives it up; no exit() can end it sooner.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C reaches the whole process group; the parent decides what becomes of us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
