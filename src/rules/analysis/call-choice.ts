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
  const all = recordings.flatMap(({ connections }) => connections);
  const isReal = (facts: ConnectionFacts): boolean =>
    !isTrial(facts) && (isAudio(facts) || facts.dataChannels.length === 0);
  return all.some(isReal) ? isReal : () => true;
}

const worst = { broken: 0, unknown: 1, degraded: 2, healthy: 3 } as const;

/** The call that a headline is about, with the reason: the worst of those with audio; of equal ones the one with most in it. */
export function chosenCall(
  calls: readonly JudgedCall[],
  asked: string | null,
): { readonly judged: JudgedCall; readonly because: string } | null {
  const [only] = calls;
  if (only === undefined) return null;
  if (asked !== null) return { judged: only, because: 'asked for with --pc' };
  if (calls.length === 1) return { judged: only, because: 'the only one' };
  const withAudio = calls.filter(({ call }) => isAudio(call.facts));
  const candidates = withAudio.length > 0 ? withAudio : calls;
  // A connection that says nothing must not hide one that says what is wrong, nor one that is good.
  const telling = candidates.filter(({ verdict }) => verdict !== 'unknown');
  const ranked = (telling.length > 0 ? telling : candidates).toSorted(
    (a, b) => worst[a.verdict] - worst[b.verdict] || rootStep(a) - rootStep(b) || contentOf(b) - contentOf(a),
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
  return { judged, because: reason };
}

/** How early in the course of a call its root is: what fails first is nearer to the cause. */
function rootStep({ checks }: JudgedCall): number {
  const at = checks.findIndex(({ severity }) => severity === 'error');
  return at === -1 ? checks.length : at;
}

function contentOf({ call: { facts } }: JudgedCall): number {
  const bytes = facts.pairs.reduce((sum, { series }) => sum + (lastOf(series.bytesReceived) ?? 0), 0);
  return bytes + (facts.closedAtMs === null ? 1 : 0);
}
