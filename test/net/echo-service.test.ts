import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import {
  decodeEchoAnswer,
  encodeEchoRequest,
  portSubject,
  type EchoAnswer,
} from '../../src/net/echo-message.ts';
import { EchoService } from '../../src/net/echo-service.ts';

const secret = new Secret('a secret of the tests');

async function service(more: { clock?: () => number } = {}): Promise<EchoService> {
  const opened = await EchoService.open({ listen: { address: '127.0.0.1', port: 0 }, secret, ...more });
  onTestFinished(() => opened.close());
  return opened;
}

interface Client {
  readonly socket: Socket;
  /** What came back, and from which port. */
  readonly heard: { readonly bytes: Buffer; readonly port: number }[];
  readonly send: (bytes: Uint8Array) => void;
  /** The answer to a request; null when none comes. */
  readonly ask: (
    request: Omit<Parameters<typeof encodeEchoRequest>[0], 'nonce'>,
  ) => Promise<EchoAnswer | null>;
}

async function client({ local }: EchoService): Promise<Client> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: Client['heard'] = [];
  socket.on('message', (bytes, { port }) => heard.push({ bytes, port }));
  const send = (bytes: Uint8Array): void => socket.send(bytes, local.port, local.address);
  const ask: Client['ask'] = async (request) => {
    const before = heard.length;
    send(encodeEchoRequest({ ...request, nonce: randomBytes(16) }, secret));
    for (let waited = 0; waited < 300 && heard.length === before; waited += 10) await sleep(10);
    const last = heard[before];
    return last === undefined ? null : decodeEchoAnswer(last.bytes, secret);
  };
  return { socket, heard, send, ask };
}

describe('an outside peer', () => {
  it('reaches another port of who has shown that he receives at his address, from its other port', async () => {
    const peer = await service();
    const { ask, send, heard } = await client(peer);
    const reached = createSocket('udp4').bind(0, '127.0.0.1');
    onTestFinished(() => void reached.close());
    await once(reached, 'listening');
    const arrivals: { answer: EchoAnswer | null; port: number }[] = [];
    reached.on('message', (bytes, { port }) =>
      arrivals.push({ answer: decodeEchoAnswer(bytes, secret), port }),
    );
    const subject = portSubject(reached.address().port);
    const nonce = randomBytes(16);
    // Without a cookie nothing is sent anywhere.
    send(encodeEchoRequest({ kind: 'reach', nonce: randomBytes(16), subject }, secret));
    const hello = await ask({ kind: 'hello' });
    const cookie = hello?.cookie ?? randomBytes(24);
    send(encodeEchoRequest({ kind: 'reach', nonce, cookie, subject }, secret));
    for (let waited = 0; waited < 300 && arrivals.length === 0; waited += 10) await sleep(10);
    expect(arrivals).toHaveLength(1);
    expect(arrivals[0]?.answer).toMatchObject({ kind: 'reach', seenFrom: hello?.seenFrom });
    expect(Buffer.from(arrivals[0]?.answer?.nonce ?? []).equals(nonce)).toBe(true);
    expect(arrivals[0]?.port).not.toBe(peer.local.port);
    expect(heard).toHaveLength(1);
    expect((await ask({ kind: 'ask', cookie, subject: nonce }))?.seenFrom).toEqual(hello?.seenFrom);
  });

  it('reaches no port of a service', async () => {
    const peer = await service();
    const { ask, send } = await client(peer);
    const cookie = (await ask({ kind: 'hello' }))?.cookie ?? randomBytes(24);
    for (const port of [0, 53, 1023]) {
      send(
        encodeEchoRequest(
          { kind: 'reach', nonce: randomBytes(16), cookie, subject: portSubject(port) },
          secret,
        ),
      );
    }
    await sleep(100);
    expect(peer.counts).toMatchObject({ answered: 1, dropped: 3 });
  });

  it('tells a client its address', async () => {
    const { socket, ask } = await client(await service());
    expect((await ask({ kind: 'hello' }))?.seenFrom).toEqual({
      address: '127.0.0.1',
      port: socket.address().port,
    });
  });

  it('answers a knock from another port, to who has shown that he receives there', async () => {
    const peer = await service();
    const { ask, heard } = await client(peer);
    expect(await ask({ kind: 'knock', cookie: randomBytes(24) })).toBeNull();
    const hello = await ask({ kind: 'hello' });
    const cookie = hello?.cookie ?? Buffer.alloc(24);
    expect(await ask({ kind: 'knock', cookie })).toMatchObject({ kind: 'knock' });
    expect(heard.map(({ port }) => port === peer.local.port)).toEqual([true, false]);
    // The same cookie from another address is nothing: a forged source gains nothing by it.
    const other = await client(peer);
    expect(await other.ask({ kind: 'knock', cookie })).toBeNull();
  });

  it('tells from where a hello came', async () => {
    const peer = await service();
    const [one, two] = [await client(peer), await client(peer)];
    const subject = randomBytes(16);
    one.send(encodeEchoRequest({ kind: 'hello', nonce: subject }, secret));
    await expect.poll(() => one.heard.length).toBe(1);
    const cookie = (await two.ask({ kind: 'hello' }))?.cookie ?? Buffer.alloc(24);
    const seenFrom = { address: '127.0.0.1', port: one.socket.address().port };
    expect(await two.ask({ kind: 'ask', cookie, subject })).toMatchObject({ seenFrom });
    expect(await two.ask({ kind: 'ask', cookie, subject: randomBytes(16) })).toMatchObject({
      seenFrom: null,
    });
  });

  it('answers nothing twice, and nothing that is not signed', async () => {
    const peer = await service();
    const { send, heard, ask } = await client(peer);
    const request = encodeEchoRequest({ kind: 'hello', nonce: randomBytes(16) }, secret);
    const forged = encodeEchoRequest(
      { kind: 'hello', nonce: randomBytes(16) },
      new Secret('guessed by somebody'),
    );
    for (const bytes of [request, request, forged, randomBytes(128), Buffer.alloc(0)]) send(bytes);
    await ask({ kind: 'hello' });
    await expect.poll(() => heard.length).toBe(2);
    expect(peer.counts).toEqual({ answered: 2, dropped: 4, limited: 0 });
  });

  it('answers so many a second and no more', async () => {
    let nowMs = 0;
    const peer = await service({ clock: () => nowMs });
    const { send } = await client(peer);
    const countsAfter = async (count: number): Promise<EchoService['counts']> => {
      const { answered, limited } = peer.counts;
      // A few at a time: the buffer of a socket holds some hundred.
      for (let sent = 0; sent < count;) {
        for (const until = Math.min(count, sent + 50); sent < until; sent++) {
          send(encodeEchoRequest({ kind: 'hello', nonce: randomBytes(16) }, secret));
        }
        await expect.poll(() => peer.counts.answered + peer.counts.limited).toBe(answered + limited + sent);
      }
      return peer.counts;
    };
    expect(await countsAfter(500)).toEqual({ answered: 400, dropped: 0, limited: 100 });
    nowMs = 500;
    expect(await countsAfter(150)).toEqual({ answered: 500, dropped: 0, limited: 150 });
  });

  it('says when it cannot listen', async () => {
    const listen = { address: '192.0.2.1', port: 3479 };
    await expect(EchoService.open({ listen, secret })).rejects.toMatchObject({
      failure: { kind: 'system', code: 'EADDRNOTAVAIL' },
    });
  });
});
