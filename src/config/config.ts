import type { Family } from '../model/endpoint.ts';
import { parseTurnUri, type TurnUri } from '../model/turn-uri.ts';
import type { SecretSource } from './secret-source.ts';
import type { AddressPair, Network } from './address.ts';
import { defaults, hostSettingNames } from './defaults.ts';
import { providerOf, type ProviderConfig } from './provider.ts';
import { relayRangeFor, type PortRange } from './relay-range.ts';
import type { ConfigInput, SettingsInput } from './schema.ts';

/** A TURN or STUN service as rtc-ops.yaml describes it, with the defaults filled in. */
export interface Config extends Settings {
  readonly profile: 'turn' | 'stun-only';
  /** Empty when a provider runs the servers. */
  readonly realm: string;
  /** Who runs the servers; null when we do. */
  readonly provider: ProviderConfig | null;
  readonly hosts: readonly Host[];
  /** Time-limited credentials made with a shared secret, or users with passwords. */
  readonly auth: 'rest' | 'static';
  /** The shared secrets of time-limited credentials: the first issues, all are accepted. */
  readonly secrets: readonly SecretSource[];
  /** Users with passwords of their own, in place of shared secrets. */
  readonly users: readonly StaticUser[];
  /** Null: the sqlite file that coturn takes by itself. */
  readonly database: Database | null;
  /** STUN servers, asked in turn for the public address of a host that says `addresses: auto`. */
  readonly discovery: readonly TurnUri[];
}

/** By certbot itself on port 80, by the web server that is there, or by a DNS plugin of certbot. */
export type CertbotChallenge =
  'http-01' | { readonly webroot: string } | { readonly dns: string; readonly credentials: string | null };

/** What may be different from host to host. */
export interface Settings {
  readonly listen: {
    /** Own addresses to listen on; empty: those of the host, else all that the machine has. */
    readonly addresses: readonly string[];
    readonly families: readonly Family[];
    /** The port of each transport; null where it is off. */
    readonly udp: number | null;
    readonly tcp: number | null;
    readonly tls: number | null;
    /** Further ports, each for every transport that is on. */
    readonly extraPorts: readonly number[];
  };
  readonly relay: {
    /** Own addresses to relay from; empty: those of the host, else those it listens on. */
    readonly addresses: readonly string[];
    readonly ports: PortRange;
    /** How many users at once the ports were counted for; null when the file gives the ports. */
    readonly users: number | null;
  };
  /** Null when TLS is off. */
  readonly tls: Tls | null;
  readonly quotas: Quotas;
  /** What users may and may not reach through the relay, beside the ranges that are always denied. */
  readonly peers: {
    readonly allow: readonly Network[];
    readonly deny: readonly Network[];
    /** All others are denied; null for no such limit. */
    readonly only: readonly Network[] | null;
  };
  readonly logging: {
    readonly to: 'syslog' | 'stdout' | (string & {});
    readonly verbose: boolean;
    readonly facility: string | null;
    readonly minLevel: 'debug' | 'info' | 'warning' | 'error' | null;
  };
  readonly prometheus: Prometheus | null;
  readonly firewall: 'auto' | 'ufw' | 'firewalld' | 'nftables' | 'none';
}

export interface Host {
  /** What clients dial. */
  readonly name: string;
  /** Empty when the file does not say. */
  readonly addresses: readonly AddressPair[];
  /** `addresses: auto`: to be asked of a STUN server and of the interfaces of that host. */
  readonly discoversAddresses: boolean;
  /** How to log in; null is left to ssh. */
  readonly ssh: { readonly address: string; readonly user: string | null; readonly port: number | null };
  /** The settings in which it differs from the others, whole; see configOfHost. */
  readonly settings: Partial<Settings>;
}

export interface StaticUser {
  readonly name: string;
  readonly password: SecretSource;
}

