import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import { ownUsers } from '../model/own-user.ts';
import type { ProbeOptions } from '../probes/probe.ts';
import { issueCredential } from '../credentials/issue.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { loadSecret, loadStaticUser } from './secret-source.ts';

interface CredentialOptions extends GlobalOptions {
  readonly secretFile?: string;
  readonly username?: string;
  readonly password?: string;
  /** The probe is of the hosts of rtc-ops.yaml, and so may log in as one of its users. */
  readonly ofConfig: boolean;
}

// A day, and not the minute that a probe takes: to a server, a credential of a machine whose clock is an hour behind would
// have expired, and its refusal would look like a wrong secret.
export const probeTtlSeconds = 86_400;

/** Gives a credential that is good for one probe from now on; null when there is none. */
export type CredentialSource = () => ProbeOptions['credential'];

/**
 * Where the credential of a probe comes from: what the user gives as such, else one is derived from the secret; of the
 * hosts of rtc-ops.yaml, else that of its first static user. With none, the probe says what it could not test. Files and
 * standard input are read here, once.
 */
export async function credentialSource(
  options: CredentialOptions & { readonly duration: number },
  context: CommandContext,
): Promise<CredentialSource> {
  const username = options.username ?? context.env['RTC_OPS_USERNAME'];
  const password = options.password ?? context.env['RTC_OPS_PASSWORD'];
  if (
    options.secretFile !== undefined &&
    (options.username !== undefined || options.password !== undefined)
  ) {
    throw new RtcOpsError('usage', '--secret-file and --username/--password exclude each other');
  }
  if (options.secretFile === undefined && (username !== undefined || password !== undefined)) {
    if (username === undefined || password === undefined) {
      const [given, lacking] = username === undefined ? ['password', 'username'] : ['username', 'password'];
      throw new RtcOpsError('usage', `a ${given} was given without a ${lacking}`, {
        hint: `Add --${lacking}, or RTC_OPS_${lacking.toUpperCase()}.`,
      });
    }
    const [nameFrom, passwordFrom] = [
      options.username === undefined ? 'RTC_OPS_USERNAME' : '--username',
      options.password === undefined ? 'RTC_OPS_PASSWORD' : '--password',
    ];
    checkUsername(username, nameFrom);
    if (password === '') throw new RtcOpsError('usage', `${passwordFrom} is empty`, { hint: howToGive });
    const value = password === '-' ? await readPassword(context) : new Secret(password);
    return () => ({ source: 'given', username, password: value });
  }
  const found = await loadSecret(options, context);
  if (found === null) {
    // A password that people chose is not shown to a server that somebody named: it could try guesses against the proof.
    const user = options.ofConfig ? await loadStaticUser(options, context) : null;
    return () => (user === null ? null : { source: 'given', ...user });
  }
  return () => {
    const issued = issueCredential({
      secret: found.secret,
      user: ownUsers.probe,
      ttlSeconds: probeTtlSeconds + Math.ceil(options.duration / 1000),
      now: context.now(),
    });
    return { source: 'secret', username: issued.username, password: issued.password };
  };
}

const howToGive = 'Give both a username and a password, or neither.';

// RFC 8489 §14.3: a USERNAME is shorter than 509 bytes.
const longestUsername = 508;

function checkUsername(username: string, from: string): void {
  const bytes = Buffer.byteLength(username);
  if (username === '') throw new RtcOpsError('usage', `${from} is empty`, { hint: howToGive });
  if (bytes > longestUsername) {
    throw new RtcOpsError(
      'usage',
      `${from} has ${bytes} bytes; a TURN username has ${longestUsername} at most (RFC 8489 §14.3)`,
      { hint: 'Was a password or a token pasted in its place?' },
    );
  }
  if (/\p{Cc}/u.test(username)) {
    throw new RtcOpsError('usage', `${from} has a line break or another control character in it`, {
      hint: 'Trim it where it is read.',
    });
  }
}

/** The password from standard input: its first line, without the line break. */
async function readPassword({ stdin }: CommandContext): Promise<Secret> {
  const text = await stdin();
  const [line = ''] = text.split(/\r?\n/);
  if (line !== '') return new Secret(line);
  throw new RtcOpsError('usage', 'no password came by standard input', {
    hint: 'For example: rtc-ops probe turn.example.com --username alice --password - < password.txt',
  });
}
