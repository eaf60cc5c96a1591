import { checkOf, type CheckId, type Outcome } from '../model/check.ts';
import type { Finding } from '../model/finding.ts';
import type { Attempt, TargetFacts } from '../model/observations.ts';
import type { CheckReport, TargetReport } from '../model/report.ts';
import type { Criteria } from './criteria.ts';
import { requiredChecks } from './requirement.ts';

/** A target with its checks, in the order of their outcomes. */
export function targetReport(
  facts: TargetFacts,
  outcomes: Map<CheckId, Outcome>,
  criteria: Criteria,
): TargetReport {
  const { target, ...observations } = facts;
  const required = requiredChecks(target, criteria);
  return {
    ...target,
    checks: [...outcomes].map(([id, outcome]) =>
      checkReport(id, outcome, stepOf(id, facts), required.has(id)),
    ),
    observations,
  };
}

/** The attempt whose time a check reports. */
function stepOf(id: CheckId, facts: TargetFacts): Attempt<unknown> | null {
  const check = checkOf(id);
  return 'step' in check && check.step !== null ? facts[check.step] : null;
}

/** `step` is the attempt whose time is that of the check; null without one. */
export function checkReport(
  id: CheckId,
  outcome: Outcome,
  step: Attempt<unknown> | null,
  required: boolean,
): CheckReport {
  return {
    id,
    title: checkOf(id).title,
    status: outcome.status,
    because: 'because' in outcome ? outcome.because : null,
    detail: outcome.status === 'passed' ? (outcome.detail ?? null) : null,
    durationMs: step !== null && step.state !== 'not-tried' ? step.durationMs : null,
    required,
    findings: findingsOf(outcome).map(({ code }) => code),
    severity: worstSeverity(findingsOf(outcome)),
  };
}

function worstSeverity(findings: readonly Finding[]): CheckReport['severity'] {
  const severities = new Set(findings.map(({ severity }) => severity));
  return (['error', 'warning', 'info'] as const).find((each) => severities.has(each)) ?? null;
}

export function findingsOf(outcome: Outcome): readonly Finding[] {
  return outcome.status === 'failed' ? outcome.findings : [];
}
