import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** A hundred ports on loopback that no other test uses at the same time. */
export interface PortBlock {
  /** The next port of the block for a listener; ten are there. */
  next(): number;
  /** Relay ports, inclusive. */
  readonly relay: { readonly min: number; readonly max: number };
  release(): Promise<void>;
}

// Below the ephemeral range of Linux (32768–60999), so that no outgoing socket lands in a block.
const first = 10_000;
const size = 100;
const blocks = 220;

/**
 * Claims a block of ports. The claim is a TCP socket that listens on the first port of the block: the kernel keeps
 * every other test away, in this process or another, and gives the block back when this one dies.
 */
export async function claimPorts(): Promise<PortBlock> {
  const start = Math.floor(Math.random() * blocks);
  for (let step = 0; step < blocks; step++) {
    const base = first + ((start + step) % blocks) * size;
    const claim = await listen(base);
    if (claim) return portBlock(base, claim);
  }
  throw new Error('every block of test ports is taken');
}

function portBlock(base: number, claim: Server): PortBlock {
  let taken = 0;
  return {
    next: () => {
      if (++taken > 10) throw new Error('a block has ten ports for listeners');
      return base + taken;
    },
    relay: { min: base + 20, max: base + size - 1 },
    release: async () => {
      claim.close();
      await once(claim, 'close');
    },
  };
}

async function listen(port: number): Promise<Server | null> {
  const server = createServer();
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  const taken = await Promise.race([
    once(server, 'listening').then(() => false),
    new Promise<boolean>((resolve) => server.once('error', () => resolve(true))),
  ]);
  if (taken) return null;
  server.unref();
  return server;
}
