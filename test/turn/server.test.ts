import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openConnection, type Opened, type TurnServer } from '../../src/turn/server.ts';
import { certificate } from '../support/certificates.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';
import { scriptedServer } from '../support/scripted-server.ts';
import { tcpListener, unusedPort } from '../support/strange-listener.ts';

const { signal } = new AbortController();
const name = 'turn.example.org';

/** A TLS listener with a self-signed certificate of that name, which is its own trust anchor. */
async function tlsServer(
  options: TlsOptions = {},
): Promise<{ server: TurnServer; ca: string; open: Set<Socket> }> {
  const own = await certificate({ commonName: name, names: [name] });
  const open = new Set<Socket>();
  const server = createServer({ ...own, ...options });
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  return { server: { transport: 'tls', endpoint, servername: name, verifyTls: false }, ca: own.cert, open };
}

function open(server: TurnServer, timeoutMs = 1000, secondTryAfterMs = timeoutMs): Promise<Opened> {
  const { ready } = openConnection(server, { timeoutMs, signal, secondTryAfterMs });
  onTestFinished(async () => {
    const [result] = await Promise.allSettled([ready]);
    if (result.status === 'fulfilled') result.value.connection.close();
  });
  return ready;
}

describe('openConnection', () => {
  it.each(['udp', 'tcp', 'tls'] as const)('goes through its two stages over %s', async (transport) => {
    const { server } = await scriptedServer(transport);
    const { connected, ready } = openConnection(server, { timeoutMs: 1000, signal });
    const local = await connected;
    expect(local.address).toBe('127.0.0.1');
    const { connection, tls } = await ready;
    onTestFinished(() => connection.close());
    expect(connection.transport).toMatchObject({ kind: transport, local, remote: server.endpoint });
    expect(connection.isReliable).toBe(transport !== 'udp');
    expect(tls === null).toBe(transport !== 'tls');
  });

  it('rejects at both stages where there is no connection', async () => {
    const endpoint = { address: '127.0.0.1', port: await unusedPort() };
    const server: TurnServer = { transport: 'tls', endpoint, verifyTls: true };
    const { connected, ready } = openConnection(server, { timeoutMs: 1000, signal });
    expect(await failureOf(connected)).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
    expect(await failureOf(ready)).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
  });

  it('asks for the address where there is no name', async () => {
    const { server } = await scriptedServer('tls');
    const { tls } = await open(server);
    expect(tls).toMatchObject({ servername: '127.0.0.1', nameError: null });
    expect(tls?.chainError).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('may end with an invalid certificate, or only tell of it', async () => {
    const { server, ca, open: sockets } = await tlsServer();
    expect((await open(server)).tls?.chainError).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect((await open({ ...server, ca, verifyTls: true })).tls).toMatchObject({
      chainError: null,
      nameError: null,
    });
    const before = sockets.size;
    const untrusted = await failureOf(open({ ...server, verifyTls: true }));
    expect(untrusted).toMatchObject({ kind: 'tls', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const misnamed = await failureOf(open({ ...server, ca, servername: 'a.example', verifyTls: true }));
    expect(misnamed).toMatchObject({ kind: 'tls', message: expect.stringContaining(`it names DNS:${name}`) });
    await expect.poll(() => sockets.size).toBe(before);
  });

  it('connects once more, without ALPN, where ours is refused', async () => {
    const { server } = await tlsServer({ ALPNProtocols: ['h2', 'http/1.1'] });
    const { tls } = await open(server);
    expect(tls).toMatchObject({ alpn: null, protocol: 'TLSv1.3' });
  });

  it('ends at its deadline', async () => {
    const port = await tcpListener(() => {});
    const server: TurnServer = {
      transport: 'tls',
      endpoint: { address: '127.0.0.1', port },
      verifyTls: false,
    };
    expect(await failureOf(open(server, 200))).toMatchObject({ kind: 'timeout' });
  });

  it.each(['udp', 'tcp', 'tls'] as const)('ends with an abort over %s', async (transport) => {
    const { server, openConnections } = await scriptedServer(transport);
    await expectNothingLeftOpen(async () => {
      const abort = new AbortController();
      const { connected, ready } = openConnection(server, { timeoutMs: 1000, signal: abort.signal });
      const reason = new Error('enough');
      abort.abort(reason);
      await expect(connected).rejects.toBe(reason);
      await expect(ready).rejects.toBe(reason);
      await expect.poll(openConnections).toBe(0);
    });
  });

  it('ends with an abort in the middle of the TLS handshake', async () => {
    let connection: Socket | undefined;
    const port = await tcpListener((socket) => (connection = socket.resume()));
    const server: TurnServer = {
      transport: 'tls',
      endpoint: { address: '127.0.0.1', port },
      verifyTls: false,
    };
    const abort = new AbortController();
    const { connected, ready } = openConnection(server, { timeoutMs: 5000, signal: abort.signal });
    await connected;
    abort.abort(new Error('enough'));
    await expect(ready).rejects.toThrow('enough');
    await expect.poll(() => connection?.destroyed).toBe(true);
  });
});

describe('a second try', () => {
  const secondTryAfterMs = 100;

  /** A listener that says nothing to its first connection, and serves the next ones. */
  async function deafOnce(transport: 'tcp' | 'tls') {
    const scripted = await scriptedServer(transport);
    const sockets = new Set<Socket>();
    let connections = 0;
    const port = await tcpListener((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      connections += 1;
      if (connections === 1) {
        socket.resume();
        return;
      }
      const to = connect(scripted.server.endpoint.port, scripted.server.endpoint.address);
      socket.pipe(to).pipe(socket);
      socket.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => socket.destroy());
    });
    const endpoint = { address: '127.0.0.1', port };
    return { server: { ...scripted.server, endpoint }, open: sockets, count: () => connections };
  }

  it('finds the server that the first one did not', async () => {
    const { server, open: sockets } = await deafOnce('tls');
    const { connection, tls } = await open(server, 5000, secondTryAfterMs);
    expect(tls?.protocol).toBe('TLSv1.3');
    expect(connection.transport.remote).toEqual(server.endpoint);
    // The first is given up.
    await expect.poll(() => sockets.size).toBe(1);
  });

  it('lets the first go on where that is wanted, and tells that it waited in vain', async () => {
    const { server, open: sockets } = await deafOnce('tls');
    const options = {
      timeoutMs: 600,
      signal,
      hurry: AbortSignal.timeout(400),
      followFirst: true,
      secondTryAfterMs,
    };
    const { connection, firstTry } = await openConnection(server, options).ready;
    onTestFinished(() => connection.close());
    // What hurries the wait for an answer does not hurry this one.
    const failure = { kind: 'timeout', afterMs: expect.toSatisfy((ms) => ms > 500) };
    expect(await firstTry).toMatchObject(failure);
    await expect.poll(() => sockets.size).toBe(1);
  });

  it('is not made where the first is there, and not after an end', async () => {
    const { server, count } = await deafOnce('tcp');
    await open(server, 5000, secondTryAfterMs);
    const abort = new AbortController();
    const { ready } = openConnection(server, { timeoutMs: 5000, signal: abort.signal, secondTryAfterMs });
    abort.abort(new Error('enough'));
    await expect(ready).rejects.toThrow('enough');
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 3 * secondTryAfterMs));
    expect(count()).toBe(before);
  });

  it('finds the server, though the first one was ended for it', async () => {
    const { server, open: sockets } = await deafOnce('tls');
    const earlier: Socket[] = [];
    const kicked = await tcpListener((socket) => {
      // One connection of each client: the newest.
      for (const older of earlier.splice(0)) older.destroy();
      earlier.push(socket);
      const to = connect(server.endpoint.port, server.endpoint.address);
      socket.pipe(to).pipe(socket);
      socket.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => socket.destroy());
    });
    const { tls } = await open(
      { ...server, endpoint: { address: '127.0.0.1', port: kicked } },
      5000,
      secondTryAfterMs,
    );
    expect(tls?.protocol).toBe('TLSv1.3');
    await expect.poll(() => sockets.size).toBe(1);
  });

  it('fails as the first one did, where both are ended', async () => {
    const port = await tcpListener((socket) => {
      socket.resume();
      setTimeout(() => socket.destroy(), 300);
    });
    const server: TurnServer = {
      transport: 'tls',
      endpoint: { address: '127.0.0.1', port },
      verifyTls: false,
    };
    await expectNothingLeftOpen(async () => {
      expect(await failureOf(open(server, 5000, secondTryAfterMs))).toMatchObject({ kind: 'closed' });
    });
  });

  it('changes nothing about the deadline', async () => {
    const port = await tcpListener((socket) => void socket.resume());
    const endpoint = { address: '127.0.0.1', port };
    const server: TurnServer = { transport: 'tls', endpoint, verifyTls: false };
    await expectNothingLeftOpen(async () => {
      expect(await failureOf(open(server, 400, secondTryAfterMs))).toMatchObject({
        kind: 'timeout',
        afterMs: expect.toSatisfy((ms) => ms > 300 && ms <= 400),
      });
    });
  });
});

