import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readCapture } from '../../../src/evidence/pcap/capture.ts';
import type { CaptureFacts } from '../../../src/model/capture-facts.ts';
import { encodeMessage, method } from '../../../src/stun/message.ts';
import {
  ipAround,
  ipBytes,
  pcapOf,
  pcapngOf,
  udpBytes,
  type Framed,
  type WrittenPacket,
} from '../../support/capture-writer.ts';

const a = { address: '192.0.2.7', port: 51000 };
const b = { address: '203.0.113.10', port: 3478 };
const a6 = { address: '2001:db8::7', port: 51000 };
const b6 = { address: '2001:db8::10', port: 3478 };
const start = 1_795_266_352;
const transactionId = Buffer.from('abcdefghijkl');
const request = encodeMessage({ class: 'request', method: method.binding, transactionId });
const answer = encodeMessage({ class: 'success', method: method.binding, transactionId });

async function read(bytes: Buffer, size = 100_000): Promise<CaptureFacts> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return readCapture(streamSource(Readable.from(chunks), 'x.pcap'), 'x.pcap');
}

const pair = (from = a, to = b): WrittenPacket[] => [
  { at: start, from, to, payload: request },
  { at: start + 0.025, from: to, to: from, payload: answer },
];

const framed = (packets: readonly WrittenPacket[], head: Buffer = Buffer.alloc(0)): Framed[] =>
  packets.map((packet) => ({ at: packet.at, bytes: Buffer.concat([head, ipBytes(packet)]) }));

function expectPair(facts: CaptureFacts, from = a, to = b): void {
  expect(facts).toMatchObject({ flowCount: 1, cutShort: null, packets: { total: 2, udp: 2, malformed: 0 } });
  const [flow] = facts.flows;
  expect(flow).toMatchObject({
    transport: 'udp',
    a: from,
    b: to,
    sent: { packets: 1, bytes: 20 },
    received: { packets: 1, bytes: 20 },
  });
  expect(flow?.bindingFromA).toMatchObject({ requests: 1, succeeded: 1, unanswered: 0 });
  expect(flow?.bindingFromA.rttMs).toBeCloseTo(25, 0);
  expect(facts.firstAtMs).toBeCloseTo(start * 1000, 0);
}

describe('a capture', () => {
  it.each<[string, Buffer]>([
    ['pcap', pcapOf(framed(pair()))],
    ['pcap of the other byte order', pcapOf(framed(pair()), { isLittle: false })],
    ['pcap with nanoseconds', pcapOf(framed(pair()), { isNano: true })],
    ['pcapng', pcapngOf(framed(pair()))],
    [
      'two sections of pcapng',
      Buffer.concat([pcapngOf(framed(pair().slice(0, 1))), pcapngOf(framed(pair().slice(1)))]),
    ],
    ['pcap, gzipped', gzipSync(pcapOf(framed(pair())))],
  ])('as %s is read, in chunks of any size', async (_form, bytes) => {
    for (const size of [1, 7, 100_000]) expectPair(await read(bytes, size));
  });

  it.each<[string, number, Buffer]>([
    ['Ethernet', 1, Buffer.from('0000000000000000000000000800', 'hex')],
    [
      'Ethernet with two VLAN tags',
      1,
      Buffer.from('00000000000000000000000088a8000181000002 0800'.replace(' ', ''), 'hex'),
    ],
    ['Linux cooked', 113, Buffer.from('00000001000600000000000000000800', 'hex')],
    ['Linux cooked v2', 276, Buffer.from('0800000000000001000100060000000000000000', 'hex')],
    ['loopback of BSD', 0, Buffer.from('02000000', 'hex')],
    ['loopback of OpenBSD', 108, Buffer.from('00000002', 'hex')],
    ['raw IP', 101, Buffer.alloc(0)],
  ])('of %s', async (_link, linkType, head) => {
    expectPair(await read(pcapOf(framed(pair(), head), { linkType })));
  });

  it('of IPv6, with extension headers', async () => {
    expectPair(await read(pcapOf(framed(pair(a6, b6)))), a6, b6);
    const options = Buffer.from([17, 0, 1, 4, 0, 0, 0, 0]);
    const packets = pair(a6, b6).map((packet) => ({
      at: packet.at,
      bytes: ipAround(packet.from.address, packet.to.address, 60, Buffer.concat([options, udpBytes(packet)])),
    }));
    expectPair(await read(pcapOf(packets)), a6, b6);
  });

  it('of an unknown link type says so', async () => {
    const facts = await read(pcapOf(framed(pair()), { linkType: 147 }));
    expect(facts).toMatchObject({ unknownLinkTypes: [147], flows: [], packets: { total: 2, other: 2 } });
  });

  it('tells packets that the machine dropped', async () => {
    expect((await read(pcapngOf(framed(pair()), { dropped: 7 }))).packets.dropped).toBe(7);
  });
});

