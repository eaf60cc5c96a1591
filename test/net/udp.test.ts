import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Failure } from '../../src/model/observations.ts';
import type { Transport } from '../../src/net/transport.ts';
import { openUdp } from '../../src/net/udp.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';

const { signal } = new AbortController();

/** A socket that sends each datagram back. */
async function echo(address = '127.0.0.1') {
  const socket = createSocket(address === '::1' ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(0, address);
  await once(socket, 'listening');
  let open = true;
  const close = (): void => {
    if (open) socket.close();
    open = false;
  };
  onTestFinished(close);
  return { endpoint: { address, port: socket.address().port }, close };
}

async function opened(remote: Endpoint): Promise<Transport> {
  const transport = await openUdp({ remote, signal });
  onTestFinished(() => transport.close());
  return transport;
}

function nextBytes(transport: Transport): Promise<string> {
  return new Promise((resolve) => {
    transport.onBytes = (bytes) => resolve(Buffer.from(bytes).toString());
  });
}

function end(transport: Transport): Promise<Failure> {
  return new Promise((resolve) => {
    transport.onClosed = resolve;
  });
}

describe('openUdp', () => {
  it.each(['127.0.0.1', '::1'])('exchanges datagrams over %s', async (address) => {
    const { endpoint } = await echo(address);
    const transport = await opened(endpoint);
    expect(transport).toMatchObject({ kind: 'udp', remote: endpoint, local: { address } });
    expect(transport.local.port).toBeGreaterThan(0);
    const answer = nextBytes(transport);
    transport.send(Buffer.from('one datagram'));
    expect(await answer).toBe('one datagram');
  });

  it('tells of the ICMP error when nothing listens, and only once', async () => {
    const { endpoint, close } = await echo();
    close();
    const transport = await opened(endpoint);
    const failures: Failure[] = [];
    const ended = new Promise<void>((resolve) => {
      transport.onClosed = (failure) => {
        failures.push(failure);
        resolve();
      };
    });
    transport.send(Buffer.from('one'));
    transport.send(Buffer.from('two'));
    await ended;
    transport.send(Buffer.from('three'));
    await sleep(20);
    expect(failures).toEqual([expect.objectContaining({ kind: 'system', code: 'ECONNREFUSED' })]);
  });

  it('says nothing of an ICMP error that comes after close()', async () => {
    const { endpoint, close } = await echo();
    close();
    const transport = await opened(endpoint);
    let told = false;
    transport.onClosed = () => (told = true);
    transport.send(Buffer.from('one'));
    transport.close();
    transport.close();
    transport.send(Buffer.from('two'));
    await sleep(20);
    expect(told).toBe(false);
  });

  it('hears no one but the remote endpoint', async () => {
    const { endpoint } = await echo();
    const transport = await opened(endpoint);
    const stranger = createSocket('udp4');
    onTestFinished(() => void stranger.close());
    const answer = nextBytes(transport);
    stranger.send('from a stranger', transport.local.port, transport.local.address);
    await sleep(20);
    transport.send(Buffer.from('from the remote end'));
    expect(await answer).toBe('from the remote end');
  });

  it('loses a datagram that is too large, and nothing else', async () => {
    const { endpoint } = await echo();
    const transport = await opened(endpoint);
    const ended = end(transport);
    transport.send(Buffer.alloc(70_000));
    const answer = nextBytes(transport);
    await sleep(20);
    transport.send(Buffer.from('still there'));
    expect(await Promise.race([answer, ended])).toBe('still there');
  });

  it.each([
    // connect(2) refuses these, which Node tells in another way than errors of bind(2).
    { remote: { address: '255.255.255.255', port: 3478 }, code: 'EACCES' },
    { remote: { address: 'fe80::1', port: 3478 }, code: 'EINVAL' },
    { remote: { address: '127.0.0.1', port: 0 }, code: 'ERR_SOCKET_BAD_PORT' },
  ])('rejects with $code for what cannot be connected to', async ({ remote, code }) => {
    await expectNothingLeftOpen(async () => {
      expect(await failureOf(openUdp({ remote, signal }))).toMatchObject({ kind: 'system', code });
    });
  });

  it('rejects with the reason of an abort, before and during', async () => {
    const { endpoint } = await echo();
    await expectNothingLeftOpen(async () => {
      const reason = new Error('enough');
      await expect(openUdp({ remote: endpoint, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const abort = new AbortController();
      const opening = openUdp({ remote: endpoint, signal: abort.signal });
      abort.abort(reason);
      await expect(opening).rejects.toBe(reason);
    });
  });

  it('leaves nothing open', async () => {
    const { endpoint } = await echo();
    await expectNothingLeftOpen(async () => {
      const transport = await openUdp({ remote: endpoint, signal });
      transport.send(Buffer.from('x'));
      transport.close();
    });
  });
});
