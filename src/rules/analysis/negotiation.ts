import type { Outcome } from '../../model/check.ts';
import type { CodecFacts, MediaSection } from '../../model/call-recording.ts';
import { passed, unknown } from '../outcome.ts';
import { failedCall } from './outcome.ts';
import {
  audioFlows,
  audioSections,
  audioStreams,
  expected,
  flowOf,
  hasSource,
  lastState,
  negotiated,
  stateLastedMs,
  wasConnected,
  type RecordedCall,
} from './recorded-call.ts';

/** `audio-negotiated`: both sides agreed on audio, in the directions that were meant. */
export function judgeNegotiation(call: RecordedCall): Outcome {
  const direction = negotiated(call);
  return (
    judgeFailures(call) ??
    judgeSignaling(call) ??
    judgePresence(call) ??
    judgeSections(call) ??
    judgeDirection(call) ??
    judgeSender(call) ??
    (direction === null && !audioFlows(call)
      ? unknown('the recording has no offer with its answer')
      : passed(direction ?? undefined))
  );
}

const ofDescriptions = /^(?:set(?:Local|Remote)Description|create(?:Offer|Answer))$/i;

function judgeFailures(call: RecordedCall): Outcome | null {
  const failure = call.facts.failures.findLast(
    ({ operation, isMended }) => !isMended && ofDescriptions.test(operation),
  );
  if (failure === undefined) return null;
  const { operation, message } = failure;
  const options = wasConnected(call) ? ({ severity: 'warning' } as const) : {};
  // What is refused is not among the descriptions that were applied; the browser says what it lacks.
  if (operation.startsWith('set') && /without DTLS fingerprint/i.test(message)) {
    const side = operation === 'setLocalDescription' ? 'local' : 'remote';
    const problem = `it has no a=fingerprint, and the browser refused it (“${message}”)`;
    return failedCall(call, 'DTLS_SDP_PROBLEM', { side, problem }, options);
  }
  return failedCall(call, 'SDP_FAILED', { operation, message }, options);
}

// People take some seconds to answer a call; signaling that works takes less than one.
const patienceMs = 5000;

function judgeSignaling(call: RecordedCall): Outcome | null {
  const state = lastState(call, 'signaling');
  if (state !== 'have-local-offer' && state !== 'have-remote-offer') return null;
  const forMs = stateLastedMs(call, 'signaling');
  // An offer in the middle of a call that goes on is another negotiation.
  if (forMs === null || forMs < patienceMs || audioFlows(call)) return null;
  return failedCall(call, 'SIGNALING_STUCK', { state, forMs });
}

function judgePresence(call: RecordedCall): Outcome | null {
  const { descriptions, streams, transceivers } = call.facts;
  const read = descriptions.flatMap(({ sections }) => sections ?? []);
  if (descriptions.length === 0 || descriptions.some(({ sections }) => sections === null)) return null;
  const hasAudio =
    read.some(({ kind }) => kind === 'audio') ||
    streams.some(({ kind }) => kind === 'audio') ||
    transceivers.some(({ kind, currentDirection }) => kind === 'audio' && currentDirection !== null);
  // A text that was copied may end before its first section.
  const isPart = read.length === 0 && call.source.kind === 'signaling';
  if (hasAudio || isPart) return null;
  return failedCall(call, 'NO_AUDIO_NEGOTIATED', {
    kinds: [...new Set(read.map(({ kind }) => kind))].slice(0, 5),
  });
}

function judgeSections(call: RecordedCall): Outcome | null {
  const { offer, answer, answeredBy } = audioSections(call);
  if (offer === null || answer === null || answeredBy === null) return null;
  const [offered, answered] = [names(offer.codecs), names(answer.codecs)];
  const common = offered.filter((name) => answered.includes(name));
  const told = offer.codecs.length > 0 && answer.codecs.length > 0;
  if (told && common.length === 0) {
    return failedCall(call, 'NO_COMMON_CODEC', { offered: offered.map(bare), answered: answered.map(bare) });
  }
  if (answer.port === 0 && !answer.isBundleOnly)
    return failedCall(call, 'AUDIO_REJECTED', { by: answeredBy });
  return judgeKeys(call, offer, answer);
}

