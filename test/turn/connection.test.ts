import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Failure } from '../../src/model/observations.ts';
import { xorMappedAddress } from '../../src/stun/address-attributes.ts';
import { put, putRaw, read, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { encodeChannelData } from '../../src/stun/channel-data.ts';
import { encodeMessage, method } from '../../src/stun/message.ts';
import type { Exchange, StunConnection } from '../../src/turn/connection.ts';
import { openConnection, type TurnServer } from '../../src/turn/server.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';
import { mapped, scriptedServer, type ReceivedRequest } from '../support/scripted-server.ts';
import { tcpListener, udpListener, unusedPort } from '../support/strange-listener.ts';

const { signal } = new AbortController();
const transports = ['udp', 'tcp', 'tls'] as const;

async function connected(server: TurnServer): Promise<StunConnection> {
  const { connection } = await openConnection(server, { timeoutMs: 1000, signal }).ready;
  onTestFinished(() => connection.close());
  return connection;
}

function listener(transport: 'udp' | 'tcp', port: number): TurnServer {
  return { transport, endpoint: { address: '127.0.0.1', port }, verifyTls: false };
}

function bindingRequest(): Uint8Array {
  return encodeMessage({ class: 'request', method: method.binding, fingerprint: true });
}

function bind(connection: StunConnection, timeoutMs = 3000): Promise<Exchange> {
  return connection.exchange(bindingRequest(), { timeoutMs, signal });
}

/** A Binding success, which nothing signs. */
function answer(request: ReceivedRequest, more: readonly EncodableAttribute[] = []): void {
  request.succeed([put(xorMappedAddress, mapped), ...more], { key: null });
}

describe('close()', () => {
  it.each(transports)(
    'over %s ends what is on its way, tells nobody, and leaves nothing open',
    async (transport) => {
      const { server, untilRequests, openConnections } = await scriptedServer(transport, () => {});
      await expectNothingLeftOpen(async () => {
        const { connection } = await openConnection(server, { timeoutMs: 1000, signal }).ready;
        connection.onClosed = () => {
          throw new Error('not after close()');
        };
        const failure = failureOf(bind(connection));
        await untilRequests(1);
        connection.close();
        connection.close();
        expect(await failure).toEqual({ kind: 'closed', bytesReceived: 0 });
        expect(await failureOf(bind(connection))).toEqual({ kind: 'closed', bytesReceived: 0 });
        await expect.poll(openConnections).toBe(0);
      });
    },
  );
});

// Beyond the time that a test may take: who waits for it fails.
const farDeadlineMs = 120_000;

describe('an exchange', () => {
  it.each(transports)('gives the answer over %s, whatever the order', async (transport) => {
    const held: ReceivedRequest[] = [];
    const { server } = await scriptedServer(transport, (request) => {
      held.push(request);
      if (held.length === 3) for (const one of held.toReversed()) answer(one);
    });
    const connection = await connected(server);
    const requests = [bindingRequest(), bindingRequest(), bindingRequest()];
    const answers = await Promise.all(
      requests.map((request) => connection.exchange(request, { timeoutMs: 1000, signal })),
    );
    for (const [index, { message, rttMs, sent }] of answers.entries()) {
      expect(message.transactionId).toEqual(requests[index]?.subarray(8, 20));
      expect(read(message, xorMappedAddress)).toEqual(mapped);
      expect(sent).toBe(1);
      expect(rttMs).toBeGreaterThan(0);
    }
  });

  it.each([false, true])(
    'is over with its hurry, aborted before: %s, and another is not',
    async (isAborted) => {
      const { server, requests, untilRequests } = await scriptedServer('udp', () => {});
      const connection = await connected(server);
      const hurry = new AbortController();
      if (isAborted) hurry.abort();
      const options = { timeoutMs: farDeadlineMs, signal };
      const hurried = failureOf(connection.exchange(bindingRequest(), { ...options, hurry: hurry.signal }));
      const other = connection.exchange(bindingRequest(), options);
      await untilRequests(2);
      hurry.abort();
      expect(await hurried).toMatchObject({ kind: 'timeout', sent: 1 });
      const [, second] = requests;
      if (second !== undefined) answer(second);
      expect(await other).toMatchObject({ sent: expect.any(Number) });
    },
  );

  it('sends the same request again after 0.5 s and then 1 s, and takes the answer to the last', async () => {
    const { server, requests } = await scriptedServer('udp', (request, index) => {
      if (index === 2) answer(request);
    });
    const { sent, rttMs } = await bind(await connected(server));
    expect(sent).toBe(3);
    // Which of the three was answered is not known.
    expect(rttMs).toBeNull();
    const [first, second, third] = requests;
    if (!first || !second || !third) throw new Error('three were sent');
    expect(second.message.bytes).toEqual(first.message.bytes);
    expect(third.message.bytes).toEqual(first.message.bytes);
    const gaps = [second.atMs - first.atMs, third.atMs - second.atMs];
    expect(gaps[0]).toBeGreaterThan(480);
    expect(gaps[1]).toBeGreaterThan(960);
  });

  it('waits less once it knows the round trip, and twice as long after a loss', async () => {
    const { server, requests } = await scriptedServer('udp', (request, index) => {
      if (index !== 1 && index !== 3) answer(request);
    });
    const connection = await connected(server);
    const sent = [await bind(connection), await bind(connection), await bind(connection)].map(
      (one) => one.sent,
    );
    expect(sent).toEqual([1, 2, 2]);
    const at = requests.map(({ atMs }) => atMs);
    const gapAfter = (index: number): number => (at[index + 1] ?? 0) - (at[index] ?? 0);
    expect(gapAfter(1)).toBeGreaterThan(90);
    expect(gapAfter(3)).toBeGreaterThan(190);
  });

  it('fails when the time is over, however many times it was sent: once on a stream', async () => {
    const silence = async (transport: (typeof transports)[number]): Promise<unknown> => {
      const { server, requests } = await scriptedServer(transport, () => {});
      const failure = await failureOf(bind(await connected(server), 600));
      return { ...failure, received: requests.length };
    };
    const over = { kind: 'timeout', afterMs: 600 };
    expect(await Promise.all(transports.map(silence))).toEqual([
      { ...over, sent: 2, received: 2 },
      { ...over, sent: 1, received: 1 },
      { ...over, sent: 1, received: 1 },
    ]);
  });

  it('ignores an answer that comes too late, and one that comes twice', async () => {
    const { server, requests } = await scriptedServer('udp', (request, index) => {
      if (index > 0) answer(request);
    });
    const connection = await connected(server);
    await failureOf(bind(connection, 50));
    if (requests[0]) answer(requests[0]);
    const { message } = await bind(connection);
    if (requests[1]) answer(requests[1]);
    expect(message.transactionId).toEqual(requests[1]?.message.transactionId);
    await expect(bind(connection)).resolves.toMatchObject({ sent: 1 });
  });

  it('ends with an abort, and leaves the connection as it was', async () => {
    const { server } = await scriptedServer('udp', (request, index) => {
      if (index > 0) answer(request);
    });
    const connection = await connected(server);
    const abort = new AbortController();
    const exchange = connection.exchange(bindingRequest(), { timeoutMs: 5000, signal: abort.signal });
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 20);
    await expect(exchange).rejects.toBe(reason);
    await expect(
      connection.exchange(bindingRequest(), { timeoutMs: 5000, signal: abort.signal }),
    ).rejects.toBe(reason);
    expect((await bind(connection)).sent).toBe(1);
  });
});

