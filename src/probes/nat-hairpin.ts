import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { NatFacts } from '../model/observations.ts';
import { attempt, notTried } from './attempt.ts';
import { mappedIn, type BindingSocket } from './binding-socket.ts';
import type { NatProbeContext } from './nat-context.ts';

const resendMs = 150;
const mostTransmissions = 10;

/**
 * Two sockets send to each other's mapped address, both ways as the checks of ICE do: a NAT that hairpins and filters
 * lets in what comes from a mapped address that was sent to (RFC 4787 §6, RFC 5780 §3.4).
 */
export async function probeHairpin(options: NatProbeContext): Promise<NatFacts['hairpin']> {
  const { server, open, request, clock, signal } = options;
  const end = async (): Promise<End> => {
    const socket = await open();
    return { socket, mapped: mappedIn(await request(socket, server)) };
  };
  const ends = await attempt(clock, () => Promise.all([end(), end()]));
  if (ends.state !== 'done') return notTried('the server did not answer every socket');
  const [a, b] = ends.value;
  return attempt(clock, () => crossing(a, b, signal));
}

interface End {
  readonly socket: BindingSocket;
  readonly mapped: Endpoint;
}

async function crossing(a: End, b: End, signal: AbortSignal): Promise<{ from: Endpoint; mapped: Endpoint }> {
  signal.throwIfAborted();
  const token = randomBytes(16);
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    return await new Promise((resolve, reject) => {
      const listen = (at: End, sender: End): void => {
        at.socket.onOther = (bytes, from) => {
          if (token.equals(bytes)) resolve({ from, mapped: sender.mapped });
        };
      };
      listen(a, b);
      listen(b, a);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      let sent = 0;
      const next = (): void => {
        if (sent === mostTransmissions) {
          reject(new AttemptError({ kind: 'timeout', afterMs: resendMs * mostTransmissions, sent }));
          return;
        }
        sent++;
        a.socket.send(token, b.mapped);
        b.socket.send(token, a.mapped);
        timer = setTimeout(next, resendMs);
      };
      next();
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
