import type {
  CandidateFacts,
  ConnectionFacts,
  Direction,
  MediaRequest,
  MediaSection,
  PairFacts,
  SourceFacts,
  StateMachine,
  StreamFacts,
} from '../../model/call-recording.ts';
import type { ServerSide } from './join.ts';
import { growthOf, lastOf } from './series.ts';

/** In which directions audio is meant to flow; `null`: as the offer asked for it. */
export type Expectation = 'both' | 'send' | 'recv' | null;

/** A connection with all that its rules look at. */
export interface RecordedCall {
  readonly facts: ConnectionFacts;
  readonly source: SourceFacts;
  readonly requests: readonly MediaRequest[];
  readonly expect: Expectation;
  /** What a log and a capture of the server have of it; empty where there are none. */
  readonly server: ServerSide;
}

export function evidenceOf({ facts, source }: RecordedCall): { file: string; connection: string } {
  return { file: source.file, connection: facts.id };
}

export function statesOf(call: RecordedCall, machine: StateMachine): readonly string[] {
  return call.facts.states.filter((each) => each.machine === machine).map(({ state }) => state);
}

export function lastState(call: RecordedCall, machine: StateMachine): string | null {
  return statesOf(call, machine).findLast((state) => state !== 'closed') ?? null;
}

export function candidatesOf(call: RecordedCall, side: CandidateFacts['side']): readonly CandidateFacts[] {
  return call.facts.candidates.filter((each) => each.side === side);
}

/** The end of the recording of this connection: its close, or the last that was seen. */
export function endOf({ facts }: RecordedCall): number | null {
  return facts.closedAtMs ?? facts.lastAtMs;
}

/** For how long the last state of a machine lasted; null where no times are known. */
export function stateLastedMs(call: RecordedCall, machine: StateMachine): number | null {
  const change = call.facts.states.findLast((each) => each.machine === machine && each.state !== 'closed');
  const end = endOf(call);
  return change?.atMs === undefined || change.atMs === null || end === null ? null : end - change.atMs;
}

const up: ReadonlySet<string> = new Set(['connected', 'completed']);

/** Whether ICE had found a path at any time. */
export function wasConnected(call: RecordedCall): boolean {
  return (
    statesOf(call, 'ice').some((state) => up.has(state)) ||
    statesOf(call, 'connection').includes('connected') ||
    statesOf(call, 'dtls').includes('connected') ||
    call.facts.pairs.some(({ state, isNominated }) => state === 'succeeded' && isNominated)
  );
}

// Chrome gives up after 15 s, Firefox after some 30 s; who waits longer has failed without saying so.
const patienceMs = 30_000;

/** The state in which ICE came to nothing; null when it did not, or that is not known. */
export function iceFailure(call: RecordedCall): string | null {
  if (wasConnected(call)) return null;
  const ice = lastState(call, 'ice') ?? lastState(call, 'connection');
  if (ice === 'failed' || ice === 'disconnected') return ice;
  if (ice === 'checking' && (stateLastedMs(call, 'ice') ?? 0) >= patienceMs) return 'checking';
  const { pairs } = call.facts;
  if (ice === null && pairs.length > 0 && pairs.every(({ state }) => state === 'failed')) return 'failed';
  return statesOf(call, 'ice').includes('failed') ? 'failed' : null;
}

// Chrome takes some hundred milliseconds from the answer to its first check.
const startMs = 5000;

/** Whether both sides had agreed, and ICE did nothing: Chrome tells no state for as long as no pair can be made. */
export function neverStarted(call: RecordedCall): boolean {
  const isNew = (machine: StateMachine): boolean =>
    statesOf(call, machine).every((state) => state === 'new' || state === 'closed');
  return (
    call.facts.history === 'whole' &&
    lastState(call, 'signaling') === 'stable' &&
    (stateLastedMs(call, 'signaling') ?? 0) >= startMs &&
    isNew('ice') &&
    isNew('connection') &&
    !wasConnected(call)
  );
}

export function audioStreams(
  call: RecordedCall,
  direction: StreamFacts['direction'],
): readonly StreamFacts[] {
  return call.facts.streams.filter((each) => each.direction === direction && each.kind === 'audio');
}