describe('what is no answer', () => {
  it('is the request itself, coming back', async () => {
    const failure = await failureOf(
      bind(await connected(listener('udp', await udpListener((bytes) => bytes)))),
    );
    expect(failure).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('echoes') });
  });

  it('is garbage over UDP, where nothing else was ever heard', async () => {
    const port = await udpListener(() => Buffer.from('what is this?\n'));
    // Sooner than the deadline, which is for silence; but it explains that, too.
    const failure = await failureOf(bind(await connected(listener('udp', port)), farDeadlineMs));
    expect(failure).toMatchObject({ kind: 'malformed', preview: '"what is this?"' });
    const short = await connected(listener('udp', port));
    expect(await failureOf(bind(short, 100))).toMatchObject({ kind: 'malformed' });
  });

  it('is garbage of a stranger, which changes nothing, once the server has been heard', async () => {
    const { server } = await scriptedServer('udp', (request, index) => {
      if (index === 0) {
        answer(request);
        return;
      }
      request.send(Buffer.from('garbage'));
      request.send(encodeChannelData(0x4000, Buffer.alloc(8), { padded: false }).subarray(0, 6));
      setTimeout(() => answer(request), 400);
    });
    const connection = await connected(server);
    await bind(connection);
    await expect(bind(connection)).resolves.toBeDefined();
  });

  it.each([
    { what: 'HTTP', bytes: 'HTTP/1.1 400 Bad Request\r\n\r\n', preview: '"HTTP/1.1 400 Bad Request"' },
    { what: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.2\r\n', preview: '"SSH-2.0-OpenSSH_9.2"' },
    { what: 'a TLS alert', bytes: Buffer.of(21, 3, 3, 0, 2, 2, 10), preview: '1503030002020a (7 bytes)' },
  ])('is $what over TCP', async ({ bytes, preview }) => {
    const port = await tcpListener((socket) => void socket.once('data', () => socket.write(bytes)));
    const connection = await connected(listener('tcp', port));
    expect(await failureOf(bind(connection, farDeadlineMs))).toMatchObject({ kind: 'malformed', preview });
  });

  it('is what has a wrong FINGERPRINT; a right one that follows is', async () => {
    const spoilt = (request: ReceivedRequest): void => {
      const { method: requestMethod, transactionId } = request.message;
      const bytes = encodeMessage({
        class: 'success',
        method: requestMethod,
        transactionId,
        fingerprint: true,
      });
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      request.send(bytes);
    };
    const { server } = await scriptedServer('udp', (request, index) => {
      spoilt(request);
      if (index === 0) setTimeout(() => answer(request), 50);
    });
    const connection = await connected(server);
    expect((await bind(connection)).message.class).toBe('success');
    expect(await failureOf(bind(connection, farDeadlineMs))).toMatchObject({
      kind: 'integrity',
      detail: expect.stringContaining('FINGERPRINT'),
    });
  });

  it.each(transports)('is one that demands an unknown attribute, over %s', async (transport) => {
    const { server } = await scriptedServer(transport, (request) => {
      answer(request, [putRaw(0x7f01, Buffer.alloc(4)), putRaw(0xff01, Buffer.alloc(4))]);
    });
    const failure = await failureOf(bind(await connected(server)));
    expect(failure).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('0x7f01 ') });
  });

  it('is not one with the addresses that RFC 3489 has more', async () => {
    const { server } = await scriptedServer('udp', (request) => {
      answer(request, [putRaw(0x0004, Buffer.alloc(8)), putRaw(0x0005, Buffer.alloc(8))]);
    });
    expect((await bind(await connected(server))).message.class).toBe('success');
  });
});

