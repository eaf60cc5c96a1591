import type { CheckId } from '../model/check.ts';
import { isImpairing } from '../model/finding.ts';
import type { TargetReport } from '../model/report.ts';
import { isTurn } from '../model/turn-uri.ts';

/**
 * What users of one listener get, as far as was found out. `served`: what it is for, be it badly. `not-served`: nothing
 * of use. `unknown`: it answers, and more is not known. `untested`: nothing from here reached it.
 */
export type Service = 'served' | 'not-served' | 'unknown' | 'untested';

/** The checks without which it is not known whether a listener serves. */
const decisive: Readonly<Record<'TURN' | 'STUN', ReadonlySet<CheckId>>> = {
  TURN: new Set<CheckId>(['turn-allocate', 'relay-reply']),
  STUN: new Set<CheckId>(['stun-binding']),
};

export function serviceOf(target: TargetReport): Service {
  const { checks } = target;
  const errors = checks.filter(({ severity }) => severity === 'error').flatMap(({ findings }) => findings);
  if (errors.some((code) => !isImpairing(code))) return 'not-served';
  const unknown = checks.filter(({ status }) => status === 'unknown');
  if (unknown.some(({ id }) => decisive[isTurn(target) ? 'TURN' : 'STUN'].has(id))) {
    return unknown.some(({ id }) => id === 'listener-answers') ? 'untested' : 'unknown';
  }
  return 'served';
}
