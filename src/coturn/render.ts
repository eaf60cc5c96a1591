import type { AddressPair } from '../config/address.ts';
import type { Config, Host } from '../config/config.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import type { Directive, Section } from './directive.ts';
import { hasOption, isEffective } from './options.ts';
import { peerDirectives } from './peers.ts';
import { serialise } from './serialise.ts';
import { parseVersion, type CoturnVersion } from './versions.ts';

export interface RenderOptions {
  /** A known version of coturn (see versions.ts). */
  readonly version: string;
  /** One of the hosts by its name; needed where several have addresses of their own. */
  readonly host?: string | undefined;
  /** Those of the config, read; the profile `turn` needs one at least. */
  readonly secrets: readonly Secret[];
  /** Leave the secrets out, with a comment in their place: to look at, not to run. */
  readonly redact?: boolean;
}

/** The addresses of the machine that coturn is to run on. Without any, coturn takes all that it finds there. */
interface Addresses {
  readonly listening: readonly string[];
  readonly relay: readonly string[];
  /** Those that the world knows by another one. */
  readonly translated: readonly AddressPair[];
}

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
  config: Config,
  version: CoturnVersion,
  options: Pick<RenderOptions, 'host' | 'secrets'>,
): Section[] {
  const { secrets } = options;
  const addresses = addressesOf(config, options.host);
  const sections = [
    { title: 'Where clients reach it', directives: listenDirectives(config, addresses) },
    ...(config.profile === 'turn'
      ? [
          { title: 'Where it relays from', directives: relayDirectives(config, addresses) },
          { title: 'Who may use it', directives: authDirectives(config, secrets) },
          {
            title: 'Whom its users may reach',
            directives: peerDirectives(config, untranslated(addresses), version),
          },
          { title: 'How much they may use', directives: quotaDirectives(config) },
        ]
      : [{ title: 'It answers STUN and relays nothing', directives: stunOnlyDirectives(config) }]),
    { title: 'What it gives away and leaves off', directives: hardening },
    { title: 'What it logs', directives: loggingDirectives(config) },
  ];
  return sections.map((section) => ({
    ...section,
    directives: section.directives.filter(({ name }) => isEffective(version, checked(name, version))),
  }));
}

/** What a version lacks is left out only where that is known to be right; anything else is a slip in this file. */
function checked(name: string, version: CoturnVersion): string {
  if (hasOption(version, name) || versionedNames.has(name)) return name;
  throw new RtcOpsError('bug', `coturn ${version} has no option ${name}`);
}

// Each asks for what is the default, or not there at all, in the versions that lack it.
const versionedNames = new Set([
  'no-rfc5780',
  'no-stun-backward-compatibility',
  'no-tlsv1',
  'no-tlsv1_1',
  'response-origin-only-with-rfc5780',
]);

function addressesOf({ hosts, listen, relay }: Config, name: string | undefined): Addresses {
  const pairs = hostOf(hosts, name)?.addresses ?? [];
  const own = pairs.map((pair) => pair.private);
  const listening = listen.addresses.length > 0 ? listen.addresses : own;
  const relaying = [relay.addresses, own, listening].find((each) => each.length > 0) ?? [];
  const wildcard = relaying.find((address) => address === '0.0.0.0' || address === '::');
  if (wildcard !== undefined) {
    throw new RtcOpsError('configuration', `coturn would hand out ${wildcard} as its relay address`, {
      hint: 'Give the addresses of the host (hosts[].addresses), or relay.addresses.',
    });
  }
  return {
    listening,
    relay: relaying,
    translated: pairs.filter((pair) => pair.public !== pair.private),
  };
}

function hostOf(hosts: readonly Host[], name: string | undefined): Host | undefined {
  if (name !== undefined) {
    const host = hosts.find((each) => each.name === name);
    if (host) return host;
    throw new RtcOpsError('usage', `${name} is none of the hosts of rtc-ops.yaml`, {
      hint:
        hosts.length === 0 ? 'It has no hosts.' : `They are ${hosts.map((each) => each.name).join(', ')}.`,
    });
  }
  const candidates = hosts.filter(({ addresses }) => addresses.length > 0);
  if (candidates.length > 1) {
    throw new RtcOpsError(
      'usage',
      'several hosts have addresses of their own; each has its own turnserver.conf',
      {
        hint: `Add --host with one of ${candidates.map((each) => each.name).join(', ')}.`,
      },
    );
  }
  return candidates[0];
}

function untranslated({ relay, translated }: Addresses): string[] {
  // coturn makes an exception of the private side of a translated address by itself.
  return relay.filter((address) => !translated.some((pair) => pair.private === address));
}

function listenDirectives({ listen, tls }: Config, { listening }: Addresses): Directive[] {
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
        ]),
    // No browser speaks TURN over DTLS, and before 4.17 a stranger could exhaust its memory (CVE-2026-73214).
    flag('no-dtls'),
  ];
}

function relayDirectives({ relay }: Config, addresses: Addresses): Directive[] {
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

function authDirectives({ realm }: Config, secrets: readonly Secret[]): Directive[] {
  if (secrets.length === 0) {
    throw new RtcOpsError('bug', 'the profile turn was to be rendered without a secret');
  }
  return [
    { name: 'realm', value: realm },
    flag('use-auth-secret'),
    ...secrets.map((value) => ({ name: 'static-auth-secret', value })),
    // Seconds. A client renews its nonce within a round trip; one that was overheard is good for no longer.
    { name: 'stale-nonce', value: '600' },
  ];
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

function loggingDirectives({ logging }: Config): Directive[] {
  const { to, verbose } = logging;
  return [
    ...(to === 'syslog' ? [flag('syslog'), flag('no-stdout-log')] : []),
    ...(to === 'stdout' ? [{ name: 'log-file', value: 'stdout' }] : []),
    ...(to.startsWith('/')
      ? [{ name: 'log-file', value: to }, flag('simple-log'), flag('no-stdout-log')]
      : []),
    ...(verbose ? [flag('verbose')] : []),
  ];
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

function flag(name: string): Directive {
  return { name, value: true };
}
