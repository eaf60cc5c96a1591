import type { Outcome } from '../model/check.ts';
import { describeFailure } from '../model/failure.ts';
import type { Finding } from '../model/finding.ts';
import type { Attempt } from '../model/observations.ts';
import { turnErrorName } from '../model/turn-error-code.ts';
import { passed, unknown } from './outcome.ts';

/** Failed when anything was found; else unknown where a part of it is; else passed. */
export function outcomeOf(findings: readonly Finding[], open: readonly string[], detail?: string): Outcome {
  if (findings.length > 0) return { status: 'failed', findings };
  const [because] = open;
  return because === undefined ? passed(detail) : unknown(because);
}

/** Why an attempt gave no answer. */
export function why(step: Exclude<Attempt<unknown>, { state: 'done' }>): string {
  return step.state === 'not-tried' ? step.because : describeFailure(step.failure);
}

/** `486 Allocation Quota Reached` */
export function errorName(code: number): string {
  return `${code} ${turnErrorName(code)}`.trimEnd();
}