describe('a stream', () => {
  /** A server that answers two requests together, in the pieces that `cut` makes of the two answers. */
  async function answeringTwo(cut: (bytes: Buffer) => Uint8Array[]): Promise<TurnServer> {
    const ids: Uint8Array[] = [];
    const { server } = await scriptedServer('tcp', ({ message, send }) => {
      if (ids.push(message.transactionId) < 2) return;
      const answers = ids.map((transactionId) =>
        encodeMessage({ class: 'success', method: method.binding, transactionId }),
      );
      void (async () => {
        for (const piece of cut(Buffer.concat(answers))) {
          send(piece);
          await sleep(2);
        }
      })();
    });
    return server;
  }

  it.each([
    { pieces: 'single bytes', cut: (bytes: Buffer) => [...bytes].map((byte) => Buffer.of(byte)) },
    { pieces: 'one piece', cut: (bytes: Buffer) => [bytes] },
    {
      pieces: 'pieces across a boundary',
      cut: (bytes: Buffer) => [bytes.subarray(0, 25), bytes.subarray(25)],
    },
  ])('may come in $pieces', async ({ cut }) => {
    const connection = await connected(await answeringTwo(cut));
    const answers = await Promise.all([bind(connection), bind(connection)]);
    expect(answers.map(({ message }) => message.class)).toEqual(['success', 'success']);
  });

  it('ends at the first byte that is no frame, after the frames before it', async () => {
    const connection = await connected(
      await answeringTwo((bytes) => [Buffer.concat([bytes.subarray(0, 20), Buffer.from('garbage')])]),
    );
    const ends: Failure[] = [];
    connection.onClosed = (failure) => ends.push(failure);
    const [first, second] = await Promise.allSettled([bind(connection), bind(connection)]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { failure: { kind: 'malformed' } } });
    expect(ends).toEqual([expect.objectContaining({ kind: 'malformed' })]);
  });

  it('hands on no frame after one whose receiver has closed it', async () => {
    const { server, send } = await scriptedServer('tcp', (request) => answer(request));
    const connection = await connected(server);
    await bind(connection);
    const received: number[] = [];
    connection.onChannelData = (channel) => {
      received.push(channel);
      connection.close();
    };
    const frames = [0x4000, 0x4001].map((channel) =>
      encodeChannelData(channel, Buffer.from('data'), { padded: true }),
    );
    send(Buffer.concat(frames));
    await expect.poll(() => received).toEqual([0x4000]);
    await sleep(20);
    expect(received).toEqual([0x4000]);
  });
});

