import { createInterface } from 'node:readline';
import { RtcOpsError } from '../model/error.ts';

/**
 * Puts a question on standard error and gives the next line of standard input.
 * @throws RtcOpsError `usage` when the input ends instead; the reason of `signal` when that comes first
 */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      // While a line is edited, the terminal does not make a signal of Ctrl-C.
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      lines.once('close', () => reject(new RtcOpsError('usage', 'the input ended before all was answered')));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
}
