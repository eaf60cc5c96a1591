import { expect, it } from 'vitest';
import type { CallFacts } from '../../src/model/observations.ts';
import { read } from '../../src/stun/attribute.ts';
import { decodeMessage, looksLikeStun } from '../../src/stun/message.ts';
import { data } from '../../src/stun/relay-attributes.ts';
import { CallProcess } from '../../src/webrtc/call-process.ts';
import { datagramProxy } from '../support/datagram-proxy.ts';
import { relayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

/** What a client sends to its peer: in ChannelData, or in a Send indication. */
function payloadOf(datagram: Buffer): Uint8Array {
  if (((datagram[0] ?? 0) & 0xc0) === 0x40) return datagram.subarray(4);
  if (!looksLikeStun(datagram)) return datagram;
  const message = decodeMessage(datagram);
  return message.class === 'indication' ? (read(message, data) ?? Buffer.alloc(0)) : Buffer.alloc(0);
}

/** DTLS, as RFC 7983 §7 tells it from the rest. */
function isDtls([first = 0]: Uint8Array): boolean {
  return first >= 20 && first <= 63;
}

/** The random of a ClientHello (RFC 6347 §4.2.1), which is another one in each handshake; null for all else. */
function handshakeOf(payload: Uint8Array): string | null {
  const [isHandshake, isClientHello] = [payload[0] === 22, payload[13] === 1];
  return isHandshake && isClientHello ? Buffer.from(payload.subarray(27, 59)).toString('hex') : null;
}

/** A call through a proxy that loses every packet of the first so many DTLS handshakes. */
async function callLosing(lostHandshakes: number): Promise<{ facts: CallFacts; begun: number }> {
  const server = await relayServer();
  const begun = new Set<string>();
  const port = await datagramProxy(server.port, (datagram) => {
    const payload = payloadOf(datagram);
    if (!isDtls(payload)) return true;
    const handshake = handshakeOf(payload);
    if (handshake !== null) begun.add(handshake);
    return begun.size > lostHandshakes;
  });
  const result = await CallProcess.start().call({
    server: { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false },
    credential: server.turnCredential,
    durationMs: 1000,
    connectTimeoutMs: 4000,
    signal: new AbortController().signal,
  });
  if (!result.ok) throw new Error(`the call failed: ${JSON.stringify(result.failure)}`);
  return { facts: result.value, begun: begun.size };
}

needs('coturn').describe('a call whose DTLS handshake is lost', () => {
  it('is begun anew, once, and talks', async () => {
    const { facts, begun } = await callLosing(1);
    expect(begun).toBe(2);
    expect(facts).toMatchObject({ attempts: 2, lostHandshake: false, connectError: null });
    expect(facts.audio.map(({ received }) => received > 0)).toEqual([true, true]);
    expect(facts.relay).toMatchObject({ lost: [], released: true });
  });

  it('says so when the second one is lost as well, and frees its allocations', async () => {
    const { facts, begun } = await callLosing(Infinity);
    expect(begun).toBe(2);
    expect(facts).toMatchObject({ attempts: 2, lostHandshake: true, connectMs: null });
    expect(facts.connectError).toContain('not connected in time');
    expect(facts.relay.released).toBe(true);
  });
});

needs('coturn').describe('a call shorter than its packets are under way', () => {
  it('waits for them, as it took so long to connect', async () => {
    const server = await relayServer();
    const delayMs = 300;
    const port = await datagramProxy(server.port, () => true, delayMs);
    const result = await CallProcess.start().call({
      server: { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false },
      credential: server.turnCredential,
      durationMs: 100,
      connectTimeoutMs: 10_000,
      signal: new AbortController().signal,
    });
    if (!result.ok) throw new Error(`the call failed: ${JSON.stringify(result.failure)}`);
    const { audio, connectMs } = result.value;
    expect(connectMs).toBeGreaterThan(2 * delayMs);
    expect(audio.map(({ sent, received }) => [sent, received])).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });
});
