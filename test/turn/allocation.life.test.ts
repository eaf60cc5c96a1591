import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../src/model/endpoint.ts';
import type { Failure } from '../../src/model/observations.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { xorPeerAddress, xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { put, putRaw, read, readAll, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { decodeChannelData, encodeChannelData } from '../../src/stun/channel-data.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import { channelNumber, data, lifetime } from '../../src/stun/relay-attributes.ts';
import { allocate, type Allocation } from '../../src/turn/allocation.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';
import {
  allocated,
  allTransports,
  lifetimesAsked,
  options,
  peer,
  requestsOf,
  servingBut,
} from '../support/scripted-allocation.ts';
import { relayed, scriptedServer, type ReceivedRequest } from '../support/scripted-server.ts';

describe('a permission', () => {
  it('is asked for by address, several at once', async () => {
    const scripted = await scriptedServer('udp');
    const allocation = await allocated(scripted);
    await allocation.permit(['192.0.2.1', '2001:db8::1']);
    const [request] = requestsOf(scripted, method.createPermission);
    const addresses = request && readAll(request.message, xorPeerAddress).map(({ address }) => address);
    expect(addresses).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('may be refused', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.createPermission, (request) => request.refuse(403)),
    );
    const allocation = await allocated(scripted);
    expect(await failureOf(allocation.permit([peer.address]))).toMatchObject({
      kind: 'stun-error',
      code: 403,
    });
    expect(allocation.statistics.requests.at(-1)).toEqual({
      method: method.createPermission,
      rttMs: null,
      code: 403,
    });
    expect(allocation.lost).toBeNull();
  });

  it('is kept alive once, however often it was asked for, and on its own time', async () => {
    const scripted = await scriptedServer('udp');
    const lifetimes = { permissionSeconds: 1, channelSeconds: 600 };
    const allocation = await allocated(scripted, { lifetimes });
    await allocation.permit([peer.address]);
    await allocation.permit([peer.address]);
    await sleep(700);
    expect(requestsOf(scripted, method.createPermission)).toHaveLength(3);
    expect(await allocation.release()).toBeNull();
    await sleep(400);
    expect(requestsOf(scripted, method.createPermission)).toHaveLength(3);
  });
});

describe('a channel', () => {
  it('is bound with its permission, and once for one peer', async () => {
    const scripted = await scriptedServer('udp');
    const allocation = await allocated(scripted);
    const other = { ...peer, port: 7001 };
    const channels = await Promise.all([peer, peer, other].map((one) => allocation.bindChannel(one)));
    expect(channels).toEqual([0x4000, 0x4000, 0x4001]);
    const asked = requestsOf(scripted, method.channelBind).map(({ message }) => [
      read(message, channelNumber),
      read(message, xorPeerAddress),
    ]);
    expect(asked).toEqual([
      [0x4000, peer],
      [0x4001, other],
    ]);
    const permissions = requestsOf(scripted, method.createPermission);
    expect(permissions.every(({ message }) => read(message, xorPeerAddress)?.address === peer.address)).toBe(
      true,
    );
    expect(permissions.length).toBeGreaterThan(0);
  });

  it('gets the same number when it is tried again', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.channelBind, (request, index) =>
        index === 0 ? request.refuse(508) : request.serve(),
      ),
    );
    const allocation = await allocated(scripted);
    expect(await failureOf(allocation.bindChannel(peer))).toMatchObject({ code: 508 });
    expect(await allocation.bindChannel(peer)).toBe(0x4000);
  });

  it.each(['udp', 'tcp'] as const)('carries what is sent once it is bound, over %s', async (transport) => {
    const scripted = await scriptedServer(transport);
    const allocation = await allocated(scripted);
    allocation.send(peer, Buffer.from('early'));
    await allocation.bindChannel(peer);
    allocation.send(peer, Buffer.from('later'));
    await expect.poll(() => scripted.others.length).toBe(2);
    const [indication, channelData] = scripted.others;
    if (!indication || !channelData) throw new Error('two packets were sent');
    const message = decodeMessage(indication);
    expect([message.class, message.method]).toEqual(['indication', method.send]);
    expect(read(message, xorPeerAddress)).toEqual(peer);
    expect(read(message, data)).toEqual(Buffer.from('early'));
    expect(decodeChannelData(channelData)).toEqual({ channel: 0x4000, payload: Buffer.from('later') });
    expect(allocation.statistics).toMatchObject({ sentPackets: 2, sentBytes: 10 });
  });

  it('delivers packets that overtake the answer', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.channelBind, (request) => {
        request.send(encodeChannelData(0x4000, Buffer.from('overtaking'), { padded: false }));
        setTimeout(() => request.serve(), 20);
      }),
    );
    const allocation = await allocated(scripted);
    const received: string[] = [];
    allocation.onData = (from, payload) =>
      received.push(`${formatEndpoint(from)} ${Buffer.from(payload).toString()}`);
    await allocation.bindChannel(peer);
    expect(received).toEqual(['192.0.2.77:7000 overtaking']);
  });
});

