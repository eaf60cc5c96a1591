import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AttemptError, systemFailure } from '../model/failure.ts';

/**
 * All addresses of a host, as every program on this machine would see them (hosts file included). An IP literal
 * stands for itself.
 * @throws AttemptError `system` (`ENOTFOUND`, `EAI_AGAIN`…) or `timeout`
 */
export async function resolveHost(host: string, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
  if (isIP(host)) return [host];
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    // getaddrinfo cannot be cancelled; it is left behind when the deadline comes first.
    const found = await Promise.race([
      lookup(host, { all: true, verbatim: true }),
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => reject(new AttemptError({ kind: 'timeout', afterMs: timeoutMs, sent: 1 })),
          timeoutMs,
        );
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    if (error instanceof AttemptError || signal.aborted) throw error;
    throw new AttemptError(systemFailure(error as NodeJS.ErrnoException));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
