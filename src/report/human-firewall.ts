import type { FirewallCheck, FirewallOpening, FirewallReport } from '../model/firewall-report.ts';
import { spanText } from '../model/firewall.ts';
import { printable } from '../model/printable.ts';
import {
  marked,
  padded,
  paragraph,
  severityMark,
  statusMark,
  styleFor,
  verdictMark,
  widthOf,
  type Style,
} from './human-style.ts';

const checkNames = {
  'firewall-rules': 'rules',
  'firewall-listener': 'listener',
  'firewall-outside': 'outside',
} as const;

/** The check of a firewall for a person: the verdict, what is wrong with its fix, and each port with what is known of it. */
export function renderFirewallHuman(
  report: FirewallReport,
  options: { color: boolean; columns: number },
): string {
  const style = styleFor(options);
  const { verdict, headline } = report;
  const sections = [
    marked(`${style.verdict(verdict, `${verdictMark[verdict]} ${verdict}`)}   ${headline}`, 0, style),
    ...report.findings.map((finding) => findingSection(finding, style)),
    table(report.openings, style),
    reasons(report.openings, style),
    [
      ...managed(report, style),
      ...report.notes.flatMap((note) => marked(style.dim(`i ${printable(note)}`), 2, style)),
    ],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const labelWidth = 7;

function findingSection(finding: FirewallReport['findings'][number], style: Style): string[] {
  const { severity, title, code, cause, proof, fix } = finding;
  const text = `${severityMark[severity]} ${title}`;
  const gap = style.columns - 2 - widthOf(text) - widthOf(code);
  const heading = style.severity(severity, style.bold(text));
  return [
    ...(gap >= 2
      ? [`  ${heading}${' '.repeat(gap)}${style.dim(code)}`]
      : [
          ...marked(heading, 2, style),
          `${' '.repeat(Math.max(0, style.columns - widthOf(code)))}${style.dim(code)}`,
        ]),
    ...paragraph(cause, 4, style),
    ...labelled('Proof', paragraph(proof, 4 + labelWidth, style), style),
    ...labelled(
      'Fix',
      fix.split('\n').flatMap((step) => stepLines(step, style)),
      style,
    ),
  ];
}

function labelled(label: string, lines: readonly string[], style: Style): string[] {
  const [first = '', ...rest] = lines;
  return [`    ${style.bold(padded(label, labelWidth))}${first.slice(4 + labelWidth)}`, ...rest];
}

/** What is to be pasted is never wrapped; it is for this machine, which need not be said. */
function stepLines(step: string, style: Style): string[] {
  const [, command] = /^on the server: {2}(.+)$/.exec(step) ?? [];
  return command === undefined
    ? paragraph(step, 4 + labelWidth, style)
    : [`${' '.repeat(4 + labelWidth)}${command}`];
}

const cellWidth = 12;

function table(openings: readonly FirewallOpening[], style: Style): string[] {
  const portWidth = Math.max(...openings.map(({ ports }) => spanText(ports).length)) + 2;
  const titleWidth = Math.max(...openings.map(({ title }) => title.length)) + 2;
  const columns = Object.keys(checkNames).filter((id) =>
    openings.some(({ checks }) => checks.some((check) => check.id === id)),
  );
  return openings.map(({ protocol, ports, title, checks }) => {
    const cells = columns.map((id) => {
      const check = checks.find((each) => each.id === id);
      return padded(check === undefined ? '' : cell(check, style), cellWidth);
    });
    const heading = `  ${protocol}  ${padded(spanText(ports), portWidth)}${padded(title, titleWidth)}`;
    return `${heading}${cells.join('')}`.trimEnd();
  });
}

const words: Readonly<Record<FirewallCheck['id'], Readonly<Record<'passed' | 'failed', string>>>> = {
  'firewall-rules': { passed: 'let in', failed: 'blocked' },
  'firewall-listener': { passed: 'listens', failed: 'listener' },
  'firewall-outside': { passed: 'reached', failed: 'not reached' },
};

function cell({ id, status }: FirewallCheck, style: Style): string {
  const word = status === 'passed' || status === 'failed' ? words[id][status] : checkNames[id];
  return style.status(status, `${statusMark[status]} ${word}`);
}

/** Why something is not known, each reason once. */
function reasons(openings: readonly FirewallOpening[], style: Style): string[] {
  const open = openings.flatMap(({ checks }) =>
    checks.flatMap(({ id, because, status }) =>
      because === null ? [] : [`${statusMark[status]} ${checkNames[id]}: ${printable(because)}`],
    ),
  );
  return [...new Set(open)].flatMap((text) => marked(text, 2, style));
}

function managed({ manager }: FirewallReport, style: Style): string[] {
  if (manager === null) return [];
  const text =
    manager === 'none'
      ? 'No firewall on this machine. One in front of it (a cloud, a router) is not seen from here.'
      : `The rules of this machine are those of ${manager}. A firewall in front of it (a cloud, a router) is not seen from here.`;
  return paragraph(style.dim(text), 2, style);
}
