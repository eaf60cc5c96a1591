import { z } from 'zod';
import { isHost } from '../model/turn-uri.ts';
import { defaults, type hostSettingNames } from './defaults.ts';
import { providerSchema } from './provider.ts';
import { fewestPorts, mostUsersPerAddress, portsPerUser } from './relay-range.ts';
import * as value from './value-schema.ts';

const { map } = value;

const listen = map({
  addresses: z
    .array(value.address)
    .optional()
    .describe('Own addresses to listen on. Without it those of the host, else all that the machine has.'),
  families: z
    .array(z.union([z.literal(4), z.literal(6)]))
    .min(1)
    .optional()
    .meta({
      description: 'IPv4, IPv6 or both: addresses of the other family are left out.',
      default: [...defaults.listen.families],
    }),
  udp: value.portOrOff
    .optional()
    .meta({ description: 'The port for UDP, or off.', default: defaults.listen.udp }),
  tcp: value.portOrOff.optional().meta({
    description: 'The port for TCP, the same as that for UDP, or off.',
    default: defaults.listen.tcp,
  }),
  tls: value.portOrOff
    .optional()
    .describe('The port for TLS, or off. Without it 5349 where tls names a certificate (RFC 8656 §3.1).'),
  extraPorts: z
    .array(value.port)
    .optional()
    .describe('Further ports beside those, such as 443; each serves every transport that is on.'),
}).describe('Where clients reach the service.');

const relay = map({
  addresses: z
    .array(value.address)
    .optional()
    .describe('Own addresses to relay from. Without it those of the host, else those it listens on.'),
  ports: value.portRange.optional().meta({
    description: 'The UDP ports of the relay, inclusive.',
    default: `${defaults.relay.ports.min}-${defaults.relay.ports.max}`,
  }),
  users: z
    .int()
    .min(1)
    .max(mostUsersPerAddress)
    .optional()
    .describe(
      `In place of ports: how many users at once. Each gets ${portsPerUser} ports, and there are ${fewestPorts} at least.`,
    ),
})
  .refine(({ ports, users }) => ports === undefined || users === undefined, {
    path: ['users'],
    error: 'stands beside ports; one of the two says how many there are',
  })
  .describe('Where the service relays from.');

const tls = z
  .union(
    [
      z.literal('off'),
      map({
        cert: value.remotePath.describe('The certificate with its chain (PEM), on the TURN server.'),
        key: value.remotePath.describe('Its private key (PEM), on the TURN server.'),
      }),
      map({
        certbot: map({
          email: value.email.optional().describe('Whom the certificate authority writes to.'),
          names: z
            .array(value.hostName)
            .min(1)
            .optional()
            .describe('The names in the certificate. Without it that of the host.'),
          challenge: z
            .union(
              [
                z.literal('http-01'),
                map({
                  webroot: value.remotePath.describe(
                    'The directory that a web server on the TURN server serves on port 80 under these names.',
                  ),
                }),
                map({
                  dns: z
                    .string()
                    .regex(/^[a-z0-9][a-z0-9-]*$/, {
                      error: 'must be the name of a plugin, such as cloudflare',
                    })
                    .describe('The DNS plugin of certbot, such as cloudflare (certbot-dns-cloudflare).'),
                  credentials: value.localPath
                    .optional()
                    .describe('The credentials file of the plugin: a path here, beside this file.'),
                }),
              ],
              { error: 'must be http-01, { webroot: PATH }, or { dns: PLUGIN, credentials: PATH }' },
            )
            .optional()
            .meta({
              description:
                'How the names are proven: http-01 needs TCP port 80 for itself, webroot a web server there, a DNS plugin neither.',
              default: defaults.certbot.challenge,
            }),
          server: value.webUrl
            .optional()
            .meta({ description: 'The ACME directory.', default: defaults.certbot.server }),
        }).describe('certbot gets the certificate and renews it.'),
      }),
    ],
    { error: 'must be off, { cert: PATH, key: PATH }, or { certbot: … }' },
  )
  .describe('The certificate of TURN over TLS, or off.');

