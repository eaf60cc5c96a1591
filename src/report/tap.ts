import type { Report } from '../model/report.ts';
import { checkGroups, type ListedCheck } from './check-list.ts';
import { printableReport } from './printable-report.ts';

interface TestPoint {
  readonly ok: boolean;
  readonly description: string;
  readonly skip?: string;
  readonly diagnostics?: Readonly<Record<string, unknown>>;
}

/**
 * TAP 14 (testanything.org), a flat list that readers of version 13 understand as well.
 *
 * A check that failed is `not ok`. So is a required one that is unknown: `# TODO` would have it pass. Any other that is
 * unknown, and what was skipped, is `# SKIP` with the reason, which no harness counts as passed. The first point is the
 * verdict; it is `not ok` exactly when the exit code is not 0.
 */
export function renderTap(given: Report): string {
  const report = printableReport(given);
  const points = [
    verdictPoint(report),
    ...checkGroups(report).flatMap(({ subject, checks }) => checks.map((check) => pointOf(check, subject))),
  ];
  const lines = ['TAP version 14', `1..${points.length}`, ...points.flatMap(pointLines)];
  return `${lines.join('\n')}\n`;
}

function verdictPoint({ verdict, headline, exitCode, open }: Report): TestPoint {
  const ok = exitCode === 0;
  return {
    ok,
    description: `verdict: ${verdict}, ${headline}`,
    ...(ok ? {} : { diagnostics: { verdict, open } }),
  };
}

function pointOf({ id, title, status, because, findings, isOpen }: ListedCheck, subject: string): TestPoint {
  const description = `${id}: ${title} (${subject})`;
  switch (status) {
    case 'passed':
      return { ok: true, description };
    case 'failed':
      return {
        ok: false,
        description,
        diagnostics: {
          status,
          findings: findings.map(({ code, severity, cause, proof, fix }) => ({
            code,
            severity,
            cause,
            proof,
            fix: fix.split('\n'),
          })),
        },
      };
    case 'skipped':
      return { ok: true, description, skip: because ?? '' };
    case 'unknown':
      return isOpen
        ? { ok: false, description, diagnostics: { status, because } }
        : { ok: true, description, skip: `unknown: ${because ?? ''}` };
    default:
      return status satisfies never;
  }
}

function pointLines({ ok, description, skip, diagnostics }: TestPoint, index: number): string[] {
  const directive = skip === undefined ? '' : ` # SKIP ${escaped(skip)}`;
  const line = `${ok ? 'ok' : 'not ok'} ${index + 1} - ${escaped(description)}${directive}`.trimEnd();
  return diagnostics === undefined ? [line] : [line, '  ---', ...yamlLines(diagnostics), '  ...'];
}

/** A `#` would begin a directive. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('#', '\\#');
}

/** JSON is YAML: values in flow style need no quoting rules of their own. */
function yamlLines(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
}
