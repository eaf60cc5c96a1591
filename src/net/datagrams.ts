import { AttemptError } from '../model/failure.ts';
import type { Transport } from './transport.ts';

export interface DatagramAnswers {
  /** How often the request was sent until something came. */
  readonly sent: number;
  /** Payloads; empty where nothing came. */
  readonly answers: readonly Buffer[];
}

// Three on a path that loses one in ten: one in a thousand is missed.
const mostSent = 3;
// What belongs to one answer comes at once, but for the way of the last of it.
const quietMs = 250;

/**
 * Sends one datagram over a UDP socket, and gives all that comes back of it until a moment of quiet: an answer may have
 * several parts. It is sent again only while nothing has come.
 * @throws AttemptError when ICMP says that there is no way, or nothing; the reason of `signal` when aborted
 */
export async function askByDatagram(
  transport: Transport,
  request: Uint8Array,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<DatagramAnswers> {
  signal.throwIfAborted();
  const timers = new Set<NodeJS.Timeout>();
  let onAbort = (): void => {};
  const answers: Buffer[] = [];
  let sent = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      transport.onClosed = (failure) => (answers.length > 0 ? resolve() : reject(new AttemptError(failure)));
      transport.onBytes = (bytes) => {
        if (answers.length === 0) timers.add(setTimeout(resolve, quietMs));
        answers.push(Buffer.from(bytes));
      };
      const send = (): void => {
        if (answers.length > 0) return;
        sent++;
        transport.send(request);
      };
      for (let index = 0; index < mostSent; index++) {
        timers.add(setTimeout(send, (index * timeoutMs) / mostSent));
      }
      timers.add(setTimeout(() => (answers.length === 0 ? resolve() : undefined), timeoutMs));
    });
    return { sent, answers };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    transport.onBytes = () => {};
    transport.onClosed = () => {};
  }
}
