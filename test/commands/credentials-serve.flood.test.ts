import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startService, type RunningService } from '../support/credential-service.ts';

const key = '0123456789abcdef0123456789abcdef';
const requests = 10_000;
const atOnce = 50;
const slowClients = 500;

// An idle process collects no garbage; with this it does, so that what it holds can be told from what it has let go.
const collecting = ['--expose-gc', '--import', 'data:text/javascript,setInterval(gc, 200).unref()'];

type Attack = (port: number, agent: Agent) => Promise<unknown>;

const attacks: readonly Attack[] = [
  // Malformed.
  (port) => sent(port, 'GET / HTTP/9.9\r\n\r\n'),
  (port) => sent(port, '\u0000\u0001\u0002 nothing of HTTP\r\n\r\n'),
  (port) => sent(port, `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n`),
  (port, agent) => asked(port, agent, { path: '/%zz' }),
  (port, agent) => asked(port, agent, { method: 'POST', type: 'application/json', body: '{"key": ' }),
  (port, agent) => asked(port, agent, { path: `/?service=turn&ttl=-1&key=${key}` }),
  (port, agent) => asked(port, agent, { path: `/?service=turn&username=%00&key=${key}` }),
  // Oversized.
  (port, agent) => asked(port, agent, { method: 'POST', type: 'application/json', body: 'x'.repeat(20_000) }),
  (port) => sent(port, `GET / HTTP/1.1\r\nx: ${'x'.repeat(10_000)}\r\n\r\n`),
  (port, agent) => asked(port, agent, { path: `/?service=turn&username=${'u'.repeat(600)}&key=${key}` }),
  // Unauthorised, each with another key and another path.
  (port, agent) => asked(port, agent, { path: `/?service=turn&key=${Math.random()}` }),
  (port, agent) => asked(port, agent, { path: `/${Math.random()}` }),
];

it(`serves on after ${requests} bad requests, in no more memory`, { timeout: 120_000 }, async () => {
  const files = { secret: 'the-secret-of-the-tests', keys: `web ${key} rate=off\n` };
  const options = ['--secret-file', 'secret', '--api-keys', 'keys', '--url', 'turn.example.com'];
  const service = await startService(files, options, collecting);
  // What code and buffers take once is no leak: the first flood is not counted.
  await flood(service, requests / 4);
  await sleep(500);
  const before = await heapBytes(service);
  const stalled = await stall(service);
  await flood(service, requests);
  // The answer is a credential while slow clients hold their sockets, and it comes at once.
  const startedMs = performance.now();
  expect((await fetch(`${service.url}/?service=turn&key=${key}`)).status).toBe(200);
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect(await stalled.cut()).toBe(slowClients);
  await expect.poll(() => heapBytes(service), { timeout: 10_000, interval: 300 }).toBeLessThan(before + 2e6);
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(service.output()).not.toContain('fault');
});

async function flood({ port }: RunningService, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await attacks[next++ % attacks.length]?.(port, agent);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
}

/** Clients that begin a request and never end it. */
async function stall({ port }: RunningService): Promise<{ cut: () => Promise<number> }> {
  const closed = Array.from({ length: slowClients }, (_, index) => {
    const socket = connect(port, '127.0.0.1');
    const begun =
      index % 2 === 0
        ? 'GET / HTTP/1.1\r\nhost:'
        : 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx';
    socket
      .on('error', () => {})
      .resume()
      .write(begun);
    return new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)));
  });
  await sleep(100);
  const late = sleep(20_000, false);
  return {
    cut: async () =>
      (await Promise.all(closed.map((each) => Promise.race([each, late])))).filter(Boolean).length,
  };
}

function sent(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    // Cut off in the middle of what it writes, it learns so as an error.
    socket
      .on('error', () => {})
      .on('close', () => resolve())
      .resume();
  });
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string;
}

function asked(port: number, agent: Agent, { method = 'GET', path = '/', type, body }: Asked): Promise<void> {
  return new Promise((resolve) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const client = request({ host: '127.0.0.1', port, agent, method, path, headers }, (response) => {
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expect(response.statusCode).toBeLessThan(500);
      response.resume().on('close', () => resolve());
    });
    client.on('error', () => resolve()).end(body);
  });
}

async function heapBytes({ url }: RunningService): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { 'x-api-key': key } })).text();
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]);
}
