import { closest } from '../config/suggestion.ts';
import { optionOf } from './options.ts';
import { piecesOf } from './parse.ts';

/** Options of turnserver.conf whose values are secrets, or have one in them. */
export const secretOptions = [
  'static-auth-secret',
  'cli-password',
  'pkey-pwd',
  'stateless-nonce-secret',
  'psql-userdb',
  'mysql-userdb',
  'mongo-userdb',
  'redis-userdb',
  'redis-statsdb',
  'sql-userdb',
  'user',
  'web-admin-password',
] as const;

const known: ReadonlySet<string> = new Set(secretOptions);

// Also where they are misspelt, lack their separator, or stand within another line; case or not.
const secretish =
  /(?:(?<!use-auth-)secret(?!-key-file|-ts-exp)|passw|pwd|userdb|statsdb|(?<!\w|\w-)user(?!\w|-quota))[\w-]*/i;

export function isSecretName(name: string): boolean {
  return known.has(name) || secretish.test(name);
}

/** A line of turnserver.conf, or a part of one, without what is secret in it, be it behind a cut; and of a secret that is cut both parts go. */
export function redacted(text: string): string {
  let shownText = '';
  for (const { piece } of piecesOf(text)) {
    const shownPiece = redactedPiece(piece);
    shownText += shownPiece;
    if (shownPiece !== piece) break;
  }
  return shownText;
}

function redactedPiece(text: string): string {
  const end = endOfSecretName(text);
  if (end === null) return text;
  const separator = /^[\s=:]*/.exec(text.slice(end))?.[0] ?? '';
  const rest = text.slice(end + separator.length).trim();
  return rest === '' ? text : `${text.slice(0, end)}${separator}[redacted]`;
}

/** Where the name of a secret ends in a line. */
function endOfSecretName(text: string): number | null {
  const match = secretish.exec(text);
  if (match !== null) return match.index + match[0].length;
  const [, blanks = '', name = ''] = /^(\s*)([^\s=:]*)/.exec(text) ?? [];
  if (name === '' || optionOf(name) !== undefined || closest(name, secretOptions) === null) return null;
  return blanks.length + name.length;
}
