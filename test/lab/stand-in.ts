/** A program that has port 3478 of a server and is no TURN server: `stand-in.ts tcp|udp`. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = 3478;
const ready = (): void => void process.stdout.write('ready\n');

if (process.argv[2] === 'tcp') {
  createServer((socket) => socket.on('error', () => socket.destroy()).resume()).listen(port, ready);
} else {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => socket.send(datagram, from.port, from.address));
  socket.bind(port, ready);
}
