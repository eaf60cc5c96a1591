import { isIP } from 'node:net';
import { scopeOf } from '../model/endpoint.ts';
import type { Recording } from '../model/recording-report.ts';
import { parseTurnUri } from '../model/turn-uri.ts';

/**
 * Puts pseudonyms in the place of addresses, host names, user names and realms, in every text of `data`. One value has one
 * pseudonym throughout, numbered in the order of appearance: of an address its scope is left (`ip4-private-1`), of a page
 * its scheme.
 */
export function redacted<T>(data: T, recordings: readonly Recording[]): T {
  return withPseudonyms(data, recordings.flatMap(namesIn));
}

/** The same, with these names beside the addresses. */
export function withPseudonyms<T>(data: T, names: readonly string[]): T {
  const named = new Set(names.filter((name) => name.length >= shortestName && isIP(name) === 0));
  const known = [...named].toSorted((a, b) => b.length - a.length);
  const pseudonyms = new Pseudonyms();
  return mapTexts(data, (text) => redactedText(text, known, pseudonyms)) as T;
}

// Shorter ones stand in every second word.
const shortestName = 3;

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

const page = /\bhttps?:\/\/[^\s"'<>]+/gi;
const mdns = /[\w-]{8,}\.local\b/gi;
// IPv6 first: it may end in an IPv4 address. Whether it is one, isIP says.
const ipv6Like = /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,8}(?:(?:\.\d{1,3}){3})?(?![\w:])/gi;
const ipv4Like = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)/g;

function redactedText(text: string, names: readonly string[], pseudonyms: Pseudonyms): string {
  const withoutPages = text.replaceAll(page, (url) => {
    const [, scheme = '', host = ''] = /^(https?):\/\/([^/?#]+)/i.exec(url) ?? [];
    return `${scheme}://${pseudonyms.of(host, 'name')}/`;
  });
  const withoutNames = names.reduce(
    (rest, name) => (rest.includes(name) ? rest.replaceAll(name, () => pseudonyms.of(name, 'name')) : rest),
    withoutPages,
  );
  const address = (candidate: string): string => {
    const family = isIP(candidate);
    return family === 0 ? candidate : pseudonyms.of(candidate, `ip${family}-${scopeOf(candidate)}`);
  };
  return withoutNames
    .replaceAll(mdns, (name) => pseudonyms.of(name, 'mdns'))
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
  if (recording.kind !== 'calls') return valuesOf(recording.facts);
  return recording.facts.connections.flatMap(({ configuration }) => [
    ...(configuration?.usernames ?? []),
    ...(configuration?.urls ?? []).flatMap(hostOf),
  ]);
}

function hostOf(url: string): string[] {
  try {
    return [parseTurnUri(url).host];
  } catch {
    // What is no URL has no host to be known by; what stands behind its scheme may be one all the same.
    return [url.replace(/^[a-z]+:/i, '')];
  }
}

const nameKeys: ReadonlySet<string> = new Set(['user', 'username', 'realm', 'users', 'serverName', 'origin']);

/** The user names and realms of a log or a capture, wherever they stand. */
function valuesOf(data: unknown, key = ''): string[] {
  if (typeof data === 'string') return nameKeys.has(key) ? [data] : [];
  if (Array.isArray(data)) return data.flatMap((each: unknown) => valuesOf(each, key));
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, value]) => valuesOf(value as unknown, name));
}
