import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Failure } from '../../src/model/observations.ts';
import { connectTcp, handshakeTls, streamTransport } from '../../src/net/stream.ts';
import type { Transport } from '../../src/net/transport.ts';
import { certificate } from '../support/certificates.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';
import { tcpListener, unusedPort } from '../support/strange-listener.ts';

const { signal } = new AbortController();

const at = (port: number): Endpoint => ({ address: '127.0.0.1', port });

async function opened(remote: Endpoint): Promise<Transport> {
  const transport = streamTransport(await connectTcp({ remote, timeoutMs: 10_000, signal }), remote);
  onTestFinished(() => transport.close());
  return transport;
}

function end(transport: Transport): Promise<Failure> {
  return new Promise((resolve) => {
    transport.onClosed = resolve;
  });
}

/** A listener of another process, so that its sockets are not among ours; `then` is run once it listens. */
async function foreignListener(accept: string, then: string): Promise<Endpoint> {
  const listener = execFile(process.execPath, [
    '-e',
    `const server = require('net').createServer(${accept});
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      console.log(server.address().port);
      ${then};
    })`,
  ]);
  onTestFinished(() => void listener.kill('SIGKILL'));
  if (!listener.stdout) throw new Error('no output');
  const [line] = await once(listener.stdout, 'data');
  return at(Number(line));
}

/** A listener that is stopped, so that it accepts nothing, with its queue filled up. */
async function deafListener(): Promise<Endpoint> {
  const endpoint = await foreignListener('', `process.kill(process.pid, 'SIGSTOP')`);
  for (let count = 0; count < 4; count++) {
    const filler = connect({ host: endpoint.address, port: endpoint.port }).on('error', () => {});
    onTestFinished(() => void filler.destroy());
  }
  await sleep(50);
  return endpoint;
}

describe('connectTcp', () => {
  it('rejects when nothing listens', async () => {
    const remote = at(await unusedPort());
    await expectNothingLeftOpen(async () => {
      const failure = await failureOf(connectTcp({ remote, timeoutMs: 10_000, signal }));
      expect(failure).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
    });
  });

  it('rejects when nobody answers, and when aborted meanwhile', async () => {
    const remote = await deafListener();
    await expectNothingLeftOpen(async () => {
      const failure = await failureOf(connectTcp({ remote, timeoutMs: 100, signal }));
      expect(failure).toEqual({ kind: 'timeout', afterMs: 100, sent: 1 });
      const abort = new AbortController();
      const connecting = connectTcp({ remote, timeoutMs: 10_000, signal: abort.signal });
      setTimeout(() => abort.abort(new Error('enough')), 10);
      await expect(connecting).rejects.toThrow('enough');
    });
  });

  it('begins nothing when aborted before', async () => {
    const reason = new Error('enough');
    const connecting = connectTcp({ remote: at(1), timeoutMs: 1000, signal: AbortSignal.abort(reason) });
    await expect(connecting).rejects.toBe(reason);
  });
});

