import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/**
 * A UDP port on 127.0.0.1 before another one, for one test: each client has a socket of its own towards the server, and
 * what it sends is passed on if `passes` says so, `delayMs` later.
 */
export async function datagramProxy(
  serverPort: number,
  passes: (datagram: Buffer) => boolean,
  delayMs = 0,
): Promise<number> {
  const front = createSocket('udp4');
  const backs = new Map<number, Socket>();
  const ended = new AbortController();
  front.on('message', (datagram, { port }) => {
    const back = backs.get(port) ?? createSocket('udp4');
    if (!backs.has(port)) back.on('message', (answer) => front.send(answer, port, '127.0.0.1'));
    backs.set(port, back);
    if (!passes(datagram)) return;
    const pass = (): void => {
      if (!ended.signal.aborted) back.send(datagram, serverPort, '127.0.0.1');
    };
    if (delayMs > 0) setTimeout(pass, delayMs);
    else pass();
  });
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => {
    ended.abort();
    for (const socket of [front, ...backs.values()]) socket.close();
  });
  return front.address().port;
}
