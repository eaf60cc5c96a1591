import type { SourceKind } from '../../model/call-recording.ts';
import { documentEnd } from '../json-slices.ts';

/** Kinds that the first document of several tells; of the others a file has many small ones. */
const plain: ReadonlySet<SourceKind | null> = new Set([
  ...(['webrtc-internals', 'about-webrtc', 'rtcstats'] as const),
]);

/** What kind of recording of a call begins with these bytes; null for none of them. */
export function callRecordingKind(head: Buffer): SourceKind | null {
  const whole = kindOf(head);
  const end = documentEnd(head);
  const first = end === null ? null : kindOf(head.subarray(0, end));
  return first !== null && (plain.has(first) || plain.has(whole)) ? first : whole;
}

function kindOf(head: Buffer): SourceKind | null {
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
  // Of a server of rtcstats: a line about the client, and then an event a line.
  if (/^\{[^\n]*\}\r?\n\[\s*"[\w.]+"\s*,\s*(?:"[^"]*"|null)\s*,/.test(text)) return 'rtcstats';
  if (
    /"fileFormat"\s*:|^\[\s*(?:"[\w.]+"|\d+)\s*,\s*(?:"[^"]*"|null)\s*,/.test(text) &&
    !/^\[\s*"[^"]*"\s*,\s*\{/.test(text)
  )
    return 'rtcstats';
  if (/"sdp"\s*:|"candidate"\s*:\s*"(?:a=)?candidate:/.test(text)) return 'signaling';
  return /"(?:type|timestamp)"\s*:/.test(text) ? 'getstats' : null;
}

/** Whether a recording of another kind begins with this line of a text: a dump that someone put behind it. */
export function beginsDocument(line: string): boolean {
  switch (line.charCodeAt(0)) {
    case 0x52: // R
      return line.startsWith('RTCStatsDump');
    case 0x3c: // <
      return /^<(?:!doctype html|html)\b/i.test(line);
    case 0x5b: // [
    case 0x7b: // {
      return /^[{[]\s*$|^\{\s*"(?:PeerConnections|getUserMedia|UserAgentData|fileFormat)"\s*:/.test(line);
    default:
      return false;
  }
}

const lookAheadBytes = 4096;

/** Whether the document that begins there is known for one of another kind. */
export function isOfOtherKind(bytes: Buffer, kind: SourceKind): boolean {
  const found = callRecordingKind(bytes.subarray(0, lookAheadBytes));
  return found !== null && found !== kind;
}
