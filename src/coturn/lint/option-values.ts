import { isIP } from 'node:net';
import { optionOf } from '../options.ts';
import type { ParsedDirective } from '../parse.ts';
import { compareVersions } from '../../model/release.ts';
import {
  alwaysOn,
  allOf,
  isSet,
  lastOf,
  leadingNumber,
  lineOf,
  named,
  note,
  shown,
  textOf,
  valueOf,
} from './source.ts';
import type { LintFinding, Source } from './source.ts';
import { endsInSemicolon, hasInlineComment, numeric } from './syntax.ts';

/** Values that coturn takes for something else, leaves out, or does not start with. */
export function optionValueFindings(source: Source): LintFinding[] {
  return [
    ...source.known.flatMap((directive) => valueFindings(source, directive)),
    ...combinationFindings(source),
  ];
}

function valueFindings(source: Source, directive: ParsedDirective): LintFinding[] {
  // Told as such, with the same line as the fix.
  if (hasInlineComment(directive) || endsInSemicolon(directive)) return [];
  const kind = optionOf(directive.name)?.value ?? 'text';
  if (kind === 'flag') return flag(source, directive);
  if (kind === 'port') return port(source, directive);
  if (numeric.has(kind)) return number(source, directive, kind === 'seconds');
  if (kind === 'address') return addressOf(source, directive, textOf(directive));
  if (kind === 'external-address') return externalAddress(source, directive);
  if (kind === 'family') return family(source, directive);
  if (kind === 'command-line-only') return [prevents(source, directive, 'it prints its usage and ends', '')];
  if (kind === 'user') return user(source, directive);
  return textOf(directive) === '' && mayNotBeEmpty.has(directive.name)
    ? [missing(source, directive, 'an empty text')]
    : [];
}

// An empty pidfile means none, an empty cipher list the default.
const mayNotBeEmpty = new Set([
  'realm',
  'static-auth-secret',
  'cert',
  'pkey',
  'denied-peer-ip',
  'allowed-peer-ip',
]);

function prevents(
  source: Source,
  directive: ParsedDirective,
  because: string,
  replacement: string | null = null,
): LintFinding {
  const { version } = source.facts.coturn;
  return note('CONFIG_PREVENTS_START', {
    ...lineOf(source, directive, 'line', replacement),
    version,
    because,
  });
}

function missing(source: Source, directive: ParsedDirective, readAs: string): LintFinding {
  return note('CONFIG_VALUE_MISSING', { ...lineOf(source, directive), readAs });
}

/** get_bool_value() of mainrelay.c: the first letter tells, but for on and off. */
export function isFlagValue(text: string): boolean {
  return /^(?:$|[0-9nNfFyYtT]|on$|ON$|On$|off$|OFF$|Off$)/.test(text);
}

function flag(source: Source, directive: ParsedDirective): LintFinding[] {
  const value = textOf(directive);
  if (alwaysOn.has(directive.name)) {
    if (!/^(?:0|n|f|off$)/i.test(value)) return [];
    return [note('CONFIG_ALWAYS_ON', { ...lineOf(source, directive, 'line', ''), value })];
  }
  if (isFlagValue(value)) return [];
  const because = 'the value of a flag is on or off, yes or no, true or false, 1 or 0';
  return [prevents(source, directive, because, directive.name)];
}

function port(source: Source, directive: ParsedDirective): LintFinding[] {
  const value = textOf(directive);
  if (value === '') return [missing(source, directive, '0')];
  if (directive.name === 'listening-port' && /^0+$/.test(value)) {
    const because = 'port 0 is any that is free, another one at each start (measured on 4.6.1)';
    const evidence = { ...lineOf(source, directive, 'value'), readAs: 'a free port', because };
    return [note('CONFIG_VALUE_MISREAD', evidence, { severity: 'error' })];
  }
  if (/^\d+$/.test(value) && Number(value) <= 65_535) return [];
  if (compareVersions(source.facts.coturn.version, '4.13.0') >= 0)
    return [prevents(source, directive, 'a port is a number from 0 to 65535')];
  const read = leadingNumber(value) & 0xffff;
  const because = /^\d+$/.test(value)
    ? 'a port has 16 bits, and coturn drops the others'
    : 'it stops at the first character that is no digit';
  if (String(read) === value) return [];
  return [
    note('CONFIG_VALUE_MISREAD', { ...lineOf(source, directive, 'value'), readAs: String(read), because }),
  ];
}

const largestInt = 2 ** 31 - 1;

function number(source: Source, directive: ParsedDirective, hasDefault: boolean): LintFinding[] {
  const value = textOf(directive);
  if (value === '') return hasDefault ? [] : [missing(source, directive, '0')];
  const isRate = optionOf(directive.name)?.value === 'bytes-per-second';
  const limit = isRate ? Number.MAX_SAFE_INTEGER : largestInt;
  if (/^\d+$/.test(value) && Number(value) <= limit) return [];
  const isTooLarge = /^\d+$/.test(value);
  const readAs = isTooLarge ? 'another number' : String(leadingNumber(value));
  if (readAs === value) return [];
  const because = isTooLarge
    ? 'the number has more bits than coturn keeps'
    : 'it stops at the first character that is no digit, and knows no units';
  return [note('CONFIG_VALUE_MISREAD', { ...lineOf(source, directive, 'value'), readAs, because })];
}

