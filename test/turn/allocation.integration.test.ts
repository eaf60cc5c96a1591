import { execFile } from 'node:child_process';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { formatEndpoint, type Endpoint } from '../../src/model/endpoint.ts';
import type { Failure } from '../../src/model/observations.ts';
import { openPeerSocket } from '../../src/net/peer-socket.ts';
import { method } from '../../src/stun/message.ts';
import { allocate, type AllocateOptions, type Allocation } from '../../src/turn/allocation.ts';
import { failureOf } from '../support/rejection.ts';
import { onlyIpv6, relayServer, wrongCredential, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

const { signal } = new AbortController();
const transports = ['udp', 'tcp', 'tls'] as const;

function options(server: RelayServer, more: Partial<AllocateOptions> = {}): AllocateOptions {
  return {
    server: server.listener('udp'),
    credential: server.turnCredential,
    timeoutMs: 2000,
    signal,
    ...more,
  };
}

async function allocated(server: RelayServer, more: Partial<AllocateOptions> = {}): Promise<Allocation> {
  const allocation = await allocate(options(server, more));
  onTestFinished(() => allocation.close());
  return allocation;
}

/** A socket behind the relay that sends each packet back to where it came from. */
async function echoPeer(family: 4 | 6): Promise<{ endpoint: Endpoint; heard: string[] }> {
  const socket = await openPeerSocket(family, signal);
  onTestFinished(() => socket.close());
  const heard: string[] = [];
  socket.onBytes = (bytes, from) => {
    heard.push(`${formatEndpoint(from)} ${Buffer.from(bytes).toString()}`);
    socket.send(bytes, from);
  };
  return { endpoint: { address: family === 6 ? '::1' : '127.0.0.1', port: socket.local.port }, heard };
}

/** Shorter than a timer can wait; lets everything else run. */
async function busyFor(durationMs: number): Promise<void> {
  const end = performance.now() + durationMs;
  while (performance.now() < end) await setImmediate();
}

/** The sessions that coturn has closed, with the relay ports that they held. */
const deletions = (server: RelayServer): number =>
  server.coturn.logText().match(/session \d+: delete:/g)?.length ?? 0;

needs('coturn').describe('an allocation on coturn', () => {
  it.each([4, 6] as const)(
    'relays over every transport and IPv%d, and is gone after release()',
    async (family) => {
      const server = await relayServer(family === 6 ? onlyIpv6 : []);
      for (const [index, transport] of transports.entries()) {
        const peer = await echoPeer(family);
        const allocation = await allocated(server, { server: server.listener(transport), family });
        const received: string[] = [];
        allocation.onData = (from, payload) =>
          received.push(`${formatEndpoint(from)} ${Buffer.from(payload).toString()}`);
        await allocation.permit([peer.endpoint.address]);
        // Not a multiple of four: on a stream there is padding then.
        allocation.send(peer.endpoint, Buffer.from('by indication'));
        await expect.poll(() => received.length, { interval: 5 }).toBe(1);
        expect(await allocation.bindChannel(peer.endpoint)).toBe(0x4000);
        allocation.send(peer.endpoint, Buffer.from('by channel'));
        await expect.poll(() => received.length, { interval: 5 }).toBe(2);
        const [from, relay] = [formatEndpoint(peer.endpoint), formatEndpoint(allocation.relayed)];
        expect(peer.heard).toEqual([`${relay} by indication`, `${relay} by channel`]);
        expect(received).toEqual([`${from} by indication`, `${from} by channel`]);
        expect(allocation.mapped?.address).toBe(peer.endpoint.address);
        expect(await allocation.refresh()).toBe(600);
        expect(server.heldAllocations()).toHaveLength(1);
        expect(await allocation.release()).toBeNull();
        const { requests } = allocation.statistics;
        expect(requests.every(({ code, rttMs }) => code === null && rttMs !== null && rttMs < 1000)).toBe(
          true,
        );
        expect(requests).toHaveLength(5);
        await expect.poll(() => deletions(server), { timeout: 3000 }).toBe(index + 1);
        expect(server.heldAllocations()).toEqual([]);
      }
    },
  );

  it('is refused to a wrong credential', async () => {
    const server = await relayServer();
    const credential = wrongCredential(server.turnCredential);
    for (const transport of transports) {
      const failure = await failureOf(
        allocate(options(server, { server: server.listener(transport), credential })),
      );
      expect(failure).toMatchObject({ kind: 'stun-error', code: 401 });
    }
  });

  it('is refused beyond the quota of the user, until another one is released', async () => {
    const server = await relayServer(['user-quota=1']);
    const first = await allocated(server);
    expect(await failureOf(allocate(options(server)))).toMatchObject({ kind: 'stun-error', code: 486 });
    expect(await first.release()).toBeNull();
    await expect.poll(() => deletions(server), { timeout: 3000 }).toBeGreaterThan(0);
    expect((await allocated(server)).relayed.port).toBeGreaterThan(0);
  });

  it('is refused where only TCP is relayed, or the family is not', async () => {
    const server = await relayServer(['no-udp-relay']);
    expect(await failureOf(allocate(options(server)))).toMatchObject({ kind: 'stun-error', code: 442 });
    const onlyIpv4 = await relayServer();
    expect(await failureOf(allocate(options(onlyIpv4, { family: 6 })))).toMatchObject({
      kind: 'stun-error',
      code: 440,
    });
  });

  it('gives no permission and no channel for a denied peer, and lives on', async () => {
    const server = await relayServer(['denied-peer-ip=192.0.2.0-192.0.2.255']);
    const allocation = await allocated(server);
    const denied = { address: '192.0.2.7', port: 9 };
    expect(await failureOf(allocation.permit([denied.address]))).toMatchObject({
      kind: 'stun-error',
      code: 403,
    });
    expect(await failureOf(allocation.bindChannel(denied))).toMatchObject({ kind: 'stun-error', code: 403 });
    expect(await allocation.refresh()).toBe(600);
    expect(allocation.lost).toBeNull();
  });

  it('leaves nothing behind, at whatever moment it is aborted', async () => {
    const server = await relayServer();
    // An Allocate takes a millisecond or two here.
    for (let afterMs = 0; afterMs < 4; afterMs += 0.1) {
      const abort = new AbortController();
      const allocating = allocate(options(server, { signal: abort.signal }));
      void busyFor(afterMs).then(() => abort.abort(new Error('enough')));
      const [result] = await Promise.allSettled([allocating]);
      if (result.status === 'fulfilled') expect(await result.value.release()).toBeNull();
      else expect(result.reason).toMatchObject({ message: 'enough' });
    }
    expect(server.coturn.logText()).toMatch(/session \d+: new,/);
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it('takes a new nonce when its own has expired', async () => {
    const server = await relayServer(['stale-nonce=1']);
    const allocation = await allocated(server);
    await sleep(2500);
    expect(await allocation.refresh()).toBe(600);
    expect(server.coturn.logText()).toMatch(/438|[Ss]tale nonce/);
  });

  it('is kept alive with its permissions, its channel and its nonce, while data flows', async () => {
    const seconds = { allocation: 4, permission: 3, channel: 4, nonce: 3 };
    const server = await relayServer([
      `max-allocate-lifetime=${seconds.allocation}`,
      `permission-lifetime=${seconds.permission}`,
      `channel-lifetime=${seconds.channel}`,
      `stale-nonce=${seconds.nonce}`,
    ]);
    const lifetimes = { permissionSeconds: seconds.permission, channelSeconds: seconds.channel };
    const keep = async (transport: (typeof transports)[number]): Promise<void> => {
      const allocation = await allocated(server, { server: server.listener(transport), lifetimes });
      expect(allocation.lifetimeSeconds).toBe(seconds.allocation);
      // One is sent to by channel, the other by indications, at an address whose permission no channel extends.
      const [byChannel, other] = [await echoPeer(4), await echoPeer(4)];
      const byIndication = { address: '127.0.0.2', port: other.endpoint.port };
      const lost: Failure[] = [];
      allocation.onLost = (failure) => lost.push(failure);
      const received = new Set<string>();
      allocation.onData = (_from, payload) => received.add(Buffer.from(payload).toString());
      await allocation.permit([byIndication.address]);
      await allocation.bindChannel(byChannel.endpoint);
      let sent = 0;
      const end = performance.now() + 9000;
      while (performance.now() < end) {
        for (const endpoint of [byChannel.endpoint, byIndication]) {
          allocation.send(endpoint, Buffer.from(`packet ${sent++}`));
        }
        await sleep(20);
      }
      await expect.poll(() => sent - received.size, { message: `lost over ${transport}` }).toBe(0);
      expect(sent).toBeGreaterThan(500);
      expect(lost).toEqual([]);
      const made = (requestMethod: number): number =>
        allocation.statistics.requests.filter((one) => one.method === requestMethod && one.code === null)
          .length;
      expect(made(method.refresh)).toBeGreaterThanOrEqual(4);
      expect(made(method.createPermission)).toBeGreaterThanOrEqual(10);
      expect(made(method.channelBind)).toBeGreaterThanOrEqual(4);
      expect(await allocation.release()).toBeNull();
    };
    await Promise.all(transports.map(keep));
    expect(server.heldAllocations()).toEqual([]);
  });

  it.each([
    { transport: 'udp' as const, failure: { kind: 'system', code: 'ECONNREFUSED' } },
    { transport: 'tcp' as const, failure: { kind: expect.stringMatching(/^(closed|system)$/) } },
    { transport: 'tls' as const, failure: { kind: expect.stringMatching(/^(closed|system)$/) } },
  ])('is lost over $transport when the server dies', async ({ transport, failure }) => {
    const server = await relayServer();
    const allocation = await allocated(server, { server: server.listener(transport) });
    const lost: Failure[] = [];
    allocation.onLost = (reason) => lost.push(reason);
    server.coturn.kill('SIGKILL');
    await server.coturn.ended;
    // Over UDP nothing tells that it is gone before something is sent.
    if (transport === 'udp') expect(await failureOf(allocation.refresh())).toMatchObject(failure);
    await expect.poll(() => lost).toEqual([expect.objectContaining(failure)]);
    // It does not wait for an answer: that would outlast the test.
    expect(await allocation.release(120_000)).toMatchObject(failure);
  });

  it('waits for a server that is frozen no longer than it may', async () => {
    const server = await relayServer();
    const allocation = await allocated(server);
    server.coturn.kill('SIGSTOP');
    // Its threads stop one after the other.
    await sleep(100);
    expect(await allocation.release(400)).toMatchObject({ kind: 'timeout', afterMs: 400 });
  });
});

const script = (work: string): string => `
  import { allocate } from '${new URL('../../dist/turn/allocation.js', import.meta.url).href}';
  import { Secret } from '${new URL('../../dist/model/secret.js', import.meta.url).href}';
  const { server, username, password } = JSON.parse(process.argv[1]);
  const options = {
    server, credential: { username, password: new Secret(password) },
    timeoutMs: 120_000, signal: new AbortController().signal,
  };
  ${work}
  process.on('exit', () => console.log('ended'));
`;

needs('coturn').describe('a process that had an allocation', () => {
  it.each([
    {
      what: 'released it',
      work: `const a = await allocate(options); await a.bindChannel({ address: '127.0.0.1', port: 9 });
        if (await a.release() !== null) throw new Error('not released');`,
    },
    { what: 'only closed it', work: `(await allocate(options)).close();` },
    {
      what: 'was refused it',
      work: `options.credential.password = new Secret('wrong');
        if (await allocate(options).catch((error) => error.failure.code) !== 401) throw new Error('not refused');`,
    },
    {
      what: 'aborted it',
      work: `const reason = new Error('enough');
        const allocating = allocate({ ...options, signal: AbortSignal.abort(reason) });
        if (await allocating.catch((error) => error) !== reason) throw new Error('not aborted');`,
    },
  ])('ends by itself when it $what, over every transport', async ({ work }) => {
    const server = await relayServer();
    for (const transport of transports) {
      const { username, password } = server.turnCredential;
      const input = { server: server.listener(transport), username, password: password.reveal() };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '-e', script(work), JSON.stringify(input)],
        { timeout: 15_000 },
      );
      expect(stdout, transport).toBe('ended\n');
    }
  });
});
