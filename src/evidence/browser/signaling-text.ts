import type { Side } from '../../model/call-recording.ts';
import type { GiveBack } from '../part-source.ts';
import { isServerLogLine, timelessFrames } from '../server-log-line.ts';
import { ConnectionBuilder } from './connection-builder.ts';
import { member, opened } from './event-value.ts';
import { Omissions } from './omissions.ts';
import type { Reading } from './reading.ts';
import { beginsDocument } from './source-kind.ts';
import { textLines } from './text-lines.ts';

// A person sends a few kilobytes; a log of candidates of a day is some megabytes.
const mostLength = 32 * 2 ** 20;
const mostLines = 100_000;

/**
 * Reads what a person copies out of signaling: SDP (RFC 8866) as text or in JSON, and candidate lines (RFC 8839 §5.1), as
 * a list or in a log. Who offered is told by `a=setup`, and whose candidates they are by the words around them; where
 * nothing tells, the first description and the candidates are taken for the local ones.
 */
export async function readSignalingText(
  chunks: AsyncIterable<Buffer>,
  giveBack?: GiveBack,
): Promise<Reading> {
  const frames = timelessFrames();
  const isOther = (line: string): boolean =>
    (beginsDocument(line) && !/^[{[]\s*$/.test(line)) || isServerLogLine(line, frames);
  const parts: string[] = [];
  let length = 0;
  for await (const line of textLines(chunks, { isOther, giveBack })) {
    if (length < mostLength) parts.push(line);
    length += line.length + 1;
  }
  const text = parts.join('\n').replace(/^\ufeff/, '');
  const omissions = new Omissions();
  if (length > mostLength) omissions.unread(`only its first ${mostLength / 2 ** 20} MB were read`);
  const builder = new ConnectionBuilder('signaling');
  const descriptions = descriptionsIn(text);
  for (const [index, { type, sdp }] of descriptions.entries()) {
    const side: Side = index % 2 === 0 ? 'local' : 'remote';
    builder.event(side === 'local' ? 'setLocalDescription' : 'setRemoteDescription', { type, sdp }, null);
  }
  for (const { side, line } of candidatesIn(text)) {
    builder.event(side === 'local' ? 'icecandidate' : 'addIceCandidate', line, null);
  }
  const facts = builder.facts();
  const hasFacts = facts.descriptions.length > 0 || facts.candidates.length > 0;
  return {
    source: { writer: null, engine: null, savedAtMs: null, ...omissions.facts() },
    connections: hasFacts ? [{ ...facts, history: 'none' }] : [],
    mediaRequests: [],
  };
}

interface DescriptionText {
  readonly type: 'offer' | 'answer';
  readonly sdp: string;
}

function descriptionsIn(text: string): DescriptionText[] {
  const found = text.trimStart().startsWith('{') || text.trimStart().startsWith('[') ? inJson(text) : [];
  const texts = found.length > 0 ? found : inText(text);
  return texts.slice(0, 100).map(({ sdp, type }, index) => ({ sdp, type: type ?? typeOf(sdp, index) }));
}

type Untyped = Pick<DescriptionText, 'sdp'> & { readonly type: DescriptionText['type'] | null };

/** `{"type":"offer","sdp":"…"}`: one, an array of them, or one a line. */
function inJson(text: string): Untyped[] {
  const whole = opened(text);
  const values: unknown[] =
    typeof whole === 'string'
      ? text.split('\n').slice(0, mostLines).map(opened)
      : Array.isArray(whole)
        ? whole
        : [whole];
  return values.flatMap((value) => {
    const [type, sdp] = [member(value, 'type'), member(value, 'sdp')];
    return typeof sdp === 'string'
      ? [{ sdp, type: type === 'offer' || type === 'answer' ? type : null }]
      : [];
  });
}

function inText(text: string): Untyped[] {
  // Line breaks that were escaped on the way are no part of any SDP.
  const plain = /\n/.test(text.trim()) ? text : text.replaceAll(/\\r\\n|\\n/g, '\n');
  return plain
    .split(/^(?=\s*v=0\s*$)/m)
    .filter((part) => /^\s*v=0/.test(part))
    .map((sdp) => ({ sdp: sdp.trimStart(), type: null }));
}

/** An offer leaves the DTLS role open, an answer takes one (RFC 8842 §5.2, §5.3). */
function typeOf(sdp: string, index: number): DescriptionText['type'] {
  const [, setup] = /^a=setup:(\w+)/m.exec(sdp) ?? [];
  if (setup === 'actpass') return 'offer';
  if (setup === 'active' || setup === 'passive') return 'answer';
  return index % 2 === 0 ? 'offer' : 'answer';
}

const remoteWords = /remote|addIceCandidate|received|\brecv\b|incoming|<-|from peer/i;

function candidatesIn(text: string): { side: Side; line: string }[] {
  // Those of a description have been read with it.
  const ofDescription = /^\s*v=0/m.test(text) ? /^\s*a=candidate:/ : null;
  return text
    .split('\n', mostLines)
    .filter((line) => line.includes('candidate:') && ofDescription?.test(line) !== true)
    .map((line) => ({ side: remoteWords.test(line) ? 'remote' : 'local', line: line.slice(0, 2000) }));
}
