import type { IsWanted } from '../coturn/log/assembly.ts';
import { RtcOpsError } from '../model/error.ts';
import type { SourceKind } from '../model/call-recording.ts';
import type { ServerLogFacts } from '../model/server-log-facts.ts';
import type { Recording } from '../model/recording-report.ts';
import { readCallRecording } from './browser/call-recording.ts';
import { beginsDocument, callRecordingKind } from './browser/source-kind.ts';
import type { ByteSource } from './byte-source.ts';
import { foreignFormat } from './foreign-format.ts';
import { PartSource } from './part-source.ts';
import { captureFormat } from './pcap/capture-file.ts';
import { readCapture } from './pcap/capture.ts';
import { readServerLog } from './server-log.ts';
import { isServerLogLine, timelessFrames } from './server-log-line.ts';

const headBytes = 64 * 1024;
const mostLines = 400;
const mostParts = 100;
// A signature, the end of a fence: shorter than any recording that tells something.
const mostIgnoredBytes = 2048;

/**
 * Reads a recording of calls, a log of coturn or a capture of packets, by what is in it; several, where someone put them
 * behind one another. `file` is how the facts and messages name it; `nowMs` completes dates without a year, `isWanted` says which
 * sessions of a log are kept however long ago they ended.
 * @throws RtcOpsError `configuration` when it is none of them, and what `source` throws
 */
export async function readRecordings(
  source: ByteSource,
  file: string,
  nowMs: number,
  isWanted?: IsWanted,
): Promise<Recording[]> {
  const parts = new PartSource(source);
  const found: Recording[] = [];
  try {
    for (;;) {
      const head = await parts.head(headBytes);
      const begin = found.length < mostParts ? recordingBegin(head) : null;
      if (begin === null) {
        if (found.length === 0) throw notReadable(head, file, source.cutShort());
        return head.length > mostIgnoredBytes ? found.map(lastUnread(found.length)) : found;
      }
      parts.skip(begin.at);
      const name = found.length === 0 ? file : `${file}, part ${found.length + 1}`;
      found.push(
        await readPart(begin.kind, parts, (part) => readServerLog(part, name, nowMs, isWanted), name),
      );
    }
  } finally {
    await parts.close();
  }
}

async function readPart(
  kind: Kind,
  parts: PartSource,
  readLog: (part: ReturnType<PartSource['part']>) => Promise<ServerLogFacts>,
  file: string,
): Promise<Recording> {
  const part = parts.part();
  if (kind === 'server-log') return { kind, facts: await readLog(part) };
  if (kind === 'capture') return { kind, facts: await readCapture(part, file) };
  return { kind: 'calls', facts: await readCallRecording(kind, part, file) };
}

/** Marks the last of them: behind it stands what cannot be read. */
function lastUnread(count: number): (recording: Recording, index: number) => Recording {
  const text =
    count < mostParts
      ? 'what stands behind it is nothing that can be read'
      : `only the first ${mostParts} recordings in it are read`;
  return (recording, index) => {
    if (index !== count - 1) return recording;
    if (recording.kind === 'server-log')
      return { kind: recording.kind, facts: { ...recording.facts, cutShort: text } };
    if (recording.kind === 'capture')
      return { kind: recording.kind, facts: { ...recording.facts, cutShort: text } };
    const { source } = recording.facts;
    const missing = [...source.missing, text];
    return {
      kind: recording.kind,
      facts: { ...recording.facts, source: { ...source, missing, isDamaged: true } },
    };
  };
}

function notReadable(head: Buffer, file: string, cutShort: string | null): RtcOpsError {
  const hint =
    'It reads dumps of browsers (webrtc-internals, rtcstats, about:webrtc, getStats), SDP, candidates, logs of coturn and captures (pcap, pcapng), gzipped too.';
  if (head.length === 0) {
    const message = cutShort === null ? `${file} is empty` : `${file} cannot be read: ${cutShort}`;
    return new RtcOpsError('configuration', message, cutShort === null ? {} : { hint });
  }
  const foreign = foreignFormat(head);
  return foreign === null
    ? new RtcOpsError('configuration', `${file} is nothing that rtc-ops analyze can read`, { hint })
    : new RtcOpsError('configuration', `${file} is ${foreign.name}`, { hint: foreign.remedy });
}

type Kind = 'capture' | 'server-log' | SourceKind;

interface Begin {
  readonly kind: Kind;
  /** Bytes before it that are none of it. */
  readonly at: number;
}

/** What begins first in these bytes: at once, or behind what a person wrote above it; null for nothing that is known here. */
export function recordingBegin(head: Buffer): Begin | null {
  if (captureFormat(head) !== null) return { kind: 'capture', at: 0 };
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  const [firstLine = ''] = text.split('\n', 1);
  const frames = timelessFrames();
  const isText = !/^[{[<]|^RTCStatsDump|^v=0\s/.test(text) || isServerLogLine(firstLine, frames);
  const known = isText ? null : callRecordingKind(head);
  return known === null ? beginInText(head) : { kind: known, at: 0 };
}

function beginInText(head: Buffer): Begin | null {
  const document = documentIn(head);
  const before = document === null ? head : head.subarray(0, document.at);
  const frames = timelessFrames();
  const lines = before.toString('utf8').split(/\r?\n/, mostLines);
  if (lines.some((line) => isServerLogLine(line, frames))) return { kind: 'server-log', at: 0 };
  const kind = callRecordingKind(before);
  return kind === null ? document : { kind, at: 0 };
}

/** The first line at which a dump begins. */
function documentIn(head: Buffer): Begin | null {
  for (let at = 0; at < head.length; at = head.indexOf('\n', at) + 1) {
    const line = head.toString('latin1', at, Math.min(at + 300, endOfLine(head, at)));
    if (beginsDocument(line.trimEnd())) {
      const kind = callRecordingKind(head.subarray(at));
      if (kind !== null) return { kind, at };
    }
    if (!head.includes('\n', at)) return null;
  }
  return null;
}

function endOfLine(head: Buffer, at: number): number {
  const end = head.indexOf('\n', at);
  return end === -1 ? head.length : end;
}