describe('data of peers', () => {
  const indication = (attributes: EncodableAttribute[]): Uint8Array =>
    encodeMessage({ class: 'indication', method: method.data, attributes });

  it.each(allTransports)('is delivered over %s, and what is none is dropped', async (transport) => {
    const scripted = await scriptedServer(transport);
    const allocation = await allocated(scripted);
    const received: unknown[] = [];
    allocation.onData = (from, payload) => received.push([from, Buffer.from(payload).toString()]);
    await allocation.bindChannel(peer);
    const padded = transport !== 'udp';
    const other = { address: '2001:db8::5', port: 9 };
    const from = put(xorPeerAddress, other);
    const payload = put(data, Buffer.from('by indication'));
    for (const bytes of [
      indication([from]),
      indication([payload]),
      indication([putRaw(xorPeerAddress.type, Buffer.alloc(2)), payload]),
      encodeMessage({ class: 'indication', method: method.connectionAttempt, attributes: [from, payload] }),
      encodeChannelData(0x4abc, Buffer.from('unbound'), { padded }),
      indication([from, payload]),
      encodeChannelData(0x4000, Buffer.from('by channel'), { padded }),
    ]) {
      scripted.send(bytes);
    }
    await expect
      .poll(() => received)
      .toEqual([
        [other, 'by indication'],
        [peer, 'by channel'],
      ]);
    expect(allocation.statistics).toMatchObject({ receivedPackets: 2, receivedBytes: 23 });
  });
});

describe('refresh()', () => {
  it.each([
    { grantedSeconds: 600, asked: 600 },
    { grantedSeconds: 3600, asked: 3600 },
    { grantedSeconds: 30, asked: 600 },
  ])(
    'after $grantedSeconds s asks for $asked s, and gives the new lifetime',
    async ({ grantedSeconds, asked }) => {
      const scripted = await scriptedServer('udp', (request) => {
        if (!request.isSigned) request.serve();
        else if (request.message.method === method.refresh) request.succeed([put(lifetime, 777)]);
        else request.succeed([put(xorRelayedAddress, relayed), put(lifetime, grantedSeconds)]);
      });
      const allocation = await allocated(scripted);
      expect(await allocation.refresh()).toBe(777);
      expect(lifetimesAsked(scripted)).toEqual([asked]);
    },
  );
});

describe('release()', () => {
  it.each(allTransports)('frees the allocation over %s, once, and leaves nothing open', async (transport) => {
    const scripted = await scriptedServer(transport);
    await expectNothingLeftOpen(async () => {
      const allocation = await allocate(options(scripted));
      allocation.onLost = () => {
        throw new Error('it was not lost');
      };
      await allocation.bindChannel(peer);
      expect(await Promise.all([allocation.release(), allocation.release()])).toEqual([null, null]);
      allocation.send(peer, Buffer.from('too late'));
      expect(allocation.statistics.sentPackets).toBe(0);
      await expect.poll(scripted.openConnections).toBe(0);
    });
    expect(lifetimesAsked(scripted)).toEqual([0]);
  });

  it('takes 437 for a yes, as there is no such allocation then', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.refresh, (request) => request.refuse(437)),
    );
    expect(await (await allocated(scripted)).release()).toBeNull();
  });

  it.each([
    { what: 'refused', serve: (request: ReceivedRequest) => request.refuse(441), failure: { code: 441 } },
    { what: 'not answered', serve: () => {}, failure: { kind: 'timeout', afterMs: 150 } },
  ])('says why when it is $what', async ({ serve, failure }) => {
    const scripted = await scriptedServer('udp', servingBut(method.refresh, serve));
    await expectNothingLeftOpen(async () => {
      const allocation = await allocate(options(scripted));
      expect(await allocation.release(150)).toMatchObject(failure);
    });
  });

  it('ends what is on its way', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.createPermission, () => {}),
    );
    const allocation = await allocated(scripted);
    const failure = failureOf(allocation.permit([peer.address]));
    expect(await allocation.release()).toBeNull();
    expect(await failure).toMatchObject({ kind: 'internal', detail: 'the allocation has been released' });
    expect(await failureOf(allocation.bindChannel(peer))).toMatchObject({ kind: 'internal' });
  });

  it('may be in two steps: free() leaves the connection open', async () => {
    const scripted = await scriptedServer('tcp');
    const allocation = await allocated(scripted);
    expect(await allocation.free()).toBe(0);
    await sleep(20);
    expect(scripted.openConnections()).toBe(1);
    allocation.close();
    await expect.poll(scripted.openConnections).toBe(0);
  });
});

