import type { Finding, Severity } from '../../model/finding.ts';
import type { Recording } from '../../model/recording-report.ts';
import { judgeAlignment } from './alignment.ts';
import type { JudgedRecording } from './judged-recording.ts';
import { judgeCapture } from './packets.ts';
import { judgeServerLog } from './server-log.ts';

const weight: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** What logs and captures prove together, the worst first; what something else explains stands behind its cause. */
export function judgeRecordings(recordings: readonly Recording[]): JudgedRecording {
  const judged = recordings.map(judgeRecording);
  const findings = [...judged.flatMap((each) => each.findings), ...aligned(recordings)];
  const rank = ({ severity, causedBy }: Finding): number =>
    weight[severity] * 2 + (causedBy === null ? 0 : 1);
  return {
    findings: findings.toSorted((a, b) => rank(a) - rank(b)),
    notJudged: judged.flatMap((each) => each.notJudged),
    isTelling: judged.some((each) => each.isTelling),
  };
}

function judgeRecording(recording: Recording): JudgedRecording {
  return recording.kind === 'capture' ? judgeCapture(recording.facts) : judgeServerLog(recording.facts);
}

/** Each log with each capture. */
function aligned(recordings: readonly Recording[]): Finding[] {
  const logs = recordings.flatMap((each) => (each.kind === 'server-log' ? [each.facts] : []));
  const captures = recordings.flatMap((each) => (each.kind === 'capture' ? [each.facts] : []));
  return captures.flatMap((capture) => logs.flatMap((log) => judgeAlignment(log, capture)));
}
