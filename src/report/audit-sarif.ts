import type { AuditFindingReport, AuditReport } from '../model/audit.ts';
import { bracketed } from '../model/endpoint.ts';
import { renderSarif } from './sarif.ts';

/** The findings of an audit. A server is no file: each is at the URI of the listener, or of the server, that showed it. */
export function renderAuditSarif({ tool, exitCode, findings, servers, notAudited }: AuditReport): string {
  const results = findings.map((each) => ({ ...each, location: locationOf(each) }));
  const open = servers.flatMap(({ host, checks }) =>
    checks.flatMap(({ status, title, because }) =>
      status === 'unknown' ? [`${host}: it is not known whether ${title}: ${because ?? ''}`] : [],
    ),
  );
  return renderSarif({ tool, exitCode, results, notes: [...notAudited, ...open] });
}

function locationOf({ subject, targets }: AuditFindingReport): object {
  const host = 'host' in subject ? subject.host : 'unknown';
  const uri = targets[0] ?? `turn:${bracketed(host)}`;
  return {
    physicalLocation: { artifactLocation: { uri } },
    logicalLocations: [{ name: host, kind: 'resource', fullyQualifiedName: uri }],
  };
}
