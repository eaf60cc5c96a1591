import type { CallRecording, SourceKind } from '../../model/call-recording.ts';
import { readAboutWebrtc } from './about-webrtc.ts';
import { readGetStats } from './getstats.ts';
import { readInternals } from './internals.ts';
import type { Reading } from './reading.ts';
import { readRtcStats } from './rtcstats.ts';
import { readSignalingText } from './signaling-text.ts';

const readers: Readonly<Record<SourceKind, (chunks: AsyncIterable<Buffer>) => Promise<Reading>>> = {
  'webrtc-internals': readInternals,
  rtcstats: readRtcStats,
  'about-webrtc': readAboutWebrtc,
  getstats: readGetStats,
  signaling: readSignalingText,
};

/** What kind of recording of a call a file is, by its first bytes; null for none of them. */
export function callRecordingKind(head: Buffer): SourceKind | null {
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^RTCStatsDump\r?\n/.test(text)) return 'rtcstats';
  if (/^v=0\s/.test(text)) return 'signaling';
  if (isAboutWebrtc(text)) return 'about-webrtc';
  if (/^[{[]/.test(text)) return jsonKind(text);
  return /(?:^|[\s"'])(?:a=)?candidate:\S+ \d+ (?:udp|tcp|ssltcp) \d+ /im.test(text) || /^v=0\s*$/m.test(text)
    ? 'signaling'
    : null;
}

/** The id that Firefox gives a connection, or the name of a text that only its page has. */
function isAboutWebrtc(text: string): boolean {
  if (/^[{[]/.test(text))
    return /"(?:pcid|rawLocalCandidates|iceCandidatePairStats|bandwidthEstimations|inboundR[tT][pP]StreamStats)"\s*:/.test(
      text,
    );
  return /\bdata-l10n-id="about-webrtc-|\b\d{13,17} \(id=\d+ url=[^)]*\)/.test(text);
}

function jsonKind(text: string): SourceKind | null {
  if (/"(?:PeerConnections|getUserMedia|UserAgentData)"\s*:/.test(text)) return 'webrtc-internals';
  if (
    /"fileFormat"\s*:|^\[\s*(?:"[\w.]+"|\d+)\s*,\s*(?:"[^"]*"|null)\s*,/.test(text) &&
    !/^\[\s*"[^"]*"\s*,\s*\{/.test(text)
  )
    return 'rtcstats';
  if (/"sdp"\s*:|"candidate"\s*:\s*"(?:a=)?candidate:/.test(text)) return 'signaling';
  return /"(?:type|timestamp)"\s*:/.test(text) ? 'getstats' : null;
}

/** Reads a recording of calls of a kind that is known; of a damaged one, what can be read. */
export async function readCallRecording(
  kind: SourceKind,
  source: { readonly chunks: AsyncIterable<Buffer>; readonly cutShort: () => string | null },
  file: string,
): Promise<CallRecording> {
  const size = { bytes: 0 };
  const counted = async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source.chunks) {
      size.bytes += chunk.length;
      yield chunk;
    }
  };
  const reading = await readers[kind](counted());
  const cut = source.cutShort();
  const missing = cut === null ? reading.source.missing : [...reading.source.missing, cut];
  return { ...reading, source: { ...reading.source, missing, file, kind, bytes: size.bytes } };
}
