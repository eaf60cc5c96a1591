import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatEndpoint, type Endpoint } from '../../src/model/endpoint.ts';
import type { Failure } from '../../src/model/observations.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { alternateServer, xorPeerAddress, xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { put, putRaw, read, readAll, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { decodeChannelData, encodeChannelData } from '../../src/stun/channel-data.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import {
  channelNumber,
  data,
  lifetime,
  requestedAddressFamily,
  requestedTransport,
} from '../../src/stun/relay-attributes.ts';
import { allocate, alternateOf, type AllocateOptions, type Allocation } from '../../src/turn/allocation.ts';
import { TryAlternateError } from '../../src/turn/session.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { failureOf } from '../support/rejection.ts';
import {
  mapped,
  relayed,
  scriptedServer,
  turnCredential,
  type ReceivedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';

const { signal } = new AbortController();
const peer: Endpoint = { address: '192.0.2.77', port: 7000 };
const allTransports = ['udp', 'tcp', 'tls'] as const;

function options({ server }: ScriptedServer, more: Partial<AllocateOptions> = {}): AllocateOptions {
  return { server, credential: turnCredential, timeoutMs: 2000, signal, ...more };
}

async function allocated(scripted: ScriptedServer, more: Partial<AllocateOptions> = {}): Promise<Allocation> {
  const allocation = await allocate(options(scripted, more));
  onTestFinished(() => allocation.close());
  return allocation;
}

/** Serves all requests but those of one method, for which there is `instead`; signed ones are numbered from 0. */
function servingBut(requestMethod: number, instead: (request: ReceivedRequest, index: number) => void) {
  let index = 0;
  return (request: ReceivedRequest): void => {
    if (request.isSigned && request.message.method === requestMethod) instead(request, index++);
    else request.serve();
  };
}

const requestsOf = ({ requests }: ScriptedServer, requestMethod: number): ReceivedRequest[] =>
  requests.filter(({ isSigned, message }) => isSigned && message.method === requestMethod);

const lifetimesAsked = (scripted: ScriptedServer): unknown[] =>
  requestsOf(scripted, method.refresh).map(({ message }) => read(message, lifetime));

describe('allocate', () => {
  it.each(allTransports)('gives what the server granted over %s', async (transport) => {
    const scripted = await scriptedServer(transport);
    const allocation = await allocated(scripted);
    expect(allocation).toMatchObject({
      relayed,
      mapped,
      lifetimeSeconds: 600,
      server: scripted.server.endpoint,
      redirects: [],
      lost: null,
    });
    expect(allocation.rttMs).toBeGreaterThan(0);
    expect(allocation.statistics.requests).toEqual([
      { method: method.allocate, rttMs: allocation.rttMs, code: null },
    ]);
    const [request] = requestsOf(scripted, method.allocate);
    expect(request && read(request.message, requestedTransport)).toBe(17);
  });

  it.each([
    { family: 4 as const, asked: undefined },
    { family: 6 as const, asked: 6 },
  ])('asks for IPv$family', async ({ family, asked }) => {
    const address = family === 6 ? '2001:db8::15' : '192.0.2.15';
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request) =>
        request.succeed([put(xorRelayedAddress, { address, port: 50_000 }), put(lifetime, 600)]),
      ),
    );
    expect((await allocated(scripted, { family })).relayed.address).toBe(address);
    const [request] = requestsOf(scripted, method.allocate);
    expect(request && read(request.message, requestedAddressFamily)).toBe(asked);
  });

  it.each([
    { what: 'no relay address', attributes: [put(lifetime, 600)], detail: 'XOR-RELAYED-ADDRESS' },
    { what: 'no lifetime', attributes: [put(xorRelayedAddress, relayed)], detail: 'LIFETIME' },
    {
      what: 'a lifetime of 0',
      attributes: [put(xorRelayedAddress, relayed), put(lifetime, 0)],
      detail: 'LIFETIME',
    },
    {
      what: 'an address of the other family',
      attributes: [put(xorRelayedAddress, { address: '2001:db8::1', port: 1 }), put(lifetime, 600)],
      detail: 'asked for an IPv4',
    },
    {
      what: 'an address that is none',
      attributes: [putRaw(xorRelayedAddress.type, Buffer.alloc(3)), put(lifetime, 600)],
      detail: 'XOR-RELAYED-ADDRESS',
    },
  ])('rejects a grant with $what, and frees it', async ({ attributes, detail }) => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request) => request.succeed(attributes)),
    );
    const failure = await failureOf(allocate(options(scripted, { family: 4 })));
    expect(failure).toMatchObject({ kind: 'malformed', detail: expect.stringContaining(detail) });
    await expect.poll(() => lifetimesAsked(scripted)).toEqual([0]);
  });

  it('rejects with the refusal, and has nothing to free', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request) => request.refuse(486)),
    );
    await expectNothingLeftOpen(async () => {
      expect(await failureOf(allocate(options(scripted)))).toMatchObject({ kind: 'stun-error', code: 486 });
    });
    expect(lifetimesAsked(scripted)).toEqual([]);
  });

  it('frees what it may have got when it is not answered in time', async () => {
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.allocate, () => {}),
    );
    await expectNothingLeftOpen(async () => {
      expect(await failureOf(allocate(options(scripted, { timeoutMs: 200 })))).toMatchObject({
        kind: 'timeout',
      });
      await expect.poll(() => lifetimesAsked(scripted)).toEqual([0]);
    });
  });

  it.each([
    { answer: 'comes after all', serve: (request: ReceivedRequest) => void setTimeout(request.serve, 100) },
    { answer: 'never comes', serve: () => {} },
    { answer: 'is a refusal', serve: (request: ReceivedRequest) => request.refuse(508) },
  ])('waits a moment for its answer when it is aborted, which $answer', async ({ answer, serve }) => {
    const abort = new AbortController();
    const scripted = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request) => {
        abort.abort(new Error('enough'));
        serve(request);
      }),
    );
    await expectNothingLeftOpen(async () => {
      const startedAt = performance.now();
      const allocating = allocate(options(scripted, { signal: abort.signal }));
      await expect(allocating).rejects.toThrow('enough');
      expect(performance.now() - startedAt).toBeLessThan(900);
    });
    const expected = answer === 'is a refusal' ? [] : [0];
    await expect.poll(() => lifetimesAsked(scripted)).toEqual(expected);
    // Not before the answer: coturn would take it first.
    if (answer === 'comes after all') {
      const [grant, release] = [method.allocate, method.refresh].map(
        (one) => requestsOf(scripted, one)[0]?.atMs ?? 0,
      );
      expect((release ?? 0) - (grant ?? 0)).toBeGreaterThan(90);
    }
  });

  it('releases what was granted meanwhile like any allocation, with a second try', async () => {
    const abort = new AbortController();
    const scripted = await scriptedServer('udp', (request) => {
      const { method: requestMethod } = request.message;
      if (requestMethod === method.allocate && request.isSigned) abort.abort(new Error('enough'));
      if (requestMethod !== method.refresh || lifetimesAsked(scripted).length > 1) request.serve();
    });
    await expect(allocate(options(scripted, { signal: abort.signal }))).rejects.toThrow('enough');
    expect(lifetimesAsked(scripted).slice(0, 2)).toEqual([0, 0]);
  });

  it('does not wait when it is aborted before it has shown its credential', async () => {
    const abort = new AbortController();
    const scripted = await scriptedServer('udp', () => abort.abort(new Error('enough')));
    const startedAt = performance.now();
    await expect(allocate(options(scripted, { signal: abort.signal }))).rejects.toThrow('enough');
    expect(performance.now() - startedAt).toBeLessThan(300);
    expect(scripted.requests).toHaveLength(1);
  });

  it('does not go on to the next server, or the next port, when it is aborted', async () => {
    for (const [code, more] of [[437, []] as const, [300, [put(alternateServer, peer)]] as const]) {
      const abort = new AbortController();
      const scripted = await scriptedServer(
        'udp',
        servingBut(method.allocate, (request) => {
          abort.abort(new Error('enough'));
          request.refuse(code, more);
        }),
      );
      await expect(allocate(options(scripted, { signal: abort.signal }))).rejects.toThrow('enough');
      expect(requestsOf(scripted, method.allocate)).toHaveLength(1);
    }
  });

  it.each(allTransports)('begins nothing over %s when it is aborted before', async (transport) => {
    const scripted = await scriptedServer(transport);
    await expectNothingLeftOpen(async () => {
      const reason = new Error('enough');
      await expect(allocate(options(scripted, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    });
    expect(scripted.requests).toEqual([]);
  });

  it('tries another port where the server has an allocation for ours, three times in all', async () => {
    const inUse = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request, index) => (index < 2 ? request.refuse(437) : request.serve())),
    );
    const allocation = await allocated(inUse);
    const ports = requestsOf(inUse, method.allocate).map(({ clientPort }) => clientPort);
    expect(new Set(ports).size).toBe(3);
    expect(ports.at(-1)).toBe(inUse.requests.at(-1)?.clientPort);
    expect(allocation.relayed).toEqual(relayed);

    const always = await scriptedServer(
      'udp',
      servingBut(method.allocate, (request) => request.refuse(437)),
    );
    expect(await failureOf(allocate(options(always)))).toMatchObject({ kind: 'stun-error', code: 437 });
    expect(requestsOf(always, method.allocate)).toHaveLength(3);
  });

  it('gives each later request the whole time, whatever was left of it', async () => {
    const target = await scriptedServer(
      'udp',
      servingBut(method.createPermission, (request) => void setTimeout(() => request.serve(), 300)),
    );
    const slow = await scriptedServer('udp', (request) => {
      setTimeout(() => request.refuse(300, [put(alternateServer, target.server.endpoint)]), 250);
    });
    const allocation = await allocated(slow, { timeoutMs: 500 });
    await expect(allocation.permit([peer.address])).resolves.toBeUndefined();
  });
});

