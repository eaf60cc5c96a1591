import { RtcOpsError } from '../model/error.ts';
import type { Criteria, Requirement } from '../rules/criteria.ts';

/** The options of a probe that say what is asked of a server. */
export interface CriteriaOptions {
  readonly require?: Requirement[];
  readonly maxRtt?: number;
  readonly maxLoss?: number;
  readonly maxJitter?: number;
  readonly minMos?: number;
  readonly failOn?: 'error' | 'warning';
}

export function criteriaOf(options: CriteriaOptions, now: Date): Criteria {
  const nothing = {
    require: null,
    maxRttMs: null,
    maxLossRatio: null,
    maxJitterMs: null,
    minMos: null,
    failOn: 'error',
  } as const;
  return { ...nothing, ...givenCriteria(options), now };
}

/** Those that were given. */
export function givenCriteria(options: CriteriaOptions): Partial<Criteria> {
  const { require, maxRtt, maxLoss, maxJitter, minMos, failOn } = options;
  return {
    ...(require === undefined ? {} : { require }),
    ...(maxRtt === undefined ? {} : { maxRttMs: maxRtt }),
    ...(maxLoss === undefined ? {} : { maxLossRatio: maxLoss }),
    ...(maxJitter === undefined ? {} : { maxJitterMs: maxJitter }),
    ...(minMos === undefined ? {} : { minMos }),
    ...(failOn === undefined ? {} : { failOn }),
  };
}

/**
 * A limit that is never measured would pass in silence.
 * @param withoutCall why there is no call: `the call that --no-call forbids`
 * @throws RtcOpsError `usage`
 */
export function refuseCallLimits(criteria: Partial<Criteria>, withoutCall: string, hint: string): void {
  const limits: readonly [string, boolean][] = [
    ['--max-loss', isGiven(criteria.maxLossRatio)],
    ['--max-jitter', isGiven(criteria.maxJitterMs)],
    ['--min-mos', isGiven(criteria.minMos)],
    ['--require call', criteria.require?.includes('call') === true],
  ];
  const given = limits.filter(([, set]) => set).map(([name]) => name);
  if (given.length > 0)
    throw new RtcOpsError('usage', `${given.join(' and ')} need ${withoutCall}`, { hint });
}

function isGiven(limit: number | null | undefined): boolean {
  return limit !== null && limit !== undefined;
}