describe('handshakeTls', () => {
  const handshake = async (port: number, timeoutMs = 10_000, handshakeSignal = signal) => {
    const socket = await connectTcp({ remote: at(port), timeoutMs: 10_000, signal });
    return handshakeTls(socket, { servername: 'turn.example.org', timeoutMs, signal: handshakeSignal });
  };

  const alert = (description: number) => Buffer.of(0x15, 3, 3, 0, 2, 2, description);

  it.each<{ peer: string; serve: (socket: Socket) => void; failure: Partial<Failure> }>([
    {
      peer: 'speaks HTTP',
      serve: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      failure: { kind: 'tls', code: 'ERR_SSL_WRONG_VERSION_NUMBER', message: 'wrong version number' },
    },
    {
      peer: 'sends an alert',
      serve: (socket) => socket.end(alert(40)),
      failure: {
        kind: 'tls',
        code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        message: 'sslv3 alert handshake failure',
      },
    },
    { peer: 'hangs up', serve: (socket) => socket.end(), failure: { kind: 'closed', bytesReceived: 0 } },
    {
      peer: 'resets the connection',
      serve: (socket) => socket.resetAndDestroy(),
      failure: { kind: 'system', code: 'ECONNRESET' },
    },
    {
      peer: 'is silent',
      serve: () => {},
      failure: { kind: 'timeout', afterMs: 100, sent: 1 },
    },
  ])('rejects when the peer $peer', async ({ serve, failure }) => {
    let connection: Socket | undefined;
    const port = await tcpListener((socket) => {
      connection = socket.once('data', () => serve(socket));
    });
    expect(await failureOf(handshake(port, 100))).toMatchObject(failure);
    await expect.poll(() => connection?.destroyed).toBe(true);
  });

  it('rejects with the reason of an abort', async () => {
    const port = await tcpListener(() => {});
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await expect(handshake(port, 10_000, abort.signal)).rejects.toThrow('enough');
  });

  it('rejects when the server takes other ALPN protocols only', async () => {
    const port = await tlsListener({ ALPNProtocols: ['h2'] });
    const failure = await failureOf(handshake(port));
    expect(failure).toMatchObject({ kind: 'tls', code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
  });

  it('leaves a refusal that comes after the handshake to the transport', async () => {
    // In TLS 1.3 the client is done before the server has seen that there is no certificate.
    const port = await tlsListener({ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' });
    const { socket } = await handshake(port);
    expect(await end(streamTransport(socket, at(port)))).toMatchObject({
      kind: 'tls',
      code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    });
  });

  it('gives a stream that carries bytes both ways and ends with a close', async () => {
    const received: string[] = [];
    const port = await tlsListener({}, (socket) => {
      socket.on('data', (bytes: Buffer) => {
        received.push(bytes.toString());
        socket.write('from the server');
      });
    });
    const { socket } = await handshake(port);
    const transport = streamTransport(socket, at(port));
    expect(transport).toMatchObject({ kind: 'tls', remote: at(port), local: { address: '127.0.0.1' } });
    const answer = new Promise<string>((resolve) => {
      transport.onBytes = (bytes) => resolve(Buffer.from(bytes).toString());
    });
    transport.send(Buffer.from('from the client'));
    expect(await answer).toBe('from the server');
    transport.send(Buffer.from('the last'));
    transport.close();
    await expect.poll(() => received.join()).toBe('from the client,the last');
    await expect.poll(() => socket.destroyed).toBe(true);
  });
});

async function tlsListener(options: TlsOptions, serve: (socket: Socket) => void = () => {}): Promise<number> {
  const own = await certificate({ commonName: 'x', names: ['turn.example.org'] });
  const server = createTlsServer({ ...own, ...options }, serve).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('streamTransport', () => {
  it.each(['127.0.0.1', '::1'])('exchanges bytes over %s', async (address) => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, address);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const remote = { address, port: (server.address() as AddressInfo).port };
    const transport = await opened(remote);
    expect(transport).toMatchObject({ kind: 'tcp', remote, local: { address } });
    expect(transport.local.port).toBeGreaterThan(0);
    const echo = new Promise<string>((resolve) => {
      transport.onBytes = (bytes) => resolve(Buffer.from(bytes).toString());
    });
    transport.send(Buffer.from('some bytes'));
    expect(await echo).toBe('some bytes');
  });

  it('tells of the end of the stream, with what had come', async () => {
    const transport = await opened(at(await tcpListener((socket) => socket.end('bye'))));
    expect(await end(transport)).toEqual({ kind: 'closed', bytesReceived: 3 });
  });

  it('tells of the end of the stream when the peer reads nothing either', async () => {
    const remote = await foreignListener('{ allowHalfOpen: true }, (s) => s.pause().end()', '');
    const transport = await opened(remote);
    for (let count = 0; count < 16; count++) transport.send(Buffer.alloc(1 << 20));
    expect(await end(transport)).toEqual({ kind: 'closed', bytesReceived: 0 });
  });

  it('tells of a reset', async () => {
    const port = await tcpListener((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const transport = await opened(at(port));
    transport.send(Buffer.from('x'));
    expect(await end(transport)).toMatchObject({ kind: 'system', code: 'ECONNRESET' });
  });

  it('delivers what was sent before close(), and says nothing after it', async () => {
    const received: Buffer[] = [];
    let ended = false;
    const port = await tcpListener((socket) => {
      socket.on('data', (bytes) => received.push(bytes)).on('end', () => (ended = true));
      // Bytes that nobody reads: closing a socket that holds some resets the connection.
      socket.write('greeting');
    });
    const transport = await opened(at(port));
    transport.onBytes = transport.onClosed = () => {
      throw new Error('not after close()');
    };
    transport.send(Buffer.alloc(300_000, 'a'));
    transport.send(Buffer.from('the last'));
    transport.close();
    transport.close();
    transport.send(Buffer.from('too late'));
    await expect.poll(() => ended, { timeout: 500 }).toBe(true);
    const all = Buffer.concat(received).toString();
    expect(all.length).toBe(300_008);
    expect(all.endsWith('the last')).toBe(true);
  });

  it('drops what a peer that does not read would let pile up', async () => {
    let peer: Socket | undefined;
    const port = await tcpListener((socket) => (peer = socket.pause()));
    const transport = await opened(at(port));
    const packet = Buffer.alloc(1000);
    const packets = 64_000;
    for (let count = 1; count <= packets; count++) {
      transport.send(packet);
      if (count % 1000 === 0) await sleep(0);
    }
    let received = 0;
    peer?.on('data', (bytes) => (received += bytes.length)).resume();
    transport.close();
    if (peer) await once(peer, 'end');
    // The kernel has buffers too: some 6 MB on loopback.
    expect(received).toBeGreaterThan(1_000_000);
    expect(received).toBeLessThan((packets * 1000) / 2);
    expect(received % 1000).toBe(0);
  });

  it('gives up a peer that does not read, or does not close its side, so that the process can end', async () => {
    const deaf = await foreignListener('socket => socket.pause()', '');
    const open = await foreignListener('{ allowHalfOpen: true }, socket => socket.resume()', '');
    await expectNothingLeftOpen(async () => {
      for (const remote of [deaf, open]) {
        const transport = await opened(remote);
        transport.send(Buffer.alloc(16 << 20));
        transport.close();
      }
    });
  });

  it('leaves nothing open, whoever ends it', async () => {
    const port = await tcpListener((socket) => void socket.resume());
    const closingPort = await tcpListener((socket) => void socket.end());
    await expectNothingLeftOpen(async () => {
      (await opened(at(port))).close();
      await end(await opened(at(closingPort)));
    });
  });
});