const noMedia = /^(?:telephone-event|cn|red|ulpfec|flexfec-03|rtx)$/i;

/** Each once, with its clock rate: PCMU at 8 kHz is another than at 16. */
function names(codecs: readonly CodecFacts[]): string[] {
  const media = codecs.filter(({ name }) => !noMedia.test(name));
  return [...new Set(media.map(({ name, clockRate }) => `${name.toLowerCase()}/${clockRate}`))];
}

function bare(name: string): string {
  return name.replace(/\/\d+$/, '');
}

function judgeKeys(call: RecordedCall, offer: MediaSection, answer: MediaSection): Outcome | null {
  const { answeredBy } = audioSections(call);
  const sides = [
    { section: offer, side: answeredBy === 'local' ? ('remote' as const) : ('local' as const) },
    { section: answer, side: answeredBy ?? ('remote' as const) },
  ];
  for (const { section, side } of sides) {
    const problem = mayBeCut(call, section) ? null : keyProblem(section);
    if (problem !== null && !wasConnected(call))
      return failedCall(call, 'DTLS_SDP_PROBLEM', { side, problem });
  }
  const roles = [offer.setup, answer.setup];
  const clash = roles[0] === roles[1] && (roles[0] === 'active' || roles[0] === 'passive');
  if (!clash || wasConnected(call)) return null;
  return failedCall(call, 'DTLS_SDP_PROBLEM', {
    side: answeredBy ?? 'remote',
    problem: `both sides have a=setup:${roles[0]}`,
  });
}

/** A text that was copied may end before the lines of its keys: of these, `a=setup` comes last. */
function mayBeCut({ source }: RecordedCall, { protocol, setup }: MediaSection): boolean {
  return source.kind === 'signaling' && setup === null && !/^RTP\/S?AVPF?$/.test(protocol);
}

function keyProblem({ fingerprints, protocol, hasCryptoLines }: MediaSection): string | null {
  if (fingerprints.length > 0) return null;
  if (hasCryptoLines) return 'it offers keys in the text (a=crypto, SDES), which no browser takes';
  return /TLS/.test(protocol) ? 'it has no a=fingerprint' : `its profile is ${protocol}, without encryption`;
}

function judgeDirection(call: RecordedCall): Outcome | null {
  const direction = negotiated(call);
  if (direction === null) return null;
  const wanted = expected(call);
  const lacksSend = wanted.send && direction !== 'sendrecv' && direction !== 'sendonly';
  const lacksRecv = wanted.recv && direction !== 'sendrecv' && direction !== 'recvonly';
  if (!lacksSend && !lacksRecv) return null;
  const missing = lacksSend && lacksRecv ? 'both' : lacksSend ? 'send' : 'recv';
  return failedCall(call, 'DIRECTION_NO_AUDIO', { negotiated: direction, missing });
}

function judgeSender(call: RecordedCall): Outcome | null {
  if (!expected(call).send) return null;
  const audio = call.facts.transceivers.filter(
    ({ kind, direction }) => kind === 'audio' && direction !== 'stopped',
  );
  const hasNone = audio.length > 0 && audio.every(({ hasSenderTrack }) => hasSenderTrack === false);
  // Chrome has a stream for a sender without a track as well, and does not tell of replaceTrack: what was sent tells.
  const isFed = audioStreams(call, 'outbound').some((stream) => hasSource(call, stream));
  if (!hasNone || isFed || flowOf(call, 'outbound').ever === true) return null;
  return failedCall(call, 'NO_LOCAL_AUDIO_TRACK', {});
}
