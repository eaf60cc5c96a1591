import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { AttemptError } from '../../src/model/failure.ts';
import type { Failure } from '../../src/model/observations.ts';
import { Secret } from '../../src/model/secret.ts';
import { allocate, type Allocation } from '../../src/turn/allocation.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import { read } from '../../src/stun/attribute.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import type { TurnCredential } from '../../src/turn/session.ts';
import { Bridge, type BridgeOptions } from '../../src/webrtc/bridge.ts';
import { relayServer, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';
import { unusedPort } from '../support/strange-listener.ts';

const signal = new AbortController().signal;

async function realAllocation(server: RelayServer): Promise<Allocation> {
  const allocation = await allocate({
    server: server.listener('udp'),
    credential: server.turnCredential,
    timeoutMs: 3000,
    signal,
  });
  onTestFinished(async () => {
    await allocation.release(500);
  });
  return allocation;
}

async function openBridge(options: Omit<BridgeOptions, 'address'> & Partial<BridgeOptions>): Promise<Bridge> {
  const bridge = await Bridge.open({ address: '127.0.0.1', ...options });
  onTestFinished(() => bridge.close());
  return bridge;
}

/** Our own TURN client in the part of the ICE agent. */
async function agentOf(bridge: Bridge, credential?: Partial<TurnCredential>): Promise<Allocation> {
  const { hostname, port, username, password } = bridge.server;
  const agent = await allocate({
    server: { transport: 'udp', endpoint: { address: hostname, port }, verifyTls: false },
    credential: { username, password: new Secret(password), ...credential },
    timeoutMs: 2000,
    signal,
  });
  onTestFinished(() => agent.close());
  return agent;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof AttemptError) return error.failure;
  throw new Error('it did not fail with a Failure', { cause: error });
}

/** A peer with a socket on loopback, and what it receives. */
async function peerSocket(): Promise<{
  endpoint: Endpoint;
  received: string[];
  send: (to: Endpoint, text: string) => void;
}> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const received: string[] = [];
  socket.on('message', (bytes) => received.push(bytes.toString()));
  return {
    endpoint: { address: '127.0.0.1', port: socket.address().port },
    received,
    send: (to, text) => socket.send(text, to.port, to.address),
  };
}

