import type { Secret } from '../model/secret.ts';
import { findDerivation, type Derivation } from './derivation.ts';
import type { CredentialProblem, TimeUnit } from './problem.ts';

export interface CredentialCheck {
  /** No problem found: a server with the secret takes it now. */
  readonly valid: boolean;
  readonly problems: readonly CredentialProblem[];
  /** Seconds since 1970; null when the username says none. */
  readonly expiresAt: number | null;
  /** Which of the secrets the password was made with, from 0; null when none. */
  readonly secretIndex: number | null;
}

/**
 * Judges a time-limited credential (draft-uberti-behave-turn-rest-00 §2.2) against one secret or several that
 * are valid during a rotation, and names the mistake by trying the ones that are commonly made.
 */
export function checkCredential(options: {
  readonly username: string;
  readonly password: Secret;
  readonly secrets: readonly Secret[];
  readonly now: Date;
}): CredentialCheck {
  const { username, password, secrets, now } = options;
  const time = judgeTime(username, Math.floor(now.getTime() / 1000));
  const found = findDerivation(
    username,
    password.reveal(),
    secrets.map((secret) => secret.reveal()),
  );
  // Without a time it may be a static user, whose password has nothing to do with a secret.
  const isStatic = time.problems.some(({ kind }) => kind === 'no-time');
  const unmatched = isStatic ? [] : [{ kind: 'wrong-secret' } as const];
  const problems = [...time.problems, ...(found ? problemsOf(found) : unmatched)];
  // A blank in the username is said once, whether the password was made with it or without.
  const unique = problems.filter(
    (problem, index) =>
      problems.findIndex((other) => JSON.stringify(other) === JSON.stringify(problem)) === index,
  );
  return {
    valid: unique.length === 0,
    problems: unique,
    expiresAt: time.expiresAt,
    secretIndex: found?.secretIndex ?? null,
  };
}

interface TimeJudgement {
  readonly problems: readonly CredentialProblem[];
  readonly expiresAt: number | null;
}

// 2001-09-09: no server issued a TURN credential before it, and no lifetime is 31 years long.
const earliestTime = 1_000_000_000;
const latestTime = 2 ** 32 - 1;

function judgeTime(given: string, nowSeconds: number): TimeJudgement {
  const username = given.trim();
  const problems: CredentialProblem[] = /\s/.test(given) ? [{ kind: 'blanks', where: 'username' }] : [];
  const match = /^(\d+)(:.*)?$/s.exec(username);
  if (!match) {
    const swapped = /^(.+):(\d{9,})$/s.exec(username);
    if (!swapped) return { problems: [...problems, { kind: 'no-time' }], expiresAt: null };
    const [, user, time] = swapped;
    const rightWay = judgeTime(`${time}:${user}`, nowSeconds);
    problems.push({ kind: 'swapped', username: `${time}:${user}` }, ...rightWay.problems);
    return { problems, expiresAt: rightWay.expiresAt };
  }
  const [, digits = '', rest = ''] = match;
  const judged = judgeNumber(Number(digits), rest, nowSeconds);
  return { problems: [...problems, ...judged.problems], expiresAt: judged.expiresAt };
}

function judgeNumber(time: number, rest: string, nowSeconds: number): TimeJudgement {
  if (time < earliestTime) {
    const username = `${nowSeconds + time}${rest}`;
    return { problems: [{ kind: 'lifetime', seconds: time, username }], expiresAt: null };
  }
  for (const [unit, factor] of subseconds) {
    const seconds = Math.floor(time / factor);
    if (seconds < earliestTime || seconds > latestTime) continue;
    const problems: CredentialProblem[] = [{ kind: 'time-unit', unit, username: `${seconds}${rest}` }];
    return { problems: [...problems, ...expiry(seconds, nowSeconds)], expiresAt: seconds };
  }
  if (time > latestTime) return { problems: [{ kind: 'time-too-large', expiresAt: time }], expiresAt: null };
  return { problems: expiry(time, nowSeconds), expiresAt: time };
}

const subseconds: readonly (readonly [TimeUnit, number])[] = [
  ['milliseconds', 1e3],
  ['microseconds', 1e6],
  ['nanoseconds', 1e9],
];

/** coturn takes a credential up to and in the second that it names (`turn_time_before` of its userdb.c). */
function expiry(expiresAt: number, nowSeconds: number): CredentialProblem[] {
  return expiresAt < nowSeconds ? [{ kind: 'expired', expiresAt, agoSeconds: nowSeconds - expiresAt }] : [];
}

function problemsOf(derivation: Derivation): CredentialProblem[] {
  return [...derivation.secret, ...derivation.message, ...derivation.hash, ...derivation.password];
}
