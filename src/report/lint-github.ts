import { printable } from '../model/printable.ts';
import { escapeData, escapeProperty } from './github-escape.ts';
import { positionOf, type LintFindingReport, type LintReport } from '../model/lint-report.ts';

const commandOf = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** Annotations of GitHub Actions, each at its line. */
export function renderLintGithub(report: LintReport): string {
  return report.findings.map((each) => `${annotation(each, report.file)}\n`).join('');
}

function annotation(finding: LintFindingReport, name: string): string {
  const { severity, code, title, cause, fix } = finding;
  const { file, line, column, endColumn } = positionOf(finding, name);
  const place = line === null ? {} : { line, endLine: line, col: column, endColumn };
  const properties = Object.entries({ file, ...place, title: `${code}: ${title}` })
    .map(([key, value]) => `${key}=${escapeProperty(String(value))}`)
    .join(',');
  const message = [cause, ...fix.split('\n').map((step) => `Fix: ${step}`)].map(printable).join('\n');
  return `::${commandOf[severity]} ${properties}::${escapeData(message)}`;
}
