import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { Neighbourhood } from '../../src/probes/neighbourhood.ts';
import type { ProtocolFacts } from '../../src/probes/protocol-facts.ts';
import { probeTarget } from '../../src/probes/target-probe.ts';
import { xorMappedAddress, xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { put } from '../../src/stun/attribute.ts';
import { method } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import { targetOf } from '../support/facts.ts';
import {
  granted,
  scriptedServer,
  turnCredential,
  type ReceivedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';
import { tcpListener, udpListener } from '../support/strange-listener.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);

/** Grants an allocation whose relay address is on loopback: nothing may be sent anywhere else. */
async function granting(): Promise<(request: ReceivedRequest) => void> {
  const relayed = { address: '127.0.0.1', port: await udpListener(() => null) };
  return (request) =>
    request.succeed([
      put(xorRelayedAddress, relayed),
      put(xorMappedAddress, { address: '127.0.0.1', port: request.clientPort }),
      put(lifetime, 600),
    ]);
}

function examined(
  { server }: ScriptedServer,
  { transport = 'udp', timeoutMs = 1000 }: { transport?: TransportKind; timeoutMs?: number } = {},
): Promise<ProtocolFacts> {
  const { address, port } = server.endpoint;
  return probeTarget(targetOf(transport, { host: address, address, port }), {
    credential: turnCredential,
    server,
    outside: null,
    clock: () => performance.now(),
    neighbourhood: new Neighbourhood(),
    timeoutMs,
    signal,
    onStep: () => {},
  });
}

/** A Binding needs no credentials; what else is not signed gets its 401. */
function serve(request: ReceivedRequest): void {
  if (request.message.method !== method.binding) request.serve();
  else request.succeed(granted(request.message), { key: null });
}

const isAllocate = ({ isSigned, message }: ReceivedRequest): boolean =>
  isSigned && message.method === method.allocate;

describe('a connection that waits in vain, while the next is served', () => {
  it('is told, once its time is over', async () => {
    const scripted = await scriptedServer('tls', serve);
    const { endpoint } = scripted.server;
    let connections = 0;
    const port = await tcpListener((socket) => {
      if (++connections === 1) {
        socket.resume();
        return;
      }
      const to = connect(endpoint.port, endpoint.address);
      socket.pipe(to).pipe(socket);
      socket.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => socket.destroy());
    });
    const server = { ...scripted.server, endpoint: { address: '127.0.0.1', port } };
    const { connect: connected, binding } = await examined(
      { ...scripted, server },
      { transport: 'tls', timeoutMs: 1500 },
    );
    expect(binding.state).toBe('done');
    expect(connected).toMatchObject({ state: 'done', value: { firstTry: { kind: 'timeout' } } });
  });
});

describe('an allocation that is refused by 437', () => {
  it('is asked for from another port, and examined there', async () => {
    const grant = await granting();
    let refused: number | null = null;
    const scripted = await scriptedServer('udp', (request) => {
      if (!isAllocate(request)) serve(request);
      else if ((refused ??= request.clientPort) === request.clientPort) request.refuse(437);
      else grant(request);
    });
    const { allocate, permission, release } = await examined(scripted);
    expect(allocate).toMatchObject({ state: 'done', value: { relayed: { address: '127.0.0.1' } } });
    expect([permission.state, release.state]).toEqual(['done', 'done']);
    const ports = scripted.requests.filter(isAllocate).map(({ clientPort }) => clientPort);
    expect(ports).toHaveLength(2);
    expect(ports[1]).not.toBe(refused);
  });

  it('at every port stays that error, after a few of them', async () => {
    const scripted = await scriptedServer('udp', (request) =>
      isAllocate(request) ? request.refuse(437) : serve(request),
    );
    const { allocate, permission } = await examined(scripted);
    expect(allocate).toMatchObject({ state: 'failed', failure: { kind: 'stun-error', code: 437 } });
    expect(permission.state).toBe('not-tried');
    const ports = scripted.requests.filter(isAllocate).map(({ clientPort }) => clientPort);
    expect(ports.length).toBeGreaterThan(1);
    expect(new Set(ports).size).toBe(ports.length);
  });
});

describe('a Binding that is answered after all else', () => {
  it('is waited for before the connection of the allocation is closed', async () => {
    const grant = await granting();
    const bindings: ReceivedRequest[] = [];
    const scripted = await scriptedServer('tcp', (request) => {
      if (request.message.method === method.binding) bindings.push(request);
      else if (isAllocate(request)) grant(request);
      else serve(request);
      const isRelease = request.isSigned && request.message.method === method.refresh;
      // The second Refresh frees the allocation. Whoever closes then is gone before this answer comes.
      if (isRelease && ++refreshes === 2) setTimeout(() => bindings.forEach(serve), 300);
    });
    let refreshes = 0;
    const { binding, release } = await examined(scripted, { transport: 'tcp', timeoutMs: 10_000 });
    expect(release.state).toBe('done');
    expect(binding).toMatchObject({ state: 'done', value: { sent: 1 } });
  });
});

describe('a server that falls silent', () => {
  it.each([true, false])('is asked once more from a new port; answers: %s', async (answers) => {
    const grant = await granting();
    let known: number | null = null;
    const scripted = await scriptedServer('udp', (request) => {
      known ??= request.clientPort;
      if (isAllocate(request)) grant(request);
      else if (request.message.method === method.createPermission) return;
      else if (answers || request.message.method !== method.binding || request.clientPort === known) {
        serve(request);
      }
    });
    const { permission, recheck } = await examined(scripted);
    expect(permission).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    expect(recheck.state).toBe(answers ? 'done' : 'failed');
    const asked = scripted.requests.filter(({ message }) => message.method === method.binding);
    expect(asked.some(({ clientPort }) => clientPort !== known)).toBe(true);
  });
});
