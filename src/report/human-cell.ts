import type { CheckId } from '../model/check.ts';
import type { Finding, FindingCode } from '../model/finding.ts';
import type { CheckReport } from '../model/report.ts';
import { severityMark, statusMark, widthOf, type Style } from './human-style.ts';

/** What a failed check says in one word. */
const words: Partial<Record<FindingCode, string>> = {
  SERVER_UNREACHABLE: 'silent',
  LISTENER_SILENT: 'silent',
  UDP_BLOCKED: 'silent',
  PORT_BLOCKED: 'silent',
  NOTHING_LISTENS: 'refused',
  TCP_REFUSED: 'refused',
  UDP_REFUSED: 'refused',
  NOT_A_TURN_SERVER: 'not TURN',
  BINDING_UNANSWERED: 'no answer',
  SERVER_STOPPED: 'stopped',
  REQUEST_FAILED: 'failed',
  TLS_HANDSHAKE_FAILED: 'no TLS',
  TLS_CERT_EXPIRED: 'expired',
  TLS_CERT_EXPIRES_SOON: 'ends soon',
  TLS_NAME_MISMATCH: 'wrong name',
  TLS_CHAIN_INCOMPLETE: 'chain',
  TLS_UNTRUSTED: 'untrusted',
  ANONYMOUS_RELAY: 'granted',
  CREDENTIAL_EXPIRED: 'expired',
  CREDENTIAL_FORMAT: 'refused',
  CREDENTIAL_SECRET_MISMATCH: 'refused',
  ALLOCATION_REFUSED: 'refused',
  ALTERNATE_UNREACHABLE: 'redirected',
  QUOTA_REACHED: 'quota',
  QUOTA_TOO_SMALL: 'quota',
  RELAY_CAPACITY_EXHAUSTED: 'no port',
  RELAY_ADDRESS_PRIVATE: 'private',
  RELAY_PORTS_PARTLY_BLOCKED: 'some',
  TWO_SERVERS_ANSWER: 'two servers',
  RTT_HIGH: 'slow',
  CALL_FAILED: 'no call',
  DENY_LIST_BLOCKS_ALL: 'denied',
  OWN_RELAY_DENIED: 'denied',
  CALL_NOT_RELAYED: 'not relayed',
  AUDIO_SILENT: 'silent',
  AUDIO_ONE_WAY: 'one way',
  AUDIO_INTERRUPTED: 'broke off',
  AUDIO_UNUSABLE: 'unusable',
  LOSS_HIGH: 'loss',
  JITTER_HIGH: 'jitter',
  MOS_LOW: 'poor',
};

/** A check that failed with a warning leaves users served, and is marked as such. */
export function markOf({ status, severity }: CheckReport): string {
  return status === 'failed' && severity === 'warning' ? severityMark.warning : statusMark[status];
}

export function colored(check: CheckReport, text: string, style: Style): string {
  return check.status === 'failed' && check.severity === 'warning'
    ? style.severity('warning', text)
    : style.status(check.status, text);
}

/**
 * A cell of the table: `✔ 12 ms`, `✖ private`, `✔ ✖ ?`. What does not fit into `width` is left out; a mark always
 * fits.
 */
export function cell(
  checks: readonly CheckReport[],
  width: number,
  style: Style,
  findings: readonly Finding[] = [],
): string {
  const [first] = checks;
  if (first === undefined) return '';
  const only = checks.length === 1 ? first : decisive(checks);
  if (only === null) return checks.map((check) => colored(check, markOf(check), style)).join(' ');
  if (only.status === 'skipped') return '';
  const mark = markOf(only);
  const text = `${mark} ${textOf(only, findings)}`.trimEnd();
  return colored(only, widthOf(text) <= width ? text : mark, style);
}

function textOf({ status, detail, findings: [code] }: CheckReport, findings: readonly Finding[]): string {
  if (status === 'failed')
    return wordOf(findings.find((each) => each.code === code)) ?? (code && words[code]) ?? '';
  return detail === null ? '' : shortened(detail);
}

/** A word that only the evidence of a finding gives; undefined where the code is enough. */
function wordOf(of: Finding | undefined): string | undefined {
  switch (of?.code) {
    case 'SERVER_UNREACHABLE':
    case 'UDP_BLOCKED':
    case 'PORT_BLOCKED':
      return of.evidence.told ? 'unreachable' : undefined;
    case 'NOT_A_TURN_SERVER':
      return of.evidence.closed ? 'closed' : undefined;
    case 'BINDING_UNANSWERED':
      return of.evidence.code === null ? undefined : 'refused';
    default:
      return undefined;
  }
}

/** Only the first part fits a cell: `127.0.0.1, for this machine only` → `127.0.0.1`. */
function shortened(detail: string): string {
  const [first = ''] = detail.split(', ');
  return first;
}

/** Groups that are one cell with a figure or a word, and the check that has the figure. */
const figureOf: Partial<Record<CheckId, CheckId>> = {
  'listener-answers': 'stun-binding',
  'call-connects': 'call-quality',
};

/** The one check that stands for the group: the first that is not good, else the one with the figure. */
function decisive(checks: readonly CheckReport[]): CheckReport | null {
  const [first] = checks;
  const figure = first && figureOf[first.id];
  if (first === undefined || figure === undefined) return null;
  const bad = checks.find(({ status }) => status !== 'passed' && status !== 'skipped');
  return bad ?? checks.find(({ id, status }) => id === figure && status !== 'skipped') ?? first;
}
