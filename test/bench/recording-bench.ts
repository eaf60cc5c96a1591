import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileSource } from '../../src/evidence/byte-source.ts';
import { readCapture } from '../../src/evidence/pcap/capture.ts';
import { readServerLog } from '../../src/evidence/server-log.ts';
import { encodeChannelData } from '../../src/stun/channel-data.ts';
import { ipBytes, pcapOf } from '../support/capture-writer.ts';
import { median, type Bench, type BenchRow } from './row.ts';

const rounds = 5;

/** Lines a second of a log of coturn, against what it takes to read the file and to find its line ends. */
export const serverLogBench: Bench = async () => {
  const sessions = 20_000;
  const lines = Array.from({ length: sessions }, (_, id) => linesOf(id)).flat();
  return measured({
    what: `log of coturn, ${lines.length} lines`,
    bytes: Buffer.from(lines.join('\n')),
    count: lines.length,
    floor: { name: 'bare lines', run: bareLines },
    ours: async (path) => {
      const { sessions: facts } = await readServerLog(fileSource(path, 'x'), 'x', Date.now());
      if (facts.allocated !== sessions) throw new Error('the log was not read');
    },
    // 200,000 lines/s, where the bare loop does 2.3 millions.
    atLeast: 0.08,
  });
};

/** Packets a second of a capture of relayed and direct audio, against what it takes to read the file and to step over them. */
export const captureBench: Bench = async () => {
  const count = 200_000;
  return measured({
    what: `capture, ${count} packets`,
    bytes: pcapOf(
      Array.from({ length: count }, (_, n) => ({ at: 1_700_000_000 + n / 400, bytes: audioPacket(n) })),
    ),
    count,
    floor: { name: 'bare records', run: bareRecords },
    ours: async (path) => {
      const { packets } = await readCapture(fileSource(path, 'x'), 'x');
      if (packets.udp !== count) throw new Error('the capture was not read');
    },
    // 1,200,000 packets/s, where the bare loop, which little more than the disk cache limits, does 7.3 millions.
    atLeast: 0.15,
  });
};

export interface Measured {
  readonly what: string;
  readonly bytes: Buffer;
  readonly count: number;
  readonly floor: { readonly name: string; readonly run: (path: string) => Promise<void> };
  readonly ours: (path: string) => Promise<void>;
  readonly atLeast: number;
}

/** Measures one reader, in turns with its floor. */
export async function measured({ what, bytes, count, floor, ours, atLeast }: Measured): Promise<BenchRow> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  try {
    const path = join(directory, 'input');
    writeFileSync(path, bytes);
    const speeds: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
    // In turns, so that a busy machine slows both; the first of each warms up and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const [floorSpeed, ourSpeed] = [
        await speedOf(floor.run, path, count),
        await speedOf(ours, path, count),
      ];
      if (round === 0) continue;
      speeds.floor.push(floorSpeed);
      speeds.ours.push(ourSpeed);
    }
    return {
      what,
      ours: median(speeds.ours),
      unit: 'per s',
      against: { name: floor.name, figure: median(speeds.floor) },
      limit: { atLeast },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function speedOf(work: (path: string) => Promise<void>, path: string, count: number): Promise<number> {
  const start = performance.now();
  await work(path);
  return (count / (performance.now() - start)) * 1000;
}

async function bareLines(path: string): Promise<void> {
  let lines = 0;
  for await (const chunk of fileSource(path, 'x').chunks) {
    const text = chunk.toString('utf8');
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  }
  if (lines === 0) throw new Error('nothing was read');
}

async function bareRecords(path: string): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of fileSource(path, 'x').chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    let at = isFirst ? 24 : 0;
    isFirst = false;
    while (at + 16 <= bytes.length && at + 16 + bytes.readUInt32LE(at + 8) <= bytes.length)
      at += 16 + bytes.readUInt32LE(at + 8);
    rest = bytes.subarray(at);
  }
}

/** What coturn 4.6.1 writes of one session over UDP that was used. */
function linesOf(id: number): string[] {
  const session = `2026-11-21T12:50:15+0000: session ${String(id).padStart(18, '0')}:`;
  const names = `realm=<example.org>, username=<1795266352:user${id}>`;
  const named = `realm <example.org> user <1795266352:user${id}>`;
  return [
    `${session} realm <example.org> user <>: incoming packet message processed, error 401: Unauthorized`,
    `2026-11-21T12:50:15+0000: IPv4. Local relay addr: 203.0.113.10:52004`,
    `${session} new, ${names}, lifetime=600`,
    `${session} ${named}: incoming packet ALLOCATE processed, success`,
    `${session} peer 198.51.100.20 lifetime updated: 300`,
    `${session} ${named}: incoming packet CREATE_PERMISSION processed, success`,
    `${session} refreshed, ${names}, lifetime=0`,
    `${session} ${named}: incoming packet REFRESH processed, success`,
    `${session} usage: ${names}, rp=34, rb=4468, sp=4, sb=376`,
    `${session} peer usage: ${names}, rp=30, rb=3000, sp=30, sb=3000`,
    `${session} closed (2nd stage), user <1795266352:user${id}> realm <example.org> origin <>, local 203.0.113.10:3478, remote 192.0.2.7:51000, reason: allocation timeout`,
    `${session} delete: ${names}`,
  ];
}

/** Audio of eight flows, half of it in ChannelData. */
function audioPacket(n: number): Buffer {
  const flow = n % 8;
  const rtp = Buffer.alloc(172);
  rtp[0] = 0x80;
  rtp[1] = 111;
  rtp.writeUInt16BE((n >> 3) & 0xffff, 2);
  rtp.writeUInt32BE(((n >> 3) * 960) >>> 0, 4);
  rtp.writeUInt32BE(flow, 8);
  const payload = flow < 4 ? rtp : encodeChannelData(0x4000, rtp, { padded: false });
  const client = { address: '192.0.2.7', port: 51_000 + (flow >> 1) };
  const server = { address: '203.0.113.10', port: 3478 };
  return ipBytes({
    at: 0,
    from: flow % 2 === 0 ? client : server,
    to: flow % 2 === 0 ? server : client,
    payload,
  });
}
