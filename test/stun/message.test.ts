import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeChannelData } from '../../src/stun/channel-data.ts';
import { put, putRaw, read } from '../../src/stun/attribute.ts';
import { username } from '../../src/stun/authentication-attributes.ts';
import { software } from '../../src/stun/message-attributes.ts';
import {
  decodeMessage,
  encodeMessage,
  looksLikeStun,
  method,
  newTransactionId,
  type MessageClass,
} from '../../src/stun/message.ts';
import { data, lifetime } from '../../src/stun/relay-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';
import { request } from './rfc-vectors.ts';

const header = '2112a442000102030405060708090a0b';

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('message type', () => {
  // Written out from RFC 8489 §5, figure 3, and the types that RFC 5766 implementations use.
  it.each<[string, MessageClass, number]>([
    ['0001', 'request', method.binding],
    ['0011', 'indication', method.binding],
    ['0101', 'success', method.binding],
    ['0111', 'error', method.binding],
    ['0003', 'request', method.allocate],
    ['0113', 'error', method.allocate],
    ['0104', 'success', method.refresh],
    ['0016', 'indication', method.send],
    ['0017', 'indication', method.data],
    ['0108', 'success', method.createPermission],
    ['0009', 'request', method.channelBind],
    ['000a', 'request', method.connect],
    ['010b', 'success', method.connectionBind],
    ['001c', 'indication', method.connectionAttempt],
    ['3eef', 'request', 0xfff],
    ['3fff', 'error', 0xfff],
    ['0200', 'request', 0x080],
    ['0020', 'request', 0x010],
  ])('%s is %s of method %i', (type, messageClass, messageMethod) => {
    expect(decodeMessage(bytes(`${type} 0000 ${header}`))).toMatchObject({
      class: messageClass,
      method: messageMethod,
    });
    const encoded = encodeMessage({ class: messageClass, method: messageMethod });
    expect(Buffer.from(encoded.subarray(0, 2)).toString('hex')).toBe(type);
  });

  it('refuses a method of more than 12 bits', () => {
    expect(() => encodeMessage({ class: 'request', method: 0x1000 })).toThrow(RangeError);
    expect(() => encodeMessage({ class: 'request', method: -1 })).toThrow(RangeError);
    expect(() => encodeMessage({ class: 'request', method: 1.5 })).toThrow(RangeError);
  });
});

