import { exitCode } from '../model/error.ts';
import type { Severity } from '../model/finding.ts';
import type { FindingReport, Report, TargetReport, Verdict } from '../model/report.ts';
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

function verdictWithErrors({ targets, findings, open }: Judged): Verdict {
  // An open relay serves whoever abuses it; that other listeners work makes it no better.
  if (findings.some(({ code }) => code === 'ANONYMOUS_RELAY')) return 'broken';
  const services = new Set<Service>(targets.map(serviceOf));
  if (services.has('served')) return 'degraded';
  if (!services.has('unknown')) return 'broken';
  // A listener that answers, and of which the rest is not known, may serve.
  if (open.length > 0) return 'unknown';
  // With --require all that is asked for is known, be it that more is not.
  return targets.some(meetsAll) ? 'degraded' : 'broken';
}

/** Whether something is required of a listener, and none of that failed with an error. */
function meetsAll({ checks }: TargetReport): boolean {
  const required = checks.filter((check) => check.required);
  return required.length > 0 && required.every(({ severity }) => severity !== 'error');
}

function verdictWithoutErrors({ targets, findings, open }: Judged): Verdict {
  if (open.length > 0 || targets.length === 0) return 'unknown';
  return has(findings, 'warning') ? 'degraded' : 'healthy';
}

/** What is wrong with the network of the client is no fault of a server. */
function has(findings: readonly FindingReport[], severity: Severity): boolean {
  return findings.some((each) => each.severity === severity && each.subject.kind !== 'client');
}
