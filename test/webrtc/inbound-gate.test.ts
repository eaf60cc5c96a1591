import { describe, expect, it } from 'vitest';
import { InboundGate } from '../../src/webrtc/inbound-gate.ts';

const check = Uint8Array.of(0, 1, 0, 0);
const clientHello = Uint8Array.of(22, 254, 255, 1);
const media = Uint8Array.of(128, 111, 0, 1);

function closedGate(): { gate: InboundGate; delivered: Uint8Array[] } {
  const delivered: Uint8Array[] = [];
  return { gate: new InboundGate((payload) => delivered.push(payload)), delivered };
}

describe('InboundGate', () => {
  it('keeps everything until the peer is admitted, and DTLS until the handshake is', () => {
    const { gate, delivered } = closedGate();
    for (const packet of [check, clientHello, media]) gate.pass(packet);
    expect(delivered).toEqual([]);
    gate.admitPeer();
    expect(delivered).toEqual([check, media]);
    gate.pass(check);
    expect(delivered.length).toBe(3);
    gate.admitHandshake();
    expect(delivered).toEqual([check, media, check, clientHello]);
    gate.pass(clientHello);
    expect(delivered.length).toBe(5);
  });

  it('does not let DTLS pass a peer that is not admitted', () => {
    const { gate, delivered } = closedGate();
    gate.admitHandshake();
    gate.pass(clientHello);
    expect(delivered).toEqual([]);
    gate.admitPeer();
    expect(delivered).toEqual([clientHello]);
  });

  it('delivers nothing twice', () => {
    const { gate, delivered } = closedGate();
    gate.pass(check);
    gate.admitPeer();
    gate.admitPeer();
    gate.admitHandshake();
    expect(delivered).toEqual([check]);
  });

  it('keeps a copy, because the buffer of a packet may be used again', () => {
    const { gate, delivered } = closedGate();
    const packet = Uint8Array.from(check);
    gate.pass(packet);
    packet.fill(9);
    gate.admitPeer();
    expect(delivered).toEqual([check]);
  });

  it('does not keep without end', () => {
    const { gate, delivered } = closedGate();
    for (let packet = 0; packet < 1000; packet++) gate.pass(check);
    gate.admitPeer();
    expect(delivered.length).toBe(16);
  });
});
