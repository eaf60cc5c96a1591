import type { FindingReport, Report, TargetReport } from '../model/report.ts';
import { checkGroups, type CheckGroup } from './check-list.ts';
import { statusMark, verdictMark } from './human-style.ts';
import { printableReport } from './printable-report.ts';

/** The report in GitHub's Markdown, as a summary of a job: the verdict, the findings with their fix, a table for each host. */
export function renderMarkdown(given: Report): string {
  const report = printableReport(given);
  const { verdict, headline, findings, open, vantage } = report;
  const groups = checkGroups(report).filter(({ target }) => target !== null);
  const sections = [
    [`## ${verdictMark[verdict]} rtc-ops: ${verdict}`, '', escaped(headline)],
    ...findings.map(findingSection),
    open.length === 0 ? [] : ['### Not known', '', ...open.map((reason) => `- ${escaped(reason)}`)],
    ...byAddress(groups).map(table),
    [`Seen from: ${vantage.kind}, ${escaped(vantage.because)}.`],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function findingSection({ code, severity, title, cause, proof, fix, causedBy }: FindingReport): string[] {
  const follows = causedBy === null ? [] : ['', `Follows from ${causedBy}.`];
  return [
    `### ${escaped(title)}`,
    '',
    `\`${code}\` (${severity}): ${escaped(cause)}`,
    ...follows,
    '',
    `Proof: ${escaped(proof)}`,
    '',
    ...codeBlock(fix),
  ];
}

function byAddress(groups: readonly CheckGroup[]): CheckGroup[][] {
  const addresses = new Map<string, CheckGroup[]>();
  for (const group of groups) {
    const key = `${group.target?.host} ${group.target?.address}`;
    addresses.set(key, [...(addresses.get(key) ?? []), group]);
  }
  return [...addresses.values()];
}

function table(groups: readonly CheckGroup[]): string[] {
  const targets = groups.flatMap(({ target }) => target ?? []);
  const [{ host, address }] = targets as [TargetReport];
  const titles = new Map(targets.flatMap(({ checks }) => checks.map(({ id, title }) => [id, title])));
  const rows = [...titles].map(([id, title]) => {
    const cells = groups.map(({ checks }) => {
      const check = checks.find((each) => each.id === id);
      return check === undefined
        ? ''
        : [statusMark[check.status], escaped(check.detail ?? '')].join(' ').trim();
    });
    return row([title, ...cells]);
  });
  const reasons = groups.flatMap(({ target, checks }) =>
    checks.flatMap(({ status, because }) =>
      status === 'unknown' ? [`- ? ${target?.transport} ${target?.port}: ${escaped(because ?? '')}`] : [],
    ),
  );
  return [
    `### ${escaped(host === address ? host : `${host} ${address}`)}`,
    '',
    row(['check', ...targets.map(({ transport, port }) => `${transport} ${port}`)]),
    row(['---', ...targets.map(() => '---')]),
    ...rows,
    ...(reasons.length === 0 ? [] : ['', ...new Set(reasons)]),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Every ASCII punctuation character may be escaped (CommonMark §2.4); a server's words then stay words. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+!|~$&@]/g, '\\$&');
}

/** A fence that is longer than any in the text (CommonMark §4.5). */
function codeBlock(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return [fence, ...text.split('\n'), fence];
}
