import type { FindingCode } from '../../model/finding.ts';

/** What lets others use or reach a server who should not. Users talk all the same, so it never comes before what keeps them from it. */
const hardening: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'WEAK_SECRET',
  'SECRET_READABLE',
  'PRIVATE_PEERS_ALLOWED',
  'METADATA_PEER_ALLOWED',
  'LOOPBACK_PEERS_ALLOWED',
  'MULTICAST_PEERS_ALLOWED',
  'MAPPED_IPV6_BYPASS',
  'TCP_RELAY_ENABLED',
  'RELAY_WITHOUT_PERMISSION',
  'LEGACY_TLS',
  'VERSION_VULNERABLE',
  'VERSION_EXPOSED',
  'NO_QUOTAS',
  'ADMIN_EXPOSED',
  'ADMIN_PASSWORD_MISSING',
  'AMPLIFICATION',
  'CREDENTIAL_LONG_LIVED',
  'LOG_FILLS_DISK',
  'LOG_FLOODED',
  'LOG_CLIENTS_LIMITED',
  'LOG_LINES_FORGED',
  'CONFIG_OPTION_REMOVED',
  'CONFIG_OPTION_IDLE',
  'CONFIG_OPTION_UNKNOWN',
  'CONFIG_OPTION_TOO_NEW',
  'CONFIG_ALWAYS_ON',
  'CONFIG_DUPLICATE',
  'CONFIG_CONTRADICTION',
  'LOG_OPTION_UNKNOWN',
  'LOG_PRIVATE_PEERS_DENIED',
  'COTURN_REPLACED',
  'COMMAND_LINE_OPTIONS',
  'CONFIG_OTHER_FILE',
  'UNIT_NOT_ENABLED',
  'CLOCK_NOT_SYNCHRONIZED',
]);

export function isHardening(code: FindingCode): boolean {
  return hardening.has(code);
}
