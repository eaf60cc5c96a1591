import { isIP, isIPv4 } from 'node:net';
import { fewestPorts, portsPerUser } from '../../config/relay-range.ts';
import { familyOf, scopeOf } from '../../model/endpoint.ts';
import type { ParsedDirective } from '../parse.ts';
import { isDenied } from './peers.ts';
import { allOf, isSet, lastOf, lineOf, named, note, portOf, textOf, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';
import { speaksTls } from './tls.ts';

/** Addresses that clients cannot reach, and ports that are in each other's way. */
export function addressFindings(source: Source): LintFinding[] {
  const relays = isSet(source, 'stun-only')
    ? []
    : [...externalFindings(source), ...relayPortFindings(source)];
  return [...relays, ...overlaps(source), ...lowPorts(source)];
}

interface External {
  readonly directive: ParsedDirective;
  readonly outside: string;
  /** Null in the plain form. */
  readonly inside: string | null;
}

function externals(source: Source): External[] {
  return allOf(source, 'external-ip').flatMap((directive) => {
    const [outside = '', inside = null] = textOf(directive).split('/');
    return isIP(outside) && (inside === null || isIP(inside)) ? [{ directive, outside, inside }] : [];
  });
}

function externalFindings(source: Source): LintFinding[] {
  const given = externals(source);
  const findings = given.flatMap(({ directive, outside }) => {
    const scope = scopeOf(outside);
    const value = outside;
    return scope === 'global'
      ? []
      : [note('EXTERNAL_IP_PRIVATE', { ...lineOf(source, directive), value, scope })];
  });
  const plain = given.filter(({ inside }) => inside === null);
  const [first, ...more] = plain;
  if (first !== undefined) {
    for (const { directive } of more)
      findings.push(
        note('EXTERNAL_IP_REPEATED', { ...lineOf(source, directive), first: first.directive.line }),
      );
    findings.push(...deniedOwnRelay(source, first));
  }
  const relays = relayAddresses(source).filter((address) => isPrivate(address));
  const isTranslated = (relay: string): boolean =>
    plain.some(({ outside }) => familyOf(outside) === familyOf(relay)) ||
    given.some(({ inside }) => inside === relay);
  const left = relays.filter((relay) => !isTranslated(relay));
  // With a name, or with a value that is no address, another finding says so or nothing can be said.
  const isUnclear = allOf(source, 'external-ip').length > given.length;
  if (left.length > 0 && !isUnclear && !hasPublicRelay(source))
    findings.push(
      note('EXTERNAL_IP_MISSING', { ...wholeFile(source), relays: left }, { severity: 'warning' }),
    );
  return findings;
}

function isPrivate(address: string): boolean {
  return ['private', 'cgnat'].includes(scopeOf(address));
}

function hasPublicRelay(source: Source): boolean {
  return relayAddresses(source).some((address) => scopeOf(address) === 'global' && isIPv4(address));
}

/** What coturn relays from: as the file says, or else what this machine has. */
function relayAddresses(source: Source): string[] {
  const literal = (name: string): string[] =>
    allOf(source, name)
      .map(textOf)
      .filter((text) => isIP(text) !== 0);
  const given = [literal('relay-ip'), literal('listening-ip')].find((each) => each.length > 0);
  const all = given ?? source.facts.host?.addresses.map(({ address }) => address) ?? [];
  return [...new Set(all)].filter(
    (address) => !['loopback', 'unspecified', 'link-local'].includes(scopeOf(address)),
  );
}

function deniedOwnRelay(source: Source, { directive, outside }: External): LintFinding[] {
  for (const relay of relayAddresses(source)) {
    if (familyOf(relay) !== familyOf(outside) || relay === outside) continue;
    const range = isDenied(source, relay);
    if (range === null || range.isBoundless) continue;
    const replacement = `external-ip=${outside}/${relay}`;
    const evidence = {
      ...lineOf(source, directive, 'value', replacement),
      relay,
      deniedIn: range.directive.line,
    };
    return [note('EXTERNAL_IP_WITHOUT_PRIVATE', evidence)];
  }
  return [];
}

function relayPortFindings(source: Source): LintFinding[] {
  const [min, max] = [portOf(source, 'min-port'), portOf(source, 'max-port')];
  const anchor = lastOf(source, 'min-port') ?? lastOf(source, 'max-port');
  const place = anchor === undefined ? wholeFile(source) : lineOf(source, anchor);
  if (min > max) {
    if (anchor === undefined) return [];
    const replacement = anchor.name === 'min-port' ? `min-port=${max}` : null;
    return [note('RELAY_PORTS_INVERTED', { ...lineOf(source, anchor, 'value', replacement), min, max })];
  }
  const ports = max - min + 1;
  const { users } = source.facts;
  const wanted = users === null ? fewestPorts : users * portsPerUser;
  const few =
    ports < wanted && !isSet(source, 'multiplex-peer')
      ? [note('RELAY_PORTS_FEW', { ...place, min, max, ports, users })]
      : [];
  const taken = [...new Set(listeningPorts(source).map(({ port }) => port))].filter(
    (port) => port >= min && port <= max,
  );
  if (anchor === undefined || (taken.length === 0 && min >= 1024)) return few;
  return [
    ...few,
    note('RELAY_PORTS_COLLIDE', { ...lineOf(source, anchor, 'value'), min, max, ports: taken }),
  ];
}

interface ListeningPort {
  readonly name: string;
  readonly port: number;
  readonly directive: ParsedDirective | undefined;
}

function listeningPorts(source: Source): ListeningPort[] {
  const tls = speaksTls(source);
  const names = [
    'listening-port',
    ...(tls ? ['tls-listening-port'] : []),
    ...(lastOf(source, 'alt-listening-port') ? ['alt-listening-port'] : []),
    ...(tls && lastOf(source, 'alt-tls-listening-port') ? ['alt-tls-listening-port'] : []),
    ...(lastOf(source, 'tcp-proxy-port') ? ['tcp-proxy-port'] : []),
    ...(isSet(source, 'web-admin') ? ['web-admin-port'] : []),
    ...(isSet(source, 'prometheus') ? ['prometheus-port'] : []),
  ];
  return names
    .map((name) => ({ name, port: portOf(source, name), directive: lastOf(source, name) }))
    .filter(({ port }) => port !== 0);
}

function overlaps(source: Source): LintFinding[] {
  const all = listeningPorts(source);
  return all.flatMap(({ name, port, directive }, index) => {
    const earlier = all.slice(0, index).find((each) => each.port === port);
    const anchor = directive ?? earlier?.directive;
    if (earlier === undefined || anchor === undefined) return [];
    const other = anchor === directive ? earlier : { name, directive };
    const evidence = {
      ...lineOf(source, anchor),
      port,
      with: other.directive ? named(other.directive) : other.name,
    };
    // TLS and plain TCP are told apart by their first bytes, on either listener (12 of 12 each on 4.6.1).
    const isTlsBesidePlain = name === 'tls-listening-port' && earlier.name === 'listening-port';
    const isOther = /admin|prometheus|proxy/.test(name);
    const severity = isTlsBesidePlain ? 'info' : isOther ? 'error' : 'warning';
    return [note('LISTENING_PORTS_OVERLAP', evidence, { severity })];
  });
}

function lowPorts(source: Source): LintFinding[] {
  const service = source.facts.host?.service ?? null;
  if (service === null || service.uid === 0) return [];
  const { lowestPort } = service;
  if (lowestPort === null) return [];
  return listeningPorts(source).flatMap(({ port, directive }) => {
    if (port >= lowestPort || directive === undefined) return [];
    const { unit, user } = service;
    return [note('PORT_NEEDS_PRIVILEGE', { ...lineOf(source, directive, 'value'), port, user, unit })];
  });
}
