import type { CallsReport } from '../../model/call-report.ts';
import { finding, type Finding, type FindingCode } from '../../model/finding.ts';

const requests = ['CAPTURE_SERVER_SILENT', 'CAPTURE_PORT_CLOSED', 'CAPTURE_PATH_PROHIBITED'] as const;

/** What a log or a capture says of the same fault, where a call that it belongs to has told it. */
const effects: Readonly<Partial<Record<FindingCode, readonly FindingCode[]>>> = {
  TURN_AUTH_FAILED: [
    ...(['LOG_CREDENTIALS_EXPIRED', 'LOG_CREDENTIALS_WRONG', 'LOG_CREDENTIALS_MALFORMED'] as const),
    ...(['LOG_CREDENTIALS_REFUSED', 'LOG_USERS_UNKNOWN'] as const),
    ...(['CAPTURE_CREDENTIALS_REFUSED', 'CAPTURE_CREDENTIALS_EXPIRED'] as const),
  ],
  TURN_QUOTA: ['LOG_QUOTA_REACHED', 'LOG_PORTS_EXHAUSTED', 'CAPTURE_ALLOCATION_REFUSED'],
  TURN_UNREACHABLE: requests,
  TURN_PERMISSION_DENIED: [
    ...(['LOG_PEERS_DENIED', 'LOG_PRIVATE_PEERS_DENIED', 'LOG_RELAYS_UNUSED'] as const),
    'CAPTURE_PEERS_REFUSED',
  ],
  TURN_RELAY_SILENT: [
    ...(['LOG_PEERS_SILENT', 'CAPTURE_RELAY_ONE_WAY', 'CAPTURE_CHECKS_UNANSWERED'] as const),
  ],
  TURN_ALLOC_EXPIRED: ['LOG_ALLOCATIONS_EXPIRED', 'LOG_REFRESH_TOO_LATE', 'CAPTURE_ALLOCATION_LOST'],
  RELAY_ADDR_PRIVATE: ['CAPTURE_RELAY_PRIVATE', 'LOG_PEERS_PRIVATE', 'LOG_PEERS_SILENT'],
};

/** Folds what a log and a capture tell under the root of the call that they belong to. */
export function explainedBy(
  calls: CallsReport | null,
  ofCalls: readonly Finding[],
): (found: Finding) => Finding {
  const [root] = ofCalls;
  const chosen = calls?.calls.find(
    ({ file, connection }) => file === calls.chosen?.file && connection === calls.chosen.connection,
  );
  const files = new Set(chosen?.sessions.map(({ file }) => file));
  const known = root === undefined || root.severity === 'info' ? [] : (effects[root.code] ?? []);
  return (found) => {
    const isOfCall = 'file' in found.evidence && files.has(found.evidence.file);
    if (root === undefined || !isOfCall || found.causedBy !== null || !known.includes(found.code))
      return found;
    const { code, evidence, severity } = found;
    return finding(code, evidence, { severity, causedBy: root.code });
  };
}
