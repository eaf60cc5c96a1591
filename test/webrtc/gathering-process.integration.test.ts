import { setMaxListeners } from 'node:events';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatheringFacts } from '../../src/model/observations.ts';
import { Secret } from '../../src/model/secret.ts';
import { GatheringProcess } from '../../src/webrtc/gathering-process.ts';
import type { GatheringRequest } from '../../src/webrtc/gathering.ts';
import { onlyIpv6, relayServer, wrongCredential, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';
import { udpListener, unusedPort } from '../support/strange-listener.ts';

const never = new AbortController().signal;
// Many gatherings at once share it.
setMaxListeners(0, never);
const onLoopback: GatheringRequest = { stun: null, turn: null, bindAddress: '127.0.0.1', timeoutMs: 3000 };

function startProcess(): GatheringProcess {
  const gathering = GatheringProcess.start();
  onTestFinished(() => gathering.close());
  return gathering;
}

async function factsOf(request: GatheringRequest, gathering = startProcess()): Promise<GatheringFacts> {
  const result = await gathering.gather(request, never);
  if (!result.ok) throw new Error(`gathering failed: ${JSON.stringify(result.failure)}`);
  return result.value;
}

function turnOf(
  server: RelayServer,
  transport: 'udp' | 'tcp' | 'tls',
): NonNullable<GatheringRequest['turn']> {
  return { server: server.listener(transport), credential: server.turnCredential };
}

const typesOf = ({ candidates }: GatheringFacts): string[] => candidates.map(({ type }) => type).toSorted();

describe('GatheringProcess without a server', () => {
  it('finds the host candidate it is bound to', async () => {
    const facts = await factsOf(onLoopback);
    expect(facts.complete).toBe(true);
    expect(facts.candidates).toEqual([
      {
        type: 'host',
        address: '127.0.0.1',
        port: expect.any(Number),
        protocol: 'udp',
        atMs: expect.any(Number),
      },
    ]);
  });

  it('finds the host candidates of this machine', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .filter((one) => one?.internal === false)
      .map((one) => one?.address);
    const { candidates, complete } = await factsOf({ ...onLoopback, bindAddress: null });
    expect(complete).toBe(true);
    for (const { type, address } of candidates) {
      expect(type).toBe('host');
      expect(own).toContain(address);
    }
  });

  it('stops waiting for silent servers when the time is over', async () => {
    const silent = { address: '127.0.0.1', port: await udpListener(() => null) };
    const facts = await factsOf({
      ...onLoopback,
      stun: silent,
      turn: {
        server: { transport: 'udp', endpoint: silent, verifyTls: false },
        credential: { username: 'anyone', password: new Secret('anything') },
      },
      timeoutMs: 600,
    });
    expect(facts.complete).toBe(false);
    expect(facts.durationMs).toBeGreaterThan(590);
    // libjuice itself gives up after 23.5 s.
    expect(facts.durationMs).toBeLessThan(20_000);
    expect(typesOf(facts)).toEqual(['host']);
  });

  it('does not wait where the kernel says that nobody is there', async () => {
    const server = {
      transport: 'tcp',
      endpoint: { address: '127.0.0.1', port: await unusedPort() },
      verifyTls: false,
    } as const;
    const credential = { username: 'anyone', password: new Secret('anything') };
    const facts = await factsOf({ ...onLoopback, turn: { server, credential } });
    // Not cut short by the deadline.
    expect(facts.complete).toBe(true);
    expect(facts.relayFailure).toMatchObject({ kind: 'system', code: 'ECONNREFUSED' });
    expect(typesOf(facts)).toEqual(['host']);
  });

  it('fails what was under way in a process that crashes, and goes on in a new one', async () => {
    const gathering = startProcess();
    expect((await factsOf(onLoopback, gathering)).complete).toBe(true);
    const silent = { address: '127.0.0.1', port: await udpListener(() => null) };
    const running = gathering.gather({ ...onLoopback, stun: silent, timeoutMs: 20_000 }, never);
    const crashed = gathering.pid ?? 0;
    process.kill(crashed, 'SIGSEGV');
    expect(await running).toMatchObject({
      ok: false,
      failure: { kind: 'internal', detail: expect.stringContaining('SIGSEGV') },
    });
    expect((await factsOf(onLoopback, gathering)).complete).toBe(true);
    expect(gathering.pid).not.toBe(crashed);
  });

  it('says so when an address is none of this machine', async () => {
    const result = await startProcess().gather(
      { ...onLoopback, bindAddress: '192.0.2.7', timeoutMs: 500 },
      never,
    );
    // ICE finds no candidate there; whether the library fails or is silent, nothing is made up.
    expect(result.ok ? result.value.candidates : []).toEqual([]);
  });
});

