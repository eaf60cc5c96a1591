import { readEvent, readSystemEvent } from '../coturn/log/event.ts';
import { FrameReader } from '../coturn/log/frame.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Recording, RecordingKind } from '../model/recording-report.ts';
import { callRecordingKind, readCallRecording } from './browser/call-recording.ts';
import type { ByteSource } from './byte-source.ts';
import { captureFormat } from './pcap/capture-file.ts';
import { readCapture } from './pcap/capture.ts';
import { readServerLog } from './server-log.ts';

const headBytes = 64 * 1024;
const mostLines = 400;

/**
 * Reads a recording of calls, a log of coturn or a capture of packets, by what is in it. `file` is how the facts and messages name it; `nowMs`
 * completes dates without a year.
 * @throws RtcOpsError `configuration` when it is neither, and what `source` throws
 */
export async function readRecording(source: ByteSource, file: string, nowMs: number): Promise<Recording> {
  const { head, whole } = await withHead(source);
  const kind = recordingKind(head, nowMs);
  switch (kind) {
    case 'server-log':
      return { kind, facts: await readServerLog(whole, file, nowMs) };
    case 'capture':
      return { kind, facts: await readCapture(whole, file) };
    case 'calls': {
      const callKind = callRecordingKind(head);
      if (callKind !== null) return { kind, facts: await readCallRecording(callKind, whole, file) };
      throw new RtcOpsError('bug', `${file} is of no kind`);
    }
    case null:
      throw new RtcOpsError('configuration', notReadable(head, file), {
        hint: 'It reads dumps of browsers (webrtc-internals, rtcstats, about:webrtc, getStats), SDP, candidates, logs of coturn and captures (pcap, pcapng), gzipped too.',
      });
    default:
      return kind satisfies never;
  }
}

function notReadable(head: Buffer, file: string): string {
  return head.length === 0 ? `${file} is empty` : `${file} is nothing that rtc-ops analyze can read`;
}

/** What a file is, by its first bytes; null for what is not known here. */
export function recordingKind(head: Buffer, nowMs: number): RecordingKind | null {
  if (captureFormat(head) !== null) return 'capture';
  if (isServerLog(head, nowMs)) return 'server-log';
  return callRecordingKind(head) === null ? null : 'calls';
}

/** One line that only coturn writes, or that a system log says of it, is enough. */
function isServerLog(head: Buffer, nowMs: number): boolean {
  const frames = new FrameReader(nowMs);
  const lines = head.toString('utf8').split(/\r?\n/, mostLines);
  return lines.some((line) => {
    const frame = frames.read(line.slice(0, 4096));
    if (frame === null) return readEvent(line.slice(0, 4096))?.kind === 'version';
    if (frame.program !== null && /turnserver|coturn/.test(frame.program)) return true;
    return (frame.program === null ? readEvent(frame.message) : readSystemEvent(frame.message)) !== null;
  });
}

/** The first bytes of a source, and the source with them. */
async function withHead(source: ByteSource): Promise<{ readonly head: Buffer; readonly whole: ByteSource }> {
  const iterator = source.chunks[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  let isDone = false;
  while (length < headBytes && !isDone) {
    const next = await iterator.next();
    if (next.done === true) isDone = true;
    else {
      first.push(next.value);
      length += next.value.length;
    }
  }
  const chunks = async function* chunks(): AsyncGenerator<Buffer> {
    yield* first;
    if (!isDone)
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
  };
  return { head: Buffer.concat(first), whole: { chunks: chunks(), cutShort: () => source.cutShort() } };
}
