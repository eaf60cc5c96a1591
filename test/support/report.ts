import type { Observations } from '../../src/model/observations.ts';
import { schemaVersion, type Report } from '../../src/model/report.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { judge } from '../../src/rules/judgement.ts';
import { criteriaWith } from './facts.ts';
import { scenes, type Scene, type SceneName } from './scenes.ts';

/** The report that a probe with these facts gives, of a version that does not change. */
export function reportOf(facts: Observations, criteria: Partial<Criteria> = {}): Report {
  const asked = criteriaWith(criteria);
  const { interfaces, credential, names, callDurationMs, controls, nat, startedAt, durationMs } = facts;
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version: '1.2.3' },
    command: 'probe',
    startedAt,
    durationMs,
    ...judge(facts, asked),
    criteria: { ...asked, now: asked.now.toISOString() },
    observations: { interfaces, credential, names, callDurationMs, controls, nat },
  };
}

/** The report of a scene, as its probe would give it. */
export function reportOfScene(name: SceneName): Report {
  const { facts, criteria = {} }: Scene = scenes[name];
  return reportOf(facts, criteria);
}
