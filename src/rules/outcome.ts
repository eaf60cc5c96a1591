import { finding, type Evidence, type FaultCode, type FindingOptions } from '../model/finding.ts';
import { checkIds, type CheckId, type Outcome } from '../model/check.ts';
import type { ListenerEvidence } from '../model/catalog/entry.ts';
import type { Target, TargetFacts } from '../model/observations.ts';

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

/** What names a listener in the evidence of its findings. */
export function listenerOf({ host, address, port, transport }: Target): ListenerEvidence {
  return { host, address, port, transport };
}

/** The listener that allocated: the last one that 300 Try-Alternate led to, else the target itself. */
export function allocatorOf({ target, redirects }: TargetFacts): ListenerEvidence {
  return { ...listenerOf(target), ...redirects.at(-1) };
}

/** As `duration`; nothing for what could not be measured. */
export function durationOrNothing(ms: number | null): string | undefined {
  return ms === null ? undefined : duration(ms);
}

/** `0.4 ms`, `12 ms`, `1.2 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}
