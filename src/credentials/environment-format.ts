import { RtcOpsError } from '../model/error.ts';
import { fillTemplate, readTemplate } from '../model/template.ts';
import { formatTurnUri } from '../model/turn-uri.ts';
import { iceServersOf, validityOf, type ServerCredential } from './server-credential.ts';

/**
 * Variables that a shell and the readers of .env files read alike.
 * @throws RtcOpsError `usage` for a value that they would read differently
 */
export function env(credential: ServerCredential): string {
  const { username, password, uris, expiresAt } = credential;
  return fillTemplate(readTemplate('credentials/turn.env'), {
    validity: validityOf(credential),
    username: quoted('the username', username),
    password: quoted('the password', password.reveal()),
    uris: quoted('the URIs', uris.map(formatTurnUri).join(',')),
    expiresAt: String(expiresAt ?? ''),
  });
}

/**
 * Between single quotes all of them agree on every character but that quote itself, and a backslash before it; between
 * double quotes on those that have no meaning there to any of them.
 */
function quoted(what: string, value: string): string {
  if (!/'|\\$/.test(value)) return `'${value}'`;
  if (!/["$`\\!]/.test(value)) return `"${value}"`;
  throw new RtcOpsError(
    'usage',
    `the format env cannot hold ${what}: shells and readers of .env files differ on its quotes and backslashes`,
    { hint: 'Take --format json.' },
  );
}

/**
 * A .env file for Vite, which expands `$NAME` between quotes of any kind.
 * @throws RtcOpsError `usage` for a value that Vite would change
 */
export function vite(credential: ServerCredential): string {
  const json = JSON.stringify(iceServersOf(credential));
  // All that its reader or the expansion could take for something else becomes an escape of JSON.
  const plain = json.replaceAll(/['$`#]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  return fillTemplate(readTemplate('credentials/vite.env'), {
    validity: validityOf(credential),
    iceServers: `'${plain}'`,
    expiresAt: String(credential.expiresAt ?? ''),
  });
}
