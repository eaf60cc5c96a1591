import { judgeTime } from '../model/credential-time.ts';
import type { Secret } from '../model/secret.ts';
import { findDerivation, type Derivation } from './derivation.ts';
import type { CredentialProblem } from './problem.ts';

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
  const blanks: CredentialProblem[] = /\s/.test(username) ? [{ kind: 'blanks', where: 'username' }] : [];
  const found = findDerivation(
    username,
    password.reveal(),
    secrets.map((secret) => secret.reveal()),
  );
  // Without a time it may be a static user, whose password has nothing to do with a secret.
  const isStatic = time.problems.some(({ kind }) => kind === 'no-time');
  const unmatched = isStatic ? [] : [{ kind: 'wrong-secret' } as const];
  const problems = [...blanks, ...time.problems, ...(found ? problemsOf(found) : unmatched)];
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

function problemsOf(derivation: Derivation): CredentialProblem[] {
  return [...derivation.secret, ...derivation.message, ...derivation.hash, ...derivation.password];
}
