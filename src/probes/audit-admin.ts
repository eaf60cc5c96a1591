import type { Socket } from 'node:net';
import type { AdminPort } from '../model/audit.ts';
import { AttemptError } from '../model/failure.ts';
import { connectTcp } from '../net/stream.ts';

interface AskOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// coturn's own defaults: its command line (telnet), its metrics, its web admin.
const ports = [
  { what: 'command line', port: 5766, request: '' },
  { what: 'Prometheus', port: 9641, request: 'GET /metrics HTTP/1.0\r\n\r\n' },
  { what: 'web admin', port: 8080, request: 'GET / HTTP/1.0\r\n\r\n' },
] as const;

// A telnet server greets at once; a longer wait would be for those that never do.
const longestMs = 2000;
const bannerLength = 80;

/**
 * What answers on the ports that are for the operator alone. No answer, be it refused or dropped, is what should be.
 * @throws AttemptError when this machine has no way there; the reason of `signal` when aborted
 */
export async function askAdminPorts(address: string, options: AskOptions): Promise<AdminPort[]> {
  const timeoutMs = Math.min(options.timeoutMs, longestMs);
  return Promise.all(
    ports.map(async ({ what, port, request }) => {
      try {
        const socket = await connectTcp({ remote: { address, port }, timeoutMs, signal: options.signal });
        const banner = await firstAnswer(socket, request, { ...options, timeoutMs });
        return { what, port, banner: banner ?? '' };
      } catch (error) {
        if (error instanceof AttemptError && isClosedPort(error)) return { what, port, banner: null };
        throw error;
      }
    }),
  );
}

function isClosedPort({ failure }: AttemptError): boolean {
  if (failure.kind === 'timeout') return true;
  return (
    failure.kind === 'system' &&
    ['ECONNREFUSED', 'EHOSTUNREACH', 'ECONNRESET', 'ETIMEDOUT'].includes(failure.code)
  );
}

/**
 * The first line that comes, shortened; null where nothing does before the deadline or the end. Closes the socket.
 * @throws the reason of `signal` when aborted
 */
export async function firstAnswer(
  socket: Socket,
  request: string,
  { timeoutMs, signal }: AskOptions,
): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    return await new Promise<string | null>((resolve, reject) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('data', (bytes) => resolve(bannerOf(bytes)));
      // Ended or broken off without a word.
      socket.once('error', () => resolve(null));
      socket.once('close', () => resolve(null));
      if (request !== '') socket.write(request);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

/** Telnet's own commands (RFC 854) come before what a person reads. */
function bannerOf(bytes: Buffer): string {
  const text = bytes.toString('latin1').replaceAll(/[\u00fb-\u00fe]./gs, '');
  const line = text.split(/\r?\n/).find((each) => each.trim() !== '') ?? '';
  return line.trim().slice(0, bannerLength);
}