describe('an abort', () => {
  it('after the allocation was granted ends its requests, and still lets it be released', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.createPermission, () => {}),
    );
    const abort = new AbortController();
    const allocation = await allocated(scripted, { signal: abort.signal });
    allocation.onLost = () => {
      throw new Error('it was not lost');
    };
    const permitting = allocation.permit([peer.address]);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(permitting).rejects.toBe(reason);
    await expect(allocation.refresh()).rejects.toBe(reason);
    expect(await allocation.release()).toBeNull();
    expect(lifetimesAsked(scripted)).toEqual([0]);
  });
});

describe('the loss of an allocation', () => {
  function losses(allocation: Allocation): Failure[] {
    const seen: Failure[] = [];
    allocation.onLost = (failure) => seen.push(failure);
    return seen;
  }

  it('is told when the server closes the connection', async () => {
    const scripted = await scriptedServer(
      'tcp',
      servingBut(method.createPermission, () => {}),
    );
    const allocation = await allocated(scripted);
    const lost = losses(allocation);
    const failure = failureOf(allocation.permit([peer.address]));
    await scripted.untilRequests(3);
    scripted.closeConnections();
    expect(await failure).toMatchObject({ kind: 'closed' });
    expect(lost).toEqual([expect.objectContaining({ kind: 'closed' })]);
    expect(allocation.lost).toEqual(lost[0]);
    expect(await allocation.release()).toMatchObject({ kind: 'closed' });
    expect(lost).toHaveLength(1);
  });

  it('is told when the server refuses to extend it, a permission or a channel', async () => {
    const refusals = [
      { refused: method.refresh, code: 437 },
      { refused: method.createPermission, code: 403 },
      { refused: method.channelBind, code: 508 },
    ];
    const check = async ({ refused, code }: (typeof refusals)[number]): Promise<void> => {
      const scripted = await scriptedServer('udp', (request) => {
        const { method: requestMethod } = request.message;
        const mayPass = refused !== method.refresh && requestsOf(scripted, refused).length === 1;
        if (request.isSigned && requestMethod === method.allocate) {
          const seconds = refused === method.refresh ? 1 : 600;
          request.succeed([put(xorRelayedAddress, relayed), put(lifetime, seconds)]);
        } else if (requestMethod !== refused || mayPass) request.serve();
        else request.refuse(code);
      });
      const lifetimes = { permissionSeconds: 1, channelSeconds: 1 };
      const allocation = await allocated(scripted, { lifetimes });
      const lost = losses(allocation);
      await allocation.bindChannel(peer);
      await expect.poll(() => lost, { timeout: 2000 }).toEqual([{ kind: 'stun-error', code, reason: '' }]);
      // Nothing is kept alive any more, and nothing more can be had.
      const count = scripted.requests.length;
      await sleep(600);
      expect(scripted.requests).toHaveLength(count);
      expect(await failureOf(allocation.refresh())).toMatchObject({ code });
    };
    await Promise.all(refusals.map(check));
  });

  it('is not a refresh that was lost on the way', async () => {
    const scripted = await scriptedServer('udp', (request) => {
      const { method: requestMethod } = request.message;
      if (requestMethod === method.allocate && request.isSigned) {
        request.succeed([put(xorRelayedAddress, relayed), put(lifetime, 1)]);
      } else if (requestMethod !== method.refresh || requestsOf(scripted, method.refresh).length > 1) {
        request.serve();
      }
    });
    // Shorter than the wait for a retransmission: the second one is a request of its own.
    const allocation = await allocated(scripted, { requestTimeoutMs: 80 });
    const lost = losses(allocation);
    const { requests } = allocation.statistics;
    await expect.poll(() => requests.length, { timeout: 2000 }).toBe(3);
    expect(requests.map(({ rttMs }) => rttMs !== null)).toEqual([true, false, true]);
    expect(lost).toEqual([]);
  });

  it('comes to those who ask later, too', async () => {
    const transports: TransportKind[] = ['tcp', 'tls'];
    for (const transport of transports) {
      const scripted = await scriptedServer(transport);
      const allocation = await allocated(scripted);
      scripted.closeConnections();
      await expect.poll(() => allocation.lost).toMatchObject({ kind: 'closed' });
    }
  });
});
