import { createHmac } from 'node:crypto';

/** As in ansible/roles/coturn/files/facts.py: options of turnserver.conf whose values are secrets, or have one in them. */
const secretOptions = [
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
];

const secretLine = new RegExp(`^(\\s*#?\\s*(?:${secretOptions.join('|')})\\s*[=\\s]\\s*)(\\S.*?)\\s*$`);

/**
 * A text of turnserver.conf with a digest in the place of each secret. Under one key the same secret has the same digest
 * here and on a host, so that a change can be shown; without the key it tells nothing.
 */
export function withoutSecrets(text: string, key: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, before, secret] = secretLine.exec(line) ?? [];
      if (before === undefined || secret === undefined) return line;
      return `${before}${secretDigest(secret, key)}`;
    })
    .join('\n');
}

/** What stands for a secret, or for a file that is one as a whole. */
export function secretDigest(secret: string | Buffer, key: string): string {
  return `[secret ${createHmac('sha256', key).update(secret).digest('hex').slice(0, 8)}]`;
}