needs('coturn').describe('Bridge', () => {
  it('gives the agent the relay address that was allocated on the real server', async () => {
    const allocation = await realAllocation(await relayServer());
    const agent = await agentOf(await openBridge({ allocation: Promise.resolve(allocation) }));
    expect(agent.relayed).toEqual(allocation.relayed);
    expect(agent.mapped).toBeNull();
    expect(await agent.refresh()).toBe(600);
  });

  it('answers the agent as soon as the real server has', async () => {
    const server = await relayServer();
    let hasAnswered = false;
    const waiting = sleep(700).then(async () => {
      const allocation = await realAllocation(server);
      hasAnswered = true;
      return allocation;
    });
    const agent = await agentOf(await openBridge({ allocation: waiting }));
    expect(hasAnswered).toBe(true);
    expect(agent.relayed).toEqual((await waiting).relayed);
  });

  it.each([
    ['a wrong password', { password: new Secret('guessed') }],
    ['a wrong user', { username: 'guessed' }],
  ])('refuses %s', async (_what, credential) => {
    const allocation = await realAllocation(await relayServer());
    const bridge = await openBridge({ allocation: Promise.resolve(allocation) });
    expect(await failureOf(agentOf(bridge, credential))).toMatchObject({ kind: 'stun-error', code: 401 });
  });

  it('answers a repeated request for the challenge once', async () => {
    const bridge = await openBridge({ allocation: new Promise(() => {}) });
    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    const answers: (number | undefined)[] = [];
    socket.on('message', (bytes) => answers.push(read(decodeMessage(bytes), errorCode)?.code));
    const ask = (bytes: Uint8Array): void => socket.send(bytes, bridge.server.port, bridge.server.hostname);
    const [one, other] = [1, 2].map(() => encodeMessage({ class: 'request', method: method.allocate })) as [
      Uint8Array,
      Uint8Array,
    ];
    for (const request of [one, one, other]) ask(request);
    await expect.poll(() => answers).toEqual([401, 401]);
    await sleep(50);
    expect(answers).toEqual([401, 401]);
  });

  it('serves the first agent alone, even when another one knows the password', async () => {
    const allocation = await realAllocation(await relayServer());
    const bridge = await openBridge({ allocation: Promise.resolve(allocation) });
    await agentOf(bridge);
    expect(await failureOf(agentOf(bridge))).toMatchObject({ kind: 'stun-error', code: 441 });
  });

  it('is no way to the peer for anyone but the agent', async () => {
    const allocation = await realAllocation(await relayServer());
    const peer = await peerSocket();
    const bridge = await openBridge({ allocation: Promise.resolve(allocation), peer: peer.endpoint });
    await allocation.permit([peer.endpoint.address]);
    bridge.admitPeer();
    const agent = await agentOf(bridge);
    await agent.bindChannel(peer.endpoint);
    const intruder = await peerSocket();
    const { hostname, port } = bridge.server;
    // ChannelData on the agent's first channel, from another socket.
    intruder.send({ address: hostname, port }, '\u0040\u0000\u0000\u0004evil');
    agent.send(peer.endpoint, Buffer.from('good'));
    await expect.poll(() => peer.received).toEqual(['good']);
    await sleep(50);
    expect(peer.received).toEqual(['good']);
    expect(intruder.received).toEqual([]);
  });

  it('carries packets both ways, as indications and on a channel', async () => {
    const allocation = await realAllocation(await relayServer());
    const peer = await peerSocket();
    const bridge = await openBridge({ allocation: Promise.resolve(allocation), peer: peer.endpoint });
    await allocation.permit([peer.endpoint.address]);
    bridge.admitPeer();
    const agent = await agentOf(bridge);
    const received: string[] = [];
    agent.onData = (from, payload) => received.push(`${from.port} ${Buffer.from(payload).toString()}`);
    await agent.permit([peer.endpoint.address]);

    agent.send(peer.endpoint, Buffer.from('indication'));
    await expect.poll(() => peer.received).toEqual(['indication']);
    peer.send(allocation.relayed, 'answer');
    await expect.poll(() => received).toEqual([`${peer.endpoint.port} answer`]);

    await agent.bindChannel(peer.endpoint);
    agent.send(peer.endpoint, Buffer.from('channel'));
    await expect.poll(() => peer.received).toEqual(['indication', 'channel']);
    peer.send(allocation.relayed, 'odd');
    await expect.poll(() => received.length).toBe(2);
    expect(received[1]).toBe(`${peer.endpoint.port} odd`);
    expect(bridge.statistics).toEqual({ toPeer: 2, fromPeer: 2, filtered: 0 });
  });

  it('keeps the real addresses from an agent that can make nothing of them', async () => {
    const allocation = await realAllocation(await relayServer());
    const peer = await peerSocket();
    const shown = {
      relayed: { address: '2001:db8::1', port: 1000 },
      peer: { address: '2001:db8::2', port: 2000 },
    };
    const bridge = await openBridge({
      allocation: Promise.resolve(allocation),
      peer: peer.endpoint,
      shown,
      address: '::1',
    });
    await allocation.permit([peer.endpoint.address]);
    bridge.admitPeer();
    const agent = await agentOf(bridge);
    expect(agent.relayed).toEqual(shown.relayed);
    const received: string[] = [];
    agent.onData = (from, payload) =>
      received.push(`${from.address} ${from.port} ${Buffer.from(payload).toString()}`);
    expect(await failureOf(agent.bindChannel(peer.endpoint))).toMatchObject({ code: 403 });
    await agent.permit([shown.peer.address]);
    for (const way of ['indication', 'channel']) {
      if (way === 'channel') await agent.bindChannel(shown.peer);
      agent.send(shown.peer, Buffer.from(way));
      await expect.poll(() => peer.received.at(-1)).toBe(way);
      peer.send(allocation.relayed, way);
      await expect.poll(() => received.at(-1)).toBe(`2001:db8::2 2000 ${way}`);
    }
  });

  it('lets only the one peer through, in both directions', async () => {
    const allocation = await realAllocation(await relayServer());
    const [peer, stranger] = [await peerSocket(), await peerSocket()];
    const bridge = await openBridge({ allocation: Promise.resolve(allocation), peer: peer.endpoint });
    await allocation.permit([peer.endpoint.address]);
    bridge.admitPeer();
    const agent = await agentOf(bridge);
    const received: string[] = [];
    agent.onData = (_from, payload) => received.push(Buffer.from(payload).toString());

    expect(await failureOf(agent.bindChannel(stranger.endpoint))).toMatchObject({ code: 403 });
    expect(await failureOf(agent.permit(['192.0.2.1']))).toMatchObject({ code: 403 });
    agent.send(stranger.endpoint, Buffer.from('to the stranger'));
    // The stranger has the peer's address, so the real server lets it in: its permission is for all ports.
    stranger.send(allocation.relayed, 'from the stranger');
    await expect.poll(() => bridge.statistics.filtered).toBe(2);
    peer.send(allocation.relayed, 'from the peer');
    await expect.poll(() => received).toEqual(['from the peer']);
    expect(stranger.received).toEqual([]);
  });

  it('passes the real error code on at once', async () => {
    const server = await relayServer(['user-quota=1']);
    await realAllocation(server);
    const refused = realAllocation(server);
    const bridge = await openBridge({ allocation: refused });
    // Silence until the agent's deadline would be a failure of another kind.
    expect(await failureOf(agentOf(bridge))).toMatchObject({ kind: 'stun-error', code: 486 });
  });

  it('answers with an error at once when there is no server', async () => {
    const nowhere = allocate({
      server: {
        transport: 'tcp',
        endpoint: { address: '127.0.0.1', port: await unusedPort() },
        verifyTls: false,
      },
      credential: { username: 'a', password: new Secret('b') },
      timeoutMs: 2000,
      signal,
    });
    const bridge = await openBridge({ allocation: nowhere });
    expect(await failureOf(agentOf(bridge))).toMatchObject({ kind: 'stun-error', code: 500 });
  });

  it('ignores what is not TURN', async () => {
    const allocation = await realAllocation(await relayServer());
    const bridge = await openBridge({ allocation: Promise.resolve(allocation) });
    const anyone = await peerSocket();
    const { hostname, port } = bridge.server;
    for (const text of ['', 'GET / HTTP/1.0\r\n\r\n', '\u0000\u0001\u0000\u0000', '@'.repeat(2000)]) {
      anyone.send({ address: hostname, port }, text);
    }
    expect((await agentOf(bridge)).relayed).toEqual(allocation.relayed);
    expect(anyone.received).toEqual([]);
  });

  it('puts what it is told to between relay and agent', async () => {
    const allocation = await realAllocation(await relayServer());
    const peer = await peerSocket();
    const bridge = await openBridge({
      allocation: Promise.resolve(allocation),
      peer: peer.endpoint,
      inbound: (deliver) => (payload) => {
        if (payload.length > 3) return;
        deliver(payload);
        deliver(payload);
      },
    });
    await allocation.permit([peer.endpoint.address]);
    bridge.admitPeer();
    const agent = await agentOf(bridge);
    const received: string[] = [];
    agent.onData = (_from, payload) => received.push(Buffer.from(payload).toString());
    for (const text of ['long', 'odd']) peer.send(allocation.relayed, text);
    await expect.poll(() => received).toEqual(['odd', 'odd']);
  });

  it('keeps the peer back until it is admitted, and its DTLS until that is', async () => {
    const allocation = await realAllocation(await relayServer());
    const peer = await peerSocket();
    const bridge = await openBridge({ allocation: Promise.resolve(allocation), peer: peer.endpoint });
    await allocation.permit([peer.endpoint.address]);
    const agent = await agentOf(bridge);
    const received: string[] = [];
    agent.onData = (_from, payload) => received.push(Buffer.from(payload).toString());
    for (const text of ['\u0016hello', 'other']) peer.send(allocation.relayed, text);
    await expect.poll(() => bridge.statistics.fromPeer).toBe(2);
    expect(received).toEqual([]);
    bridge.admitPeer();
    await expect.poll(() => received).toEqual(['other']);
    bridge.admitHandshake();
    await expect.poll(() => received).toEqual(['other', '\u0016hello']);
  });
});