const quotas = map({
  userQuota: value.count.optional().describe('Allocations of one user at once.'),
  totalQuota: value.count.optional().describe('Allocations of all users at once.'),
  maxBps: value.count.optional().describe('Bytes per second of one allocation, in each direction.'),
  bpsCapacity: value.count.optional().describe('Bytes per second of all, in each direction; needs maxBps.'),
}).describe('How much users may use.');

const peers = map({
  allow: z.array(value.network).optional().describe('Exceptions from what is denied: addresses or networks.'),
  deny: z
    .array(value.network)
    .optional()
    .describe('Denied beside the private, link-local, metadata, multicast, mapped and other special ranges.'),
  only: z
    .array(value.network)
    .min(1)
    .optional()
    .describe('Deny all but these: for a relay that has to reach an SFU and nothing else.'),
}).describe('Whom users may reach through the relay.');

const logging = map({
  to: value.logTarget
    .optional()
    .meta({ description: 'syslog, stdout, or a file on the TURN server.', default: defaults.logging.to }),
  verbose: z.boolean().optional().meta({
    description: 'Log sessions, permissions and refused requests too.',
    default: defaults.logging.verbose,
  }),
  facility: z
    .enum(['daemon', 'user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'])
    .optional()
    .describe('The facility of syslog; coturn 4.6.0 or newer.'),
  minLevel: z
    .enum(['debug', 'info', 'warning', 'error'])
    .optional()
    .describe('The least that is logged; coturn 4.15.0 or newer.'),
}).describe('What the service logs, and where to.');

const prometheus = z
  .union(
    [
      z.enum(['off', 'on']),
      map({
        address: value.address.optional().meta({
          description: 'Where the figures are served.',
          default: defaults.prometheus.address,
        }),
        port: value.port.optional().meta({ default: defaults.prometheus.port }),
        path: z
          .string()
          .regex(/^\/[\w./~-]*$/, { error: 'must be the path of a URL, such as /metrics' })
          .optional()
          .meta({ description: 'coturn 4.7.0 or newer.', default: defaults.prometheus.path }),
        usernameLabels: z.boolean().optional().meta({
          description: 'A series for each user: with time-limited credentials they grow without end.',
          default: defaults.prometheus.usernameLabels,
        }),
      }),
    ],
    { error: 'must be on, off, or { address: …, port: …, path: …, usernameLabels: … }' },
  )
  .describe(
    'Figures for Prometheus; coturn 4.6.3 or newer, and built with them: packages of distributions often are not.',
  );

const firewall = z
  .enum(['auto', 'ufw', 'firewalld', 'nftables', 'none'])
  .describe('Which firewall gets the rules; auto takes the one in use.');

// dbd_redis.c and dbd_pgsql.c of 4.6.1 log the whole connection string.
const databasePassword = 'The password; coturn writes it to its own log when it connects.';

const database = map({
  sqlite: value.remotePath.optional().describe('The file of the database, on the TURN server.'),
  postgresql: map({
    host: value.word.optional().meta({ default: defaults.postgresql.host }),
    port: value.port.optional().meta({ default: defaults.postgresql.port }),
    name: value.word.describe('The database.'),
    user: value.word.describe('Whom coturn logs in as.'),
    password: value.secretSource.optional().describe(databasePassword),
  })
    .optional()
    .describe('A PostgreSQL server.'),
  redis: map({
    host: value.word.optional().meta({ default: defaults.redis.host }),
    port: value.port.optional().meta({ default: defaults.redis.port }),
    database: z.int().min(0).max(65_535).optional().meta({ default: defaults.redis.database }),
    password: value.secretSource.optional().describe(databasePassword),
  })
    .optional()
    .describe('A Redis server.'),
})
  .refine((given) => Object.keys(given).length === 1, {
    error: 'must be one of sqlite, postgresql and redis',
  })
  .describe('Where coturn keeps users and secrets; without it, in its own sqlite file. One of the three.');

