import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseDuration } from '../model/duration.ts';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';

/** How often: `burst` at once, and `perSecond` over time. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface ApiKey {
  /** For logs and figures. */
  readonly name: string;
  readonly key: Secret;
  /** The longest lifetime that it may ask for; null for that of the service. */
  readonly ttlSeconds: number | null;
  /** Null for that of the service, `off` for none. */
  readonly rate: Rate | 'off' | null;
}

const leastKeyCharacters = 16;

/**
 * Reads a file of API keys: `NAME KEY [ttl=1h] [rate=10/s]` on a line each; empty lines and those that begin with # say
 * nothing.
 * @throws RtcOpsError `configuration`, with `file:line` of all that is wrong; no message has a key in it
 */
export function parseApiKeys(text: string, file: string): ApiKey[] {
  const keys: ApiKey[] = [];
  const complaints: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#') === true) continue;
    const read = keyOf(words);
    const problem = typeof read === 'string' ? read : doubled(read, keys);
    if (problem !== null) complaints.push(`${file}:${index + 1} ${problem}`);
    else if (typeof read !== 'string') keys.push(read);
  }
  if (complaints.length === 0 && keys.length === 0) complaints.push(`${file} names no API key`);
  if (complaints.length === 0) return keys;
  throw new RtcOpsError('configuration', complaints.join('\n'), {
    hint: 'A line is NAME KEY [ttl=1h] [rate=10/s]. Make a key with: openssl rand -hex 32',
  });
}

/** The key, or what is wrong with its line. */
function keyOf([name = '', key = '', ...settings]: readonly string[]): ApiKey | string {
  if (!/^[\w.@-]{1,64}$/.test(name)) return 'the name may have letters, digits and . _ - @ in it, 64 at most';
  if (key === '') return `${name} has no key`;
  if (!/^[\x21-\x7e]+$/.test(key)) return `the key of ${name} has a character in it that no header can carry`;
  if (key.length < leastKeyCharacters) {
    return `the key of ${name} has fewer than ${leastKeyCharacters} characters`;
  }
  let ttlSeconds: number | null = null;
  let rate: ApiKey['rate'] = null;
  for (const setting of settings) {
    const [what, value = ''] = setting.split(/=(.*)/s);
    if (what === 'ttl') {
      const ms = parseDuration(value);
      if (ms === null || ms < 1000) return `ttl of ${name} must be a duration such as 1h`;
      ttlSeconds = Math.floor(ms / 1000);
    } else if (what === 'rate') {
      rate = value === 'off' ? 'off' : parseRate(value);
      if (rate === null) return `rate of ${name} must be off, or a rate such as 10/s or 600/m`;
    } else return `behind the key of ${name} stands something that is neither ttl= nor rate=`;
  }
  return { name, key: new Secret(key), ttlSeconds, rate };
}

function doubled({ name, key }: ApiKey, keys: readonly ApiKey[]): string | null {
  if (keys.some((other) => other.name === name)) return `names ${name} a second time`;
  const same = keys.find((other) => other.key.reveal() === key.reveal());
  return same === undefined ? null : `${name} has the same key as ${same.name}`;
}

const secondsOf = { s: 1, m: 60, h: 3600 } as const;

/** `10/s`, `600/m`, `1000/h`; all of it may come at once. Null for anything else. */
export function parseRate(text: string): Rate | null {
  const [, count, unit] = /^(\d{1,6})\/([smh])$/.exec(text) ?? [];
  if (count === undefined || Number(count) < 1) return null;
  return { burst: Number(count), perSecond: Number(count) / secondsOf[unit as keyof typeof secondsOf] };
}

/** Finds the key that a request carries, in a time that tells nothing of the keys. */
export class KeyRing {
  // With something in it that nobody outside knows, no one can choose a key by what its digest begins with.
  readonly #salt = randomBytes(32).toString('base64');
  readonly #keys = new Map<string, { readonly digest: Buffer; readonly key: ApiKey }>();

  constructor(keys: readonly ApiKey[]) {
    for (const key of keys) {
      const digest = this.#digestOf(key.key.reveal());
      this.#keys.set(digest, { digest: Buffer.from(digest), key });
    }
  }

  /** Null when there is no such key. */
  find(candidate: string): ApiKey | null {
    const digest = this.#digestOf(candidate);
    const found = this.#keys.get(digest);
    return found !== undefined && timingSafeEqual(found.digest, Buffer.from(digest)) ? found.key : null;
  }

  #digestOf(text: string): string {
    return hash('sha256', this.#salt + text, 'base64');
  }
}
