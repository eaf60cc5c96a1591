import type { Finding, FindingCode } from '../../model/finding.ts';
import {
  isAtOneAddress,
  isOfTls,
  isOption,
  nothingThere,
  outlives,
  relayShut,
  samePort,
  sameWhere,
} from './relation.ts';

/**
 * That one of `causes` leads to `effects`, which another look at the same server shows: its configuration, its firewall,
 * its log, its sockets, or a probe from here. What one look shows of itself stands in the catalog (`causes`).
 */
export interface Link {
  readonly causes: readonly FindingCode[];
  readonly effects: readonly FindingCode[];
  /** Whether just these two belong together; without it they always do. */
  readonly when?: (cause: Finding, effect: Finding) => boolean;
}

const refusedUsers = [
  'CREDENTIAL_EXPIRED',
  'CREDENTIAL_FORMAT',
  'CREDENTIAL_SECRET_MISMATCH',
] as const satisfies readonly FindingCode[];

const loggedRefusals = [
  'LOG_CREDENTIALS_EXPIRED',
  'LOG_CREDENTIALS_WRONG',
  'LOG_CREDENTIALS_MALFORMED',
  'LOG_CREDENTIALS_REFUSED',
  'LOG_USERS_UNKNOWN',
] as const satisfies readonly FindingCode[];

