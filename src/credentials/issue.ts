import { createHmac, createSecretKey } from 'node:crypto';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';

/** How long a credential is good for: whole seconds from now, or the end in seconds since 1970. */
export type Lifetime = { readonly ttlSeconds: number } | { readonly expiresAt: number };

export type IssueOptions = Lifetime & {
  readonly secret: Secret;
  /** Whom the credential is for; coturn counts `user-quota` by it. */
  readonly user?: string;
  readonly now: Date;
};

export interface IssuedCredential {
  readonly username: string;
  readonly password: Secret;
  /** Seconds from now; negative when it has expired already. */
  readonly ttlSeconds: number;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

// coturn keeps the time in 32 bits (turn_time_t).
const latestTime = 2 ** 32 - 1;

// RFC 8489 §14.3: a USERNAME is shorter than 509 bytes; `UNIX:` takes 11 of them.
const maxUserBytes = 497;

/**
 * Issues a time-limited credential as in draft-uberti-behave-turn-rest-00 §2.2: the username is `UNIX[:USER]`, the
 * password the Base64 of the HMAC-SHA1 of the username under the shared secret.
 * @throws RtcOpsError `usage` for a user or a time that no server would understand
 */
export function issueCredential(options: IssueOptions): IssuedCredential {
  return issuerWith(options.secret)(options, options.user, options.now);
}

/** As issueCredential, for many: the key of the HMAC is made once. */
export function issuerWith(
  secret: Secret,
): (lifetime: Lifetime, user: string | undefined, now: Date) => IssuedCredential {
  const passwordFor = passwordsWith(secret);
  return (lifetime, user, now) => {
    const nowSeconds = Math.floor(now.getTime() / 1000);
    const expiresAt = 'expiresAt' in lifetime ? lifetime.expiresAt : nowSeconds + lifetime.ttlSeconds;
    checkTime(expiresAt);
    if (user !== undefined) checkUser(user);
    const username = user === undefined ? String(expiresAt) : `${expiresAt}:${user}`;
    return { username, password: passwordFor(username), ttlSeconds: expiresAt - nowSeconds, expiresAt };
  };
}

/** The password that belongs to a username. */
export function passwordOf(username: string, secret: Secret): Secret {
  return passwordsWith(secret)(username);
}

function passwordsWith(secret: Secret): (username: string) => Secret {
  const key = createSecretKey(secret.reveal(), 'utf8');
  return (username) => new Secret(createHmac('sha1', key).update(username).digest('base64'));
}

function checkTime(expiresAt: number): void {
  if (Number.isInteger(expiresAt) && expiresAt > 0 && expiresAt <= latestTime) return;
  throw new RtcOpsError('usage', `${expiresAt} is not a time in seconds since 1970`, {
    hint:
      expiresAt > latestTime
        ? `It must be ${latestTime} (in the year 2106) at most. Milliseconds? Then write ${Math.floor(expiresAt / 1000)}.`
        : 'It must be a whole number above 0.',
  });
}

// Printable ASCII but the colon, which nearly every user is made of.
const plainUser = new RegExp(`^[!-9;-~]{1,${maxUserBytes}}$`);

function checkUser(user: string): void {
  if (plainUser.test(user)) return;
  const wrong = (what: string): RtcOpsError =>
    new RtcOpsError('usage', `${JSON.stringify(user)} cannot be the user of a credential: ${what}`, {
      hint: 'Take letters, digits, and signs such as . _ - @.',
    });
  if (user === '') throw wrong('it is empty');
  if (user.includes(':')) throw wrong('a colon parts the time from the user');
  if (/\s/.test(user)) throw wrong('it has a blank in it');
  // Control and format characters, lone surrogates, and what no standard assigns.
  if (/\p{C}/u.test(user)) throw wrong('it has a character in it that cannot be printed');
  // Clients compute their key from the NFC form (RFC 8265 §4.2), servers from the bytes that they received.
  if (user !== user.normalize('NFC')) throw wrong('it is not in the Unicode form NFC, which clients send');
  if (Buffer.byteLength(user) > maxUserBytes) throw wrong(`it is longer than ${maxUserBytes} bytes`);
}
