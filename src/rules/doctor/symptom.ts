import type { Symptom } from '../../model/doctor-report.ts';
import type { FindingCode } from '../../model/finding.ts';

interface Explanation {
  /** What leads to it, in a call or on a server. */
  readonly codes: ReadonlySet<FindingCode>;
  /** What shows more, where none of these was found. */
  readonly advice: string;
}

const unreachable = [
  'DNS_NOT_FOUND',
  'SERVER_UNREACHABLE',
  'NOTHING_LISTENS',
  'LISTENER_SILENT',
  'SERVER_STOPPED',
  'LISTENER_MISSING',
  'LISTENER_ELSEWHERE',
  'CONFIG_PREVENTS_START',
  'COTURN_NOT_RUNNING',
  'NAME_LEADS_ELSEWHERE',
  'HOST_DOES_NOT_ANSWER',
  'CONTAINER_NETWORK',
  'CAPTIVE_PORTAL',
] as const satisfies readonly FindingCode[];

const refused = [
  'CREDENTIAL_EXPIRED',
  'CREDENTIAL_FORMAT',
  'CREDENTIAL_SECRET_MISMATCH',
  'ALLOCATION_REFUSED',
  'USER_MALFORMED',
  'LOG_CREDENTIALS_WRONG',
  'LOG_CREDENTIALS_MALFORMED',
  'LOG_USERS_UNKNOWN',
  'CLOCK_SKEW',
  'DAEMONS_SHARE_PORT',
  'CONFIG_CHANGED_SINCE_START',
] as const satisfies readonly FindingCode[];

const relayIsShut = [
  'RELAY_PORTS_BLOCKED',
  'FIREWALL_BLOCKS_RELAY',
  'FIREWALL_BLOCKS_OUTSIDE',
  'RELAY_ADDRESS_PRIVATE',
  'RELAY_ADDRESS_MISMATCH',
  'EXTERNAL_IP_MISSING',
  'EXTERNAL_IP_PRIVATE',
  'EXTERNAL_IP_REPEATED',
  'DENY_LIST_BLOCKS_ALL',
  'DENIED_RANGE_BOUNDLESS',
  'PEER_DENIED',
  'OWN_RELAY_DENIED',
  'EXTERNAL_IP_WITHOUT_PRIVATE',
  'LOG_PEERS_DENIED',
  'LOG_PEERS_SILENT',
  'ADDRESS_NOT_HERE',
  'DROPPED_AT_HOST',
  'LOST_BEFORE_HOST',
] as const satisfies readonly FindingCode[];

const ofTls = [
  'TLS_HANDSHAKE_FAILED',
  'TLS_CERT_EXPIRED',
  'TLS_NAME_MISMATCH',
  'TLS_CHAIN_INCOMPLETE',
  'TLS_UNTRUSTED',
  'TLS_NOT_CONFIGURED',
  'TLS_FILE_MISSING',
  'TLS_FILE_UNREADABLE',
  'TLS_FILE_INVALID',
  'TLS_FILE_LEAF_ONLY',
  'TLS_FILE_EXPIRED',
  'TLS_KEY_MISMATCH',
  'TLS_NO_PROTOCOL',
  'LOG_CERTIFICATE_MISSING',
  'TLS_CERT_NOT_RELOADED',
  'NATIVE_ROOT_MISSING',
] as const satisfies readonly FindingCode[];

const somePorts = [
  'UDP_BLOCKED',
  'PORT_BLOCKED',
  'TCP_REFUSED',
  'UDP_REFUSED',
  'FIREWALL_BLOCKS_LISTENER',
  'PORT_NEEDS_PRIVILEGE',
  'LISTENER_OTHER_PROGRAM',
  'LISTENING_PORTS_OVERLAP',
  'NOT_A_TURN_SERVER',
  'DROPPED_AT_HOST',
  'LOST_BEFORE_HOST',
  'ANSWER_LOST',
  'ADDRESS_NOT_SERVED',
] as const satisfies readonly FindingCode[];

const explanations: Readonly<Record<Symptom, Explanation>> = {
  'one-way': {
    codes: new Set<FindingCode>([
      ...relayIsShut,
      'RELAY_PORTS_STATEFUL_ONLY',
      'RELAY_PORTS_PARTLY_BLOCKED',
      'RELAY_OUTBOUND_BLOCKED',
      'FIREWALL_RELAY_STATEFUL_ONLY',
      'AUDIO_ONE_WAY',
      'RELAY_TTL_LOW',
      'COTURN_TTL_ONE',
      'REPLY_TTL_ONE',
      'LOG_CONNTRACK_FULL',
    ]),
    advice:
      'take chrome://webrtc-internals of the one who hears nothing, and give it to rtc-ops analyze: the microphone or the browser may be it',
  },
  none: {
    codes: new Set<FindingCode>([
      ...unreachable,
      ...refused,
      ...relayIsShut,
      'AUDIO_SILENT',
      'CALL_FAILED',
      'NO_RELAY_CANDIDATE',
    ]),
    advice:
      'compare the iceServers of the application with what was tested here, and give chrome://webrtc-internals of a failed call to rtc-ops analyze',
  },
  'drops-after': {
    codes: new Set<FindingCode>([
      'SERVER_STOPPED',
      'AUDIO_INTERRUPTED',
      'REQUEST_FAILED',
      'CREDENTIAL_EXPIRED',
      'LOG_SERVER_CRASHED',
      'LOG_SERVER_RESTARTED',
      'LOG_CREDENTIALS_EXPIRED',
      'LOG_REFRESH_TOO_LATE',
      'LOG_NONCE_NOT_RENEWED',
      'LOG_ALLOCATIONS_EXPIRED',
      'LOG_CONNTRACK_FULL',
      'QUOTA_REACHED',
      'LOG_QUOTA_REACHED',
      'CLOCK_SKEW',
      'FILE_LIMIT_REACHED',
      'CONNTRACK_NEARLY_FULL',
    ]),
    advice:
      'a short call does not show it: rtc-ops probe with --duration 15m and --nat-lifetime 5m, and look at the log of coturn at the time of a drop',
  },
  'some-networks': {
    codes: new Set<FindingCode>([
      'RELAY_TTL_LOW',
      ...somePorts,
      ...ofTls,
      'UDP_BLOCKED_HERE',
      'ONLY_TLS_443_LEAVES',
      'CAPTIVE_PORTAL',
      'NAT_SYMMETRIC',
      'CGNAT',
      'REPLY_TTL_ONE',
      'LOG_PEER_FAMILY',
      'RELAY_PORTS_STATEFUL_ONLY',
      'FIREWALL_RELAY_STATEFUL_ONLY',
    ]),
    advice: 'run rtc-ops doctor in one of these networks, and give clients turns: on port 443 as well',
  },
  'turns-only': {
    codes: new Set<FindingCode>([
      ...ofTls,
      ...somePorts,
      'LOG_TLS_HANDSHAKES_FAILED',
      'LISTENER_MISSING',
      'LISTENER_ELSEWHERE',
    ]),
    advice:
      'native applications bring root certificates of their own: try the same account in a browser, and take a capture for rtc-ops analyze',
  },
};

/** Whether a fault leads to just what users complain of. */
export function leadsTo(symptom: Symptom, code: FindingCode): boolean {
  return explanations[symptom].codes.has(code);
}

/** What to try where nothing that was found leads to it. */
export function adviceFor(symptom: Symptom): string {
  return explanations[symptom].advice;
}
