import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readWitnessCapture } from '../../../src/evidence/pcap/witness.ts';
import type { WitnessCapture } from '../../../src/model/witness-facts.ts';
import { ipAround, ipBytes, pcapOf, udpBytes, type WrittenPacket } from '../../support/capture-writer.ts';

const client = { address: '198.51.100.20', port: 40_000 };
const host = { address: '203.0.113.10', port: 3478 };
const payload = Buffer.alloc(16, 7);

function packet(overrides: Partial<WrittenPacket> = {}): Buffer {
  return ipBytes({ at: 1, from: client, to: host, payload, ...overrides });
}

async function read(...packets: readonly Buffer[]): Promise<Omit<WitnessCapture, 'host'>> {
  const bytes = pcapOf(packets.map((each, index) => ({ at: 1 + index / 100, bytes: each })));
  return readWitnessCapture(streamSource(Readable.from([bytes]), 'a capture'), [client.address]);
}

it('counts what arrived and what was answered, of packets that are no STUN too', async () => {
  const { flows, packets, cutShort } = await read(
    packet(),
    packet(),
    packet({ from: host, to: client, ttl: 63 }),
    packet({ from: host, to: client, ttl: 1 }),
  );
  expect({ packets, cutShort }).toEqual({ packets: 4, cutShort: null });
  expect(flows).toEqual([
    {
      transport: 'udp',
      client,
      host,
      arrived: { packets: 2, bytes: 32 },
      answered: { packets: 2, bytes: 32 },
      answerTtl: 1,
      isRefused: false,
    },
  ]);
});

it('has the client as the client where the host sent first, and leaves out what is not of the client', async () => {
  const relay = { ...host, port: 49_160 };
  const { flows } = await read(
    packet({ from: relay, to: client }),
    packet({ from: { address: '192.0.2.1', port: 9 }, to: host }),
  );
  expect(flows).toMatchObject([
    { client, host: relay, arrived: { packets: 0 }, answered: { packets: 1 }, answerTtl: null },
  ]);
});

it('tells a connection that is refused from one that is not answered', async () => {
  const syn = { protocol: 'tcp', payload: Buffer.alloc(0), tcp: { flags: 2, sequence: 1 } } as const;
  const other = { ...client, port: 40_001 };
  const { flows } = await read(
    packet(syn),
    packet({ ...syn, from: host, to: client, tcp: { flags: 20, sequence: 0 } }),
    packet({ ...syn, from: other }),
  );
  expect(flows).toMatchObject([
    { transport: 'tcp', client, isRefused: true },
    { transport: 'tcp', client: other, arrived: { packets: 1 }, answered: { packets: 0 }, isRefused: false },
  ]);
});

it('takes an ICMP message of the host for a refusal', async () => {
  const sent: WrittenPacket = { at: 1, from: client, to: host, payload };
  const quoted = ipAround(client.address, host.address, 17, udpBytes(sent));
  const unreachable = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), quoted]);
  const { flows } = await read(packet(), ipAround(host.address, client.address, 1, unreachable));
  expect(flows).toMatchObject([{ client, isRefused: true, answered: { packets: 0 } }]);
});
