import { createHmac } from 'node:crypto';
import { redacted, secretOptions } from '../coturn/redaction.ts';

const secretLine = new RegExp(`^(\\s*#?\\s*(?:${secretOptions.join('|')})\\s*[=\\s]\\s*)(\\S.*?)\\s*$`);
const digestLine = /\[secret [0-9a-f]{8}\]$/;

/**
 * A text of turnserver.conf with a digest in the place of each secret. Under one key the same secret has the same digest
 * here and on a host, so that a change can be shown; without the key it tells nothing.
 */
export function withoutSecrets(text: string, key: string): string {
  const lines = text.split('\n').map((line) => {
    const [, before, secret] = secretLine.exec(line) ?? [];
    if (before === undefined || secret === undefined) return line;
    return `${before}${secretDigest(secret, key)}`;
  });
  return withoutOddSecrets(lines.join('\n'));
}

/**
 * The text of a turnserver.conf in which a host has put digests, without the secrets that it does not know for some: those
 * under a misspelt name, or within another line. Their lines compare as equal.
 */
export function withoutOddSecrets(text: string): string {
  const lines = text.split('\n').map((line) => (digestLine.test(line) ? line : redacted(line)));
  return lines.join('\n');
}

/** What stands for a secret, or for a file that is one as a whole. */
export function secretDigest(secret: string | Buffer, key: string): string {
  return `[secret ${createHmac('sha256', key).update(secret).digest('hex').slice(0, 8)}]`;
}