describe('an indication', () => {
  it('reaches its receiver, unless it demands an unknown attribute', async () => {
    const { server, send } = await scriptedServer('udp', (request) => answer(request));
    const connection = await connected(server);
    await bind(connection);
    const received: number[] = [];
    connection.onIndication = (message) => received.push(message.attributes.length);
    const indication = (attributes: EncodableAttribute[]): Uint8Array =>
      encodeMessage({ class: 'indication', method: method.data, attributes });
    send(indication([putRaw(0x7f01, Buffer.alloc(4)), putRaw(0xff01, Buffer.alloc(4))]));
    send(indication([putRaw(0xff01, Buffer.alloc(4))]));
    await expect.poll(() => received).toEqual([1]);
  });
});

describe('the end of the transport', () => {
  it.each([
    {
      by: 'an ICMP error',
      server: async () => listener('udp', await unusedPort()),
      failure: { kind: 'system', code: 'ECONNREFUSED' },
    },
    {
      by: 'a close of the stream',
      server: async () =>
        listener('tcp', await tcpListener((socket) => void socket.once('data', () => socket.end()))),
      failure: { kind: 'closed', bytesReceived: 0 },
    },
  ])('by $by ends each request on its way, and each one made later', async ({ server, failure }) => {
    const connection = await connected(await server());
    const ends: Failure[] = [];
    connection.onClosed = (reason) => ends.push(reason);
    const exchanges = [bind(connection, farDeadlineMs), bind(connection, farDeadlineMs)];
    const failures = await Promise.all(exchanges.map(failureOf));
    expect(failures).toEqual([expect.objectContaining(failure), expect.objectContaining(failure)]);
    expect(await failureOf(bind(connection))).toMatchObject(failure);
    expect(ends).toEqual([expect.objectContaining(failure)]);
  });
});
