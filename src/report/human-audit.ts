import type { AuditReport } from '../model/audit.ts';
import { printableData } from '../model/printable.ts';
import { findingLines } from './human-finding.ts';
import { marked, paragraph, statusMark, styleFor, type Style } from './human-style.ts';

/** The audit for a person: the verdict, what was found, and every question with its answer. */
export function renderAuditHuman(report: AuditReport, options: { color: boolean; columns: number }): string {
  const style = styleFor(options);
  const serious = report.findings.filter(({ severity }) => severity !== 'info');
  const notes = report.findings.filter(({ severity }) => severity === 'info');
  const sections = [
    headline(report, style),
    ...[...serious, ...notes].map((each) => findingLines(each, style)),
    ...printableData(report.servers).map((server) => serverSection(server, style)),
    printableData(report.notAudited).flatMap((text) => marked(`? not audited: ${text}`, 2, style)),
    [
      `  ${style.dim(`${(report.durationMs / 1000).toFixed(1)} s; nothing was sent to any peer, and what was allocated is freed`)}`,
    ],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** The verdict, with the gravest finding in its own words. */
function headline({ findings, servers, notAudited }: AuditReport, style: Style): string[] {
  const open =
    notAudited.length +
    servers.flatMap(({ checks }) => checks.filter(({ status }) => status === 'unknown')).length;
  const said = (severity: string): string => {
    const found = findings.filter((each) => each.severity === severity);
    return `${found[0]?.title ?? ''}${found.length > 1 ? `, and ${found.length - 1} more` : ''}${openly}`;
  };
  const openly = open === 0 ? '' : `; ${open === 1 ? 'one question is' : `${open} questions are`} open`;
  const has = (severity: string): boolean => findings.some((each) => each.severity === severity);
  if (has('error')) return marked(`${style.verdict('broken', '✖ exposed')}   ${said('error')}`, 0, style);
  if (has('warning')) return marked(`${style.verdict('degraded', '! weak')}   ${said('warning')}`, 0, style);
  if (open > 0 || servers.length === 0) {
    return marked(
      `${style.verdict('unknown', '? unknown')}   ${servers.length === 0 ? 'nothing was examined' : 'nothing serious was found'}${openly}`,
      0,
      style,
    );
  }
  return marked(`${style.verdict('healthy', '✔ sound')}   nothing that was tried got through`, 0, style);
}

function serverSection({ host, address, checks }: AuditReport['servers'][number], style: Style): string[] {
  const name = host === address ? host : `${host} ${address}`;
  return [
    `  ${style.bold(name)}`,
    ...checks.flatMap(({ status, title, because, note, findings }) => {
      const mark = style.status(status, statusMark[status]);
      const said = [note, because ?? '', findings.join(', ')].filter((text) => text !== '').join(' ');
      return paragraph(`${mark} ${title}${said === '' ? '' : style.dim(` · ${said}`)}`, 4, style, 2);
    }),
  ];
}
