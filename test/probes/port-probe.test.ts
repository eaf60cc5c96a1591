import { expect, it, onTestFinished } from 'vitest';
import { RtcOpsError } from '../../src/model/error.ts';
import { Secret } from '../../src/model/secret.ts';
import { EchoService } from '../../src/net/echo-service.ts';
import { probePorts, takesPackets } from '../../src/probes/port-probe.ts';
import { method } from '../../src/stun/message.ts';
import { servingBut } from '../support/scripted-allocation.ts';
import { scriptedServer, turnCredential } from '../support/scripted-server.ts';
import { standInRelay } from '../support/stand-in-relay.ts';

const { signal } = new AbortController();

/** Takes what comes after so many packets that are lost. */
function losing(count: number): () => boolean {
  let come = 0;
  return () => ++come > count;
}

it('asks a silent port once more, be it from here or by an outside peer', async () => {
  expect(await takesPackets(await standInRelay({ takes: losing(5) }), { outside: null, signal })).toBe(true);
  expect(await takesPackets(await standInRelay({ takes: losing(10) }), { outside: null, signal })).toBe(
    false,
  );
  const secret = new Secret('a secret of the tests');
  const peer = await EchoService.open({ listen: { address: '127.0.0.1', port: 0 }, secret });
  onTestFinished(() => peer.close());
  const outside = { endpoint: peer.local, secret };
  expect(await takesPackets(await standInRelay({ takes: losing(5) }), { outside, signal })).toBe(true);
});

it('ends with its signal while it waits for a quota', async () => {
  const scripted = await scriptedServer(
    'udp',
    servingBut(method.allocate, (request) => request.refuse(486)),
  );
  const stop = new AbortController();
  const running = probePorts({
    server: scripted.server,
    credential: turnCredential,
    family: 4,
    addresses: ['127.0.0.1'],
    outside: null,
    wanted: 10,
    timeoutMs: 1000,
    signal: stop.signal,
  });
  const reason = new RtcOpsError('interrupted', 'stopped');
  setTimeout(() => stop.abort(reason), 500);
  await expect(running).rejects.toBe(reason);
});
