import { exitCode } from '../model/error.ts';
import type { Severity } from '../model/finding.ts';
import type { Observations } from '../model/observations.ts';
import type { CheckReport, FindingReport, Report, TargetReport, Verdict } from '../model/report.ts';

interface Judged {
  readonly targets: readonly TargetReport[];
  readonly names: readonly CheckReport[];
  /** Required things that were not tested at all, in words. */
  readonly missing: readonly string[];
  readonly findings: readonly FindingReport[];
  readonly failOn: 'error' | 'warning';
  readonly observations: Observations;
}

/**
 * The verdict of the whole. `healthy`: everything that is required passed, and nothing is an error or a warning.
 * `degraded`: users are served, with something wrong. `broken`: an error, and no target serves. `unknown`: no error,
 * and something required was not found out.
 */
export function verdictOf(judged: Judged): Pick<Report, 'verdict' | 'headline' | 'exitCode'> {
  const { targets, findings, failOn } = judged;
  const open = openQuestions(judged);
  const errors = has(findings, 'error');
  const verdict = ((): Verdict => {
    if (errors) return targets.some(servesWith(findings)) ? 'degraded' : 'broken';
    if (open.length > 0 || targets.length === 0) return 'unknown';
    return has(findings, 'warning') ? 'degraded' : 'healthy';
  })();
  const fails =
    errors || open.length > 0 || targets.length === 0 || (failOn === 'warning' && verdict !== 'healthy');
  return {
    verdict,
    headline: headlineOf(verdict, judged, open),
    exitCode: fails ? exitCode.findings : exitCode.healthy,
  };
}

/** Why something required is not known. */
function openQuestions({ targets, names, missing }: Judged): string[] {
  const unknowns = [...names, ...targets.flatMap(({ checks }) => checks)].filter(
    ({ required, status }) => required && status === 'unknown',
  );
  return [...missing, ...unknowns.map(({ because, title }) => because ?? `whether ${title} is not known`)];
}

/** Whether users of a listener get what it is for, as far as was found out; warnings do not keep them from it. */
function servesWith(findings: readonly FindingReport[]): (target: TargetReport) => boolean {
  const isError = (code: string): boolean =>
    findings.some((each) => each.code === code && each.severity === 'error');
  return ({ checks }) =>
    checks.every(
      ({ required, status, findings: codes }) =>
        !required ||
        status === 'passed' ||
        status === 'skipped' ||
        (status === 'failed' && !codes.some(isError)),
    );
}

function has(findings: readonly FindingReport[], severity: Severity): boolean {
  return findings.some((each) => each.severity === severity);
}

function headlineOf(
  verdict: Verdict,
  { targets, findings, observations }: Judged,
  open: readonly string[],
): string {
  const relay = targets.some(({ scheme }) => scheme === 'turn' || scheme === 'turns');
  const [worst] = findings;
  const serves = servesWith(findings);
  switch (verdict) {
    case 'healthy':
      if (!relay) return `STUN answers over ${listed(transportsOf(targets))}`;
      return observations.targets.some(({ call }) => call.state === 'done')
        ? `audio flows through the relay over ${listed(transportsOf(targets))}`
        : `the relay works over ${listed(transportsOf(targets))}; no call was made`;
    case 'degraded':
      return has(findings, 'error')
        ? `works over ${listed(transportsOf(targets.filter(serves)))}, not over ${listed(transportsOf(targets.filter((each) => !serves(each))))}`
        : `works, but ${lowerFirst(worst?.title ?? '')}`;
    case 'broken':
      if (worst?.code === 'ANONYMOUS_RELAY') return 'anyone can relay traffic through this server';
      if (worst?.code === 'DNS_NOT_FOUND') return 'users cannot find this server';
      return relay
        ? 'users who need the relay will hear nothing'
        : 'clients learn no address from this server';
    case 'unknown':
      return open[0] ?? 'nothing was tested';
    default:
      return verdict satisfies never;
  }
}

function transportsOf(targets: readonly TargetReport[]): string[] {
  return [...new Set(targets.map(({ transport }) => transport))];
}

function listed(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? 'nothing';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
