import { optionOf } from './options.ts';

/** The short options of turnserver (OPTIONS of its mainrelay.c, 4.5.2 to 4.17) that are lines of a configuration. */
const shortOptions: Readonly<Record<string, string>> = {
  d: 'listening-device',
  p: 'listening-port',
  L: 'listening-ip',
  i: 'relay-device',
  E: 'relay-ip',
  X: 'external-ip',
  m: 'relay-threads',
  l: 'log-file',
  r: 'realm',
  u: 'user',
  b: 'userdb',
  e: 'psql-userdb',
  M: 'mysql-userdb',
  J: 'mongo-userdb',
  N: 'redis-userdb',
  O: 'redis-statsdb',
  q: 'user-quota',
  Q: 'total-quota',
  s: 'max-bps',
  B: 'bps-capacity',
  C: 'rest-api-separator',
  A: 'allocation-default-address-family',
};
const shortFlags: Readonly<Record<string, string>> = {
  v: 'verbose',
  V: 'Verbose',
  o: 'daemon',
  f: 'fingerprint',
  a: 'lt-cred-mech',
  z: 'no-auth',
  S: 'stun-only',
  K: 'keep-address-family',
};

/**
 * The options on a command line of turnserver as lines of a configuration, `-c` and `-n` left out. coturn reads the file
 * first and the command line after it, so that these lines stand behind those of the file.
 * @param argv with the program itself first
 */
export function configurationLines(argv: readonly string[]): string[] {
  const lines: string[] = [];
  const words = argv.slice(1);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const next = (): string => words[++index] ?? '';
    if (word.startsWith('--')) lines.push(longLine(word.slice(2), next));
    else if (word.startsWith('-')) lines.push(...shortLines(word.slice(1), next));
  }
  return lines;
}

function longLine(text: string, next: () => string): string {
  const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(text) ?? [];
  if (value !== undefined) return line(name, value);
  const option = optionOf(name);
  // A flag takes a value behind = alone, as getopt_long() has it.
  return option === undefined || option.value === 'flag' ? name : line(name, next());
}

/** `-vc FILE`: flags may stand together, and what takes a value ends the word. */
function shortLines(letters: string, next: () => string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at);
    const flag = shortFlags[letter];
    if (flag !== undefined) {
      lines.push(flag);
      continue;
    }
    const name = shortOptions[letter];
    if (name === undefined && letter !== 'c') continue;
    const rest = letters.slice(at + 1);
    const value = rest === '' ? next() : rest;
    if (name !== undefined) lines.push(line(name, value));
    break;
  }
  return lines;
}

function line(name: string, value: string): string {
  return `${name}=${value.replaceAll(/[\n\r]/g, ' ')}`;
}
