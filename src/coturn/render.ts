import { configOfHost, type Config } from '../config/config.ts';
import { bracketed } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import { soundCiphers } from '../model/tls-offer.ts';
import { flag, option, type Directive, type Section } from './directive.ts';
import { addressesOf, hostNamed, type HostAddresses } from './host-addresses.ts';
import { hasOption, isEffective } from './options.ts';
import { peerDirectives } from './peers.ts';
import { serialise } from './serialise.ts';
import { databaseDirectives, loggingDirectives, prometheusDirectives } from './service-directives.ts';
import { refuseBeyond } from './version-limits.ts';
import { parseVersion, type CoturnVersion } from './versions.ts';

export interface RenderOptions {
  /** A known version of coturn (see versions.ts). */
  readonly version: string;
  /** One of the hosts by its name; needed where several have addresses or settings of their own. */
  readonly host?: string | undefined;
  /** Those of the config, read; time-limited credentials need one at least. */
  readonly secrets: readonly Secret[];
  /** The passwords of the config, read. */
  readonly passwords?: Passwords;
  /** Leave the secrets out, with a comment in their place: to look at, not to run. */
  readonly redact?: boolean;
}

export interface Passwords {
  /** By the name of the user. */
  readonly users: ReadonlyMap<string, Secret>;
  /** Of the database; null for one without. */
  readonly database: Secret | null;
}

const noPasswords: Passwords = { users: new Map(), database: null };

/**
 * The text of the `turnserver.conf` that a config stands for, for one host and one version of coturn.
 * @throws RtcOpsError `configuration` when the config cannot be had with this version or host, `usage` for an
 *   unknown host or version
 */
export function renderConfig(config: Config, options: RenderOptions): string {
  const version = parseVersion(options.version);
  const heading = [
    `turnserver.conf for coturn ${version}, written by rtc-ops from rtc-ops.yaml:`,
    'change that file, not this one.',
  ];
  const secrets = options.redact === true ? 'redacted' : 'revealed';
  return serialise(sectionsOf(config, version, options), { heading, secrets });
}

/** What is rendered, as data: every directive exists in that version and does something there. */
export function sectionsOf(
  shared: Config,
  version: CoturnVersion,
  options: Pick<RenderOptions, 'host' | 'secrets' | 'passwords'>,
): Section[] {
  const host = hostNamed(shared.hosts, options.host);
  const config = host === null ? shared : configOfHost(shared, host);
  refuseBeyond(version, config);
  const addresses = addressesOf(config, host);
  const sections = [
    { title: 'Where clients reach it', directives: listenDirectives(config, addresses) },
    ...(config.profile === 'turn'
      ? relaySections(config, addresses, version, options)
      : [{ title: 'It answers STUN and relays nothing', directives: stunOnlyDirectives(config) }]),
    { title: 'What it gives away and leaves off', directives: hardening },
    { title: 'What it logs', directives: loggingDirectives(config) },
    { title: 'Figures for Prometheus', directives: prometheusDirectives(config, version) },
  ];
  return sections.map((section) => ({
    ...section,
    directives: section.directives.filter(({ name }) => isEffective(version, checked(name, version))),
  }));
}

function relaySections(
  config: Config,
  addresses: HostAddresses,
  version: CoturnVersion,
  { secrets, passwords = noPasswords }: Pick<RenderOptions, 'secrets' | 'passwords'>,
): Section[] {
  return [
    { title: 'Where it relays from', directives: relayDirectives(config, addresses) },
    {
      title: 'Who may use it',
      directives: [
        ...authDirectives(config, secrets, passwords),
        ...databaseDirectives(config.database, passwords.database),
      ],
    },
    {
      title: 'Whom its users may reach',
      directives: peerDirectives(config, untranslated(addresses), version),
    },
    { title: 'How much they may use', directives: quotaDirectives(config) },
  ];
}

/** What a version lacks is left out only where that is known to be right; anything else is a slip in this file. */
function checked(name: string, version: CoturnVersion): string {
  if (hasOption(version, name) || versionedNames.has(name)) return name;
  throw new RtcOpsError('bug', `coturn ${version} has no option ${name}`);
}

// Each asks for what is the default, or not there at all, in the versions that lack it.
const versionedNames = new Set([
  'no-dtls',
  'no-rfc5780',
  'no-stun-backward-compatibility',
  'no-tlsv1',
  'no-tlsv1_1',
  'response-origin-only-with-rfc5780',
]);

