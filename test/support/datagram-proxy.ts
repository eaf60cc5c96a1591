import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/**
 * A UDP port on 127.0.0.1 before another one, for one test: each client has a socket of its own towards the server, and
 * what it sends is passed on if `passes` says so.
 */
export async function datagramProxy(
  serverPort: number,
  passes: (datagram: Buffer) => boolean,
): Promise<number> {
  const front = createSocket('udp4');
  const backs = new Map<number, Socket>();
  front.on('message', (datagram, { port }) => {
    let back = backs.get(port);
    if (back === undefined) {
      back = createSocket('udp4').on('message', (answer) => front.send(answer, port, '127.0.0.1'));
      backs.set(port, back);
    }
    if (passes(datagram)) back.send(datagram, serverPort, '127.0.0.1');
  });
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => {
    for (const socket of [front, ...backs.values()]) socket.close();
  });
  return front.address().port;
}
