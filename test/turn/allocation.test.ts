import { describe, expect, it } from 'vitest';
import { type Endpoint } from '../../src/model/endpoint.ts';
import { alternateServer, xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { put, putRaw, read } from '../../src/stun/attribute.ts';
import { method } from '../../src/stun/message.ts';
import { lifetime, requestedAddressFamily, requestedTransport } from '../../src/stun/relay-attributes.ts';
import { allocate, alternateOf } from '../../src/turn/allocation.ts';
import { TryAlternateError } from '../../src/turn/session.ts';
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
import {
  mapped,
  relayed,
  scriptedServer,
  type ReceivedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';

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
      // Who waits for the deadline outlasts the test.
      const allocating = allocate(options(scripted, { signal: abort.signal, timeoutMs: 120_000 }));
      await expect(allocating).rejects.toThrow('enough');
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
    let ended = false;
    let endedAtOnce: boolean | null = null;
    const allocating = allocate(options(scripted, { signal: abort.signal })).finally(() => {
      ended = true;
    });
    // No timer is waited for, but only what the event loop has at hand.
    abort.signal.addEventListener('abort', () => {
      setImmediate(() => {
        endedAtOnce = ended;
      });
    });
    await expect(allocating).rejects.toThrow('enough');
    await expect.poll(() => endedAtOnce).toBe(true);
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
