import { parse, type SessionDescription } from 'sdp-transform';
import type {
  CandidateFacts,
  CodecFacts,
  Direction,
  MediaSection,
  Side,
} from '../../model/call-recording.ts';
import { parseCandidate } from './candidate-line.ts';

export interface DescriptionText {
  readonly sections: readonly MediaSection[];
  readonly candidates: readonly CandidateFacts[];
}

// An SFU with a thousand participants has an offer of some 10 MB; a hundredth of its sections tell how audio goes.
const mostSections = 500;
const mostCandidates = 200;
const mostLength = 4 * 2 ** 20;

/** Payload types that need no `a=rtpmap` (RFC 3551 §6). */
const fixedCodecs: Readonly<Record<number, CodecFacts>> = {
  0: { payloadType: 0, name: 'PCMU', clockRate: 8000 },
  3: { payloadType: 3, name: 'GSM', clockRate: 8000 },
  4: { payloadType: 4, name: 'G723', clockRate: 8000 },
  8: { payloadType: 8, name: 'PCMA', clockRate: 8000 },
  9: { payloadType: 9, name: 'G722', clockRate: 8000 },
  18: { payloadType: 18, name: 'G729', clockRate: 8000 },
};

/**
 * Reads an SDP (RFC 8866), as an offer or answer of JSEP has it.
 * @returns null for what is none
 */
export function readDescription(
  text: string,
  context: { readonly side: Side; readonly atMs: number | null },
): DescriptionText | null {
  if (!/^\s*v=0/.test(text)) return null;
  const lines = text.slice(0, mostLength);
  const session = parse(lines);
  const candidates = (lines.match(/^a=candidate:.*$/gm) ?? [])
    .slice(0, mostCandidates)
    .flatMap((line) => parseCandidate(line, { ...context, from: 'description' }) ?? []);
  const sections = session.media.slice(0, mostSections).map((media) => sectionOf(media, session));
  return { sections, candidates };
}

function sectionOf(media: SessionDescription['media'][number], session: SessionDescription): MediaSection {
  const inherited = session as Partial<SessionDescription['media'][number]>;
  const fingerprint = media.fingerprint ?? inherited.fingerprint;
  return {
    kind: textOrNull(media.type) ?? '',
    mid: textOrNull(media.mid),
    port: Number(textOrNull(media.port) ?? 0) || 0,
    isBundleOnly: media.bundleOnly !== undefined,
    protocol: textOrNull(media.protocol) ?? '',
    direction: directionOf(media.direction) ?? directionOf(session.direction) ?? 'sendrecv',
    codecs: codecsOf(media),
    fingerprints: fingerprint === undefined ? [] : [`${fingerprint.type} ${fingerprint.hash}`],
    setup: textOrNull(media.setup ?? inherited.setup),
    hasCryptoLines: (media.crypto ?? []).length > 0,
    isIceLite: session.icelite !== undefined,
    ufrag: textOrNull(media.iceUfrag ?? inherited.iceUfrag),
    candidateCount: (media.candidates ?? []).length,
  };
}

/** The library makes a number of every text of digits, whatever its types say. */
function textOrNull(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

function directionOf(text: unknown): Direction | null {
  return text === 'sendrecv' || text === 'sendonly' || text === 'recvonly' || text === 'inactive'
    ? text
    : null;
}

function codecsOf({ payloads, rtp }: SessionDescription['media'][number]): CodecFacts[] {
  const listed = (textOrNull(payloads) ?? '').split(' ');
  return listed.slice(0, 100).flatMap((text) => {
    const payloadType = Number(text);
    const mapped = rtp.find((each) => each.payload === payloadType);
    if (mapped !== undefined) {
      const { codec, rate } = mapped;
      return [{ payloadType, name: textOrNull(codec) ?? '', clockRate: Number(textOrNull(rate) ?? 0) || 0 }];
    }
    return fixedCodecs[payloadType] ?? [];
  });
}
