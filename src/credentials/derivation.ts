import { createHash, createHmac } from 'node:crypto';
import type { CredentialProblem } from './problem.ts';

/** How a password was made, as the deviations from the right way; none in any part means that it is right. */
export interface Derivation {
  readonly secretIndex: number;
  readonly secret: readonly CredentialProblem[];
  readonly message: readonly CredentialProblem[];
  readonly hash: readonly CredentialProblem[];
  readonly password: readonly CredentialProblem[];
}

interface Variant<T> {
  readonly value: T;
  readonly problems: readonly CredentialProblem[];
}

/**
 * Finds how `password` was made from `username` and one of `secrets`, trying the right way and every combination of
 * the usual mistakes; of several ways the one with the fewest mistakes. Null when none gives the password.
 */
export function findDerivation(
  username: string,
  password: string,
  secrets: readonly string[],
): Derivation | null {
  const passwords = passwordVariants(password);
  const messages = messageVariants(username);
  let best: Derivation | null = null;
  for (const [secretIndex, secret] of secrets.entries()) {
    for (const key of secretVariants(secret)) {
      for (const message of messages) {
        for (const bytes of passwords) {
          const hash = hashes.find(({ length }) => length === bytes.value.length);
          const swapped = hash && howSigned(hash.name, key.value, message.value, bytes.value);
          if (!hash || !swapped) continue;
          const found = {
            secretIndex,
            secret: key.problems,
            message: [...message.problems, ...swapped],
            hash: hash.problems,
            password: bytes.problems,
          };
          if (best === null || mistakesIn(found) < mistakesIn(best)) best = found;
        }
      }
    }
  }
  return best;
}

function mistakesIn({ secret, message, hash, password }: Derivation): number {
  return secret.length + message.length + hash.length + password.length;
}

/** What was wrong with the roles of the two, which is nothing in the right ones; null when neither way gives the digest. */
function howSigned(
  hash: string,
  key: Uint8Array,
  message: string,
  expected: Buffer,
): readonly CredentialProblem[] | null {
  if (createHmac(hash, key).update(message).digest().equals(expected)) return [];
  return createHmac(hash, message).update(key).digest().equals(expected)
    ? [{ kind: 'key-as-message' }]
    : null;
}

// The length of a digest tells the hash, so that each password is tried with one hash only.
const hashes = ['sha1', 'md5', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => ({
  name,
  length: createHash(name).digest().length,
  problems: name === 'sha1' ? [] : [{ kind: 'hash', hash: name } as const],
}));

function secretVariants(secret: string): Variant<Uint8Array>[] {
  const variants: Variant<Uint8Array>[] = [{ value: Buffer.from(secret), problems: [] }];
  const trimmed = secret.trim();
  if (trimmed !== secret) {
    variants.push({ value: Buffer.from(trimmed), problems: [{ kind: 'blanks', where: 'secret' }] });
  }
  for (const newline of ['\n', '\r\n']) {
    variants.push({ value: Buffer.from(trimmed + newline), problems: [{ kind: 'secret-with-newline' }] });
  }
  const [, , bare = ''] = /^(["'])(.+)\1$/s.exec(trimmed) ?? [];
  if (bare !== '') {
    variants.push({ value: Buffer.from(bare), problems: [{ kind: 'secret-quoted', where: 'here' }] });
  }
  for (const quote of ['"', "'"]) {
    const value = Buffer.from(quote + trimmed + quote);
    variants.push({ value, problems: [{ kind: 'secret-quoted', where: 'issuer' }] });
  }
  if (/^(?:[0-9a-f]{2})+$/i.test(trimmed)) {
    variants.push({
      value: Buffer.from(trimmed, 'hex'),
      problems: [{ kind: 'secret-decoded', encoding: 'hex' }],
    });
  }
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) {
    // Buffer takes both alphabets of RFC 4648.
    const value = Buffer.from(trimmed, 'base64');
    if (value.length > 0)
      variants.push({ value, problems: [{ kind: 'secret-decoded', encoding: 'base64' }] });
  }
  return variants;
}

function messageVariants(username: string): Variant<string>[] {
  const variants: Variant<string>[] = [{ value: username, problems: [] }];
  const trimmed = username.trim();
  const blanks: CredentialProblem[] = [{ kind: 'blanks', where: 'username' }];
  if (trimmed !== username) variants.push({ value: trimmed, problems: blanks });
  variants.push({ value: `${trimmed}\n`, problems: blanks });
  const asWritten = trimmed.replace(/^(\d{10})%3a/i, '$1:');
  // The time in the username tells of it.
  if (asWritten !== trimmed) variants.push({ value: asWritten, problems: [] });
  const colon = trimmed.indexOf(':');
  if (colon > 0) {
    for (const value of [trimmed.slice(0, colon), trimmed.slice(colon + 1)]) {
      const part = /^\d+$/.test(value) ? 'time' : 'user';
      variants.push({ value, problems: [{ kind: 'part-of-username', part }] });
    }
  }
  return variants;
}

/** The bytes that a password can stand for, by every encoding that it fits. */
function passwordVariants(password: string): Variant<Buffer>[] {
  return undone(password).flatMap(({ value, problems }) =>
    decoded(value).map((variant) => ({ value: variant.value, problems: [...problems, ...variant.problems] })),
  );
}

/** The password, and what it was before something on its way added blanks or an encoding to it. */
function undone(password: string): Variant<string>[] {
  const variants: Variant<string>[] = [{ value: password, problems: [] }];
  const trimmed = password.trim();
  const joined = password.replaceAll(/\s/g, '');
  if (joined !== password)
    variants.push({ value: joined, problems: [{ kind: 'blanks', where: 'password' }] });
  if (/%[0-9a-f]{2}/i.test(trimmed)) {
    const value = trimmed.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
    variants.push({ value, problems: [{ kind: 'encoding', encoding: 'percent' }] });
  }
  if (trimmed.includes(' ')) {
    variants.push({ value: trimmed.replaceAll(' ', '+'), problems: [{ kind: 'plus-as-blank' }] });
  }
  return variants;
}

function decoded(password: string): Variant<Buffer>[] {
  if (/^(?:[0-9a-f]{2})+$/i.test(password)) {
    // A digest in hexadecimal could be read as Base64 too, but the length would fit no hash.
    return [{ value: Buffer.from(password, 'hex'), problems: [{ kind: 'encoding', encoding: 'hex' }] }];
  }
  const match = /^([A-Za-z0-9+/_-]+)(=*)$/.exec(password);
  if (!match) return [];
  const [, digits = '', padding = ''] = match;
  const problems: CredentialProblem[] = [];
  const isUrlSafe = /[_-]/.test(digits);
  const wanted = (4 - (digits.length % 4)) % 4;
  // Base64url is written without padding (RFC 4648 §5 leaves it open; JWT and Buffer leave it out).
  if (isUrlSafe) problems.push({ kind: 'encoding', encoding: 'base64url' });
  else if (padding.length < wanted) problems.push({ kind: 'padding', padding: 'missing' });
  if (padding.length > wanted) problems.push({ kind: 'padding', padding: 'extra' });
  const value = Buffer.from(digits, 'base64');
  // The last digit carries bits beyond the last byte; a server compares text, so they have to be zero as well.
  const canonical = value.toString(isUrlSafe ? 'base64url' : 'base64').replace(/=*$/, '');
  return canonical === digits ? [{ value, problems }] : [];
}
