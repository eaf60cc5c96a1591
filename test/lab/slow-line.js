/**
 * `node slow-line.js PORT DELAY_MS JITTER_MS`: passes datagrams for port PORT of 203.0.113.10 on to its port 3478, and the
 * answers back, each after the delay and, at random, up to the jitter more. It is a program of its own because it runs in the
 * network of the calls.
 */
import { createSocket } from 'node:dgram';

const [port, delayMs, jitterMs] = process.argv.slice(2).map(Number);
const server = { port: 3478, address: '203.0.113.10' };
const towards = new Map();

/** @param {() => void} pass */
function later(pass) {
  setTimeout(pass, delayMs + Math.random() * jitterMs);
}

const entrance = createSocket('udp4');
entrance.on('message', (message, client) => {
  const name = `${client.address}:${client.port}`;
  const socket = towards.get(name) ?? createSocket('udp4');
  if (!towards.has(name)) {
    towards.set(name, socket);
    socket.on('message', (answer) => later(() => entrance.send(answer, client.port, client.address)));
  }
  later(() => socket.send(message, server.port, server.address));
});
entrance.bind(port, server.address);