describe('fragments', () => {
  const payload = Buffer.concat([request, Buffer.alloc(1600)]);
  const [whole] = pair().map((packet) => udpBytes({ ...packet, payload }));
  const bytes = whole ?? Buffer.alloc(0);
  const pieces = (cuts: readonly [number, number, boolean][]): Framed[] =>
    cuts.map(([from, to, more]) => ({
      at: start,
      bytes: ipAround(a.address, b.address, 17, bytes.subarray(from, to), {
        fragment: (more ? 0x2000 : 0) | (from / 8),
      }),
    }));

  it.each<[string, [number, number, boolean][]]>([
    [
      'in order',
      [
        [0, 800, true],
        [800, 1628, false],
      ],
    ],
    [
      'in reverse',
      [
        [800, 1628, false],
        [0, 800, true],
      ],
    ],
    [
      'one of them twice',
      [
        [0, 800, true],
        [0, 800, true],
        [800, 1628, false],
      ],
    ],
  ])('make a packet: %s', async (_order, cuts) => {
    const facts = await read(pcapOf(pieces(cuts)));
    expect(facts.packets).toMatchObject({ udp: 1, incomplete: 0, fragments: cuts.length - 1 });
    expect(facts.packets.total).toBe(cuts.length);
  });

  it.each<[string, [number, number, boolean][]]>([
    [
      'with a hole',
      [
        [0, 800, true],
        [1000, 1628, false],
      ],
    ],
    [
      'that overlap',
      [
        [0, 800, true],
        [400, 1228, true],
        [1228, 1628, false],
      ],
    ],
    [
      'that overlap and leave a hole',
      [
        [0, 800, true],
        [600, 1000, true],
        [1200, 1628, false],
      ],
    ],
  ])('make none %s', async (_fault, cuts) => {
    expect((await read(pcapOf(pieces(cuts)))).packets).toMatchObject({ udp: 0, incomplete: 1 });
  });
});

describe('a damaged capture', () => {
  it('that ends within a packet is read up to there', async () => {
    const bytes = pcapOf(framed([...pair(), ...pair()]));
    const facts = await read(bytes.subarray(0, bytes.length - 3));
    expect(facts).toMatchObject({ packets: { total: 3 }, cutShort: 'it ends within a packet' });
  });

  it.each<[string, Buffer]>([
    ['pcap', Buffer.concat([pcapOf(framed(pair())), Buffer.alloc(64, 0xff)])],
    ['pcapng', Buffer.concat([pcapngOf(framed(pair())), Buffer.alloc(64, 0xff)])],
  ])('with an impossible length is read up to there: %s', async (_form, bytes) => {
    const facts = await read(bytes);
    expect(facts.packets.total).toBe(2);
    expect(facts.cutShort).toMatch(/impossible length/);
  });

  it('with packets that are cut tells what their headers tell', async () => {
    const packets = framed(pair()).map(({ at, bytes }, index) => {
      const payload = index === 0 ? bytes : bytes.subarray(0, 48);
      return { at, bytes: payload, originalLength: bytes.length + 40 };
    });
    const facts = await read(pcapOf(packets));
    expect(facts.packets.cut).toBe(2);
    expect(facts.flows[0]?.bindingFromA).toMatchObject({ requests: 1, succeeded: 1 });
  });

  it.each([0, 1, 19, 23, 27, 30])('with packets of %d bytes breaks nothing', async (length) => {
    for (const linkType of [0, 1, 101, 108, 113, 276]) {
      for (const first of [0x45, 0x4f, 0x60, 0x00]) {
        const bytes = Buffer.alloc(length, 0x11);
        if (length > 0) bytes[0] = first;
        const facts = await read(pcapOf([{ at: start, bytes }], { linkType }));
        expect(facts.packets.total).toBe(1);
      }
    }
  });

  it('of random bytes breaks nothing', async () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) >> 8;
    const packets = Array.from({ length: 3000 }, () => {
      const bytes = Buffer.from(Array.from({ length: random() % 120 }, () => random() & 255));
      if (bytes.length > 28) {
        bytes[0] = random() & 1 ? 0x45 : 0x60;
        bytes[9] = [1, 6, 17, 58][random() & 3] ?? 17;
        bytes[6] = random() & 1 ? 17 : 44;
        bytes[28] = random() & 255;
      }
      return { at: start, bytes };
    });
    expect((await read(pcapOf(packets))).packets.total).toBe(3000);
    const file = pcapngOf(packets.slice(0, 50));
    for (let n = 0; n < 200; n++) {
      const broken = Buffer.from(file);
      for (let m = 0; m < 5; m++) broken[12 + (random() % (broken.length - 12))] = random() & 255;
      await read(broken);
    }
  });

  it('is no capture where its first bytes are others', async () => {
    await expect(read(Buffer.alloc(100, 1))).rejects.toThrow('no capture');
  });
});

describe('memory', () => {
  it('is bounded by flows', async () => {
    const packets = Array.from({ length: 21_000 }, (_, n) => ({
      at: start + n / 1000,
      from: { address: `10.0.${n >> 8}.${n & 255}`, port: 1000 },
      to: b,
      payload: request,
    }));
    const facts = await read(pcapOf(framed(packets)), 1_000_000);
    expect(facts.flowCount).toBe(21_000);
    expect(facts.flows).toHaveLength(200);
    expect(facts.flowsLeftOut).toBe(20_800);
  });
});
