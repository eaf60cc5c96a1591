import { configOf } from '../config/config.ts';
import { conflictsIn } from '../config/constraints.ts';
import { configSchema } from '../config/schema.ts';
import { closest } from '../config/suggestion.ts';
import type { Written } from '../config/written-config.ts';
import { RtcOpsError } from '../model/error.ts';
import { soundCiphers } from '../model/tls-offer.ts';
import { isHost } from '../model/turn-uri.ts';
import { importListeners } from './import-addresses.ts';
import { ImportDraft, textOf, type FoundSecretFile, type LeftOver } from './import-draft.ts';
import { importPeers } from './import-peers.ts';
import {
  importAuth,
  importDatabase,
  importLogging,
  importPrometheus,
  importQuotas,
} from './import-service.ts';
import { isFlagValue } from './lint/option-values.ts';
import { alwaysOn } from './lint/source.ts';
import { hasInlineComment } from './lint/syntax.ts';
import { coturnOptions, optionOf } from './options.ts';
import { parseDirectives, type ParsedDirective } from './parse.ts';

export interface ImportedConfig {
  /** What rtc-ops.yaml is to have; valid but for secrets that nobody knows (see needsSecret). */
  readonly written: Readonly<Record<string, Written>>;
  readonly secrets: readonly FoundSecretFile[];
  /** In the order of the lines. */
  readonly left: readonly LeftOver[];
  /** The file has no shared secret and no user, and the relay needs one of them. */
  readonly needsSecret: boolean;
}

export interface ImportOptions {
  /** What clients dial; null for what the file says. */
  readonly host?: string | null;
  /** What the names of the files with its secrets begin with. */
  readonly stem?: string;
}

/**
 * Turns a turnserver.conf into an rtc-ops.yaml for one host. What it cannot carry over is listed with the reason; what
 * coturn would not do as it is written is left out, not guessed.
 */
export function importConfig(
  text: string,
  { host = null, stem = 'rtc-ops' }: ImportOptions = {},
): ImportedConfig {
  const draft = new ImportDraft(parseDirectives(text), stem);
  const realmLine = draft.last('realm');
  const realm = realmLine === undefined ? null : textOf(realmLine) || null;
  const serverName = draft.last('server-name');
  const hostName =
    host ?? [serverName && textOf(serverName), realm].find((each) => each && isHost(each)) ?? 'localhost';
  if (serverName !== undefined && textOf(serverName) !== hostName)
    draft.leave(serverName, `it is the name of the host, ${hostName}, from here on`);
  draft.written['profile'] = draft.isOn('stun-only') ? 'stun-only' : 'turn';
  draft.written['realm'] = realm ?? hostName;
  if (realm === null) {
    const because = `the file has none; it is ${hostName} now`;
    draft.left.push({ line: realmLine?.line ?? null, name: 'realm', because });
  }
  const { relay } = importListeners(draft, hostName);
  importAuth(draft);
  importPeers(draft, relay);
  importQuotas(draft);
  importLogging(draft);
  importPrometheus(draft);
  importDatabase(draft);
  const rest = draft.rest();
  for (const each of rest) leaveRest(draft, each);
  for (const each of draft.lines().filter((line) => !rest.includes(line) && hasCommentInText(line)))
    draft.leave(each, 'what stands behind # is part of the value, as coturn reads it');
  for (const each of draft.lines().filter(isNoFlagValue))
    draft.leave(each, 'coturn does not start with this value: a flag is on or off');
  const isRelay = draft.written['profile'] === 'turn';
  const needsSecret = isRelay && draft.written['auth'] === undefined;
  if (needsSecret) draft.written['auth'] = { secret: { file: `${stem}.secret` } };
  dropConflicts(draft);
  const left = draft.left.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { written: draft.written, secrets: draft.secrets, left, needsSecret };
}

/** Where it is one in anything but a text, the value is told as none. */
function hasCommentInText(directive: ParsedDirective): boolean {
  const kind = optionOf(directive.name)?.value;
  return (kind === 'text' || kind === 'path' || kind === 'user') && hasInlineComment(directive);
}

function isNoFlagValue(directive: ParsedDirective): boolean {
  const { name } = directive;
  return optionOf(name)?.value === 'flag' && !alwaysOn.has(name) && !isFlagValue(textOf(directive));
}

/** What render writes of itself, for any config. */
const always: ReadonlySet<string> = new Set([
  'fingerprint',
  'no-cli',
  'no-dtls',
  'no-multicast-peers',
  'no-rfc5780',
  'no-software-attribute',
  'no-sslv2',
  'no-sslv3',
  'no-stun-backward-compatibility',
  'no-tcp-relay',
  'no-tlsv1',
  'no-tlsv1_1',
  'response-origin-only-with-rfc5780',
]);

