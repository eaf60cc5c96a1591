import type { CheckId, Outcome } from '../../src/model/check.ts';
import type { CallFacts, TargetFacts } from '../../src/model/observations.ts';
import { judgeCall } from '../../src/rules/call.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { criteriaWith, done, healthyFacts, observationsOf, targetOf } from './facts.ts';

export const { credential } = observationsOf([]);
const ids = ['call-connects', 'call-uses-relay', 'call-audio', 'call-quality'] as const satisfies CheckId[];

/** The checks of a call, at a listener with everything else in order. */
export function judged(
  call: TargetFacts['call'],
  criteria: Partial<Criteria> = {},
  plannedMs: number | null = 3000,
): Record<(typeof ids)[number], Outcome> {
  const context = { criteria: criteriaWith(criteria), credential, plannedMs };
  return judgeCall(healthyFacts(targetOf(), { call }), context);
}

/** `passed`, `unknown`, or each finding with its severity. */
export function said(outcome: Outcome): string {
  if (outcome.status === 'failed') {
    return outcome.findings.map(({ code, severity }) => `${code} ${severity}`).join(', ');
  }
  return outcome.status;
}

/** What is said of the four checks of a call, in their order. */
export function saidOf(
  facts: CallFacts,
  criteria: Partial<Criteria> = {},
  plannedMs: number | null = 3000,
): string[] {
  const outcomes = judged(done(facts), criteria, plannedMs);
  return ids.map((id) => said(outcomes[id]));
}
