import type { CallsReport, CandidateReport, RecordedCallReport } from '../../model/call-report.ts';
import { RtcOpsError } from '../../model/error.ts';
import { finding, wordsOf, type Finding } from '../../model/finding.ts';
import type { CallRecording, CandidateFacts, ConnectionFacts } from '../../model/call-recording.ts';
import { sessionsOf } from './server-side.ts';
import { chosenCall, isAudio, isOfOther, peersIn, rootStep, worthJudging } from './call-choice.ts';
import { confidenceOf } from './call-confidence.ts';
import { chartsOf, timelineOf } from './call-history.ts';
import { judgeCall, type JudgedCall } from './call-judgement.ts';
import { unseen, type ServerSide } from './join.ts';
import { refusedRequest } from './microphone.ts';
import { figuresOf } from './quality.ts';
import {
  audioFlows,
  candidatesOf,
  expected,
  negotiated,
  pathText,
  selectedPair,
  type Expectation,
  type RecordedCall,
} from './recorded-call.ts';

/** What a user wants to know of recordings. */
export interface CallQuestion {
  readonly expect: Expectation;
  /** The name of one connection; null for all. */
  readonly connection: string | null;
  /** Connections that ended before are left out; null for none. */
  readonly sinceMs: number | null;
}

export interface JudgedCalls {
  readonly report: CallsReport;
  readonly findings: readonly Finding[];
  readonly notJudged: readonly string[];
}

/**
 * Facts → verdict, for all calls of all recordings.
 * @throws RtcOpsError `usage` where there is no connection of the name that was asked for
 */
export function judgeCalls(
  recordings: readonly CallRecording[],
  question: CallQuestion,
  sides: ReadonlyMap<ConnectionFacts, ServerSide> = new Map(),
): JudgedCalls {
  const isWanted = wanted(recordings, question);
  const judged = recordings.flatMap(({ source, connections, mediaRequests }) =>
    connections.filter(isWanted).map((facts) =>
      judgeCall({
        ...{ facts, source, requests: mediaRequests, expect: question.expect },
        server: sides.get(facts) ?? unseen,
      }),
    ),
  );
  const all = recordings.flatMap(({ connections }) => connections);
  const chosen = chosenCall(judged, question.connection, all.length - judged.length);
  const calls = judged.map((each) => callReport(each));
  const empty = recordings.filter(({ connections }) => !connections.some(isWanted)).flatMap(emptyFindings);
  const first = chosen?.judged;
  const others = judged.filter((each) => each !== first);
  const told = new Set(first?.findings.map(({ code }) => code));
  const peers = peersIn(all);
  // Of another connection only what is new, and wrong, is worth a word.
  const elsewhere = others
    .flatMap((each) => (first === undefined ? each.findings : seenFrom(first, each, peers)))
    .filter(({ code, severity }) => severity !== 'info' && !told.has(code));
  const findings = [...(first?.findings ?? []), ...oneOfEach(elsewhere), ...empty];
  const of = chosen === null ? undefined : calls[judged.indexOf(chosen.judged)];
  return {
    report: {
      chosen:
        chosen === null || of === undefined
          ? null
          : { file: of.file, connection: of.connection, because: chosen.because },
      verdict: of?.verdict ?? (empty.some(({ severity }) => severity === 'error') ? 'broken' : 'unknown'),
      headline: of?.headline ?? emptyHeadline(empty),
      calls,
    },
    findings,
    notJudged: [
      ...new Set([
        ...recordings.flatMap(({ source }) => source.missing.map((text) => `${source.file}: ${text}`)),
        // Behind what is wrong nothing more is expected to be known.
        ...(first?.verdict === 'broken' ? [] : (first?.open ?? [])),
      ]),
    ],
  };
}

/** What the other end of a call shows follows from what failed first. */
function seenFrom(
  chosen: JudgedCall,
  other: JudgedCall,
  peers: ReadonlyMap<ConnectionFacts, ConnectionFacts>,
): readonly Finding[] {
  const isPeer = peers.get(chosen.call.facts) === other.call.facts;
  const [root] = chosen.findings;
  const isLater =
    rootStep(chosen) < rootStep(other) || (rootStep(chosen) === rootStep(other) && isOfOther(other));
  if (!isPeer || root === undefined || !isLater) return other.findings;
  return other.findings.map(({ code, evidence, severity, causedBy }) =>
    finding(code, evidence, { severity, causedBy: causedBy ?? root.code }),
  );
}

function emptyHeadline(findings: readonly Finding[]): string {
  const worst = findings.find(({ severity }) => severity === 'error');
  return worst === undefined ? 'nothing is known: there is no call in it' : lowerFirst(wordsOf(worst).title);
}

function oneOfEach(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ code }, index) => findings.findIndex((each) => each.code === code) === index);
}