/** Whether something is attached to what sends a stream: Chrome names a source that is not there where nothing is. */
export function hasSource({ facts: { sources } }: RecordedCall, { sourceId }: StreamFacts): boolean {
  return sourceId !== null && sources.some(({ id }) => id === sourceId);
}

/** The audio section of the last description of each side; null where there is none. */
export function audioSections(call: RecordedCall): {
  readonly offer: MediaSection | null;
  readonly answer: MediaSection | null;
  /** Who made the last answer. */
  readonly answeredBy: 'local' | 'remote' | null;
} {
  const { descriptions } = call.facts;
  const answer = descriptions.findLast(({ type }) => type === 'answer' || type === 'pranswer');
  const offer = descriptions
    .slice(0, answer === undefined ? undefined : descriptions.indexOf(answer))
    .findLast(({ type, side }) => type === 'offer' && side !== answer?.side);
  const audioOf = (sections: readonly MediaSection[] | null | undefined): MediaSection | null => {
    const audio = sections?.filter(({ kind }) => kind === 'audio') ?? [];
    // Of several the one that lets most through is the one that counts.
    return audio.find(({ direction, port }) => direction === 'sendrecv' && port > 0) ?? audio[0] ?? null;
  };
  return {
    offer: audioOf(offer?.sections),
    answer: audioOf(answer?.sections),
    answeredBy: answer?.side ?? null,
  };
}

const reversed: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

const sends: ReadonlySet<string> = new Set(['sendrecv', 'sendonly']);
const receives: ReadonlySet<string> = new Set(['sendrecv', 'recvonly']);

export function directionFor(send: boolean, recv: boolean): Direction {
  if (send) return recv ? 'sendrecv' : 'sendonly';
  return recv ? 'recvonly' : 'inactive';
}

/** In which direction audio may flow, seen from the recorded side; null where it is not known. */
export function negotiated(call: RecordedCall): Direction | null {
  const current = call.facts.transceivers
    .filter(({ kind, currentDirection }) => kind === 'audio' && currentDirection !== null)
    .map(({ currentDirection }) => currentDirection);
  if (current.length > 0) {
    return directionFor(
      current.some((each) => sends.has(String(each))),
      current.some((each) => receives.has(String(each))),
    );
  }
  const { offer, answer, answeredBy } = audioSections(call);
  if (offer === null || answer === null) return null;
  const ours = answeredBy === 'local' ? answer.direction : offer.direction;
  const theirs = reversed[answeredBy === 'local' ? offer.direction : answer.direction];
  const [send, recv] = [sends, receives].map((set) => set.has(ours) && set.has(theirs));
  return directionFor(send === true, recv === true);
}

/** What has to flow: what was asked for, else what the offer asked for (one way is meant with a server that forwards). */
export function expected(call: RecordedCall): { readonly send: boolean; readonly recv: boolean } {
  if (call.expect !== null) return { send: call.expect !== 'recv', recv: call.expect !== 'send' };
  const { offer, answer, answeredBy } = audioSections(call);
  const remote = answeredBy === 'remote' ? answer : offer;
  const asAgreed = negotiated(call);
  if (offer === null || remote?.isIceLite === true || asAgreed === null) {
    return asAgreed === null
      ? { send: true, recv: true }
      : { send: sends.has(asAgreed), recv: receives.has(asAgreed) };
  }
  const wanted = answeredBy === 'local' ? reversed[offer.direction] : offer.direction;
  return { send: sends.has(wanted), recv: receives.has(wanted) };
}

/** How audio grew over the last seconds and as a whole. */
export interface Flow {
  /** Whether packets flowed at any time; null where no figure tells. */
  readonly ever: boolean | null;
  /** Whether they did to the end; null where it was watched for less than five seconds. */
  readonly lately: boolean | null;
  readonly forMs: number;
}

const windowMs = 5000;
const shortestMs = 4500;

