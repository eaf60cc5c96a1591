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
