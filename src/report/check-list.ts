import type { CheckReport, FindingReport, TargetReport } from '../model/report.ts';
import type { PrintableReport } from './printable-report.ts';

/** The checks of one target, or those that are about one name. */
export interface CheckGroup {
  /** `turn:turn.example.com 203.0.113.10`, or a host name. */
  readonly subject: string;
  /** Null for a name. */
  readonly target: TargetReport | null;
  readonly checks: readonly ListedCheck[];
}

export interface ListedCheck extends Omit<CheckReport, 'findings'> {
  /** The findings of this check, with their words. */
  readonly findings: readonly FindingReport[];
  /**
   * It is not known, and the verdict lacks it. An unknown check that is no open question is not required, is met at
   * another listener, or follows from a failure that is told.
   */
  readonly isOpen: boolean;
}

/** Every check of a report, names first, for formats that are lists of checks. */
export function checkGroups({ checks, targets, findings, open }: PrintableReport): CheckGroup[] {
  const context = { findings, open: new Set(open) };
  const names = [...new Set(checks.map(({ subject }) => subject))];
  return [
    ...names.map((subject) => ({
      subject,
      target: null,
      checks: checks
        .filter((check) => check.subject === subject)
        .map((check) => listed(check, context, ({ evidence }) => hasEvidence(evidence, 'host', subject))),
    })),
    ...targets.map((target) => ({
      subject: `${target.url} ${target.address}`,
      target,
      checks: target.checks.map((check) =>
        listed(
          check,
          context,
          (each) =>
            each.targets.includes(target.url) && hasEvidence(each.evidence, 'address', target.address),
        ),
      ),
    })),
  ];
}

/** One URL may stand for several addresses, so that the code and the URL alone can name two findings. */
function listed(
  check: CheckReport,
  { findings, open }: { findings: readonly FindingReport[]; open: ReadonlySet<string> },
  isAboutIt: (finding: FindingReport) => boolean,
): ListedCheck {
  const named = findings.filter(({ code }) => check.findings.includes(code));
  const own = named.filter(isAboutIt);
  const { status, required, because } = check;
  return {
    ...check,
    findings: own.length > 0 ? own : named,
    isOpen: status === 'unknown' && required && because !== null && open.has(because),
  };
}

function hasEvidence(evidence: object, key: string, value: string): boolean {
  const entry = new Map<string, unknown>(Object.entries(evidence)).get(key);
  return entry === undefined || entry === value;
}

/** A finding for a log: title, cause, proof and the steps of the fix, a line each. */
export function findingLines({ title, cause, proof, fix }: FindingReport): string[] {
  return [title, cause, `Proof: ${proof}`, 'Fix:', ...fix.split('\n').map((line) => `  ${line}`)];
}
