import { durationText, isoTime } from './time-text.ts';
import type { TimeProblem } from '../model/credential-time.ts';
import type { CredentialProblem } from './problem.ts';

/** A problem in words: what is wrong, and what to do about it. */
export interface ProblemText {
  readonly what: string;
  readonly fix: string;
}

const recipe =
  'The password is Base64(HMAC-SHA1(secret, username)): the digest itself, not its hexadecimal form.';

export function describeProblem(problem: CredentialProblem): ProblemText {
  switch (problem.kind) {
    case 'expired':
      return {
        what: `It ended at ${isoTime(problem.expiresAt)}, ${durationText(problem.agoSeconds)} ago.`,
        fix: 'Issue a new one. If it was issued just now, compare the clock of the issuer with this one.',
      };
    case 'no-time':
      return {
        what: 'The username does not begin with a time, so this is no time-limited credential.',
        fix: 'A time-limited username is UNIX or UNIX:USER, UNIX being the time of its end in seconds since 1970. If this is a static user (lt-cred-mech, user=NAME:PASSWORD), no secret can check it: ask the server by rtc-ops probe HOST --username NAME --password - instead.',
      };
    case 'time-unit':
      return {
        what: `The time in the username counts ${problem.unit}; it must count seconds.`,
        fix: `Divide before you sign; the username would be ${problem.username}.`,
      };
    case 'lifetime':
      return {
        what: `The username begins with a lifetime (${problem.seconds} s), where the time of its end belongs.`,
        fix: `Add the current time before you sign; now it would be ${problem.username}.`,
      };
    case 'swapped':
      return {
        what: 'The user stands before the time. coturn happens to take that; other servers do not.',
        fix: `Write ${problem.username}.`,
      };
    case 'separator':
      return {
        what: `There is ${problem.separator} in the username where the colon belongs.`,
        fix:
          problem.separator.toLowerCase() === '%3a'
            ? `Write ${problem.username}, and encode it only where it becomes part of a URL.`
            : `Write and sign ${problem.username}.`,
      };
    case 'fraction':
      return {
        what: 'The time in the username has a fraction; it must be whole seconds.',
        fix: `Round before you sign; the username would be ${problem.username}.`,
      };
    case 'time-too-large':
      return {
        what: `The time ${problem.expiresAt} is beyond what coturn can hold (2106).`,
        fix: 'Sign the time of its end in seconds since 1970.',
      };
    default:
      return describePassword(problem);
  }
}

type PasswordProblem = Exclude<CredentialProblem, { kind: TimeProblem['kind'] }>;

function describePassword(problem: PasswordProblem): ProblemText {
  switch (problem.kind) {
    case 'blanks':
      return { what: blanksText[problem.where], fix: 'Trim it where it is read or written.' };
    case 'part-of-username':
      return {
        what: `The password was made from the ${problem.part} in the username alone.`,
        fix: 'Sign the whole username, with the colon.',
      };
    case 'hash':
      return {
        what: `The password was made with HMAC-${problem.hash.toUpperCase().replace(/^SHA/, 'SHA-')}; servers use HMAC-SHA1.`,
        fix: recipe,
      };
    case 'encoding':
      return {
        what: `The password is in ${encodingNames[problem.encoding]}; it must be in Base64.`,
        fix: recipe,
      };
    case 'padding':
      return {
        what:
          problem.padding === 'missing'
            ? 'The password lacks the = at its end, which is part of it.'
            : 'The password has more = at its end than belong there.',
        fix: 'Take the Base64 as it is; the digest makes 28 characters, of which the last is =.',
      };
    case 'plus-as-blank':
      return {
        what: 'The password has blanks where + belongs.',
        fix: 'Encode it when it goes into a URL or a form (+ is %2B there).',
      };
    case 'wrong-secret':
      return {
        what: 'The password was not made with this secret, nor by any of the usual mistakes with it.',
        fix: 'Compare the secret of the issuer with that of the server; a username that was changed gives this too.',
      };
    default:
      return describeKey(problem);
  }
}

type KeyProblem = Extract<
  CredentialProblem,
  { kind: 'secret-with-newline' | 'secret-decoded' | 'secret-quoted' | 'key-as-message' }
>;

/** What became of the secret on its way to being the key of the HMAC. */
function describeKey(problem: KeyProblem): ProblemText {
  switch (problem.kind) {
    case 'secret-with-newline':
      return {
        what: 'The password was made with a line break behind the secret.',
        fix: 'Trim the secret where it is read: printf, not echo; head -c -1, or .trim().',
      };
    case 'secret-decoded':
      return {
        what: `The password was made with the secret decoded from ${encodingNames[problem.encoding]}.`,
        fix: 'Servers use the secret as the text that it is: sign with that.',
      };
    case 'key-as-message':
      return {
        what: 'The password was made with the username as the key, and the secret as what is signed.',
        fix: 'Exchange the two: the secret is the key of the HMAC.',
      };
    case 'secret-quoted':
      return problem.where === 'here'
        ? {
            what: 'There are quotes around the secret here; the password was made without them.',
            fix: 'Take the quotes away where the secret is kept.',
          }
        : {
            what: 'The password was made with quotes around the secret, as if they were a part of it.',
            fix: 'Take the quotes away where the issuer reads the secret (docker --env-file and systemctl set-environment keep them).',
          };
    default:
      return problem satisfies never;
  }
}

const blanksText = {
  username: 'There are blanks or a line break in the username, or there were when it was signed.',
  password: 'There are blanks or a line break in the password.',
  secret: 'There are blanks around the secret here; the password was made without them.',
} as const;

const encodingNames = {
  hex: 'hexadecimal',
  base64: 'Base64',
  base64url: 'Base64url',
  percent: 'URL encoding',
} as const;
