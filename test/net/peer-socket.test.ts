import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint, Family } from '../../src/model/endpoint.ts';
import { openPeerSocket, type PeerSocket } from '../../src/net/peer-socket.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';

const { signal } = new AbortController();

async function opened(family: Family = 4): Promise<PeerSocket & { endpoint: Endpoint; heard: string[] }> {
  const socket = await openPeerSocket(family, signal);
  onTestFinished(() => socket.close());
  const heard: string[] = [];
  socket.onBytes = (bytes) => heard.push(Buffer.from(bytes).toString());
  const address = family === 6 ? '::1' : '127.0.0.1';
  return Object.assign(socket, { endpoint: { address, port: socket.local.port }, heard });
}

describe('openPeerSocket', () => {
  it.each([4, 6] as const)('sends from one port to any endpoint over IPv%d', async (family) => {
    const [one, two, three] = [await opened(family), await opened(family), await opened(family)];
    one.send(Buffer.from('a'), two.endpoint);
    one.send(Buffer.from('b'), three.endpoint);
    await expect.poll(() => [two.heard, three.heard]).toEqual([['a'], ['b']]);
  });

  it('hands what comes from the remote end of a transport to that transport alone', async () => {
    const [one, two, three] = [await opened(), await opened(), await opened()];
    const transport = one.transportTo(two.endpoint);
    const heard: string[] = [];
    transport.onBytes = (bytes) => heard.push(Buffer.from(bytes).toString());
    transport.send(Buffer.from('out'));
    await expect.poll(() => two.heard).toEqual(['out']);
    two.send(Buffer.from('in'), one.endpoint);
    three.send(Buffer.from('other'), one.endpoint);
    await expect.poll(() => [heard, one.heard]).toEqual([['in'], ['other']]);
  });

  it('closes each transport by itself, and the second close of one closes no other', async () => {
    const [one, two, three] = [await opened(), await opened(), await opened()];
    const [toTwo, toThree] = [one.transportTo(two.endpoint), one.transportTo(three.endpoint)];
    const heard: string[] = [];
    toThree.onBytes = (bytes) => heard.push(Buffer.from(bytes).toString());
    toTwo.close();
    toTwo.close();
    toTwo.send(Buffer.from('closed'));
    two.send(Buffer.from('from two'), one.endpoint);
    three.send(Buffer.from('from three'), one.endpoint);
    await expect.poll(() => [one.heard, heard]).toEqual([['from two'], ['from three']]);
    expect(two.heard).toEqual([]);
  });

  it('sends nothing where nothing can be sent', async () => {
    const [one, two] = [await opened(), await opened()];
    one.send(Buffer.from('no port'), { address: '127.0.0.1', port: 0 });
    one.send(Buffer.from('other family'), { address: '::1', port: two.local.port });
    one.close();
    one.close();
    one.send(Buffer.from('closed'), two.endpoint);
    await sleep(20);
    expect(two.heard).toEqual([]);
  });

  it('leaves nothing open', async () => {
    await expectNothingLeftOpen(async () => {
      const socket = await openPeerSocket(4, signal);
      socket.transportTo({ address: '127.0.0.1', port: 9 }).send(Buffer.from('x'));
      socket.close();
    });
  });
});