needs('coturn').describe('GatheringProcess', () => {
  it('finds host, server-reflexive and relay candidates with their times', async () => {
    const server = await relayServer();
    const turn = turnOf(server, 'udp');
    const facts = await factsOf({ ...onLoopback, stun: turn.server.endpoint, turn });
    expect(facts.complete).toBe(true);
    expect(typesOf(facts)).toEqual(['host', 'relay', 'srflx']);
    for (const { atMs, address, port, protocol } of facts.candidates) {
      expect(atMs).toBeGreaterThan(0);
      expect(atMs).toBeLessThanOrEqual(facts.durationMs);
      expect(address).toBe('127.0.0.1');
      expect(port).toBeGreaterThan(0);
      expect(protocol).toBe('udp');
    }
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it.each(['tcp', 'tls'] as const)(
    'finds the relay candidate, and no mapped one, over %s',
    async (transport) => {
      const server = await relayServer();
      const facts = await factsOf({ ...onLoopback, turn: turnOf(server, transport) });
      expect(typesOf(facts)).toEqual(['host', 'relay']);
      await expect.poll(server.heldAllocations).toEqual([]);
    },
  );

  it('finds the relay candidate without being bound to an address', async () => {
    const server = await relayServer();
    const facts = await factsOf({ ...onLoopback, bindAddress: null, turn: turnOf(server, 'udp') });
    expect(typesOf(facts)).toContain('relay');
    expect(facts.complete).toBe(true);
  });

  it('finds an IPv6 relay candidate', async () => {
    const server = await relayServer(onlyIpv6);
    const facts = await factsOf({
      ...onLoopback,
      bindAddress: '::1',
      family: 6,
      turn: turnOf(server, 'udp'),
    });
    expect(facts.candidates.map(({ type, address }) => `${type} ${address}`).toSorted()).toEqual([
      'host ::1',
      'relay ::1',
    ]);
  });

  it('is quick about a wrong password', async () => {
    const server = await relayServer();
    const credential = wrongCredential(server.turnCredential);
    const facts = await factsOf({ ...onLoopback, turn: { server: server.listener('udp'), credential } });
    expect(facts.complete).toBe(true);
    expect(facts).toMatchObject({ relayFailure: { kind: 'stun-error', code: 401 }, attempts: 1 });
    expect(typesOf(facts)).toEqual(['host']);
  });

  it('gathers many times at once in one process, and leaves nothing on the server', async () => {
    const server = await relayServer();
    const gathering = startProcess();
    const requests = Array.from({ length: 12 }, (_, index) => ({
      ...onLoopback,
      turn: turnOf(server, (['udp', 'tcp', 'tls'] as const)[index % 3] ?? 'udp'),
    }));
    const all = await Promise.all(requests.map(async (request) => factsOf(request, gathering)));
    for (const facts of all) expect(typesOf(facts)).toEqual(['host', 'relay']);
    const ports = all.map(({ candidates }) => candidates.find(({ type }) => type === 'relay')?.port);
    expect(new Set(ports).size).toBe(12);
    await expect.poll(server.heldAllocations).toEqual([]);
  });

  it('frees the allocation when it is aborted', async () => {
    const server = await relayServer();
    const silent = { address: '127.0.0.1', port: await udpListener(() => null) };
    const abort = new AbortController();
    const reason = new Error('enough');
    const request = { ...onLoopback, stun: silent, turn: turnOf(server, 'udp'), timeoutMs: 30_000 };
    const running = startProcess().gather(request, abort.signal);
    running.catch(() => {});
    await expect.poll(() => server.coturn.logText(), { timeout: 20_000 }).toContain('new,');
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect.poll(server.heldAllocations).toEqual([]);
    expect(server.coturn.logText()).toContain('lifetime=0');
  });
});
