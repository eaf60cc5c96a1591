import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../../src/model/endpoint.ts';
import { Secret } from '../../../src/model/secret.ts';
import { echoKinds } from '../../../src/net/echo-message.ts';
import { EchoService } from '../../../src/net/echo-service.ts';
import { probeReach } from '../../../src/probes/firewall/reach-probe.ts';

const secret = new Secret('a secret of the tests');
const signal = new AbortController().signal;

async function peer(): Promise<Endpoint> {
  const service = await EchoService.open({ listen: { address: '127.0.0.1', port: 0 }, secret });
  onTestFinished(() => service.close());
  return service.local;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void socket.close());
  await once(socket, 'listening');
  return socket;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Before a peer, what drops requests of one kind on their way to it. */
async function dropping(service: Endpoint, kind: number): Promise<Endpoint> {
  const [outside, inside] = [await bound(), await bound()];
  let client: Endpoint = service;
  outside.on('message', (bytes, from) => {
    client = from;
    if (bytes[8] !== kind) inside.send(bytes, service.port, service.address);
  });
  inside.on('message', (bytes) => outside.send(bytes, client.port, client.address));
  return outside.address();
}

describe('probeReach', () => {
  it('tells ports that were reached from those that a program has', async () => {
    const busy = (await bound()).address().port;
    const free = await freePort();
    const url = 'udp://peer';
    const endpoints = [await peer()];
    const reach = await probeReach({ url, endpoints, secret, ports: [busy, free], signal });
    expect(reach).toEqual({
      url,
      families: [
        {
          family: 4,
          seenFrom: '127.0.0.1',
          ports: [
            { port: busy, state: 'busy' },
            { port: free, state: 'arrived' },
          ].toSorted((a, b) => a.port - b.port),
        },
      ],
    });
  });

  it('does not call a port silent that a peer is not known to have sent to', async () => {
    const endpoints = [await dropping(await peer(), echoKinds.reach)];
    const port = await freePort();
    const { families } = await probeReach({ url: 'udp://old', endpoints, secret, ports: [port], signal });
    expect(families[0]?.ports).toEqual([{ port, state: 'unasked' }]);
  });

  it('has nothing to say of a peer that does not answer', async () => {
    const endpoints = [(await bound()).address()];
    const { families } = await probeReach({ url: 'udp://dead', endpoints, secret, ports: [50_000], signal });
    expect(families).toEqual([]);
  });
});
