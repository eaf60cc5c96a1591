import type { AdminPort, ServerAuditFacts } from '../model/audit.ts';
import type { Outcome } from '../model/check.ts';
import { finding } from '../model/finding.ts';
import { outcomeOf, why } from './audit-outcome.ts';

const adminNames = {
  'command line': 'the command line of coturn',
  Prometheus: 'the metrics of coturn',
  'web admin': 'the web admin of coturn',
} as const;

/** `admin-surfaces`: what is for the operator, on ports of its own and on those of the listeners. */
export function judgeAdmin({ host, address, isHere, listeners, admin }: ServerAuditFacts): Outcome {
  const own = admin.state === 'done' ? admin.value : [];
  // A TURN listener that is asked for a web page says nothing, or what is no page of coturn: that is its business.
  const shared = listeners.flatMap(({ web }) =>
    web.state === 'done' && web.value.isCoturn ? [web.value] : [],
  );
  const found = distinct([...own, ...shared].filter(({ isCoturn }) => isCoturn));
  const findings = found.map(({ what, port, banner }) =>
    finding('ADMIN_EXPOSED', { host, address, what: adminNames[what], port, banner }),
  );
  const open = [
    ...(admin.state === 'done' ? [] : [why(admin)]),
    ...own.flatMap((port) => openQuestion(port) ?? []),
    ...(isSilent(listeners, own) ? ['no port of the host answers, be it open or closed'] : []),
  ];
  if (!isHere) return outcomeOf(findings, open);
  const reached = found.map(
    ({ what, port }) =>
      `${adminNames[what]} answers on TCP port ${port}, asked from the server itself: whether others reach it has to be asked from elsewhere`,
  );
  return outcomeOf([], [...reached, ...open]);
}

/** Null where it is closed, or the service of somebody else. */
function openQuestion({ what, port, state, banner, isCoturn }: AdminPort): string | null {
  if (state !== 'open' || isCoturn) return null;
  if (banner === '') return `TCP port ${port} takes connections and says nothing`;
  // 8080 is anybody's port, and coturn says there who it is.
  return what === 'web admin'
    ? null
    : `TCP port ${port}, which is for ${adminNames[what]}, answers with something else: ${banner}`;
}

function isSilent(listeners: ServerAuditFacts['listeners'], own: readonly AdminPort[]): boolean {
  return (
    own.length > 0 &&
    own.every(({ state }) => state === 'dropped') &&
    listeners.every(({ challenge, software }) => challenge.state !== 'done' && software.state !== 'done')
  );
}

function distinct(found: readonly AdminPort[]): AdminPort[] {
  return [...new Map(found.map((each) => [each.port, each])).values()];
}