function untranslated({ relay, translated }: HostAddresses): string[] {
  // coturn makes an exception of the private side of a translated address by itself.
  return relay.filter((address) => !translated.some((pair) => pair.private === address));
}

function listenDirectives({ listen, tls }: Config, { listening }: HostAddresses): Directive[] {
  const port = listen.udp ?? listen.tcp;
  return [
    ...listening.map((value) => ({ name: 'listening-ip', value })),
    ...(port === null ? [] : [{ name: 'listening-port', value: String(port) }]),
    ...(listen.udp === null ? [flag('no-udp')] : []),
    ...(listen.tcp === null ? [flag('no-tcp')] : []),
    ...(tls === null || listen.tls === null
      ? [flag('no-tls')]
      : [
          { name: 'tls-listening-port', value: String(listen.tls) },
          { name: 'cert', value: tls.cert },
          { name: 'pkey', value: tls.key },
          flag('no-tlsv1'),
          flag('no-tlsv1_1'),
          { name: 'cipher-list', value: soundCiphers },
        ]),
    ...listen.extraPorts.flatMap((extra) =>
      listening.map((address) => option('aux-server', `${bracketed(address)}:${extra}`)),
    ),
    // No browser speaks TURN over DTLS, and before 4.17 a stranger could exhaust its memory (CVE-2026-73214).
    flag('no-dtls'),
  ];
}

function relayDirectives({ relay }: Config, addresses: HostAddresses): Directive[] {
  return [
    ...addresses.relay.map((value) => ({ name: 'relay-ip', value })),
    ...addresses.translated.map((pair) => ({ name: 'external-ip', value: `${pair.public}/${pair.private}` })),
    { name: 'min-port', value: String(relay.ports.min) },
    { name: 'max-port', value: String(relay.ports.max) },
    // TURN over TCP to the server is for clients behind strict firewalls; TCP from it to peers (RFC 6062) is used by
    // no browser, and lets users open connections to any server.
    flag('no-tcp-relay'),
  ];
}

function authDirectives(
  { realm, auth, users }: Config,
  secrets: readonly Secret[],
  passwords: Passwords,
): Directive[] {
  return [
    option('realm', realm),
    ...(auth === 'rest'
      ? secretDirectives(secrets)
      : [flag('lt-cred-mech'), ...users.map(({ name }) => userDirective(name, passwords))]),
    // Seconds. A client renews its nonce within a round trip; one that was overheard is good for no longer.
    option('stale-nonce', '600'),
  ];
}

function secretDirectives(secrets: readonly Secret[]): Directive[] {
  if (secrets.length === 0) {
    throw new RtcOpsError('bug', 'the profile turn was to be rendered without a secret');
  }
  return [flag('use-auth-secret'), ...secrets.map((value) => option('static-auth-secret', value))];
}

function userDirective(name: string, { users }: Passwords): Directive {
  const password = users.get(name)?.reveal();
  if (password === undefined)
    throw new RtcOpsError('bug', `user ${name} was to be rendered without a password`);
  // add_static_user_account() of coturn's userdb.c: blanks before it are skipped, and 0x begins a key in hex (MD5).
  if (/^\s/.test(password) || /^0x(?![0-9a-f]{32}$)/i.test(password)) {
    const message = `auth.users.${name}: the password begins with ${/^\s/.test(password) ? 'a blank' : '0x'}, and coturn would take another one`;
    throw new RtcOpsError('configuration', message, { hint: 'Make one with: openssl rand -hex 32' });
  }
  return option('user', new Secret(`${name}:${password}`));
}

function stunOnlyDirectives({ realm }: Config): Directive[] {
  // The second line does nothing as long as the first is understood, and keeps strangers out if it is not.
  return [flag('stun-only'), flag('lt-cred-mech'), { name: 'realm', value: realm }];
}

function quotaDirectives({ quotas }: Config): Directive[] {
  const values: readonly [string, number | undefined][] = [
    ['user-quota', quotas.userQuota],
    ['total-quota', quotas.totalQuota],
    ['max-bps', quotas.maxBps],
    ['bps-capacity', quotas.bpsCapacity],
  ];
  return values.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: String(value) }]));
}

const hardening: readonly Directive[] = [
  // Lets a client tell STUN from what shares its socket (RFC 8489 §7).
  flag('fingerprint'),
  flag('no-cli'),
  flag('no-software-attribute'),
  // NAT behaviour discovery wants two addresses and makes replies to strangers larger.
  flag('no-rfc5780'),
  flag('no-stun-backward-compatibility'),
  flag('response-origin-only-with-rfc5780'),
];
