import { isIPv4, isIPv6 } from 'node:net';
import { parseNetwork, type Network } from '../../config/address.ts';
import type { ParsedDirective } from '../parse.ts';
import { compareVersions } from '../../model/release.ts';
import { includes, rangeOf, rangeTextOf, uncovered, type PeerRange } from './address-range.ts';
import { allOf, isSet, lastOf, lineOf, note, shown, textOf, valueOf, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';

/** Whom the users of the relay reach. */
export function peerFindings(source: Source): LintFinding[] {
  if (isSet(source, 'stun-only')) return [];
  const loopback = lastOf(source, 'allow-loopback-peers');
  const read = allOf(source, 'denied-peer-ip', 'allowed-peer-ip').map((directive) => ({
    directive,
    range: rangeOf(directive),
  }));
  const understood = read.flatMap(({ range }) => range ?? []);
  const allowed = understood.filter(({ directive }) => directive.name === 'allowed-peer-ip');
  const denied = understood.filter(({ directive }) => directive.name === 'denied-peer-ip');
  return [
    ...read.flatMap(({ directive, range }) => malformed(source, directive, range)),
    ...(loopback !== undefined && isSet(source, 'allow-loopback-peers')
      ? [note('LOOPBACK_PEERS_ALLOWED', lineOf(source, loopback, 'line', ''))]
      : []),
    ...everyoneDenied(source, denied, allowed),
    ...reachable(source, denied, allowed),
    ...mapped(source, denied),
    ...(isSet(source, 'no-tcp-relay') || isSet(source, 'no-tcp')
      ? []
      : [note('TCP_RELAY_ENABLED', wholeFile(source))]),
  ];
}

function malformed(source: Source, directive: ParsedDirective, range: PeerRange | null): LintFinding[] {
  const { version } = source.facts.coturn;
  const value = textOf(directive);
  const { name, line } = directive;
  const stops = name === 'denied-peer-ip' && compareVersions(version, '4.11.0') >= 0;
  if (range === null) {
    if (/[;#]/.test(value) || value === '') return [];
    if (!value.includes('/')) {
      if (/^[a-z][\w.-]*$/i.test(value)) return [];
      const effect = stops ? 'does not start' : 'goes on without this line';
      return [
        note('CONFIG_ADDRESS_INVALID', {
          ...lineOf(source, directive, 'value'),
          value: shown(directive),
          effect,
        }),
      ];
    }
    const text = rangeTextOf(value);
    const isSafe = text !== null && !/(?:^|-)(?:::|0\.0\.0\.0)(?:$|-)/.test(text);
    const replacement = isSafe ? `${name}=${text}` : null;
    const evidence = { ...lineOf(source, directive, 'value', replacement), version, stops };
    // What is denied as it was meant to be is safe; what is allowed more than before is not.
    const edit =
      replacement !== null && name === 'denied-peer-ip' ? { edit: { line, text: replacement } } : {};
    return [note('DENIED_RANGE_CIDR', evidence, edit)];
  }
  if (range.isBoundless)
    return [
      note('DENIED_RANGE_BOUNDLESS', {
        ...lineOf(source, directive, 'value', value === '::' ? '' : null),
        value,
      }),
    ];
  if (!range.isEmpty) return [];
  const swapped = isIPv4(range.first) === isIPv4(range.last) ? `${name}=${range.last}-${range.first}` : null;
  return [note('DENIED_RANGE_EMPTY', lineOf(source, directive, 'value', swapped))];
}

function ranges(source: Source, name: string): PeerRange[] {
  return allOf(source, name).flatMap((each) => rangeOf(each) ?? []);
}

// What hosts on the internet have; 0.0.0.0/8 is this network, and from 224.0.0.0 on there are groups.
const allHosts = network4('1.0.0.0', '223.255.255.255');

/** Ranges that leave no peer over IPv4, alone or side by side; an exception makes a list of the few who may be reached. */
function everyoneDenied(
  source: Source,
  denied: readonly PeerRange[],
  allowed: readonly PeerRange[],
): LintFinding[] {
  const isTold = denied.some(({ isBoundless }) => isBoundless);
  if (isTold || allowed.some(({ isEmpty }) => !isEmpty) || uncovered([allHosts], denied).length > 0)
    return [];
  const ofIpv4 = denied.filter(({ family, isEmpty }) => family === 4 && !isEmpty);
  const anchor = ofIpv4.find((each) => uncovered([allHosts], [each]).length === 0) ?? ofIpv4.at(-1);
  if (anchor === undefined) return [];
  return [note('DENIED_RANGES_COVER_ALL', lineOf(source, anchor.directive, 'value'))];
}

/** The denied ranges, unless an exception as wide as a whole network takes them back. */
export function isDenied(source: Source, address: string): PeerRange | null {
  const network = parseNetwork(address);
  if (network === null) return null;
  const isIn = (range: PeerRange): boolean =>
    !range.isEmpty && (range.isBoundless || includes(range, network));
  if (ranges(source, 'allowed-peer-ip').some(isIn)) return null;
  return ranges(source, 'denied-peer-ip').find(isIn) ?? null;
}

// By their ends, as they are compared and shown: to parse ten networks takes longer than most files take to judge.
const privateNetworks = [
  network4('10.0.0.0', '10.255.255.255'),
  network4('172.16.0.0', '172.31.255.255'),
  network4('192.168.0.0', '192.168.255.255'),
  network4('100.64.0.0', '100.127.255.255'),
];
// coturn denies these by itself from 4.13.1 on.
const localNetworks = [
  network4('169.254.0.0', '169.254.255.255'),
  network6('fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  network6('fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
];
const metadata = [network4('169.254.169.254'), network6('fd00:ec2::254')];
const multicast = [
  network4('224.0.0.0', '239.255.255.255'),
  network6('ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
];

function reachable(
  source: Source,
  denied: readonly PeerRange[],
  exceptions: readonly PeerRange[],
): LintFinding[] {
  const { version } = source.facts.coturn;
  const allowed = exceptions.filter(({ isEmpty }) => !isEmpty);
  const open = (networks: readonly Network[]): string[] => {
    const mine = networks.filter(({ family }) => family === 4 || relaysIpv6(source));
    const left = new Set(uncovered(mine, denied));
    // An exception for one host is a decision; one for a whole network undoes the list.
    const isUndone = (each: Network): boolean =>
      allowed.some((range) => range.isBoundless || includes(range, each));
    return mine
      .filter((each) => left.has(each) || isUndone(each))
      .map(({ first, last }) => (first === last ? first : `${first}-${last}`));
  };
  const hasBuiltIn = compareVersions(version, '4.13.1') >= 0;
  const privateRanges = open([...privateNetworks, ...(hasBuiltIn ? [] : localNetworks)]);
  const addresses = hasBuiltIn ? [] : open(metadata);
  return [
    ...(privateRanges.length > 0
      ? [note('PRIVATE_PEERS_ALLOWED', { ...wholeFile(source), ranges: privateRanges })]
      : []),
    ...(addresses.length > 0 ? [note('METADATA_PEER_ALLOWED', { ...wholeFile(source), addresses })] : []),
    ...(!isSet(source, 'no-multicast-peers') && open(multicast).length > 0
      ? [note('MULTICAST_PEERS_ALLOWED', wholeFile(source))]
      : []),
  ];
}

const mappedNetwork = network6('::ffff:0:0', '::ffff:ffff:ffff');

function mapped(source: Source, list: readonly PeerRange[]): LintFinding[] {
  const { version } = source.facts.coturn;
  if (compareVersions(version, '4.9.0') >= 0 || !relaysIpv6(source)) return [];
  const denied = list.filter(({ isEmpty }) => !isEmpty);
  if (!denied.some(({ family }) => family === 4) || uncovered([mappedNetwork], denied).length === 0)
    return [];
  return [
    note('MAPPED_IPV6_BYPASS', { ...wholeFile(source), version, range: '::ffff:0:0-::ffff:ffff:ffff' }),
  ];
}

/** Whether coturn has, or may have, an IPv6 address to relay from: without one no IPv6 peer is reached. */
function relaysIpv6(source: Source): boolean {
  const given = [allOf(source, 'relay-ip'), allOf(source, 'listening-ip')].find((each) => each.length > 0);
  if (given !== undefined) return given.some((each) => isIPv6(textOf(each)));
  return (
    source.facts.host?.addresses.some(({ address }) => isIPv6(address)) ??
    valueOf(source, 'relay-ip') === undefined
  );
}

function network4(first: string, last = first): Network {
  return { family: 4, first, last };
}

function network6(first: string, last = first): Network {
  return { family: 6, first, last };
}
