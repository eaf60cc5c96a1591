import { describe, expect, it } from 'vitest';
import type { CredentialProblem } from '../../src/credentials/problem.ts';
import { describeProblem } from '../../src/credentials/problem-text.ts';

const problems: readonly (readonly [CredentialProblem, string])[] = [
  [
    { kind: 'expired', expiresAt: 1_767_326_645, agoSeconds: 90 },
    'ended at 2026-01-02T04:04:05Z, 1 min 30 s ago',
  ],
  [{ kind: 'no-time' }, 'does not begin with a time'],
  [{ kind: 'time-unit', unit: 'milliseconds', username: '1:a' }, 'counts milliseconds'],
  [{ kind: 'lifetime', seconds: 3600, username: '1:a' }, 'a lifetime (3600 s)'],
  [{ kind: 'swapped', username: '1:a' }, 'before the time'],
  [{ kind: 'time-too-large', expiresAt: 9_999_999_999 }, '9999999999'],
  [{ kind: 'separator', separator: '%3A', username: '1:a' }, 'There is %3A'],
  [{ kind: 'separator', separator: '/', username: '1:a' }, 'There is /'],
  [{ kind: 'fraction', username: '1:a' }, 'has a fraction'],
  [{ kind: 'key-as-message' }, 'the username as the key'],
  [{ kind: 'secret-quoted', where: 'here' }, 'quotes around the secret here'],
  [{ kind: 'secret-quoted', where: 'issuer' }, 'made with quotes'],
  [{ kind: 'blanks', where: 'username' }, 'in the username'],
  [{ kind: 'blanks', where: 'password' }, 'in the password'],
  [{ kind: 'blanks', where: 'secret' }, 'around the secret'],
  [{ kind: 'secret-with-newline' }, 'a line break behind the secret'],
  [{ kind: 'secret-decoded', encoding: 'base64' }, 'decoded from Base64'],
  [{ kind: 'secret-decoded', encoding: 'hex' }, 'decoded from hexadecimal'],
  [{ kind: 'part-of-username', part: 'user' }, 'the user in the username alone'],
  [{ kind: 'hash', hash: 'sha256' }, 'HMAC-SHA-256; servers use HMAC-SHA1'],
  [{ kind: 'hash', hash: 'md5' }, 'HMAC-MD5'],
  [{ kind: 'encoding', encoding: 'base64url' }, 'in Base64url'],
  [{ kind: 'encoding', encoding: 'percent' }, 'in URL encoding'],
  [{ kind: 'padding', padding: 'missing' }, 'lacks the ='],
  [{ kind: 'padding', padding: 'extra' }, 'more ='],
  [{ kind: 'plus-as-blank' }, 'blanks where + belongs'],
  [{ kind: 'wrong-secret' }, 'not made with this secret'],
];

describe('describeProblem', () => {
  it.each(problems)('%j', (problem, words) => {
    const { what, fix } = describeProblem(problem);
    expect(what).toContain(words);
    for (const text of [what, fix]) expect(text).toMatch(/^[A-Z].*\.$/);
    if ('username' in problem) expect(fix).toContain(problem.username);
  });
});
