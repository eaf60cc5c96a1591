import { publicStun } from '../model/public-stun.ts';

/** The values that count where the file says nothing. */
export const defaults = {
  profile: 'turn',
  listen: { families: [4, 6], udp: 3478, tcp: 3478, tls: 5349 },
  relay: { ports: { min: 49_152, max: 65_535 } },
  logging: { to: 'syslog', verbose: false },
  prometheus: { address: '127.0.0.1', port: 9641, path: '/metrics', usernameLabels: false },
  postgresql: { host: '127.0.0.1', port: 5432 },
  redis: { host: '127.0.0.1', port: 6379, database: 0 },
  certbot: { challenge: 'http-01', server: 'https://acme-v02.api.letsencrypt.org/directory' },
  addressDiscovery: { stun: [publicStun.google, publicStun.cloudflare] },
  firewall: 'auto',
} as const;

/** The settings that may be different from host to host. */
export const hostSettingNames = [
  'listen',
  'relay',
  'tls',
  'quotas',
  'peers',
  'logging',
  'prometheus',
  'firewall',
] as const;
