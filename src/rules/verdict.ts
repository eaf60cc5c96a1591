import { exitCode } from '../model/error.ts';
import type { Severity } from '../model/finding.ts';
import type { FindingReport, Report, Verdict } from '../model/report.ts';
import { headlineOf, type Judged } from './headline.ts';
import { serviceOf, type Service } from './service.ts';

/**
 * The verdict of the whole. `healthy`: everything that is required passed, and nothing is an error or a warning.
 * `degraded`: users are served, with something wrong. `broken`: an error, and no listener serves. `unknown`: something
 * required was not found out, and no listener is known to serve, or nothing is known to be wrong.
 */
export function verdictOf(
  judged: Judged,
  failOn: 'error' | 'warning',
): Pick<Report, 'verdict' | 'headline' | 'exitCode'> {
  const { findings } = judged;
  const errors = has(findings, 'error');
  const verdict = errors ? verdictWithErrors(judged) : verdictWithoutErrors(judged);
  const fails = errors || verdict === 'unknown' || (failOn === 'warning' && verdict !== 'healthy');
  return {
    verdict,
    headline: headlineOf(verdict, judged),
    exitCode: fails ? exitCode.findings : exitCode.healthy,
  };
}

function verdictWithErrors({ targets, findings }: Judged): Verdict {
  // An open relay serves whoever abuses it; that other listeners work makes it no better.
  if (findings.some(({ code }) => code === 'ANONYMOUS_RELAY')) return 'broken';
  const services = new Set<Service>(targets.map(serviceOf));
  if (services.has('served')) return 'degraded';
  // A listener that answers, and of which the rest is not known, may serve.
  return services.has('unknown') ? 'unknown' : 'broken';
}

function verdictWithoutErrors({ targets, findings, open }: Judged): Verdict {
  if (open.length > 0 || targets.length === 0) return 'unknown';
  return has(findings, 'warning') ? 'degraded' : 'healthy';
}

function has(findings: readonly FindingReport[], severity: Severity): boolean {
  return findings.some((each) => each.severity === severity);
}
