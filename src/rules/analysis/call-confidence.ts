import type { RecordedCallReport } from '../../model/call-report.ts';
import type { Finding, FindingCode } from '../../model/finding.ts';
import type { JudgedCall } from './call-judgement.ts';

/** What one side alone cannot tell for certain. */
const needsOtherSide: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'ICE_FAILED_WITH_RELAY',
  'ICE_FAILED_NO_RELAY',
  'REMOTE_GETS_NOTHING',
  'INBOUND_ZERO',
  'INBOUND_SILENT',
  'MIC_SILENT',
  'DTLS_STUCK',
  'CONNECTION_LOST',
  'SIGNALING_STUCK',
]);

/** What tells most of a call, by whose recording it is. */
const best = {
  firefox: 'the saved page of about:webrtc and “Copy Report” of each connection, from the end of the call',
  other: 'a dump of chrome://webrtc-internals',
} as const;

const needsServer: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'ICE_FAILED_WITH_RELAY',
  'TURN_UNREACHABLE',
  'TURN_AUTH_FAILED',
  'TURN_ALLOC_EXPIRED',
  'RELAY_NOT_GATHERED',
  'REMOTE_GETS_NOTHING',
]);

function isSeenAtServer({ evidence }: Finding): boolean {
  return 'server' in evidence && evidence.server !== null;
}

/** How sure the verdict is, why not more, and what would make it so. */
export function confidenceOf({
  call,
  findings,
  open,
  verdict,
}: JudgedCall): RecordedCallReport['confidence'] {
  const because: string[] = [];
  const raise: string[] = [];
  const lower = (reason: string, remedy: string): void => {
    because.push(reason);
    if (!raise.includes(remedy)) raise.push(remedy);
  };
  const { history, firstAtMs } = call.facts;
  const [root] = findings;
  const remedy = call.source.engine === 'firefox' ? best.firefox : best.other;
  if (history === 'late')
    lower('the beginning is not recorded', 'open chrome://webrtc-internals before the call');
  if (history === 'none') lower('there are figures or texts alone, and no events', remedy);
  if (firstAtMs === null) lower('it has no times', remedy);
  if (call.source.missing.length > 0)
    lower('a part of it is missing', 'a recording of the call from its beginning to its end');
  if (root !== undefined && root.severity !== 'info') {
    if (needsOtherSide.has(root.code) && !isSeenAtServer(root))
      lower('one side alone is seen', 'a recording of the other side');
    if (needsServer.has(root.code) && call.server.sessions.length === 0)
      raise.push('the log of the TURN server of that time');
  }
  if (open.length > 0 && verdict !== 'broken')
    lower(open[0] ?? '', 'a recording of the call from its beginning to its end');
  const level = because.length === 0 ? 'high' : because.length > 1 ? 'low' : 'medium';
  return { level, because, raise };
}
