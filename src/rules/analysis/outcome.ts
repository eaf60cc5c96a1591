import type { Outcome } from '../../model/check.ts';
import {
  finding,
  type Evidence,
  type FindingOptions,
  type RecordedCallFindingCode,
} from '../../model/finding.ts';
import { evidenceOf, type RecordedCall } from './recorded-call.ts';

type Own<C extends RecordedCallFindingCode> = Omit<Evidence<C>, 'file' | 'connection'>;

/** A check of a recorded call that failed. */
export function failedCall<C extends RecordedCallFindingCode>(
  call: RecordedCall,
  code: C,
  evidence: Own<C>,
  options: Omit<FindingOptions, 'targets'> = {},
): Outcome & { status: 'failed' } {
  // That the rest and the connection make the whole is not seen through the type parameter.
  const whole = { ...evidenceOf(call), ...evidence } as unknown as Evidence<C>;
  return { status: 'failed', findings: [finding(code, whole, options)] };
}

/** The first that failed, else the first that is not known, else what remains. */
export function firstFailed(outcomes: readonly (Outcome | null)[], otherwise: Outcome): Outcome {
  return outcomes.find((each) => each !== null) ?? otherwise;
}
