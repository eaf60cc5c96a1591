import { describe, expect, it } from 'vitest';
import type { AttributeCodec } from '../../src/stun/attribute.ts';
import { changeRequest, padding, responsePort } from '../../src/stun/discovery-attributes.ts';
import { iceControlling, priority, useCandidate } from '../../src/stun/ice-attributes.ts';
import {
  additionalAddressFamily,
  addressErrorCode,
  channelNumber,
  connectionId,
  data,
  dontFragment,
  evenPort,
  icmp,
  lifetime,
  mobilityTicket,
  relayProtocol,
  requestedAddressFamily,
  requestedTransport,
  reservationToken,
} from '../../src/stun/relay-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const transactionId = new Uint8Array(12);

interface Layout {
  readonly name: string;
  readonly encoded: string;
  readonly hex: string;
  readonly decoded: unknown;
  readonly value: unknown;
}

function layout<T>(codec: AttributeCodec<T>, value: T, hex: string): Layout {
  const encoded = Buffer.from(codec.encode(value, transactionId)).toString('hex');
  return {
    name: codec.name,
    encoded,
    hex,
    value,
    decoded: codec.decode(Buffer.from(hex, 'hex'), transactionId),
  };
}

describe('the layout', () => {
  // By hand from the figures of RFC 8656 §18, RFC 6062 §6.2, RFC 8016, RFC 5780 §7 and RFC 8445 §7.1.
  it.each<Layout>([
    layout(channelNumber, 0x4001, '40010000'),
    layout(lifetime, 3600, '00000e10'),
    layout(lifetime, 0xffffffff, 'ffffffff'),
    layout(data, Buffer.of(1, 2, 3), '010203'),
    layout(requestedAddressFamily, 4, '01000000'),
    layout(requestedAddressFamily, 6, '02000000'),
    layout(additionalAddressFamily, 6, '02000000'),
    layout(evenPort, { reserveNext: true }, '80'),
    layout(evenPort, { reserveNext: false }, '00'),
    layout(requestedTransport, relayProtocol.udp, '11000000'),
    layout(requestedTransport, relayProtocol.tcp, '06000000'),
    layout(dontFragment, true, ''),
    layout(reservationToken, Buffer.from('0123456789abcdef', 'hex'), '0123456789abcdef'),
    layout(addressErrorCode, { family: 6, code: 440, reason: 'no' }, '020004286e6f'),
    layout(icmp, { type: 3, code: 4, errorData: 1280 }, '0000030400000500'),
    layout(icmp, { type: 128, code: 255, errorData: 0 }, '000080ff00000000'),
    layout(connectionId, 0x80000001, '80000001'),
    layout(mobilityTicket, Buffer.of(), ''),
    layout(changeRequest, { address: true, port: true }, '00000006'),
    layout(changeRequest, { address: true, port: false }, '00000004'),
    layout(changeRequest, { address: false, port: true }, '00000002'),
    layout(responsePort, 3479, '0d970000'),
    layout(padding, 3, '000000'),
    layout(priority, 0x6e0001ff, '6e0001ff'),
    layout(useCandidate, true, ''),
    layout(iceControlling, 0x8000000000000001n, '8000000000000001'),
  ])('$name: $hex', ({ encoded, hex, value, decoded }) => {
    expect(encoded).toBe(hex);
    expect(decoded).toEqual(value);
  });
});

describe('bits that receivers ignore', () => {
  it('are ignored', () => {
    expect(channelNumber.decode(Buffer.from('4001ffff', 'hex'), transactionId)).toBe(0x4001);
    expect(requestedTransport.decode(Buffer.from('11ffffff', 'hex'), transactionId)).toBe(17);
    expect(requestedAddressFamily.decode(Buffer.from('01ffffff', 'hex'), transactionId)).toBe(4);
    expect(evenPort.decode(Buffer.from('7f', 'hex'), transactionId)).toEqual({ reserveNext: false });
    expect(icmp.decode(Buffer.from('ffff030400000500', 'hex'), transactionId).type).toBe(3);
    expect(changeRequest.decode(Buffer.from('fffffff9', 'hex'), transactionId)).toEqual({
      address: false,
      port: false,
    });
    expect(padding.decode(Buffer.from('616263', 'hex'), transactionId)).toBe(3);
  });

  it('RESPONSE-PORT has its two bytes of padding or not', () => {
    expect(responsePort.decode(Buffer.from('0d97', 'hex'), transactionId)).toBe(3479);
    expect(responsePort.decode(Buffer.from('0d97ffff', 'hex'), transactionId)).toBe(3479);
  });
});

describe('what is refused', () => {
  it.each<[string, () => unknown]>([
    ['a lifetime of 3 bytes', () => lifetime.decode(new Uint8Array(3), transactionId)],
    ['a lifetime of 8 bytes', () => lifetime.decode(new Uint8Array(8), transactionId)],
    ['a tie-breaker of 4 bytes', () => iceControlling.decode(new Uint8Array(4), transactionId)],
    ['a channel number of 2 bytes', () => channelNumber.decode(new Uint8Array(2), transactionId)],
    ['a family of 3', () => requestedAddressFamily.decode(Buffer.of(3, 0, 0, 0), transactionId)],
    ['a family of 1 byte', () => requestedAddressFamily.decode(Buffer.of(1), transactionId)],
    ['an address error for family 0', () => addressErrorCode.decode(Buffer.of(0, 0, 4, 40), transactionId)],
    ['a DONT-FRAGMENT with a value', () => dontFragment.decode(Buffer.of(0), transactionId)],
    ['a token of 7 bytes', () => reservationToken.decode(new Uint8Array(7), transactionId)],
    ['an EVEN-PORT without a value', () => evenPort.decode(new Uint8Array(), transactionId)],
    ['an ICMP of 4 bytes', () => icmp.decode(new Uint8Array(4), transactionId)],
    ['a transport of 1 byte', () => requestedTransport.decode(Buffer.of(17), transactionId)],
    ['a change request of 1 byte', () => changeRequest.decode(Buffer.of(6), transactionId)],
    ['a response port of 3 bytes', () => responsePort.decode(new Uint8Array(3), transactionId)],
  ])('%s', (_, decode) => {
    expect(decodeErrorOf(decode)?.reason).toBe('attribute-value');
  });

  it.each<[string, () => unknown]>([
    ['channel 0x3fff', () => channelNumber.encode(0x3fff, transactionId)],
    ['channel 0x5000', () => channelNumber.encode(0x5000, transactionId)],
    ['a lifetime of -1', () => lifetime.encode(-1, transactionId)],
    ['a lifetime of 2^32', () => lifetime.encode(2 ** 32, transactionId)],
    ['a lifetime of 1.5 s', () => lifetime.encode(1.5, transactionId)],
    ['a tie-breaker of 2^64', () => iceControlling.encode(2n ** 64n, transactionId)],
    ['protocol 256', () => requestedTransport.encode(256, transactionId)],
    ['a token of 4 bytes', () => reservationToken.encode(new Uint8Array(4), transactionId)],
    ['an ICMP type of 256', () => icmp.encode({ type: 256, code: 0, errorData: 0 }, transactionId)],
    ['port 65536', () => responsePort.encode(65536, transactionId)],
  ])('to encode: %s', (_, encode) => {
    expect(encode).toThrow(RangeError);
  });

  it('a channel number of RFC 5766 is read, so that a dump can show it', () => {
    expect(channelNumber.decode(Buffer.from('7ffe0000', 'hex'), transactionId)).toBe(0x7ffe);
  });
});