/** In the order in which one thing comes before another: of several causes of one effect the first is named. */
export const links: readonly Link[] = [
  // The network of the client.
  {
    causes: ['CAPTIVE_PORTAL'],
    effects: [
      'DNS_NOT_FOUND',
      'NOT_A_TURN_SERVER',
      'TLS_HANDSHAKE_FAILED',
      'TLS_NAME_MISMATCH',
      'TLS_UNTRUSTED',
      ...nothingThere,
    ],
  },

  // Clients are sent elsewhere.
  {
    causes: ['NAME_LEADS_ELSEWHERE', 'ADDRESS_NOT_SERVED'],
    effects: [
      ...nothingThere,
      'LOST_BEFORE_HOST',
      'NOT_A_TURN_SERVER',
      'TLS_HANDSHAKE_FAILED',
      'TLS_NAME_MISMATCH',
      'TLS_UNTRUSTED',
    ],
    when: isAtOneAddress,
  },

  // The configuration is not the one that runs, or keeps coturn from running.
  {
    causes: ['CONFIG_UNREADABLE'],
    effects: [
      'CONFIG_NOT_READ',
      'LOG_CONFIG_NOT_READ',
      'ANONYMOUS_RELAY',
      'LOG_CERTIFICATE_MISSING',
      'LOG_REALM_EMPTY',
    ],
  },
  {
    causes: ['CONFIG_OPTION_UNKNOWN', 'CONFIG_OPTION_TOO_NEW', 'CONFIG_OPTION_REMOVED'],
    effects: ['LOG_OPTION_UNKNOWN'],
  },
  {
    causes: ['CONFIG_NOT_READ', 'LOG_CONFIG_NOT_READ'],
    effects: [
      'LOG_CONFIG_NOT_READ',
      'ANONYMOUS_RELAY',
      'LISTENER_MISSING',
      'LISTENER_ELSEWHERE',
      'LOG_REALM_EMPTY',
      ...refusedUsers,
      ...loggedRefusals,
      ...nothingThere,
    ],
  },
  { causes: ['OPEN_RELAY_CONFIGURED'], effects: ['ANONYMOUS_RELAY'] },
  {
    causes: ['CONFIG_PREVENTS_START', 'DENIED_RANGE_CIDR'],
    effects: [
      'COTURN_NOT_RUNNING',
      'LISTENER_MISSING',
      'LOG_SERVER_CRASHED',
      'SERVER_STOPPED',
      ...nothingThere,
    ],
    when: ({ evidence }) => !('stops' in evidence) || evidence.stops,
  },
  {
    causes: ['ADDRESS_NOT_HERE'],
    effects: ['LOG_BIND_FAILED', 'COTURN_NOT_RUNNING', 'LISTENER_MISSING', ...nothingThere],
    when: isOption('listening-ip'),
  },
  {
    causes: ['ADDRESS_NOT_HERE'],
    effects: ['LOG_BIND_FAILED', 'ALLOCATION_REFUSED', 'RELAY_CAPACITY_EXHAUSTED', 'LOG_PORTS_EXHAUSTED'],
    when: isOption('relay-ip'),
  },
  {
    causes: ['RELAY_PORTS_INVERTED'],
    effects: [
      'LOG_SERVER_CRASHED',
      'COTURN_NOT_RUNNING',
      'SERVER_STOPPED',
      'LISTENER_MISSING',
      'REQUEST_FAILED',
      'ALLOCATION_REFUSED',
      'RELAY_CAPACITY_EXHAUSTED',
      ...nothingThere,
    ],
  },
  {
    causes: ['LOG_SERVER_CRASHED'],
    effects: [
      'COTURN_NOT_RUNNING',
      'SERVER_STOPPED',
      'LISTENER_MISSING',
      'LOG_SERVER_RESTARTED',
      ...nothingThere,
    ],
  },
  { causes: ['COTURN_NOT_RUNNING'], effects: ['LISTENER_MISSING', 'SERVER_STOPPED', ...nothingThere] },

  // A listener does not come up.
  {
    causes: [
      'TLS_FILE_UNREADABLE',
      'TLS_FILE_MISSING',
      'TLS_FILE_INVALID',
      'TLS_KEY_MISMATCH',
      'TLS_NO_PROTOCOL',
      'TLS_NOT_CONFIGURED',
      'LOG_CERTIFICATE_MISSING',
    ],
    effects: [
      'LOG_CERTIFICATE_MISSING',
      'LISTENER_MISSING',
      'TLS_HANDSHAKE_FAILED',
      'LOG_TLS_HANDSHAKES_FAILED',
      ...nothingThere,
    ],
    when: (_, effect) => isOfTls(effect),
  },
  {
    causes: ['PORT_NEEDS_PRIVILEGE', 'LISTENING_PORTS_OVERLAP', 'LISTENER_OTHER_PROGRAM'],
    effects: ['LOG_BIND_FAILED', 'LISTENER_MISSING', 'LISTENER_ELSEWHERE', ...nothingThere],
    when: samePort,
  },
  {
    causes: ['LISTENER_OTHER_PROGRAM'],
    effects: ['NOT_A_TURN_SERVER', 'TLS_HANDSHAKE_FAILED', 'TLS_NAME_MISMATCH', 'TLS_UNTRUSTED'],
    when: samePort,
  },
  { causes: ['LOG_BIND_FAILED', 'CONFIG_ADDRESS_INVALID'], effects: ['LISTENER_MISSING'] },
  {
    // coturn tries again and again to bind it, and comes to no other listener.
    causes: ['PORT_NEEDS_PRIVILEGE'],
    effects: ['LISTENER_MISSING', 'LISTENER_ELSEWHERE', 'COTURN_NOT_RUNNING'],
  },
  {
    causes: ['LISTENER_MISSING', 'LISTENER_ELSEWHERE'],
    effects: ['TLS_HANDSHAKE_FAILED', ...nothingThere],
    when: samePort,
  },

  // Containers.
  {
    causes: ['CONTAINER_NETWORK'],
    effects: [
      'RELAY_ADDRESS_PRIVATE',
      'RELAY_ADDRESS_MISMATCH',
      'LISTENER_MISSING',
      ...relayShut,
      ...nothingThere,
    ],
  },

  // Firewalls.
  {
    causes: ['FIREWALL_BLOCKS_LISTENER'],
    effects: [...nothingThere, 'TLS_HANDSHAKE_FAILED'],
    when: samePort,
  },
  {
    causes: ['FIREWALL_BLOCKS_RELAY', 'FIREWALL_RELAY_STATEFUL_ONLY', 'FIREWALL_BLOCKS_OUTSIDE'],
    effects: [...relayShut, 'LOST_BEFORE_HOST', 'AUDIO_ONE_WAY', 'LOG_PEERS_SILENT'],
    when: sameWhere,
  },
  {
    causes: ['DROPPED_AT_HOST', 'LOST_BEFORE_HOST'],
    effects: [...relayShut, 'LOG_PEERS_SILENT'],
    when: sameWhere,
  },
  { causes: [...relayShut], effects: ['LOG_PEERS_SILENT'] },
  {
    causes: ['COTURN_TTL_ONE'],
    effects: ['REPLY_TTL_ONE', 'ANSWER_TTL_ONE', 'ANSWER_LOST', ...nothingThere],
    when: (_, { evidence }) => 'transport' in evidence && evidence.transport === 'udp',
  },
  { causes: ['REPLY_TTL_ONE'], effects: ['ANSWER_TTL_ONE'] },
  { causes: ['RELAY_TTL_LOW'], effects: ['RELAY_OUTBOUND_BLOCKED', 'AUDIO_ONE_WAY', 'LOG_PEERS_SILENT'] },

  // Addresses.
  {
    causes: ['EXTERNAL_IP_REPEATED', 'EXTERNAL_IP_PRIVATE', 'EXTERNAL_IP_MISSING'],
    effects: ['LOG_ADDRESS_MALFORMED', 'RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_MISMATCH', 'LOG_PEERS_SILENT'],
  },
  {
    causes: ['ADDRESS_NOT_HERE', 'CONFIG_ADDRESS_INVALID'],
    effects: ['LOG_ADDRESS_MALFORMED', 'RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_MISMATCH'],
    when: isOption('external-ip'),
  },
  { causes: ['RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_MISMATCH'], effects: ['LOG_PEERS_SILENT'] },

  // Peers.
  {
    causes: ['EXTERNAL_IP_WITHOUT_PRIVATE'],
    effects: ['OWN_RELAY_DENIED', 'LOG_PRIVATE_PEERS_DENIED', 'LOG_PEERS_DENIED'],
  },
  {
    causes: ['DENIED_RANGE_BOUNDLESS'],
    effects: [
      'DENY_LIST_BLOCKS_ALL',
      'PEER_DENIED',
      'OWN_RELAY_DENIED',
      'LOG_PEERS_DENIED',
      'LOG_PRIVATE_PEERS_DENIED',
    ],
  },
  {
    causes: ['DENY_LIST_BLOCKS_ALL', 'PEER_DENIED', 'OWN_RELAY_DENIED'],
    effects: ['LOG_PEERS_DENIED', 'LOG_PRIVATE_PEERS_DENIED'],
  },
  { causes: ['DENIED_RANGE_CIDR', 'CONFIG_ADDRESS_INVALID'], effects: ['LOG_ADDRESS_MALFORMED'] },

  // Credentials.
  {
    causes: ['CONFIG_INLINE_COMMENT', 'CONFIG_QUOTE', 'CONFIG_SEMICOLON', 'CONFIG_LINE_TOO_LONG'],
    effects: [...refusedUsers, ...loggedRefusals],
    when: isOption('static-auth-secret'),
  },
  {
    causes: ['USER_MALFORMED', 'NOBODY_CAN_LOG_IN', 'AUTH_MECHANISMS_MIXED'],
    effects: [
      'CREDENTIAL_SECRET_MISMATCH',
      'LOG_USERS_UNKNOWN',
      'LOG_CREDENTIALS_WRONG',
      'LOG_CREDENTIALS_REFUSED',
    ],
  },
  { causes: ['REALM_MISSING'], effects: ['LOG_REALM_EMPTY'] },
  { causes: ['TWO_SERVERS_ANSWER', ...refusedUsers], effects: [...loggedRefusals] },

  { causes: ['DAEMONS_SHARE_PORT'], effects: ['TWO_SERVERS_ANSWER', ...refusedUsers, ...loggedRefusals] },
  {
    causes: ['CLOCK_SKEW'],
    effects: [
      'CREDENTIAL_SECRET_MISMATCH',
      'LOG_CREDENTIALS_EXPIRED',
      'LOG_CREDENTIALS_WRONG',
      'LOG_CREDENTIALS_REFUSED',
    ],
    when: outlives,
  },
  // The file that was read may be right, and not be in force.
  {
    causes: ['CONFIG_CHANGED_SINCE_START'],
    effects: [
      'CREDENTIAL_SECRET_MISMATCH',
      'LOG_CREDENTIALS_WRONG',
      'RELAY_ADDRESS_PRIVATE',
      'RELAY_ADDRESS_MISMATCH',
      'ANONYMOUS_RELAY',
      'DENY_LIST_BLOCKS_ALL',
      'PEER_DENIED',
      'OWN_RELAY_DENIED',
      'LISTENER_MISSING',
    ],
  },

  // Capacity.
  {
    // A user is looked up in a file, which is one more to open.
    causes: ['FILE_LIMIT_REACHED'],
    effects: [
      'RELAY_CAPACITY_EXHAUSTED',
      'LOG_PORTS_EXHAUSTED',
      'REQUEST_FAILED',
      'ALLOCATION_REFUSED',
      // Some lookups of a user succeed, and others do not.
      'TWO_SERVERS_ANSWER',
      ...refusedUsers,
      ...loggedRefusals,
      ...nothingThere,
    ],
  },
  { causes: ['CONNTRACK_NEARLY_FULL'], effects: ['LOG_CONNTRACK_FULL', 'LOSS_HIGH'] },
  { causes: ['LOG_CONNTRACK_FULL', 'UDP_BUFFER_DROPS'], effects: ['LOSS_HIGH'] },
  {
    causes: ['RELAY_PORTS_FEW', 'RELAY_PORTS_COLLIDE'],
    effects: ['RELAY_CAPACITY_EXHAUSTED', 'LOG_PORTS_EXHAUSTED'],
  },
  { causes: ['RELAY_CAPACITY_EXHAUSTED'], effects: ['LOG_PORTS_EXHAUSTED'] },
  { causes: ['QUOTA_REACHED', 'QUOTA_TOO_SMALL'], effects: ['LOG_QUOTA_REACHED'] },
  { causes: ['ALLOCATION_REFUSED'], effects: ['LOG_ALLOCATIONS_REFUSED'] },

  // Certificates.
  {
    causes: ['TLS_CERT_NOT_RELOADED'],
    effects: ['TLS_CERT_EXPIRED', 'TLS_CERT_EXPIRES_SOON', 'TLS_NAME_MISMATCH', 'LOG_TLS_HANDSHAKES_FAILED'],
  },
  {
    causes: ['TLS_FILE_EXPIRED'],
    effects: ['TLS_CERT_EXPIRED', 'TLS_CERT_EXPIRES_SOON', 'LOG_TLS_HANDSHAKES_FAILED'],
  },
  { causes: ['TLS_FILE_LEAF_ONLY'], effects: ['TLS_CHAIN_INCOMPLETE', 'LOG_TLS_HANDSHAKES_FAILED'] },
  {
    causes: ['TLS_CERT_EXPIRED', 'TLS_CHAIN_INCOMPLETE', 'TLS_NAME_MISMATCH', 'TLS_UNTRUSTED'],
    effects: ['LOG_TLS_HANDSHAKES_FAILED'],
  },
  { causes: ['NATIVE_ROOT_MISSING'], effects: ['LOG_TLS_HANDSHAKES_FAILED'] },
];
