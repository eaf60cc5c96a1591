import { compareVersions } from '../model/release.ts';
import type { CoturnVersion } from './versions.ts';

/** How coturn reads the value of an option. A `flag` stands alone or has a boolean. */
export type OptionValue =
  | 'account'
  | 'address'
  | 'address-range'
  | 'bytes-per-second'
  | 'command-line-only'
  | 'connection'
  | 'endpoint'
  | 'external-address'
  | 'family'
  | 'flag'
  | 'integer'
  | 'log-level'
  | 'log-target'
  | 'password'
  | 'path'
  | 'port'
  | 'seconds'
  | 'text'
  | 'user';

export interface CoturnOption {
  readonly name: string;
  readonly value: OptionValue;
  /** The first version that has it; absent when 4.5.2, the oldest known version, or one before it has it. */
  readonly since?: string;
  /** The first version that has it no more: coturn ignores the line then, with a warning. */
  readonly until?: string;
  /** The first version that accepts it and does nothing, as what it asks for is how coturn behaves anyway. */
  readonly idleSince?: string;
  /** Each line counts; of any other option the last line does. */
  readonly repeatable?: true;
  /** What counts without it; a flag without one is off. */
  readonly default?: string;
}

/** Whether a version of coturn knows an option; it warns about one that it does not know, and starts without it. */
export function hasOption(version: CoturnVersion, name: string): boolean {
  const option = optionOf(name);
  if (option === undefined) return false;
  if (option.since !== undefined && compareVersions(version, option.since) < 0) return false;
  return option.until === undefined || compareVersions(version, option.until) < 0;
}

/** Whether an option does something in a version: it exists there and is not idle. */
export function isEffective(version: CoturnVersion, name: string): boolean {
  const idleSince = optionOf(name)?.idleSince;
  return hasOption(version, name) && (idleSince === undefined || compareVersions(version, idleSince) < 0);
}

export function optionOf(name: string): CoturnOption | undefined {
  return byName.get(name);
}

/**
 * Every option of every coturn up to 4.18.0: `long_options` of src/apps/relay/mainrelay.c, compared for each known
 * version. Values and defaults are those of set_option() there and of README.turnserver.
 */
