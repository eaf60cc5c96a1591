import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { readInternals } from '../../src/evidence/browser/internals.ts';
import { fileSource } from '../../src/evidence/byte-source.ts';
import { recordingPath } from '../support/recorded-calls.ts';
import { peakRecorder } from './probe-bench.ts';
import { measured } from './recording-bench.ts';
import type { Bench } from './row.ts';
import { runBench } from './start-up-bench.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

const connections = 10;
const recordedPoints = 250;
/** Chrome keeps so many points of each figure: 17 minutes. */
const points = 1000;

/** Megabytes a second of a dump of chrome://webrtc-internals, against `JSON.parse` of all of it. */
export const dumpBench: Bench = async () => {
  const bytes = longDump(connections, points);
  const megabytes = bytes.length / 1e6;
  return measured({
    what: `dump, MB of ${megabytes.toFixed(0)}`,
    bytes,
    count: megabytes,
    floor: {
      name: 'JSON.parse',
      run: async (path) => {
        if (JSON.parse(readFileSync(path, 'utf8')) === null) throw new Error('nothing was read');
      },
    },
    ours: async (path) => {
      const { connections: facts } = await readInternals(fileSource(path, 'x').chunks);
      if (facts.length !== connections) throw new Error('the dump was not read');
    },
    // 40 MB/s, where JSON.parse does 140; it takes ten times the memory.
    atLeast: 0.28,
  });
};

/** `rtc-ops analyze` of a dump of 1 MB, from the start of the process to its end: half a second, of which Node takes 45 ms. */
export const analyzeBench: Bench = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  try {
    const file = join(directory, 'dump');
    const bytes = longDump(1, recordedPoints);
    writeFileSync(file, bytes);
    return runBench(`analyze, dump of ${(bytes.length / 1e6).toFixed(1)} MB`, ['analyze', file], 10);
  } finally {
    rmSync(directory, { recursive: true });
  }
};

/** Peak memory of `rtc-ops analyze` of a dump of 200 MB, which is what a page of many calls leaves after a day. */
export const analyzeMemoryBench: Bench = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  try {
    const [file, peakFile] = [join(directory, 'dump'), join(directory, 'peak')];
    const bytes = longDump(53, points);
    writeFileSync(file, bytes);
    const args = ['--import', peakRecorder(directory, peakFile), commandLine, 'analyze', file];
    const { stdout, stderr } = await execa(process.execPath, args, { reject: false });
    if (!stdout.includes('53 with audio')) throw new Error(`the dump was not judged: ${stdout}${stderr}`);
    return {
      what: `analyze, dump of ${(bytes.length / 1e6).toFixed(0)} MB, memory`,
      ours: Number(readFileSync(peakFile, 'utf8')) / 1024,
      unit: 'MB',
      against: null,
      limit: { atMost: 300 },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
};

interface Dump {
  readonly PeerConnections: Record<string, { readonly stats: Record<string, { values: unknown[] }> }>;
}

/** A recorded dump as it would be after a long call, with its connection many times. */
function longDump(count: number, length: number): Buffer {
  const dump = JSON.parse(
    gunzipSync(readFileSync(recordingPath('healthy-relay.internals.gz'))).toString(),
  ) as Dump;
  const [call] = Object.values(dump.PeerConnections);
  for (const series of Object.values(call?.stats ?? {})) {
    const { values } = series;
    series.values = Array.from({ length }, (_, index) => values[index % values.length]);
  }
  const PeerConnections = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`1-${index}`, call]),
  );
  return Buffer.from(JSON.stringify({ ...dump, PeerConnections }, null, 1));
}
