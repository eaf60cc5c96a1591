import type { Finding, Severity } from '../../model/finding.ts';
import type { Recording } from '../../model/recording-report.ts';
import type { JudgedRecording } from './judged-recording.ts';
import { judgeCapture } from './packets.ts';
import { judgeServerLog } from './server-log.ts';

const weight: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** What logs and captures prove together, the worst first; what something else explains stands behind its cause. */
export function judgeRecordings(recordings: readonly Recording[]): JudgedRecording {
  const judged = recordings.map(judgeRecording);
  const findings = judged.flatMap((each) => each.findings);
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
