import { listed, noAudio } from '../model/catalog/entry.ts';
import type { CheckId } from '../model/check.ts';
import { headlineFor } from '../model/finding.ts';
import type { FindingReport, TargetReport, Verdict } from '../model/report.ts';
import { isTurn } from '../model/turn-uri.ts';
import { serviceOf, type Service } from './service.ts';

/** What a verdict is made of. */
export interface Judged {
  readonly targets: readonly TargetReport[];
  /** Why something required is not known. */
  readonly open: readonly string[];
  readonly findings: readonly FindingReport[];
}

/** One sentence for a person: why this verdict. */
export function headlineOf(verdict: Verdict, judged: Judged): string {
  const { findings, open } = judged;
  const [worst] = findings;
  switch (verdict) {
    case 'healthy':
      return healthy(judged.targets);
    case 'degraded':
      return degraded(judged.targets, worst);
    case 'broken':
      return brokenFor(judged.targets, worst);
    case 'unknown':
      return open.length > 1 ? `${open[0]} (and ${open.length - 1} more)` : (open[0] ?? 'nothing was tested');
    default:
      return verdict satisfies never;
  }
}

function brokenFor(targets: readonly TargetReport[], worst: FindingReport | undefined): string {
  const hosts = new Set(targets.map(({ host }) => host)).size;
  if (hosts > 1) return `none of ${hosts} servers serves: ${lowerFirst(worst?.title ?? '')}`;
  return (worst && headlineFor(worst)) ?? noAudio;
}

const relayProof: readonly CheckId[] = ['relay-inbound', 'relay-outbound', 'relay-reply'];
const audioProof: readonly CheckId[] = ['call-uses-relay', 'call-audio'];

function healthy(targets: readonly TargetReport[]): string {
  const proven = (checks: readonly CheckId[]): string[] =>
    transportsOf(targets.filter((target) => passes(target, checks)));
  const turn = targets.some(isTurn);
  const [audio, relay, stun] = [proven(audioProof), proven(relayProof), proven(['stun-binding'])];
  if (audio.length > 0) return `audio flows through the relay over ${listed(audio)}`;
  if (relay.length > 0) {
    const called = targets.some(
      (target) =>
        passes(target, relayProof) &&
        target.checks.some(({ id, status }) => id === 'call-connects' && status !== 'skipped'),
    );
    return `the relay works over ${listed(relay)}; ${called ? 'of the call not all is known' : 'no call was made'}`;
  }
  if (stun.length > 0) {
    return turn
      ? `STUN answers over ${listed(stun)}; the relay was not required`
      : `STUN answers over ${listed(stun)}`;
  }
  return 'what was required works';
}

function passes({ checks }: TargetReport, ids: readonly CheckId[]): boolean {
  return ids.every((id) => checks.some((check) => check.id === id && check.status === 'passed'));
}

function degraded(targets: readonly TargetReport[], worst: FindingReport | undefined): string {
  const of = (...services: Service[]): TargetReport[] =>
    targets.filter((target) => services.includes(serviceOf(target)));
  const [serving, failing, open] = [of('served'), of('not-served'), of('unknown', 'untested')];
  if (serving.length === 0)
    return `what was required works, but ${lowerFirst(worst?.title ?? 'something is wrong')}`;
  if (failing.length === 0) return `works, but ${lowerFirst(worst?.title ?? 'something is wrong')}`;
  const rest = open.length === 0 ? '' : `; ${open.length} of ${targets.length} not known`;
  for (const [preposition, nameOf] of distinctions) {
    const [works, fails] = [serving, failing].map((group) => [...new Set(group.map(nameOf))]);
    if (works && fails && works.every((name) => !fails.includes(name))) {
      return `works ${preposition} ${listed(works)}, not ${preposition} ${listed(fails)}${rest}`;
    }
  }
  return `works at ${serving.length} of ${targets.length} listeners, not at ${failing.length}${rest}`;
}

/** In what the listeners that serve may differ from those that do not, and how that is said. */
const distinctions: readonly (readonly [string, (target: TargetReport) => string])[] = [
  ['over', ({ transport }) => transport],
  ['over', ({ family }) => `IPv${family}`],
  ['at', ({ host }) => host],
];

function transportsOf(targets: readonly TargetReport[]): string[] {
  return [...new Set(targets.map(({ transport }) => transport))];
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
