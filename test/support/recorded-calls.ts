import { fileURLToPath } from 'node:url';
import { fileSource } from '../../src/evidence/byte-source.ts';
import { readRecordings } from '../../src/evidence/recording.ts';
import type { CallRecording, ConnectionFacts, Series } from '../../src/model/call-recording.ts';
import type { CallQuestion } from '../../src/rules/analysis/calls.ts';

/** Everything of every connection. */
export const anyCall: CallQuestion = { expect: null, connection: null, sinceMs: null };

export function recordingPath(name: string): string {
  return fileURLToPath(new URL(`call-recordings/${name}`, import.meta.url));
}

/** A recording of a call in Chromium, as it was read. */
export async function recorded(name: string): Promise<CallRecording> {
  const [recording] = await readRecordings(
    fileSource(recordingPath(name), name),
    name,
    Date.UTC(2026, 10, 21),
  );
  if (recording?.kind !== 'calls') throw new Error(`${name} is no recording of calls`);
  return recording.facts;
}

const beginMs = Date.UTC(2026, 10, 21, 12);

/** A series with a value each second; `values` is how many there are, or what they are. */
export function everySecond(count: number, value: (second: number) => number): Series {
  const seconds = Array.from({ length: count }, (_, index) => index);
  return { atMs: seconds.map((second) => beginMs + second * 1000), values: seconds.map(value) };
}

/** A connection of which nothing is known but that it began, and what `known` says. */
export function connection(known: Partial<ConnectionFacts> = {}): ConnectionFacts {
  return {
    id: 'pc',
    url: 'https://app.rtc-ops.test/',
    history: 'whole',
    hasAllCandidates: true,
    firstAtMs: beginMs,
    lastAtMs: beginMs + 30_000,
    closedAtMs: null,
    configuration: null,
    states: [],
    descriptions: [],
    failures: [],
    transceivers: [],
    candidates: [],
    candidateErrors: [],
    pairs: [],
    transports: [],
    streams: [],
    sources: [],
    playout: null,
    dataChannels: [],
    ...known,
  };
}

/** A recording with these connections in it. */
export function recordingOf(
  connections: readonly ConnectionFacts[],
  others: Partial<CallRecording> = {},
): CallRecording {
  return {
    source: {
      file: 'dump',
      kind: 'webrtc-internals',
      writer: 'Chromium 156',
      engine: 'chromium',
      bytes: 1,
      savedAtMs: null,
      missing: [],
      isDamaged: false,
    },
    connections,
    mediaRequests: [],
    ...others,
  };
}

/** A healthy call, as the dump of its offering side. */
export async function healthyCall(): Promise<ConnectionFacts> {
  const { connections } = await recorded('healthy-relay.internals.gz');
  const [first] = connections;
  if (first === undefined) throw new Error('the recording is empty');
  return first;
}