function wanted(
  recordings: readonly CallRecording[],
  { connection, sinceMs }: CallQuestion,
): (facts: ConnectionFacts) => boolean {
  const all = recordings.flatMap(({ connections }) => connections);
  if (connection !== null) {
    if (!all.some(({ id }) => id === connection)) {
      const names = all.slice(0, 20).map(({ id }) => id);
      throw new RtcOpsError('usage', `there is no connection ${JSON.stringify(connection)}`, {
        hint: names.length === 0 ? 'There is none at all.' : `There are ${names.join(', ')}.`,
      });
    }
    return ({ id }) => id === connection;
  }
  const isWorth = worthJudging(recordings);
  return (facts) =>
    isWorth(facts) && (sinceMs === null || facts.lastAtMs === null || facts.lastAtMs >= sinceMs);
}

/** Without a connection the requests for a microphone are all there is. */
function emptyFindings({ source, mediaRequests, connections }: CallRecording): Finding[] {
  if (connections.length > 0) return [];
  const refused = refusedRequest(mediaRequests, { file: source.file, connection: '' });
  if (refused !== null) return [refused];
  const microphoneOpened = mediaRequests.some(({ result }) => result.state === 'granted' && result.hasAudio);
  return [finding('EVIDENCE_EMPTY', { file: source.file, connection: '', microphoneOpened })];
}

function callReport(judged: JudgedCall): RecordedCallReport {
  const { call, verdict, checks } = judged;
  const { facts, source } = call;
  const { firstAtMs, lastAtMs } = facts;
  const selected = selectedPair(call);
  return {
    file: source.file,
    connection: facts.id,
    url: facts.url,
    startedAt: isoTime(firstAtMs),
    durationMs: firstAtMs === null || lastAtMs === null ? null : Math.round(lastAtMs - firstAtMs),
    isAudio: isAudio(facts),
    verdict,
    headline: headlineOf(judged),
    confidence: confidenceOf(judged),
    negotiated: negotiated(call),
    checks,
    path:
      selected === null
        ? null
        : { local: candidateReport(selected.local), remote: candidateReport(selected.remote) },
    sessions: sessionsOf(call),
    candidates: { local: counts(candidatesOf(call, 'local')), remote: counts(candidatesOf(call, 'remote')) },
    figures: figuresOf(call),
    timeline: timelineOf(call),
    charts: chartsOf(call),
  };
}

// The largest time that a Date can have (ECMA-262 §21.4.1.1).
const latestMs = 8.64e15;

function isoTime(ms: number | null): string | null {
  return ms === null || Math.abs(ms) > latestMs ? null : new Date(ms).toISOString();
}

function counts(candidates: readonly CandidateFacts[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { type } of candidates) found[type] = (found[type] ?? 0) + 1;
  return found;
}

function candidateReport(candidate: CandidateFacts | null): CandidateReport | null {
  if (candidate === null) return null;
  const { type, protocol, address, port, relayProtocol, url } = candidate;
  return { type, protocol, address, port, relayProtocol, url };
}

/** One sentence for a person: why audio did or did not flow. */
function headlineOf({ call, verdict, findings, open }: JudgedCall): string {
  const [worst] = findings;
  const { send, recv } = expected(call);
  switch (verdict) {
    case 'healthy':
      return `audio flowed ${ways(call)}${over(call)}`;
    case 'unknown':
      return `${unknownText(call, open)}${worst === undefined || worst.severity === 'info' ? '' : `; but ${lowerFirst(wordsOf(worst).title)}`}`;
    case 'degraded':
      return `audio flowed${over(call)}, but ${lowerFirst(worst === undefined ? '' : wordsOf(worst).title)}`;
    case 'broken': {
      const title = worst === undefined ? 'audio did not flow' : lowerFirst(wordsOf(worst).title);
      const isOneWay = audioFlows({ ...call, expect: 'send' }) !== audioFlows({ ...call, expect: 'recv' });
      // What is sent into a path that is dead counts as sent.
      const isPath = worst?.code === 'CONNECTION_LOST' || worst?.code === 'TURN_ALLOC_EXPIRED';
      return isOneWay && !isPath && send && recv ? `one-way audio: ${title}` : title;
    }
    default:
      return verdict satisfies never;
  }
}

function unknownText(call: RecordedCall, open: readonly string[]): string {
  const [why] = open;
  if (why === undefined) return 'it is not known whether audio flowed';
  return audioFlows(call) && open.length === 1
    ? `audio packets flowed ${ways(call)}${over(call)}; ${why}`
    : `not all is known: ${why}`;
}

function ways(call: RecordedCall): string {
  const { send, recv } = expected(call);
  return send && recv ? 'both ways' : send ? 'out' : 'in';
}

function over(call: RecordedCall): string {
  const path = pathText(call);
  return path === '' ? '' : `, ${path}`;
}

function lowerFirst(text: string): string {
  return /^[A-Z](?:[a-z]|\s)/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
