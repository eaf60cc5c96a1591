import type { CallRecording, ConnectionFacts } from '../../model/call-recording.ts';
import type { JudgedCall } from './call-judgement.ts';
import { lastOf } from './series.ts';

/** Whether audio is in it, or was to be. */
export function isAudio({ descriptions, streams, transceivers }: ConnectionFacts): boolean {
  return (
    streams.some(({ kind }) => kind === 'audio') ||
    transceivers.some(({ kind }) => kind === 'audio') ||
    descriptions.some(({ sections }) => sections?.some(({ kind }) => kind === 'audio') === true)
  );
}

/** Connections that applications make to try the network, before the call or beside it. */
export function isTrial({ dataChannels, closedAtMs }: ConnectionFacts): boolean {
  return closedAtMs !== null && dataChannels.some((label) => /pre-?call|^ipd$|loopback|test/i.test(label));
}

/** Connections of which nothing is to be judged: data alone, or a trial. Without any other they count. */
export function worthJudging(recordings: readonly CallRecording[]): (facts: ConnectionFacts) => boolean {
  const trials = new Set(recordings.flatMap(({ connections }) => trialsOf(connections)));
  const all = recordings.flatMap(({ connections }) => connections);
  const isReal = (facts: ConnectionFacts): boolean =>
    !trials.has(facts) && (isAudio(facts) || facts.dataChannels.length === 0);
  return all.some(isReal) ? isReal : () => true;
}

/** What is labelled as a trial, with its other end; and a call of a page to itself that was over before one to elsewhere. */
function trialsOf(connections: readonly ConnectionFacts[]): ConnectionFacts[] {
  const peers = peersIn(connections);
  const labelled = new Set(connections.filter(isTrial));
  const begins = connections
    .filter((facts) => isAudio(facts) && !peers.has(facts))
    .flatMap((facts) => facts.descriptions[0]?.atMs ?? facts.firstAtMs ?? []);
  const lastBegan = Math.max(...begins);
  return connections.filter((facts) => {
    const peer = peers.get(facts);
    if (labelled.has(facts) || (peer !== undefined && labelled.has(peer))) return true;
    return peer !== undefined && facts.closedAtMs !== null && facts.closedAtMs <= lastBegan;
  });
}

/** The other end of each connection that has it here: what one sent is what the other got (`a=ice-ufrag`, RFC 8839 §5.4). */
export function peersIn(connections: readonly ConnectionFacts[]): Map<ConnectionFacts, ConnectionFacts> {
  const speakers = new Map(
    connections.flatMap((facts) => ufragsOf(facts, 'local').map((ufrag) => [ufrag, facts] as const)),
  );
  return new Map(
    connections.flatMap((facts) => {
      const [peer] = ufragsOf(facts, 'remote').flatMap((ufrag) => speakers.get(ufrag) ?? []);
      return peer === undefined || peer === facts ? [] : [[facts, peer] as const];
    }),
  );
}

function ufragsOf({ descriptions }: ConnectionFacts, of: 'local' | 'remote'): string[] {
  return descriptions.flatMap(({ side, sections }) =>
    side === of ? (sections ?? []).flatMap(({ ufrag }) => ufrag ?? []) : [],
  );
}

const worst = { broken: 0, unknown: 1, degraded: 2, healthy: 3 } as const;

/**
 * The call that a headline is about, with the reason: the worst of those with audio; of equal ones the one with most in it.
 * `left`: how many connections were not judged.
 */
export function chosenCall(
  calls: readonly JudgedCall[],
  asked: string | null,
  left: number,
): { readonly judged: JudgedCall; readonly because: string } | null {
  const [only] = calls;
  if (only === undefined) return null;
  if (asked !== null) return { judged: only, because: 'asked for with --pc' };
  const others = left === 0 ? '' : `; ${left} more left out (trials, data alone, or before --since)`;
  if (calls.length === 1) return { judged: only, because: `the only one${others}` };
  const withAudio = calls.filter(({ call }) => isAudio(call.facts));
  const candidates = withAudio.length > 0 ? withAudio : calls;
  // A connection that says nothing must not hide one that says what is wrong, nor one that is good.
  const telling = candidates.filter(({ verdict }) => verdict !== 'unknown');
  const ranked = (telling.length > 0 ? telling : candidates).toSorted(
    (a, b) =>
      worst[a.verdict] - worst[b.verdict] ||
      rootStep(a) - rootStep(b) ||
      Number(isOfOther(a)) - Number(isOfOther(b)) ||
      contentOf(b) - contentOf(a),
  );
  const [judged = only] = ranked;
  const count = `${candidates.length} ${withAudio.length > 0 ? 'with audio' : 'without audio'}`;
  const isAlike = ranked.every(({ verdict }) => verdict === judged.verdict);
  const reason =
    ranked.length === 1
      ? 'the only one that tells of audio'
      : isAlike
        ? `of ${count}, all ${judged.verdict}, the one with most in it`
        : `the worst of ${count}`;
  return { judged, because: `${reason}${others}` };
}

/** Whether what is told is what the other side did, which knows better why. */
export function isOfOther({ findings: [root] }: JudgedCall): boolean {
  return root?.code === 'AUDIO_REJECTED' && 'by' in root.evidence && root.evidence.by === 'remote';
}

/** How early in the course of a call its root is: what fails first is nearer to the cause. Warnings come after all errors. */
export function rootStep({ checks }: JudgedCall): number {
  const errorAt = checks.findIndex(({ severity }) => severity === 'error');
  if (errorAt !== -1) return errorAt;
  const warningAt = checks.findIndex(({ severity }) => severity === 'warning');
  return checks.length + (warningAt === -1 ? checks.length : warningAt);
}

function contentOf({ call: { facts } }: JudgedCall): number {
  const bytes = facts.pairs.reduce((sum, { series }) => sum + (lastOf(series.bytesReceived) ?? 0), 0);
  return bytes + (facts.closedAtMs === null ? 1 : 0);
}
