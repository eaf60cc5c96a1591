import { describe, expect, it } from 'vitest';
import { HandshakeGate } from '../../src/webrtc/handshake-gate.ts';

const stun = Uint8Array.of(0, 1, 0, 0);
const clientHello = Uint8Array.of(22, 254, 255, 1);
const media = Uint8Array.of(128, 111, 0, 1);

describe('HandshakeGate', () => {
  it('keeps DTLS, and DTLS alone, until it is opened', () => {
    const delivered: Uint8Array[] = [];
    const gate = new HandshakeGate((payload) => delivered.push(payload));
    for (const packet of [stun, clientHello, media]) gate.pass(packet);
    expect(delivered).toEqual([stun, media]);
    gate.open();
    expect(delivered).toEqual([stun, media, clientHello]);
    gate.pass(clientHello);
    expect(delivered).toEqual([stun, media, clientHello, clientHello]);
    gate.open();
    expect(delivered.length).toBe(4);
  });

  it('keeps a copy, because the buffer of a packet may be used again', () => {
    const delivered: Uint8Array[] = [];
    const gate = new HandshakeGate((payload) => delivered.push(payload));
    const packet = Uint8Array.from(clientHello);
    gate.pass(packet);
    packet.fill(0);
    gate.open();
    expect(delivered).toEqual([clientHello]);
  });

  it('does not keep without end', () => {
    let delivered = 0;
    const gate = new HandshakeGate(() => delivered++);
    for (let packet = 0; packet < 1000; packet++) gate.pass(clientHello);
    gate.open();
    expect(delivered).toBe(8);
  });
});
