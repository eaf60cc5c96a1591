import { covers, overlaps, parseNetwork, type Network } from '../config/address.ts';
import type { Config } from '../config/config.ts';
import { RtcOpsError } from '../model/error.ts';
import { scopeOf } from '../model/endpoint.ts';
import type { Directive } from './directive.ts';
import { compareVersions } from '../model/release.ts';
import type { CoturnVersion } from './versions.ts';

/**
 * What nobody has a reason to reach through a relay: everything that is not on the internet. The names of the
 * registries are those of RFC 6890. Documentation networks (RFC 5737, RFC 3849) are left out: no real host has them.
 */
const alwaysDenied: readonly string[] = [
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // carrier-grade NAT (RFC 6598); 100.100.100.200 is the metadata service of Alibaba Cloud
  '127.0.0.0/8', // loopback; coturn refuses it by itself, but before 4.13 not as ::ffff:127.0.0.1
  '168.63.129.16', // the host of an Azure machine, which serves it metadata and DNS
  '169.254.0.0/16', // link-local (RFC 3927), with the metadata service of most clouds
  '172.16.0.0/12', // private (RFC 1918)
  '192.0.0.0/24', // protocol assignments (RFC 6890); 192.0.0.192 is the metadata service of Oracle Cloud
  '192.88.99.0/24', // 6to4 relays (RFC 7526)
  '192.168.0.0/16', // private (RFC 1918)
  '198.18.0.0/15', // benchmarks (RFC 2544)
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved, and broadcast (RFC 1112, RFC 919)
  '::ffff:0:0/96', // IPv4-mapped: IPv4 by another name, past the ranges above before 4.9
  '64:ff9b::/96', // NAT64 (RFC 6052), likewise before 4.13.1
  '64:ff9b:1::/48', // NAT64 of one network (RFC 8215)
  '100::/64', // discarded (RFC 6666)
  '2001::/32', // Teredo (RFC 4380)
  '2002::/16', // 6to4 (RFC 3056), likewise before 4.13.1
  'fc00::/7', // unique local (RFC 4193), with the metadata service of AWS
  'fe80::/10', // link-local (RFC 4291)
  'fec0::/10', // site-local (RFC 3879)
  'ff00::/8', // multicast (RFC 4291)
];

/**
 * IPv4-compatible addresses (::/96, RFC 4291 §2.5.5.1). A range that begins with :: would deny all of IPv4, so these
 * begin behind it. Four, because coturn before 4.16 compares IPv6 byte by byte: in `::1-::ffff:ffff` each of the
 * last four bytes lies between its two ends, the last one never at zero.
 */
const compatibleRanges: readonly (readonly [string, string])[] = [
  ['::1', '::ffff:ffff'],
  ['::100', '::ffff:ff00'],
  ['::1:0', '::ffff:0'],
  ['::100:0', '::ff00:0'],
];

/** The ranges that are denied whatever the config says; its exceptions win over them. */
export const deniedNetworks: readonly Network[] = alwaysDenied.map(networkOf);

/**
 * All addresses that anyone has, for a relay that is to reach a few and no others. Not from :: on, which coturn takes for
 * no limit at all; what lies below 100:: is reserved (RFC 4291 §2.4), and the parts in use stand in the list above. And
 * not from 1::, because coturn before 4.16 compares IPv6 byte by byte.
 */
const everyone: readonly string[] = ['1.0.0.0-255.255.255.255', `100::-${'ffff:'.repeat(7)}ffff`];

/** The ranges of render that are no network of the list, as `first-last`. */
export const alwaysRendered: ReadonlySet<string> = new Set(
  compatibleRanges.map(([first, last]) => `${first}-${last}`),
);

/** The directives about who may be a peer: first the exceptions, which coturn looks at first. */
export function peerDirectives(
  config: Config,
  relayed: readonly string[],
  version: CoturnVersion,
): Directive[] {
  const { deny, only } = config.peers;
  const allow = only ?? config.peers.allow;
  refuseBuiltIn(only === null ? 'allow' : 'only', allow, version);
  // Where all but a few are denied, users have no call to each other through this relay.
  const own = only === null ? relayed.filter(isDeniedOwnAddress).map(networkOf) : [];
  return [
    { name: 'no-multicast-peers', value: true },
    ...(allow.some(isLoopback) ? [{ name: 'allow-loopback-peers', value: true } as const] : []),
    ...distinct([...allow, ...own].map(rangeText)).map((value) => ({ name: 'allowed-peer-ip', value })),
    ...distinct([
      ...(only === null ? [] : everyone),
      ...[...deniedNetworks, ...deny].map(rangeText),
      ...compatibleRanges.map(([first, last]) => `${first}-${last}`),
    ]).map((value) => ({ name: 'denied-peer-ip', value })),
  ];
}

/**
 * Two users of one relay send to each other at its relay address. Where that is private and not translated to a
 * public one, it has to be an exception, or no call within the network of the server would work.
 */
function isDeniedOwnAddress(address: string): boolean {
  const scope = scopeOf(address);
  return (
    (scope === 'private' || scope === 'cgnat') &&
    deniedNetworks.some((each) => covers(each, networkOf(address)))
  );
}

/** `first-last`, the only form that every version understands; one address stands alone. */
function rangeText({ first, last }: Network): string {
  return first === last ? first : `${first}-${last}`;
}

function refuseBuiltIn(key: 'allow' | 'only', allow: readonly Network[], version: CoturnVersion): void {
  if (compareVersions(version, '4.13.1') < 0) return;
  for (const [index, network] of allow.entries()) {
    const scope = builtInDenials.find((each) => overlaps(each, network));
    if (!scope) continue;
    throw new RtcOpsError(
      'configuration',
      `peers.${key}[${index}]: coturn ${version} never relays to ${rangeText(scope)}`,
      {
        hint: `Leave ${rangeText(network)} out, or run a version before 4.13.1.`,
      },
    );
  }
}

// ioa_addr_is_internal_deny_default() of ns_turn_ioaddr.c since 4.13.1; looked at before allowed-peer-ip.
const builtInDenials = ['169.254.0.0/16', 'fc00::/7', 'fe80::/10', 'fec0::/10'].map(networkOf);

const loopback = ['127.0.0.0/8', '::1'].map(networkOf);

function isLoopback(network: Network): boolean {
  return loopback.some((each) => overlaps(each, network));
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new RtcOpsError('bug', `${text} is no network`);
  return network;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
