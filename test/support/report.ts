import type { Observations } from '../../src/model/observations.ts';
import type { Report } from '../../src/model/report.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { createReport } from '../../src/rules/report.ts';
import { criteriaWith } from './facts.ts';
import { scenes, type Scene, type SceneName } from './scenes.ts';

/** The report that a probe with these facts gives, of a version that does not change. */
export function reportOf(facts: Observations, criteria: Partial<Criteria> = {}): Report {
  return {
    ...createReport('probe', facts, criteriaWith(criteria)),
    tool: { name: 'rtc-ops', version: '1.2.3' },
  };
}

/** The report of a scene, as its probe would give it. */
export function reportOfScene(name: SceneName): Report {
  const { facts, criteria = {} }: Scene = scenes[name];
  return reportOf(facts, criteria);
}