/** What may be different from host to host. */
const settings = {
  listen: listen.optional(),
  relay: relay.optional(),
  tls: tls.optional(),
  quotas: quotas.optional(),
  peers: peers.optional(),
  logging: logging.optional(),
  prometheus: prometheus.optional(),
  firewall: firewall.optional().meta({ default: defaults.firewall }),
} satisfies Record<(typeof hostSettingNames)[number], z.ZodType>;

const host = z.union(
  [
    z.string(),
    map({
      name: value.hostName.describe('What clients dial.'),
      addresses: z
        .union([z.literal('auto'), z.array(value.addressPair).min(1)], {
          error: 'must be auto, or a list such as [203.0.113.10/172.16.0.10]',
        })
        .optional()
        .describe('PUBLIC or PUBLIC/PRIVATE each; auto asks a STUN server and the interfaces of the host.'),
      ssh: map({
        address: value.hostName.optional().describe('Without it the name of the host.'),
        user: value.word.optional(),
        port: value.port.optional(),
      })
        .optional()
        .describe('How to log in for a deployment; what is missing is left to ssh.'),
      ...settings,
    }),
  ],
  { error: 'must be a name, or { name: …, addresses: […] }' },
);

const hosts = z.array(
  host.refine((each) => typeof each !== 'string' || isHost(each), {
    error: 'must be a host name or an IP address',
  }),
);

const secrets = z.union([value.secretSource, z.array(value.secretSource).min(1)], {
  error: 'must be { file: PATH } or { env: NAME }, or a list of them',
});

/** `rtc-ops.yaml` as it is written. What belongs together is checked in constraints.ts. */
export const configSchema = map({
  profile: z.enum(['turn', 'stun-only']).optional().meta({
    description:
      'Relay for users with credentials, or answer STUN alone: then relay, auth, quotas, peers and database count for nothing.',
    default: defaults.profile,
  }),
  realm: value.realm
    .optional()
    .describe('The realm of the long-term credentials (RFC 8489 §9.2), mostly the name of the service.'),
  provider: providerSchema.optional(),
  hosts: hosts.optional().describe('The machines of the service; what they share stands beside.'),
  listen: settings.listen,
  relay: settings.relay,
  auth: map({
    method: z
      .enum(['rest', 'static'])
      .optional()
      .describe('rest: time-limited credentials made with a shared secret. static: users with passwords.'),
    secret: secrets
      .optional()
      .describe('The shared secret; a list during a rotation: the first issues, all are accepted.'),
    users: z
      .record(value.userName, value.secretSource)
      .optional()
      .describe('The users of method static, each with the source of the password.'),
  })
    .optional()
    .describe('Who may use the relay.'),
  tls: settings.tls,
  quotas: settings.quotas,
  peers: settings.peers,
  logging: settings.logging,
  prometheus: settings.prometheus,
  database: database.optional(),
  firewall: settings.firewall,
  addressDiscovery: map({
    stun: z
      .array(value.stunUri)
      .min(1)
      .optional()
      .meta({
        description:
          'The STUN servers that are asked, in turn, for the public address of a host with addresses: auto.',
        default: [...defaults.addressDiscovery.stun],
      }),
  })
    .optional()
    .describe('How the addresses of a host with addresses: auto are found.'),
}).refine(({ realm, provider }) => realm !== undefined || provider !== undefined, {
  path: ['realm'],
  error: 'is missing',
  // Also beside other complaints.
  when: () => true,
});

export type ConfigInput = z.output<typeof configSchema>;

/** The settings that stand beside the hosts, and may stand in one of them. */
export type SettingsInput = Pick<ConfigInput, keyof typeof settings>;
