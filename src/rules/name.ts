import type { Outcome } from '../model/check.ts';
import { describeFailure } from '../model/failure.ts';
import type { NameFacts } from '../model/observations.ts';
import { failed, passed, skipped, unknown } from './outcome.ts';

/** A resolver that fails says nothing about the name; only "there is no such name" does. */
const noSuchName: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** `dns-resolves`. */
export function judgeName({ host, isControl, lookup }: NameFacts): Outcome {
  if (isControl && lookup.state === 'failed')
    return unknown(`the control ${host} does not resolve, and tells nothing`);
  if (lookup.state === 'not-tried') return unknown(lookup.because);
  if (lookup.state === 'failed') {
    const { failure } = lookup;
    const seen = describeFailure(failure);
    return failure.kind === 'system' && noSuchName.has(failure.code)
      ? failed('DNS_NOT_FOUND', { host, seen }, null)
      : unknown(`${host} was not looked up to the end: ${seen}; to see it: getent ahosts ${host}`);
  }
  const { addresses } = lookup.value;
  if (addresses.length === 0) return failed('DNS_NOT_FOUND', { host, seen: 'no address' }, null);
  if (addresses.includes(host)) return skipped('an IP address needs no lookup');
  return passed(addresses.join(', '));
}
