import { finding, type Evidence, type FaultCode, type FindingOptions } from '../model/finding.ts';
import { checkIds, type CheckId, type Outcome } from '../model/check.ts';
import type { Target } from '../model/observations.ts';

export function passed(detail?: string): Outcome {
  return detail === undefined ? { status: 'passed' } : { status: 'passed', detail };
}

export function failed<C extends FaultCode>(
  code: C,
  evidence: Evidence<C>,
  target: Target | null,
  options: Omit<FindingOptions, 'targets'> = {},
): Outcome {
  const targets = target ? [target.url] : [];
  return { status: 'failed', findings: [finding(code, evidence, { ...options, targets })] };
}

export function skipped(because: string): Outcome {
  return { status: 'skipped', because };
}

export function unknown(because: string): Outcome {
  return { status: 'unknown', because };
}

/** The outcomes that there are, in the order of a report. */
export function inOrder<Id extends CheckId>(
  outcomes: Readonly<Record<Id, Outcome | null>>,
): Map<CheckId, Outcome> {
  const given = new Map(Object.entries<Outcome | null>(outcomes));
  return new Map(
    checkIds.flatMap((id): [CheckId, Outcome][] => {
      const outcome = given.get(id) ?? null;
      return outcome === null ? [] : [[id, outcome]];
    }),
  );
}