export function flowOf(call: RecordedCall, direction: StreamFacts['direction']): Flow {
  const metric = direction === 'outbound' ? 'packetsSent' : 'packetsReceived';
  const series = audioStreams(call, direction).map((each) => each.series[metric]);
  const counts = series.map(lastOf).filter((count) => count !== null);
  if (counts.length === 0) return { ever: null, lately: null, forMs: 0 };
  const whole = series.map((each) => growthOf(each));
  const late = series.map((each) => growthOf(each, windowMs)).filter((each) => each !== null);
  const watched = late.filter(({ forMs }) => forMs >= shortestMs - 1000);
  return {
    ever: counts.some((count) => count > 0),
    lately: watched.length === 0 ? lastHeard(call, direction) : watched.some(({ delta }) => delta > 0),
    forMs: Math.max(0, ...whole.map((each) => each?.forMs ?? 0)),
  };
}

/** What a single report tells of the last seconds: when the last packet came. */
function lastHeard(call: RecordedCall, direction: StreamFacts['direction']): boolean | null {
  const ages = audioStreams(call, direction).flatMap(({ series }) => {
    const { lastPacketReceivedTimestamp: last } = series;
    const [at, heardAt] = [last?.atMs.at(-1), last?.values.at(-1)];
    return at === undefined || heardAt === undefined ? [] : [at - heardAt];
  });
  return ages.length === 0 ? null : ages.some((age) => age < windowMs);
}

/** The pair that carried the media last, with its candidates; null where that is not known. */
export function selectedPair(call: RecordedCall): {
  readonly pair: PairFacts;
  readonly local: CandidateFacts | null;
  readonly remote: CandidateFacts | null;
} | null {
  const { transports, pairs, candidates } = call.facts;
  const chosen = transports.flatMap(({ selections }) => selections).at(-1)?.pairId;
  const weight = (pair: PairFacts): number => lastOf(pair.series.bytesReceived) ?? 0;
  const nominated = pairs
    .filter(({ isNominated, state }) => isNominated && state !== 'failed')
    .toSorted((a, b) => weight(b) - weight(a))[0];
  const pair = pairs.find(({ id }) => id === chosen) ?? nominated;
  if (pair === undefined) return null;
  const candidate = (id: string | null): CandidateFacts | null =>
    id === null ? null : (candidates.find((each) => each.id === id) ?? null);
  return { pair, local: candidate(pair.localId), remote: candidate(pair.remoteId) };
}

/** `relay to srflx over udp`; empty where it is not known. */
export function pathText(call: RecordedCall): string {
  const selected = selectedPair(call);
  return selected === null ? '' : textOfPair(call, selected.pair);
}

function textOfPair({ facts: { candidates } }: RecordedCall, { localId, remoteId }: PairFacts): string {
  const find = (id: string | null) => (id === null ? undefined : candidates.find((each) => each.id === id));
  const [local, remote] = [find(localId), find(remoteId)];
  if (local === undefined) return '';
  return `${local.type} to ${remote?.type ?? 'unknown'} over ${local.relayProtocol ?? local.protocol}`;
}

/** When another kind of path was taken, and which, in order. */
export function switchesOf(call: RecordedCall): { atMs: number; from: string; to: string }[] {
  const { transports, pairs } = call.facts;
  return transports.flatMap(({ selections }) => {
    const taken = selections.flatMap(({ atMs, pairId }) => {
      const pair = pairs.find(({ id }) => id === pairId);
      const text = pair === undefined ? '' : textOfPair(call, pair);
      return text === '' || atMs === null ? [] : [{ atMs, text }];
    });
    return taken.flatMap(({ atMs, text }, index) => {
      const from = taken[index - 1]?.text ?? text;
      return from === text ? [] : [{ atMs, from, to: text }];
    });
  });
}

/** Whether the application was told of a TURN server; null where the configuration was not recorded. */
export function turnUrls({ facts }: RecordedCall): readonly string[] | null {
  return facts.configuration?.urls.filter((url) => /^turns?:/i.test(url)) ?? null;
}

/** Whether audio flowed in every direction that was expected, which makes what else is found a note on the side. */
export function audioFlows(call: RecordedCall): boolean {
  const { send, recv } = expected(call);
  const flows = (direction: StreamFacts['direction']): boolean => {
    const { ever, lately } = flowOf(call, direction);
    return ever === true && lately !== false;
  };
  return (send || recv) && (!send || flows('outbound')) && (!recv || flows('inbound'));
}