describe('a redirect', () => {
  const to = ({ server }: ScriptedServer) => [put(alternateServer, server.endpoint)];

  it.each(allTransports)('is followed over %s', async (transport) => {
    const target = await scriptedServer(transport);
    const first = await scriptedServer(transport, (request) => request.refuse(300, to(target)));
    await expectNothingLeftOpen(async () => {
      const allocation = await allocate(options(first));
      expect(allocation.server).toEqual(target.server.endpoint);
      expect(allocation.redirects).toEqual([target.server.endpoint]);
      expect(await allocation.release()).toBeNull();
      await expect.poll(() => first.openConnections() + target.openConnections()).toBe(0);
    });
  });

  it('is not followed to where it came from', async () => {
    const servers: ScriptedServer[] = [];
    for (const other of [1, 0]) {
      servers.push(
        await scriptedServer('udp', (request) => request.refuse(300, to(servers[other] as ScriptedServer))),
      );
    }
    const [one, two] = servers as [ScriptedServer, ScriptedServer];
    const redirects: Endpoint[] = [];
    expect(await failureOf(allocate(options(one, { redirects })))).toMatchObject({ code: 300 });
    expect(redirects).toEqual([two.server.endpoint]);
    expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
  });

  it('is followed three times at most', async () => {
    const last = await scriptedServer('udp');
    let next = last;
    const chain = [last];
    for (let count = 0; count < 4; count++) {
      const target = next;
      next = await scriptedServer('udp', (request) => request.refuse(300, to(target)));
      chain.unshift(next);
    }
    const redirects: Endpoint[] = [];
    expect(await failureOf(allocate(options(next, { redirects })))).toMatchObject({ code: 300 });
    expect(redirects).toEqual(chain.slice(1, 4).map(({ server }) => server.endpoint));
    expect(last.requests).toEqual([]);
  });

  it('goes to a certificate of the name that it tells, else of the name that was asked', () => {
    const server = { transport: 'tls' as const, endpoint: peer, servername: 'a.example', verifyTls: true };
    expect(alternateOf(server, new TryAlternateError(relayed, null))).toEqual({
      ...server,
      endpoint: relayed,
    });
    expect(alternateOf(server, new TryAlternateError(relayed, 'b.example'))).toEqual({
      ...server,
      endpoint: relayed,
      servername: 'b.example',
    });
  });
});

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

describe('the statistics', () => {
  it('keep the last hundred requests', async () => {
    const scripted = await scriptedServer('udp');
    const allocation = await allocated(scripted);
    for (let count = 0; count < 105; count++) await allocation.refresh();
    expect(allocation.statistics.requests).toHaveLength(100);
    expect(allocation.statistics.requests.every((one) => one.method === method.refresh)).toBe(true);
  });
});
