import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Listeners on loopback that are no TURN servers; each gives its port and ends with the test. */

/** A TCP port on which `serve` gets every connection. */
export async function tcpListener(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A UDP port that answers each datagram with what `answer` makes of it, so many times; null is silence. */
export async function udpListener(
  answer: (datagram: Buffer) => Uint8Array | null,
  times = 1,
): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { address, port }) => {
    const reply = answer(datagram);
    if (reply === null) return;
    for (let sent = 0; sent < times; sent++) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return socket.address().port;
}

/** A port on which nothing listens, of the ones that the kernel gives out. */
export async function unusedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
