import { printable } from '../model/printable.ts';
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
    .map(([key, value]) => `${key}=${escapedProperty(String(value))}`)
    .join(',');
  const message = [cause, ...fix.split('\n').map((step) => `Fix: ${step}`)].map(printable).join('\n');
  return `::${commandOf[severity]} ${properties}::${escapedData(message)}`;
}

/** As `@actions/core` does it (command.ts): what ends a line, and the sign that escapes. */
function escapedData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** In a property also what ends one. */
function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
