import type { Observations } from '../model/observations.ts';
import { schemaVersion, type Report } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { Criteria } from './criteria.ts';
import { judge } from './judgement.ts';

/** Facts and what is asked of them, as the report that every format is made from. */
export function createReport(command: string, observations: Observations, criteria: Criteria): Report {
  const { asked, interfaces, credential, names, controls, nat, startedAt, durationMs } = observations;
  const { callDurationMs } = asked;
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command,
    startedAt,
    durationMs,
    ...judge(observations, criteria),
    criteria: { ...criteria, now: criteria.now.toISOString() },
    observations: { asked, interfaces, credential, names, callDurationMs, controls, nat },
  };
}
