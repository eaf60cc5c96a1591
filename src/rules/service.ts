import { listenerChecks, type CheckId, type ListenerCheck } from '../model/check.ts';
import { isImpairing } from '../model/finding.ts';
import type { TargetReport } from '../model/report.ts';
import { isTurn } from '../model/turn-uri.ts';

/**
 * What users of one listener get, as far as was found out. `served`: what it is for, be it badly. `not-served`: nothing
 * of use. `unknown`: it answers, and more is not known. `untested`: nothing from here reached it.
 */
export type Service = 'served' | 'not-served' | 'unknown' | 'untested';

/** The checks without which it is not known whether a listener of that kind serves. */
function decisive(kind: ListenerCheck['decides']): CheckId[] {
  return listenerChecks.filter(({ decides }) => decides === kind).map(({ id }) => id);
}

export function serviceOf(target: TargetReport): Service {
  const { checks } = target;
  const errors = checks.filter(({ severity }) => severity === 'error').flatMap(({ findings }) => findings);
  if (errors.some((code) => !isImpairing(code))) return 'not-served';
  const deciding = decisive(isTurn(target) ? 'TURN' : 'STUN');
  const unknown = checks.filter(({ status }) => status === 'unknown');
  if (unknown.some(({ id }) => deciding.includes(id))) {
    return unknown.some(({ id }) => id === 'listener-answers') ? 'untested' : 'unknown';
  }
  return 'served';
}
