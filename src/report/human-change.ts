import type { CheckReport, Report } from '../model/report.ts';
import { checkGroups, type ListedCheck } from './check-list.ts';
import { marked, paragraph, styleFor, verdictMark, type Style } from './human-style.ts';
import { printableReport, type PrintableReport } from './printable-report.ts';

/**
 * What is otherwise than in the report before, for a person who watches: the verdict, then each target with its checks.
 * Empty when every check is as it was. `time` is shown as it is.
 */
export function renderChange(
  was: Report,
  is: Report,
  { time, ...options }: { time: string; color: boolean; columns: number },
): string {
  const [before, after] = [printableReport(was), printableReport(is)];
  const style = styleFor(options);
  const earlier = groupsBySubject(before);
  const later = groupsBySubject(after);
  const changes = [...later].flatMap(([subject, checks]) => {
    const old = earlier.get(subject);
    if (old === undefined) return section(subject, ['is tested from now on'], style);
    return section(subject, transitions(old, checks), style);
  });
  const gone = [...earlier.keys()]
    .filter((subject) => !later.has(subject))
    .flatMap((subject) =>
      section(subject, ['is no longer tested: it is no address of a name any more'], style),
    );
  const lines = [...changes, ...gone];
  if (lines.length === 0 && before.verdict === after.verdict) return '';
  return `${[...headline(before, after, time, style), ...lines].join('\n')}\n`;
}

function groupsBySubject(report: PrintableReport): Map<string, readonly ListedCheck[]> {
  return new Map(checkGroups(report).map(({ subject, checks }) => [subject, checks]));
}

function headline(before: Report, after: Report, time: string, style: Style): string[] {
  const { verdict, headline: text } = after;
  const was = before.verdict === verdict ? 'still ' : `${before.verdict} → `;
  const mark = style.verdict(verdict, `${verdictMark[verdict]} ${was}${verdict}`);
  return paragraph(`${time}  ${mark}: ${text}`, 0, style, 2);
}

function section(subject: string, lines: readonly string[], style: Style): string[] {
  if (lines.length === 0) return [];
  return [...paragraph(style.bold(subject), 2, style, 2), ...lines.flatMap((line) => marked(line, 4, style))];
}

/** Checks that went the same way for the same reason are told together. */
function transitions(before: readonly ListedCheck[], after: readonly ListedCheck[]): string[] {
  const groups = new Map<string, string[]>();
  for (const check of after) {
    const old = before.find(({ id }) => id === check.id);
    if (old === undefined || stateOf(old) === stateOf(check)) continue;
    const change = `${old.status} → ${check.status}${reason(check)}`;
    groups.set(change, [...(groups.get(change) ?? []), check.id]);
  }
  return [...groups].map(([change, ids]) => `${ids.join(', ')}: ${change}`);
}

/** The words of a reason hold figures that differ each time. */
function stateOf({
  status,
  findings,
}: {
  status: CheckReport['status'];
  findings: ListedCheck['findings'];
}): string {
  return [status, ...new Set(findings.map(({ code }) => code))].join(' ');
}

function reason({ status, because, findings }: ListedCheck): string {
  if (status === 'failed') return `: ${findings.map(({ title, code }) => `${title} (${code})`).join('; ')}`;
  return because === null ? '' : `: ${because}`;
}