describe('decodeMessage', () => {
  it('keeps unknown and repeated attributes, without their padding', () => {
    const message = decodeMessage(
      bytes(`0101 0014 ${header} ffee 0003 010203ff 7ffe 0000 ffee 0001 04aabbcc`),
    );
    expect(message.attributes.map(({ type, value, offset }) => [type, [...value], offset])).toEqual([
      [0xffee, [1, 2, 3], 20],
      [0x7ffe, [], 28],
      [0xffee, [4], 32],
    ]);
    expect([...message.transactionId]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('keeps the bytes as they came, by reference', () => {
    const received = Uint8Array.from(request.bytes);
    const message = decodeMessage(received);
    expect(message.bytes).toBe(received);
    expect(message.attributes.every(({ value }) => value.buffer === received.buffer)).toBe(true);
  });

  it('reads a message that is a part of a larger buffer', () => {
    const larger = new Uint8Array(request.bytes.length + 20).fill(0xff);
    larger.set(request.bytes, 7);
    const message = decodeMessage(larger.subarray(7, 7 + request.bytes.length));
    expect(read(message, software)).toBe('STUN test client');
    expect(read(message, username)).toBe(request.username);
  });

  it.each([
    ['nothing', '', 'too-short', 0],
    ['one byte', '00', 'too-short', 1],
    ['a header without its last byte', `0001 0000 ${header.slice(0, -2)}`, 'too-short', 19],
    ['HTTP', '485454502f312e31203430302042616420526571', 'not-stun', 0],
    ['RTP', '80 00 0001', 'not-stun', 0],
    ['ChannelData', '4000 0004 01020304', 'not-stun', 0],
    ['RFC 3489', '0001 0000 2112a443 000102030405060708090a0b', 'magic-cookie', 4],
    ['a length of 3', `0001 0003 ${header} 000000`, 'length', 2],
    ['a length beyond the end', `0001 0008 ${header} 00000000`, 'truncated', 24],
    ['a byte too many', `0001 0000 ${header} 00`, 'trailing-bytes', 20],
    ['two messages in one', `0001 0000 ${header} 0001 0000 ${header}`, 'trailing-bytes', 20],
    ['an attribute beyond the end', `0001 0008 ${header} 8022 0005 41424344`, 'attribute-overrun', 20],
    ['an attribute of 65535 bytes', `0001 0004 ${header} 8022 ffff`, 'attribute-overrun', 20],
    [
      'a second attribute beyond the end',
      `0001 000c ${header} 8022 0000 8022 0008 41424344`,
      'attribute-overrun',
      24,
    ],
  ])('refuses %s', (_, hex, reason, offset) => {
    expect(decodeErrorOf(() => decodeMessage(bytes(hex)))).toMatchObject({ reason, offset });
  });

  it('refuses every truncation of a good message', () => {
    for (let length = 0; length < request.bytes.length; length++) {
      const reason = decodeErrorOf(() => decodeMessage(request.bytes.subarray(0, length)))?.reason;
      expect(reason, `${length} bytes`).toBe(length < 20 ? 'too-short' : 'truncated');
    }
  });

  it('says what is wrong in words', () => {
    expect(() => decodeMessage(bytes(`0001 0008 ${header} 8022 0005 41424344`))).toThrow(
      'attribute 0x8022 has length 5, but 4 bytes are left',
    );
  });
});

describe('encodeMessage', () => {
  it('lays out header, attributes and zero padding', () => {
    const encoded = encodeMessage({
      class: 'request',
      method: method.refresh,
      transactionId: bytes('000102030405060708090a0b'),
      attributes: [put(software, 'abcde'), put(lifetime, 600), putRaw(0x7ffe, Uint8Array.of(1))],
    });
    expect(Buffer.from(encoded).toString('hex')).toBe(
      `0004001c${header}` + '802200056162636465000000' + '000d000400000258' + '7ffe000101000000',
    );
  });

  it('makes a new transaction id each time', () => {
    const ids = Array.from({ length: 100 }, () =>
      Buffer.from(encodeMessage({ class: 'request', method: method.binding }).subarray(8, 20)).toString(
        'hex',
      ),
    );
    expect(new Set(ids).size).toBe(100);
    expect(newTransactionId()).toHaveLength(12);
  });

  it('refuses a transaction id of another length', () => {
    const transactionId = new Uint8Array(16);
    expect(() => encodeMessage({ class: 'request', method: method.binding, transactionId })).toThrow(
      RangeError,
    );
  });

  it('takes the largest message that the length field can carry, and refuses the next', () => {
    const message = (size: number) =>
      ({ class: 'indication', method: method.send, attributes: [put(data, new Uint8Array(size))] }) as const;
    const largest = encodeMessage(message(65_528));
    expect(decodeMessage(largest).attributes[0]?.value).toHaveLength(65_528);
    expect(() => encodeMessage(message(65_529))).toThrow(RangeError);
    expect(() => encodeMessage({ ...message(65_528), fingerprint: true })).toThrow(RangeError);
  });

  it('comes back from decodeMessage, whatever the attributes', () => {
    const attribute = fc.record({
      type: fc.integer({ min: 0, max: 0xffff }),
      value: fc.uint8Array({ maxLength: 70 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom<MessageClass>('request', 'indication', 'success', 'error'),
        fc.integer({ min: 0, max: 0xfff }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.array(attribute, { maxLength: 12 }),
        (messageClass, messageMethod, transactionId, attributes) => {
          const encoded = encodeMessage({
            class: messageClass,
            method: messageMethod,
            transactionId,
            attributes: attributes.map(({ type, value }) => putRaw(type, value)),
          });
          const message = decodeMessage(encoded);
          expect(looksLikeStun(encoded)).toBe(true);
          expect(message.class).toBe(messageClass);
          expect(message.method).toBe(messageMethod);
          expect([...message.transactionId]).toEqual([...transactionId]);
          expect(message.attributes.map(({ type, value }) => [type, ...value])).toEqual(
            attributes.map(({ type, value }) => [type, ...value]),
          );
        },
      ),
    );
  });
});

describe('memory that Node gives out as it is', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('does not get onto the wire, not even as padding', () => {
    const attributes = [1, 2, 3, 4, 5].map((size) => put(software, 'x'.repeat(size)));
    const message = {
      class: 'request',
      method: method.refresh,
      transactionId: newTransactionId(),
      attributes: [...attributes, put(lifetime, 600)],
      integrity: { key: new Uint8Array(16), algorithm: 'both' },
      fingerprint: true,
    } as const;
    const encode = () => [
      Buffer.from(encodeMessage(message)),
      ...[1, 2, 3, 4].map((size) => encodeChannelData(0x4000, new Uint8Array(size), { padded: true })),
    ];
    const [zeros, ones] = [0x00, 0xff].map((fill) => {
      vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, fill));
      return encode();
    });
    expect(ones).toEqual(zeros);
    expect(decodeMessage(zeros?.[0] ?? Buffer.of()).attributes).toHaveLength(9);
  });
});

describe('looksLikeStun', () => {
  it.each([
    [`0001 0000 ${header}`, true],
    [`3fff 0000 ${header}`, true],
    [`0001 0000 ${header.slice(0, -2)}`, false],
    [`4001 0000 ${header}`, false],
    [`0001 0000 2112a443 000102030405060708090a0b`, false],
    ['', false],
  ])('%s: %s', (hex, expected) => {
    expect(looksLikeStun(bytes(hex))).toBe(expected);
  });
});
