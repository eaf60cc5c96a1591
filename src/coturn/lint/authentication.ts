import { isOn } from '../directive.ts';
import type { ParsedDirective } from '../parse.ts';
import { allOf, at, isSet, lastOf, lineOf, named, note, textOf, valueOf, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';
import { anyoneElseReads, stoppedAt } from './access.ts';

/** Whether coturn asks for credentials, and whether anybody has some. */
export function authenticationFindings(source: Source): LintFinding[] {
  // It relays nothing then, and STUN is open to everyone by its nature.
  if (isSet(source, 'stun-only')) return [...unreadable(source)];
  const login = loginOf(source);
  return [
    ...unreadable(source),
    ...openRelay(source, login),
    ...accounts(source, login),
    ...mixed(source, login),
  ];
}

/** How coturn stands after its last line, and the lines that brought it there (set_option() and main() of mainrelay.c). */
export interface Login {
  readonly kind: 'secret' | 'users' | 'none';
  /** The line that turned credentials off again. */
  readonly turnedOffBy: ParsedDirective | null;
  readonly stopsStart: boolean;
}

export function loginOf(source: Source): Login {
  let asks: 'long-term' | 'none' | 'undefined' = 'undefined';
  let longTerm = false;
  let anonymous = false;
  let hasSecret = false;
  let turnedOffBy: ParsedDirective | null = null;
  // The order counts: each of them overwrites what those before it have set (measured on 4.6.1).
  for (const directive of allOf(source, 'lt-cred-mech', 'no-auth', 'use-auth-secret', 'static-auth-secret')) {
    const on = isOn([{ name: directive.name, value: directive.value }], directive.name);
    if (directive.name === 'no-auth') {
      asks = on ? 'none' : 'undefined';
      anonymous = on;
      turnedOffBy = directive;
      continue;
    }
    const isSecret = directive.name !== 'lt-cred-mech';
    hasSecret ||= isSecret;
    longTerm = isSecret || on;
    asks = longTerm ? 'long-term' : 'undefined';
    turnedOffBy = longTerm ? null : directive;
  }
  const users = hasSecret ? [] : allOf(source, 'user').filter((each) => /^[^:]+:./.test(textOf(each)));
  // A user alone turns credentials on, unless no-auth asks for none.
  if (!longTerm && !anonymous) asks = users.length > 0 ? 'long-term' : 'none';
  const kind = asks !== 'long-term' ? 'none' : hasSecret ? 'secret' : 'users';
  return { kind, turnedOffBy: kind === 'none' ? turnedOffBy : null, stopsStart: longTerm && anonymous };
}

function openRelay(source: Source, { kind, turnedOffBy, stopsStart }: Login): LintFinding[] {
  const noAuth = lastOf(source, 'no-auth');
  if (stopsStart && noAuth !== undefined) {
    const because = 'it asks for credentials in one line and for none in another';
    const { version } = source.facts.coturn;
    return [note('CONFIG_PREVENTS_START', { ...lineOf(source, noAuth, 'line', ''), version, because })];
  }
  if (kind !== 'none') return [];
  if (turnedOffBy === null) {
    const because = 'no line of the file does, that it reads';
    return [note('OPEN_RELAY_CONFIGURED', { ...wholeFile(source), because })];
  }
  const because =
    turnedOffBy.name === 'no-auth' && isSet(source, 'no-auth')
      ? 'no-auth says so'
      : `${turnedOffBy.name} overwrites what the lines before it have set`;
  return [note('OPEN_RELAY_CONFIGURED', { ...at(source, turnedOffBy), because })];
}

const databases = [
  'userdb',
  'db',
  'psql-userdb',
  'mysql-userdb',
  'mongo-userdb',
  'redis-userdb',
  'sql-userdb',
];

function accounts(source: Source, { kind }: Login): LintFinding[] {
  if (kind === 'none') return [];
  const findings: LintFinding[] = [];
  const anchor = allOf(source, 'use-auth-secret', 'static-auth-secret', 'lt-cred-mech', 'user').at(0);
  const place = anchor === undefined ? wholeFile(source) : at(source, anchor);
  const wants = kind === 'secret' ? 'static-auth-secret' : 'user';
  const given = allOf(source, wants).filter((each) => textOf(each) !== '');
  if (given.length === 0) {
    const database = allOf(source, ...databases).at(-1);
    const severity = database === undefined ? 'warning' : 'info';
    findings.push(
      note('NOBODY_CAN_LOG_IN', { ...place, wants, database: database?.name ?? null }, { severity }),
    );
  }
  if (!valueOf(source, 'realm')) findings.push(note('REALM_MISSING', place));
  return findings;
}

function mixed(source: Source, { kind }: Login): LintFinding[] {
  if (kind !== 'secret') return [];
  const secret = lastOf(source, 'static-auth-secret') ?? lastOf(source, 'use-auth-secret');
  if (secret === undefined) return [];
  return allOf(source, 'lt-cred-mech', 'user').flatMap((each) => {
    if (each.name === 'lt-cred-mech' && !isOn([each], each.name)) return [];
    // Superfluous only, unless users were meant to log in.
    const severity = each.name === 'user' ? 'warning' : 'info';
    const replacement = each.name === 'user' ? '' : null;
    const evidence = { ...lineOf(source, each, 'line', replacement), with: named(secret) };
    return [note('AUTH_MECHANISMS_MIXED', evidence, { severity })];
  });
}

function unreadable(source: Source): LintFinding[] {
  const { host } = source.facts;
  if (host === null) return [];
  const findings: LintFinding[] = [];
  const { own, service } = host;
  if (service !== null) {
    const stop = stoppedAt(own, service);
    if (stop !== null)
      findings.push(
        note('CONFIG_UNREADABLE', { ...wholeFile(source), user: service.user, because: stop.because }),
      );
  }
  const [secret] = allOf(source, 'static-auth-secret', 'user', 'cli-password', 'pkey-pwd');
  const mode = anyoneElseReads(own);
  if (secret !== undefined && mode !== null) {
    const evidence = { ...wholeFile(source), mode, option: secret.name, user: service?.user ?? 'turnserver' };
    findings.push(note('SECRET_READABLE', evidence));
  }
  return findings;
}
