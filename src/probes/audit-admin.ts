import type { Socket } from 'node:net';
import type { AdminPort, AdminService } from '../model/audit.ts';
import { AttemptError } from '../model/failure.ts';
import { connectTcp } from '../net/stream.ts';

interface AskOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// coturn's own defaults: its command line (telnet), its metrics, its web admin.
const ports: readonly { readonly what: AdminService; readonly port: number }[] = [
  { what: 'command line', port: 5766 },
  { what: 'Prometheus', port: 9641 },
  { what: 'web admin', port: 8080 },
];

// A telnet server greets without being asked.
const requests: Readonly<Record<AdminService, string>> = {
  'command line': '',
  Prometheus: 'GET /metrics HTTP/1.0\r\n\r\n',
  'web admin': 'GET / HTTP/1.0\r\n\r\n',
};

/** By what coturn is told from another program on the same port. */
const marks: Readonly<Record<AdminService, RegExp>> = {
  'command line': /^TURN Server\b/m,
  Prometheus: /^(?:# (?:HELP|TYPE) )?(?:turn|stun)_\w+/m,
  'web admin': /^Server: Coturn|<title>TURN Server/im,
};

// A telnet server greets at once; a longer wait would be for those that never do.
const longestMs = 2000;
// A page comes in more than one packet.
const restMs = 250;
const mostBytes = 1 << 16;
const bannerLength = 80;

/**
 * What answers on the ports that are for the operator alone.
 * @throws AttemptError when this machine has no way there; the reason of `signal` when aborted
 */
export async function askAdminPorts(address: string, options: AskOptions): Promise<AdminPort[]> {
  return Promise.all(ports.map(async ({ what, port }) => askAdminPort({ address, port }, what, options)));
}

/**
 * What one TCP port says that may be the web admin of coturn, or another of its services.
 *
 * In plain text, over TLS listeners too: coturn tells both apart by the first bytes, and answers for its web admin in
 * either. A request inside TLS crashes coturn 4.6.1 with web-admin-listen-on-workers.
 * @throws AttemptError when this machine has no way there; the reason of `signal` when aborted
 */
export async function askAdminPort(
  remote: { readonly address: string; readonly port: number },
  what: AdminService,
  options: AskOptions,
): Promise<AdminPort> {
  const { port } = remote;
  const timeoutMs = Math.min(options.timeoutMs, longestMs);
  try {
    const socket = await connectTcp({ remote, timeoutMs, signal: options.signal });
    const text = await answerOf(socket, requests[what], { ...options, timeoutMs });
    return { what, port, state: 'open', banner: bannerOf(text), isCoturn: marks[what].test(text) };
  } catch (error) {
    const state = error instanceof AttemptError ? closedState(error) : null;
    if (state === null) throw error;
    return { what, port, state, banner: '', isCoturn: false };
  }
}

function closedState({ failure }: AttemptError): 'refused' | 'dropped' | null {
  if (failure.kind === 'timeout') return 'dropped';
  if (failure.kind !== 'system') return null;
  if (['ECONNREFUSED', 'ECONNRESET'].includes(failure.code)) return 'refused';
  return ['EHOSTUNREACH', 'ETIMEDOUT'].includes(failure.code) ? 'dropped' : null;
}

/** What comes until a moment after the first of it, without telnet's own commands (RFC 854). Closes the socket. */
async function answerOf(socket: Socket, request: string, { timeoutMs, signal }: AskOptions): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  let bytes = Buffer.alloc(0);
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, timeoutMs);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('data', (part: Buffer) => {
        if (bytes.length === 0) setTimeout(resolve, restMs);
        bytes = Buffer.concat([bytes, part]);
        if (bytes.length > mostBytes) resolve();
      });
      // Ended or broken off; what came before counts.
      socket.once('error', () => resolve());
      socket.once('close', () => resolve());
      if (request !== '') socket.write(request);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
  return bytes.toString('latin1').replaceAll(/[\u00fb-\u00fe]./gs, '');
}

function bannerOf(text: string): string {
  const line = text.split(/\r?\n/).find((each) => each.trim() !== '') ?? '';
  return line.trim().slice(0, bannerLength);
}