export interface Tls {
  /** Paths on the TURN server. */
  readonly cert: string;
  readonly key: string;
  /** Null when the files are there without our doing. */
  readonly certbot: Certbot | null;
}

export interface Certbot {
  readonly email: string | null;
  /** Empty: the name of the host. */
  readonly names: readonly string[];
  /** `credentials` is a path here, relative to rtc-ops.yaml; null for a plugin that needs none. */
  readonly challenge: CertbotChallenge;
  /** The ACME directory. */
  readonly server: string;
}

/**
 * Where coturn reads a certificate that certbot got: not below /etc/letsencrypt, which its user may not enter. A
 * deployment puts the files there, and again at each renewal.
 */
export const certbotFiles = {
  cert: '/etc/coturn/tls/fullchain.pem',
  key: '/etc/coturn/tls/privkey.pem',
} as const;

export interface Quotas {
  /** Allocations of one user, and of all. */
  readonly userQuota?: number | undefined;
  readonly totalQuota?: number | undefined;
  /** Bytes per second in each direction: of one allocation, and of all. */
  readonly maxBps?: number | undefined;
  readonly bpsCapacity?: number | undefined;
}

export interface Prometheus {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly usernameLabels: boolean;
}

export type Database =
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'postgresql';
      readonly host: string;
      readonly port: number;
      readonly name: string;
      readonly user: string;
      readonly password: SecretSource | null;
    }
  | {
      readonly kind: 'redis';
      readonly host: string;
      readonly port: number;
      readonly database: number;
      readonly password: SecretSource | null;
    };

/** What was written, in the form in which it is used. */
export function configOf(input: ConfigInput): Config {
  const { secret = [], users = {}, method } = input.auth ?? {};
  return {
    profile: input.profile ?? defaults.profile,
    realm: input.realm ?? '',
    provider: providerOf(input.provider),
    hosts: (input.hosts ?? []).map((host) => hostOf(host, input)),
    auth: method ?? (input.auth?.secret === undefined && input.auth?.users !== undefined ? 'static' : 'rest'),
    secrets: Array.isArray(secret) ? secret : [secret],
    users: Object.entries(users).map(([name, password]) => ({ name, password })),
    database: databaseOf(input.database),
    discovery: input.addressDiscovery?.stun ?? defaults.addressDiscovery.stun.map(parseTurnUri),
    ...settingsOf(input),
  };
}

/** The config as it is for one of its hosts: what the host says wins over what stands beside. */
export function configOfHost(config: Config, host: Host): Config {
  return { ...config, ...host.settings };
}

type HostInput = NonNullable<ConfigInput['hosts']>[number];

function hostOf(host: HostInput, shared: SettingsInput): Host {
  if (typeof host === 'string') return hostOf({ name: host }, shared);
  const { name, addresses = [], ssh = {} } = host;
  return {
    name,
    addresses: addresses === 'auto' ? [] : addresses,
    discoversAddresses: addresses === 'auto',
    ssh: { address: ssh.address ?? name, user: ssh.user ?? null, port: ssh.port ?? null },
    settings: differentSettings(host, shared),
  };
}

/** The settings that a host makes different. A map is laid over the shared one key by key; a choice replaces it. */
function differentSettings(host: SettingsInput, shared: SettingsInput): Partial<Settings> {
  const given: (keyof Settings)[] = hostSettingNames.filter((name) => host[name] !== undefined);
  const merged: SettingsInput = {
    listen: { ...shared.listen, ...host.listen },
    relay: mergedRelay(host.relay, shared.relay),
    tls: host.tls ?? shared.tls,
    quotas: { ...shared.quotas, ...host.quotas },
    peers: { ...shared.peers, ...host.peers },
    logging: { ...shared.logging, ...host.logging },
    prometheus: host.prometheus ?? shared.prometheus,
    firewall: host.firewall ?? shared.firewall,
  };
  const settings = settingsOf(merged);
  // The port for TLS follows the certificate.
  const names = given.includes('tls') ? new Set([...given, 'listen' as const]) : given;
  return Object.fromEntries([...names].map((name) => [name, settings[name]]));
}

