import type { FindingReport, Report } from '../model/report.ts';
import { findingLines } from './check-list.ts';
import { escapeData, escapeProperty } from './github-escape.ts';
import { verdictMark } from './human-style.ts';
import { printableReport } from './printable-report.ts';

const commandOf = { error: 'error', warning: 'warning', info: 'notice' } as const;

/**
 * For the log of a GitHub Actions job: the verdict, and an annotation for each finding and each open question. The runner
 * shows ten of a kind, so root causes come first. What is not known is an error when the verdict lacks it.
 */
export function renderGithub(report: Report): string {
  const { verdict, headline, findings, open } = printableReport(report);
  const roots = findings.filter(({ causedBy }) => causedBy === null);
  const effects = findings.filter(({ causedBy }) => causedBy !== null);
  const lines = [
    plainLine(`${verdictMark[verdict]} ${verdict}: ${headline}`),
    ...[...roots, ...effects].map(annotation),
    ...open.map((reason) =>
      workflowCommand(verdict === 'unknown' ? 'error' : 'warning', 'not known', reason),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function annotation(finding: FindingReport): string {
  const [title = '', ...lines] = findingLines(finding);
  const cause = finding.causedBy === null ? [] : [`Follows from ${finding.causedBy}.`];
  return workflowCommand(
    commandOf[finding.severity],
    `${finding.code}: ${title}`,
    [...lines, ...cause].join('\n'),
  );
}

/** The runner also takes `##[command]` for a command, wherever it stands in a line. */
function plainLine(text: string): string {
  return text.replaceAll('##[', '## [');
}

function workflowCommand(command: string, title: string, message: string): string {
  return `::${command} title=${escapeProperty(title)}::${escapeData(message)}`;
}
