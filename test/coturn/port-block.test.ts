import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findPortBlock } from '../../src/coturn/port-block.ts';

describe('findPortBlock', () => {
  it('gives ports in a row that can all be bound, below those of outgoing sockets', async () => {
    const { first, last } = await findPortBlock(20);
    expect(last - first).toBe(19);
    expect(last).toBeLessThan(32_768);
    for (let port = first; port <= last; port++) {
      const tcp = createServer().listen(port, '127.0.0.1');
      const udp = createSocket('udp4').bind(port, '127.0.0.1');
      onTestFinished(() => {
        tcp.close();
        udp.close();
      });
      await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    }
  });

  it('keeps off what others hold', async () => {
    // Holding every 50th UDP port leaves no block of 60.
    const held = await Promise.all(
      Array.from({ length: 22_000 / 50 + 1 }, async (_, index) => {
        const socket = createSocket('udp4');
        socket.on('error', () => {});
        socket.bind({ port: 10_000 + index * 50, address: '127.0.0.1', exclusive: true });
        await Promise.race([
          once(socket, 'listening'),
          new Promise((resolve) => socket.once('error', resolve)),
        ]);
        return socket;
      }),
    );
    onTestFinished(() => {
      for (const socket of held) socket.close();
    });
    await expect(findPortBlock(60)).rejects.toThrow('no 60 free ports in a row');
  });
});