const optionNames = coturnOptions.map(({ name }) => name);

function leaveRest(draft: ImportDraft, directive: ParsedDirective): void {
  const { name } = directive;
  if (always.has(name)) {
    if (!draft.isOn(name)) draft.leave(directive, 'rtc-ops always turns it on');
    return;
  }
  if (name === 'stale-nonce' && textOf(directive) === '600') return;
  if (name === 'cipher-list' && textOf(directive) === soundCiphers) return;
  if (optionOf(name) === undefined) {
    // What stands there may be a secret that lost its option.
    const meant = closest(name, optionNames);
    const because = meant === null ? '' : `; it is most like ${meant}`;
    draft.leave({ ...directive, name: 'a line' }, `coturn knows no such option${because}`);
  } else if (name === 'stale-nonce') draft.leave(directive, 'rtc-ops always writes 600');
  else draft.leave(directive, 'rtc-ops.yaml has no key for it');
}

type Path = readonly (string | number)[];

/** The options behind the keys of rtc-ops.yaml that a file alone may give a value that cannot stand there. */
const optionsBehind: Readonly<Record<string, readonly string[]>> = {
  realm: ['realm'],
  'listen.udp': ['listening-port'],
  'listen.tcp': ['listening-port'],
  'listen.tls': ['tls-listening-port'],
  'listen.addresses': ['listening-ip'],
  'listen.extraPorts': ['aux-server'],
  'relay.ports': ['min-port', 'max-port'],
  'relay.addresses': ['relay-ip'],
  'hosts.0.addresses': ['external-ip'],
  'tls.cert': ['cert'],
  'tls.key': ['pkey'],
  'auth.secret': ['static-auth-secret'],
  'auth.users': ['user'],
  'quotas.userQuota': ['user-quota'],
  'quotas.totalQuota': ['total-quota'],
  'quotas.maxBps': ['max-bps'],
  'quotas.bpsCapacity': ['bps-capacity'],
  'peers.allow': ['allowed-peer-ip'],
  'peers.only': ['allowed-peer-ip'],
  'peers.deny': ['denied-peer-ip'],
  'logging.to': ['log-file'],
  'logging.facility': ['syslog-facility'],
  'logging.minLevel': ['log-min-level'],
  'prometheus.address': ['prometheus-address'],
  'prometheus.port': ['prometheus-port'],
  'prometheus.path': ['prometheus-path'],
  'database.sqlite': ['userdb', 'db', 'sql-userdb'],
  'database.postgresql': ['psql-userdb'],
  'database.redis': ['redis-userdb'],
};

/** The line that a key was made of, where it can be only one. */
function lineBehind(draft: ImportDraft, key: string): number | null {
  const [, options = []] =
    Object.entries(optionsBehind).find(([name]) => key === name || key.startsWith(`${name}.`)) ?? [];
  return draft.onlyLineOf(...options);
}

/** Takes away what cannot stand in rtc-ops.yaml, until the rest can; each step takes away one value at least. */
function dropConflicts(draft: ImportDraft): void {
  for (let round = 0; round < 50; round++) {
    const wrong = firstProblem(draft.written);
    if (wrong === null) return;
    const [section, ...path] = wrong.path;
    const name = wrong.path.join('.');
    draft.left.push({ line: lineBehind(draft, name), name, because: wrong.message });
    if (section === undefined || section === 'realm' || section === 'hosts') break;
    draft.written[section] = without(draft.written[section] ?? '', path) ?? '';
    if (draft.written[section] === '') delete draft.written[section];
  }
  throw new RtcOpsError(
    'configuration',
    `what the file says cannot stand in rtc-ops.yaml: ${draft.left.at(-1)?.because ?? ''}`,
  );
}

function firstProblem(written: Readonly<Record<string, Written>>): { path: Path; message: string } | null {
  const result = configSchema.safeParse(written);
  if (result.success) return conflictsIn(configOf(result.data))[0] ?? null;
  const [issue] = result.error.issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  return { path, message: issue?.message ?? '' };
}

/** Null when nothing is left. */
function without(value: Written, [part, ...path]: Path): Written | null {
  if (part === undefined || typeof value !== 'object') return null;
  if (Array.isArray(value)) {
    const kept = value.flatMap((each: Written, index) =>
      index === part ? (without(each, path) ?? []) : [each],
    );
    return kept.length === 0 ? null : kept;
  }
  const entries = Object.entries(value).flatMap(([key, each]): [string, Written][] => {
    if (key !== part) return [[key, each]];
    const kept = without(each, path);
    return kept === null ? [] : [[key, kept]];
  });
  return entries.length === 0 || (entries.length === Object.keys(value).length && path.length === 0)
    ? null
    : Object.fromEntries(entries);
}
