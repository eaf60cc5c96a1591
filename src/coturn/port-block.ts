import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { RtcOpsError } from '../model/error.ts';

/** Ports that follow each other, free on 127.0.0.1 for TCP and UDP at the moment of the search. */
export interface PortBlock {
  readonly first: number;
  readonly last: number;
}

// Below the range from which Linux takes the ports of outgoing sockets (32768 on), so that none lands in a block.
const lowest = 10_000;
const highest = 32_000;
const tries = 50;

/**
 * Finds a block of free ports at a random place.
 * @throws RtcOpsError `tool-failed` when there is none
 */
export async function findPortBlock(size: number): Promise<PortBlock> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - size));
    const block = { first, last: first + size - 1 };
    if (await isFree(block)) return block;
  }
  throw new RtcOpsError(
    'tool-failed',
    `no ${size} free ports in a row were found between ${lowest} and ${highest}`,
  );
}

async function isFree({ first, last }: PortBlock): Promise<boolean> {
  const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const taken = await Promise.all(ports.flatMap((port) => [isTakenTcp(port), isTakenUdp(port)]));
  return !taken.includes(true);
}

async function isTakenTcp(port: number): Promise<boolean> {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  const taken = await failsToBind(server);
  if (!taken) {
    server.close();
    await once(server, 'close');
  }
  return taken;
}

async function isTakenUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  const taken = await failsToBind(socket);
  socket.close();
  return taken;
}

function failsToBind(opening: NodeJS.EventEmitter): Promise<boolean> {
  return new Promise((resolve) => {
    opening.once('listening', () => resolve(false));
    opening.once('error', () => resolve(true));
  });
}
