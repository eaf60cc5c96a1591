import type { CallsReport } from '../../model/call-report.ts';
import type { Finding, Severity } from '../../model/finding.ts';
import type { Recording } from '../../model/recording-report.ts';
import { judgeAlignment, judgeJoins } from './alignment.ts';
import { judgeCalls, type CallQuestion } from './calls.ts';
import { explainedBy } from './explained.ts';
import { joinRecordings } from './join.ts';
import type { JudgedRecording } from './judged-recording.ts';
import { judgeCapture } from './packets.ts';
import { judgeServerLog } from './server-log.ts';

const weight: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

export interface JudgedRecordings extends Omit<JudgedRecording, 'isWhole'> {
  /** The files of which a part was not read: those of calls, where there are any. */
  readonly unread: readonly string[];
  /** What the recordings of calls show; null where there is none. */
  readonly calls: CallsReport | null;
}

/**
 * What recordings of calls, logs and captures prove together, the worst first; what something else explains stands behind
 * its cause.
 * @throws RtcOpsError as `judgeCalls`
 */
export function judgeRecordings(recordings: readonly Recording[], question: CallQuestion): JudgedRecordings {
  const judged = recordings.flatMap(judgeRecording);
  const ofCalls = recordings.flatMap((each) => (each.kind === 'calls' ? [each.facts] : []));
  // What a browser tells of its call is whole or not, whatever else was cut.
  const unread =
    ofCalls.length > 0
      ? ofCalls.flatMap(({ source }) => (source.isDamaged ? [source.file] : []))
      : judged.flatMap(({ file, isWhole }) => (isWhole ? [] : [file]));
  const joined = joinRecordings(recordings);
  const calls = ofCalls.length === 0 ? null : judgeCalls(ofCalls, question, joined.sides);
  const findings = [
    ...(calls?.findings ?? []),
    ...judged.flatMap((each) => each.findings).map(explainedBy(calls?.report ?? null, calls?.findings ?? [])),
    ...judgeJoins(joined.sides),
    ...aligned(recordings),
  ];
  const rank = ({ severity, causedBy }: Finding): number =>
    weight[severity] * 2 + (causedBy === null ? 0 : 1);
  return {
    findings: findings.toSorted((a, b) => rank(a) - rank(b)),
    notJudged: [
      ...(calls?.notJudged ?? []),
      ...judged.flatMap((each) => each.notJudged),
      ...joined.notJudged,
    ],
    isTelling: (calls?.report.calls.length ?? 0) > 0 || judged.some((each) => each.isTelling),
    unread,
    calls: calls === null ? null : asFarAsRead(calls.report, unread),
  };
}

/** A call is as good as it looks only where all that was recorded was read. */
function asFarAsRead(report: CallsReport, unread: readonly string[]): CallsReport {
  const [file] = unread;
  if (file === undefined || report.verdict !== 'healthy') return report;
  return { ...report, verdict: 'unknown', headline: `${report.headline}, as far as ${file} can be read` };
}

/** What one proves by itself; nothing for recordings of calls, of which one is chosen among all. */
function judgeRecording(recording: Recording): (JudgedRecording & { readonly file: string })[] {
  switch (recording.kind) {
    case 'capture':
      return [{ ...judgeCapture(recording.facts), file: recording.facts.file }];
    case 'server-log':
      return [{ ...judgeServerLog(recording.facts), file: recording.facts.file }];
    case 'calls':
      return [];
    default:
      return recording satisfies never;
  }
}

/** Each log with each capture. */
function aligned(recordings: readonly Recording[]): Finding[] {
  const logs = recordings.flatMap((each) => (each.kind === 'server-log' ? [each.facts] : []));
  const captures = recordings.flatMap((each) => (each.kind === 'capture' ? [each.facts] : []));
  return captures.flatMap((capture) => logs.flatMap((log) => judgeAlignment(log, capture)));
}