/** Ports and users stand for each other: of the two, what the host says replaces both. */
function mergedRelay(host: SettingsInput['relay'], shared: SettingsInput['relay']): SettingsInput['relay'] {
  if (host?.ports === undefined && host?.users === undefined) return { ...shared, ...host };
  return { ...(shared?.addresses && { addresses: shared.addresses }), ...host };
}

function settingsOf(input: SettingsInput): Settings {
  const { listen = {}, relay = {}, peers = {}, logging = {} } = input;
  const tls = tlsOf(input.tls);
  return {
    listen: {
      addresses: listen.addresses ?? [],
      families: [...new Set(listen.families ?? defaults.listen.families)],
      udp: portOf(listen.udp ?? defaults.listen.udp),
      tcp: portOf(listen.tcp ?? defaults.listen.tcp),
      // RFC 8656 §3.1: turns is at home on 5349.
      tls: portOf(listen.tls ?? (tls ? defaults.listen.tls : 'off')),
      extraPorts: [...new Set(listen.extraPorts)],
    },
    relay: relayOf(relay),
    tls,
    quotas: input.quotas ?? {},
    peers: { allow: peers.allow ?? [], deny: peers.deny ?? [], only: peers.only ?? null },
    logging: {
      to: logging.to ?? defaults.logging.to,
      verbose: logging.verbose ?? defaults.logging.verbose,
      facility: logging.facility ?? null,
      minLevel: logging.minLevel ?? null,
    },
    prometheus: prometheusOf(input.prometheus),
    firewall: input.firewall ?? defaults.firewall,
  };
}

function relayOf({ addresses = [], ports, users }: NonNullable<SettingsInput['relay']>): Settings['relay'] {
  const sized = users === undefined ? null : relayRangeFor(users);
  return { addresses, ports: ports ?? sized ?? defaults.relay.ports, users: users ?? null };
}

function portOf(port: number | 'off'): number | null {
  return port === 'off' ? null : port;
}

function tlsOf(tls: SettingsInput['tls']): Tls | null {
  if (tls === undefined || tls === 'off') return null;
  if (!('certbot' in tls)) return { ...tls, certbot: null };
  const { email, names, challenge = defaults.certbot.challenge, server } = tls.certbot;
  return {
    ...certbotFiles,
    certbot: {
      email: email ?? null,
      names: names ?? [],
      challenge:
        typeof challenge === 'object' && 'dns' in challenge
          ? { dns: challenge.dns, credentials: challenge.credentials ?? null }
          : challenge,
      server: server ?? defaults.certbot.server,
    },
  };
}

function prometheusOf(prometheus: SettingsInput['prometheus']): Prometheus | null {
  if (prometheus === undefined || prometheus === 'off') return null;
  const given = prometheus === 'on' ? {} : prometheus;
  return {
    address: given.address ?? defaults.prometheus.address,
    port: given.port ?? defaults.prometheus.port,
    path: given.path ?? defaults.prometheus.path,
    usernameLabels: given.usernameLabels ?? defaults.prometheus.usernameLabels,
  };
}

function databaseOf(database: ConfigInput['database']): Database | null {
  if (database?.sqlite !== undefined) return { kind: 'sqlite', path: database.sqlite };
  if (database?.postgresql !== undefined) {
    const { host, port, name, user, password } = database.postgresql;
    return {
      kind: 'postgresql',
      host: host ?? defaults.postgresql.host,
      port: port ?? defaults.postgresql.port,
      name,
      user,
      password: password ?? null,
    };
  }
  if (database?.redis === undefined) return null;
  const { host, port, database: number, password } = database.redis;
  return {
    kind: 'redis',
    host: host ?? defaults.redis.host,
    port: port ?? defaults.redis.port,
    database: number ?? defaults.redis.database,
    password: password ?? null,
  };
}