const effects: Readonly<Record<string, string>> = {
  'cli-ip': 'listens on 127.0.0.1 with its command line',
  'external-ip': 'the relay hands out the address of its interface',
  'listening-ip': 'goes on without this listener; without any it takes every address of the machine',
  'relay-ip': 'goes on without this relay address; without any it takes those of the machine',
};

/** A name is looked up once, which works; a prefix length, a port or a digit too many does not. */
function looksWrong(text: string): boolean {
  return isIP(text) === 0 && (/[/:\s[\]]/.test(text) || /^[\d.]*$/.test(text));
}

function addressOf(source: Source, directive: ParsedDirective, text: string): LintFinding[] {
  if (!looksWrong(text)) return [];
  const effect = effects[directive.name] ?? 'goes on without this line';
  const value = text === '' ? 'nothing' : shown(directive, text);
  const [bare = ''] = text.split('/');
  const replacement =
    text.includes('/') && isIP(bare) && directive.name !== 'external-ip' ? `${directive.name}=${bare}` : null;
  return [
    note('CONFIG_ADDRESS_INVALID', { ...lineOf(source, directive, 'value', replacement), value, effect }),
  ];
}

function externalAddress(source: Source, directive: ParsedDirective): LintFinding[] {
  const text = textOf(directive);
  const slash = text.indexOf('/');
  const parts = slash < 0 ? [text] : [text.slice(0, slash), text.slice(slash + 1)];
  const wrong = parts.find(looksWrong);
  return wrong === undefined ? [] : addressOf(source, directive, wrong);
}

function family(source: Source, directive: ParsedDirective): LintFinding[] {
  if (['ipv4', 'ipv6', 'keep'].includes(textOf(directive))) return [];
  const because = 'the value is ipv4, ipv6 or keep, and anything else is the default';
  return [note('CONFIG_VALUE_MISREAD', { ...lineOf(source, directive, 'value'), readAs: 'ipv4', because })];
}

function user(source: Source, directive: ParsedDirective): LintFinding[] {
  // Beside a shared secret no user counts, which is told as such.
  if (allOf(source, 'use-auth-secret', 'static-auth-secret').length > 0) return [];
  return /^[^:]+:./.test(textOf(directive)) ? [] : [note('USER_MALFORMED', lineOf(source, directive))];
}

/** What coturn checks once it has read everything. */
function combinationFindings(source: Source): LintFinding[] {
  const findings: LintFinding[] = [];
  const capacity = lastOf(source, 'bps-capacity');
  if (
    capacity !== undefined &&
    leadingNumber(textOf(capacity)) > 0 &&
    leadingNumber(valueOf(source, 'max-bps') ?? '') === 0
  )
    findings.push(prevents(source, capacity, 'bps-capacity needs max-bps, the rate of one session'));
  const noTcp = lastOf(source, 'no-tcp-relay');
  if (noTcp !== undefined && isSet(source, 'no-tcp-relay') && isSet(source, 'no-udp-relay'))
    findings.push(prevents(source, noTcp, 'no-tcp-relay and no-udp-relay together leave nothing to relay'));
  const loopback = lastOf(source, 'allow-loopback-peers');
  const hasCli =
    compareVersions(source.facts.coturn.version, '4.10.0') < 0
      ? !isSet(source, 'no-cli')
      : isSet(source, 'cli');
  if (
    loopback !== undefined &&
    isSet(source, 'allow-loopback-peers') &&
    hasCli &&
    !valueOf(source, 'cli-password')
  )
    findings.push(prevents(source, loopback, 'allow-loopback-peers needs no-cli or a cli-password'));
  return [...findings, ...contradictions(source)];
}

function contradictions(source: Source): LintFinding[] {
  const pairs: readonly (readonly [string, string, string])[] = [
    ['no-stun', 'stun-only', 'coturn answers nothing'],
    ['no-udp', 'udp-self-balance', 'there is no UDP to balance'],
    ['no-auth', 'secure-stun', 'STUN asks for credentials that nobody has'],
  ];
  const findings = pairs.flatMap(([a, b, effect]) => {
    const [first, second] = [lastOf(source, a), lastOf(source, b)];
    if (first === undefined || second === undefined || !isSet(source, a) || !isSet(source, b)) return [];
    return [note('CONFIG_CONTRADICTION', { ...lineOf(source, first), with: named(second), effect })];
  });
  const file = allOf(source, 'log-file').find((each) => textOf(each).startsWith('/'));
  const syslog = lastOf(source, 'syslog');
  if (file !== undefined && syslog !== undefined && isSet(source, 'syslog')) {
    const effect = 'everything goes to syslog, and the file stays empty';
    findings.push(note('CONFIG_CONTRADICTION', { ...lineOf(source, file), with: named(syslog), effect }));
  }
  return findings;
}