export const coturnOptions: readonly CoturnOption[] = [
  { name: 'acme-redirect', value: 'text' },
  { name: 'allocation-default-address-family', value: 'family', since: '4.6.0', default: 'ipv4' },
  { name: 'allow-loopback-peers', value: 'flag' },
  { name: 'allowed-peer-ip', value: 'address-range', repeatable: true },
  { name: 'alt-listening-port', value: 'port' },
  { name: 'alt-tls-listening-port', value: 'port' },
  { name: 'alternate-server', value: 'endpoint', repeatable: true },
  { name: 'aux-server', value: 'endpoint', repeatable: true },
  { name: 'bps-capacity', value: 'bytes-per-second', default: '0' },
  { name: 'CA-file', value: 'path' },
  { name: 'cert', value: 'path', default: 'turn_server_cert.pem' },
  { name: 'channel-lifetime', value: 'seconds', default: '600' },
  { name: 'check-origin-consistency', value: 'flag' },
  { name: 'cipher-list', value: 'text' },
  { name: 'cli', value: 'flag', since: '4.10.0' },
  { name: 'cli-ip', value: 'address', default: '127.0.0.1' },
  { name: 'cli-max-output-sessions', value: 'integer', default: '256' },
  { name: 'cli-password', value: 'password' },
  { name: 'cli-port', value: 'port', default: '5766' },
  { name: 'cpus', value: 'integer', since: '4.8.0' },
  { name: 'daemon', value: 'flag' },
  { name: 'db', value: 'path' },
  { name: 'denied-peer-ip', value: 'address-range', repeatable: true },
  { name: 'dh-file', value: 'path' },
  { name: 'dh1066', value: 'flag' },
  { name: 'dh2066', value: 'flag', until: '4.5.1.2' },
  { name: 'dh566', value: 'flag' },
  { name: 'drain-min-allocations', value: 'integer', since: '4.15.0', default: '0' },
  { name: 'drop-invalid-packets', value: 'flag', since: '4.8.0', until: '4.18.0', default: 'on' },
  { name: 'drop-invalid-packets-log', value: 'flag', since: '4.8.0' },
  { name: 'dtls', value: 'flag', since: '4.17.0' },
  { name: 'ec-curve-name', value: 'text' },
  { name: 'external-ip', value: 'external-address', repeatable: true },
  { name: 'fingerprint', value: 'flag' },
  { name: 'include-reason-string', value: 'flag', since: '4.10.0' },
  { name: 'keep-address-family', value: 'flag' },
  { name: 'listening-device', value: 'text' },
  { name: 'listening-ip', value: 'address', repeatable: true },
  { name: 'listening-port', value: 'port', default: '3478' },
  { name: 'log-binding', value: 'flag' },
  { name: 'log-file', value: 'log-target' },
  { name: 'log-min-level', value: 'log-level', since: '4.15.0', default: 'debug' },
  { name: 'lt-cred-mech', value: 'flag' },
  { name: 'max-allocate-lifetime', value: 'seconds', default: '3600' },
  { name: 'max-allocate-timeout', value: 'seconds', default: '60' },
  { name: 'max-bps', value: 'bytes-per-second', default: '0' },
  { name: 'max-port', value: 'port', default: '65535' },
  { name: 'min-port', value: 'port', default: '49152' },
  { name: 'mobility', value: 'flag' },
  { name: 'mongo-userdb', value: 'connection' },
  { name: 'multiplex-peer', value: 'flag', since: '4.12.0' },
  { name: 'multiplex-peer-max-peers', value: 'integer', since: '4.16.0', default: '256' },
  { name: 'multiplex-peer-port', value: 'port', since: '4.12.0', default: '3480' },
  { name: 'mysql-userdb', value: 'connection' },
  { name: 'ne', value: 'integer', until: '4.10.0' },
  { name: 'new-log-timestamp', value: 'flag' },
  { name: 'new-log-timestamp-format', value: 'text' },
  { name: 'no-auth', value: 'flag' },
  { name: 'no-auth-pings', value: 'flag' },
  { name: 'no-cli', value: 'flag', idleSince: '4.10.0' },
  { name: 'no-dtls', value: 'flag', until: '4.18.0', idleSince: '4.17.0' },
  { name: 'no-dynamic-ip-list', value: 'flag' },
  { name: 'no-dynamic-realms', value: 'flag' },
  { name: 'no-http', value: 'flag', until: '4.5.1.0' },
  { name: 'no-loopback-peers', value: 'flag', until: '4.5.1.0' },
  { name: 'no-multicast-peers', value: 'flag' },
  { name: 'no-rfc5780', value: 'flag', since: '4.6.0', idleSince: '4.7.0' },
  { name: 'no-software-attribute', value: 'flag', idleSince: '4.7.0' },
  { name: 'no-sslv2', value: 'flag', until: '4.7.0' },
  { name: 'no-sslv3', value: 'flag', until: '4.7.0' },
  { name: 'no-stdout-log', value: 'flag' },
  { name: 'no-stun', value: 'flag' },
  { name: 'no-stun-backward-compatibility', value: 'flag', since: '4.6.0', until: '4.7.0' },
  { name: 'no-tcp', value: 'flag' },
  { name: 'no-tcp-relay', value: 'flag' },
  { name: 'no-tls', value: 'flag' },
  { name: 'no-tlsv1', value: 'flag', until: '4.7.0' },
  { name: 'no-tlsv1_1', value: 'flag', until: '4.7.0' },
  { name: 'no-tlsv1_2', value: 'flag' },
  { name: 'no-udp', value: 'flag' },
  { name: 'no-udp-relay', value: 'flag' },
  { name: 'oauth', value: 'flag' },
  { name: 'permission-lifetime', value: 'seconds', default: '300' },
  { name: 'pidfile', value: 'path', default: '/var/run/turnserver.pid' },
  { name: 'pkey', value: 'path', default: 'turn_server_pkey.pem' },
  { name: 'pkey-pwd', value: 'text' },
  { name: 'proc-group', value: 'account' },
  { name: 'proc-user', value: 'account' },
  { name: 'prod', value: 'flag', until: '4.7.0' },
  { name: 'prometheus', value: 'flag' },
  { name: 'prometheus-address', value: 'address', since: '4.6.3' },
  { name: 'prometheus-cert', value: 'path', since: '4.14.0' },
  { name: 'prometheus-key', value: 'path', since: '4.14.0' },
  { name: 'prometheus-path', value: 'text', since: '4.7.0', default: '/metrics' },
  { name: 'prometheus-port', value: 'port', since: '4.6.0', default: '9641' },
  { name: 'prometheus-tls', value: 'flag', since: '4.14.0' },
  { name: 'prometheus-username-labels', value: 'flag', since: '4.6.0' },
  { name: 'psql-userdb', value: 'connection' },
  { name: 'raw-public-keys', value: 'flag', since: '4.6.3' },
  { name: 'realm', value: 'text' },
  { name: 'redis-statsdb', value: 'connection' },
  { name: 'redis-userdb', value: 'connection' },
  { name: 'relay-device', value: 'text' },
  { name: 'relay-ip', value: 'address', repeatable: true },
  { name: 'relay-threads', value: 'integer' },
  { name: 'respond-http-unsupported', value: 'flag', since: '4.6.3' },
  { name: 'response-origin-only-with-rfc5780', value: 'flag', since: '4.6.0', idleSince: '4.7.0' },
  { name: 'rest-api-separator', value: 'text', default: ':' },
  { name: 'rfc3489-compatibility', value: 'flag', since: '4.16.0' },
  { name: 'rfc5766-channel-numbers', value: 'flag', since: '4.16.0' },
  { name: 'rfc5780', value: 'flag', since: '4.7.0' },
  { name: 'secret-key-file', value: 'path' },
  { name: 'secret-ts-exp-time', value: 'seconds', until: '4.7.0' },
  { name: 'secure-stun', value: 'flag' },
  { name: 'server-name', value: 'text' },
  { name: 'server-relay', value: 'flag' },
  { name: 'sha256', value: 'flag', until: '4.4.5.1' },
  { name: 'sha384', value: 'flag', until: '4.4.5.1' },
  { name: 'sha512', value: 'flag', until: '4.4.5.1' },
  { name: 'simple-log', value: 'flag' },
  { name: 'sock-buf-size', value: 'integer', since: '4.8.0', default: '2097152' },
  { name: 'software-attribute', value: 'flag', since: '4.7.0' },
  { name: 'sql-userdb', value: 'connection' },
  { name: 'st-cred-mech', value: 'flag', until: '4.4.1.1' },
  { name: 'stale-nonce', value: 'seconds', default: '600' },
  { name: 'stateless-nonce', value: 'flag', since: '4.16.0', default: 'on' },
  { name: 'stateless-nonce-secret', value: 'text', since: '4.16.0' },
  { name: 'static-auth-secret', value: 'text', repeatable: true },
  { name: 'stun-backward-compatibility', value: 'flag', since: '4.7.0' },
  { name: 'stun-only', value: 'flag' },
  { name: 'syslog', value: 'flag' },
  { name: 'syslog-facility', value: 'text', since: '4.6.0' },
  { name: 'tcp-alternate-server', value: 'endpoint', since: '4.15.0', repeatable: true },
  { name: 'tcp-proxy-port', value: 'port' },
  { name: 'tls-alternate-server', value: 'endpoint', repeatable: true },
  { name: 'tls-listening-port', value: 'port', default: '5349' },
  { name: 'tlsv1', value: 'flag', since: '4.7.0' },
  { name: 'tlsv1_1', value: 'flag', since: '4.7.0' },
  { name: 'total-quota', value: 'integer', default: '0' },
  { name: 'udp-alternate-server', value: 'endpoint', since: '4.15.0', repeatable: true },
  { name: 'udp-gso', value: 'flag', since: '4.12.0' },
  { name: 'udp-recvmmsg', value: 'flag', since: '4.10.0', default: 'on' },
  { name: 'udp-recvmmsg-log', value: 'flag', since: '4.12.0' },
  { name: 'udp-self-balance', value: 'flag' },
  { name: 'udp-sendmmsg-log', value: 'flag', since: '4.13.0' },
  { name: 'unauthorized-ratelimit', value: 'flag', since: '4.14.0' },
  { name: 'unauthorized-ratelimit-rps', value: 'integer', since: '4.14.0', default: '10' },
  { name: 'use-auth-secret', value: 'flag' },
  { name: 'user', value: 'user', repeatable: true },
  { name: 'user-quota', value: 'integer', default: '0' },
  { name: 'userdb', value: 'path' },
  { name: 'verbose', value: 'flag' },
  { name: 'Verbose', value: 'flag' },
  { name: 'version', value: 'command-line-only', since: '4.6.0' },
  { name: 'web-admin', value: 'flag' },
  { name: 'web-admin-ip', value: 'address', default: '127.0.0.1' },
  { name: 'web-admin-listen-on-workers', value: 'flag' },
  { name: 'web-admin-port', value: 'port', default: '8080' },
];

const byName = new Map(coturnOptions.map((option) => [option.name, option]));
