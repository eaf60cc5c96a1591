import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probeClientNetwork } from '../../src/probes/client-network.ts';

const { signal } = new AbortController();

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function webOf(port: number): Promise<Awaited<ReturnType<typeof probeClientNetwork>>['web']> {
  const endpoint = { address: '127.0.0.1', port };
  return (await probeClientNetwork({ web: { host: 'turn.example.com', endpoint }, signal })).web;
}

describe('a look at the network here', () => {
  it('asks the server for its page by its name, and follows nothing', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await listening(
      createServer((request, response) => {
        hosts.push(request.headers.host);
        response.writeHead(511, { location: 'http://login.example.net/' }).end('log in');
      }),
    );
    expect(await webOf(port)).toEqual({
      state: 'seen',
      value: { address: '127.0.0.1', status: 511, location: 'http://login.example.net/' },
    });
    expect(hosts).toEqual(['turn.example.com']);
  });

  it('knows nothing where nothing answers, or something else than a web server', async () => {
    const closing = await listening(createTcpServer((socket) => socket.destroy()));
    expect(await webOf(closing)).toMatchObject({
      state: 'unknown',
      because: `TCP ${closing} of 127.0.0.1: no answer`,
    });
    const babbling = await listening(createTcpServer((socket) => socket.end('no HTTP\n')));
    expect(await webOf(babbling)).toMatchObject({ state: 'unknown' });
    const silent = await listening(createTcpServer(() => {}));
    expect(await webOf(silent)).toMatchObject({ state: 'unknown' });
  });

  it('asks nobody where nobody is to be asked', async () => {
    const { web } = await probeClientNetwork({ web: { because: 'the server itself answered' }, signal });
    expect(web).toEqual({ state: 'unknown', because: 'the server itself answered' });
  });

  it('ends with its signal', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const probing = probeClientNetwork({ web: { because: 'none' }, signal: aborted });
    await expect(probing).rejects.toThrow('enough');
  });
});