describe('a hurry', () => {
  // Beyond the time that a test may take: what waits for it fails.
  const timeoutMs = 120_000;

  it.each([false, true])('ends the wait for a TLS handshake, aborted before: %s', async (isAborted) => {
    const endpoint = { address: '127.0.0.1', port: await tcpListener((socket) => void socket.resume()) };
    const hurry = new AbortController();
    if (isAborted) hurry.abort();
    await expectNothingLeftOpen(async () => {
      const server: TurnServer = { transport: 'tls', endpoint, verifyTls: false };
      const { ready } = openConnection(server, { timeoutMs, signal, hurry: hurry.signal });
      setTimeout(() => hurry.abort(), 50);
      const failure = await failureOf(ready);
      expect(failure).toMatchObject({ kind: 'timeout', afterMs: expect.toSatisfy((ms) => ms < timeoutMs) });
    });
  });

  it('changes nothing about a connection that is there', async () => {
    const { server } = await scriptedServer('tls');
    const hurry = new AbortController();
    const { ready } = openConnection(server, { timeoutMs, signal, hurry: hurry.signal });
    const { connection } = await ready;
    onTestFinished(() => connection.close());
    let isClosed = false;
    connection.onClosed = () => {
      isClosed = true;
    };
    hurry.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
  });
});
