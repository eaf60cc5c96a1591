import { isIP } from 'node:net';
import { scopeOf } from '../model/endpoint.ts';
import type { Recording } from '../model/recording-report.ts';

/**
 * Puts pseudonyms in the place of addresses, host names, user names, realms and files, in every text of `data`. One value
 * has one pseudonym throughout, numbered in the order of appearance: of an address its scope is left (`ip4-private-1`), of a
 * page its scheme; files are numbered as they were given.
 */
export function redacted<T>(data: T, recordings: readonly Recording[]): T {
  const files = recordings.map((each) => (each.kind === 'calls' ? each.facts.source.file : each.facts.file));
  return shownWith(data, recordings.flatMap(namesIn), files);
}

/** The same, with these names beside the addresses. */
export function withPseudonyms<T>(data: T, names: readonly string[]): T {
  return shownWith(data, names, []);
}

function shownWith<T>(data: T, names: readonly string[], files: readonly string[]): T {
  const pseudonyms = new Pseudonyms();
  const own = files.filter((file) => !file.startsWith('standard input'));
  const ofFiles = new Map([...new Set(own)].map((file) => [file, pseudonyms.of(file, 'file')]));
  const named = new Set(names.filter((name) => name !== '' && isIP(name) === 0));
  const all = [...ofFiles.keys(), ...[...named].filter((name) => !ofFiles.has(name))];
  const known = all.toSorted((a, b) => b.length - a.length).map(patternOf);
  return mapTexts(data, (text) => redactedText(text, known, pseudonyms)) as T;
}

interface Known {
  readonly name: string;
  readonly pattern: RegExp;
}

/** As a word of its own: `al` is a name, and stands in every second word. */
function patternOf(name: string): Known {
  const quoted = name.replaceAll(/[\\/.*+?^${}()|[\]]/g, String.raw`\$&`);
  return { name, pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_])${quoted}(?![\p{L}\p{N}_])`, 'gu') };
}

class Pseudonyms {
  readonly #given = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  of(value: string, kind: string): string {
    const key = value.toLowerCase();
    const earlier = this.#given.get(key);
    if (earlier !== undefined) return earlier;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const pseudonym = `${kind}-${count}`;
    this.#given.set(key, pseudonym);
    return pseudonym;
  }
}

const page = /\b([a-z][a-z\d+.-]{1,20}):\/\/([^\s"'<>/?#]*)[^\s"'<>]*/gi;
const mail = /[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,24}\b/gi;
const mdns = /\b[\w-]{1,63}\.local\b/gi;
// IPv6 first: it may end in an IPv4 address. Whether it is one, isIP says.
const ipv6Like = /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,8}(?:(?:\.\d{1,3}){3})?(?![\w:])/gi;
const ipv4Like = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)/g;
/** An address of which Chrome leaves out the end: `198.51.100.x`, `2001:db8:0:x:x:x:x:x`. */
const partOfAddress =
  /(?<![\w.:])(?:\d{1,3}\.){1,3}x(?:\.x)*(?![\w.])|(?<![\w.:])(?:[\da-f]{1,4}:){1,7}x(?::x)*(?![\w:])/gi;

function redactedText(text: string, known: readonly Known[], pseudonyms: Pseudonyms): string {
  const withoutPages = text.replaceAll(page, (_, scheme: string, host: string) => {
    return `${scheme}://${host === '' ? '' : pseudonyms.of(host, 'name')}/`;
  });
  const withoutNames = known.reduce(
    (rest, { name, pattern }) =>
      rest.includes(name) ? rest.replaceAll(pattern, () => pseudonyms.of(name, 'name')) : rest,
    withoutPages,
  );
  const address = (candidate: string): string => {
    const family = isIP(candidate);
    return family === 0 ? candidate : pseudonyms.of(candidate, `ip${family}-${scopeOf(candidate)}`);
  };
  return withoutNames
    .replaceAll(mail, (name) => pseudonyms.of(name, 'name'))
    .replaceAll(mdns, (name) => pseudonyms.of(name, 'mdns'))
    .replaceAll(partOfAddress, (part) => pseudonyms.of(part, part.includes(':') ? 'ip6-part' : 'ip4-part'))
    .replaceAll(ipv6Like, address)
    .replaceAll(ipv4Like, address);
}

function mapTexts(data: unknown, change: (text: string) => string): unknown {
  if (typeof data === 'string') return change(data);
  if (Array.isArray(data)) return data.map((each: unknown) => mapTexts(each, change));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, mapTexts(value as unknown, change)]),
  );
}

function namesIn(recording: Recording): string[] {
  if (recording.kind !== 'calls') return valuesOf(recording.facts).flatMap(namesOf);
  return recording.facts.connections.flatMap(({ configuration, candidates, candidateErrors, failures }) => [
    ...(configuration?.usernames ?? []).flatMap(namesOf),
    ...[
      ...(configuration?.urls ?? []),
      ...candidateErrors.map(({ url }) => url),
      ...candidates.flatMap(({ url }) => url ?? []),
    ].flatMap(hostOf),
    // Of names in a candidate, those of mDNS are known by their end.
    ...candidates.flatMap(({ address }) => hostsIn(address ?? '')),
    ...failures.flatMap(({ message }) => hostsIn(message)),
  ]);
}

/** `1795266352:alice` is the name of alice too. */
function namesOf(user: string): string[] {
  const [, name] = /^\d{9,11}:(.+)$/.exec(user) ?? [];
  return name === undefined ? [user] : [user, name];
}

/** What stands behind the scheme, without port and parameters; where it is no URL, it may be a name all the same. */
function hostOf(url: string): string[] {
  const rest = url.replace(/^[a-z]+:(?:\/\/)?/i, '').replace(/^\[redacted\]@/, '');
  const host = /^(?:\[([^\]]*)\]|([^:?/\s]+))/.exec(rest);
  return [host?.[1] ?? host?.[2] ?? rest];
}

const hostLike = /(?<![\w.-])(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+([a-z]{2,24})(?![\w-])/gi;
const ofFiles = /^(?:conf|cfg|log|pem|crt|cer|key|txt|json|db|sqlite|service|sock|so|gz|sh|local|c|js)$/i;

/** Words that look like a host, and like no file. */
function hostsIn(text: string): string[] {
  return [...text.matchAll(hostLike)].flatMap(([host, last = '']) => (ofFiles.test(last) ? [] : [host]));
}

const nameKeys: ReadonlySet<string> = new Set(['user', 'username', 'realm', 'users', 'serverName', 'origin']);
/** Lines of a log, and parts of them. */
const textKeys: ReadonlySet<string> = new Set(['example', 'details']);

/** The user names, realms and hosts of a log or a capture, wherever they stand. */
function valuesOf(data: unknown, key = ''): string[] {
  if (typeof data === 'string') return nameKeys.has(key) ? [data] : textKeys.has(key) ? hostsIn(data) : [];
  if (Array.isArray(data)) return data.flatMap((each: unknown) => valuesOf(each, key));
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, value]) => valuesOf(value as unknown, name));
}
