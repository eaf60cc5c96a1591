/** What is wrong with the time in the username of a time-limited credential. */
export type TimeProblem =
  /** It was good once. */
  | { readonly kind: 'expired'; readonly expiresAt: number; readonly agoSeconds: number }
  /** The username does not begin with a time. */
  | { readonly kind: 'no-time' }
  /** The time counts in thousandths or less. */
  | { readonly kind: 'time-unit'; readonly unit: TimeUnit; readonly username: string }
  /** A lifetime stands where the time of its end belongs. */
  | { readonly kind: 'lifetime'; readonly seconds: number; readonly username: string }
  /** `USER:UNIX` instead of `UNIX:USER`; coturn takes it, other servers do not. */
  | { readonly kind: 'swapped'; readonly username: string }
  /** Something else stands where the colon belongs, such as `%3A`. */
  | { readonly kind: 'separator'; readonly separator: string; readonly username: string }
  /** The time has a fraction, of a clock that counts in floating point. */
  | { readonly kind: 'fraction'; readonly username: string }
  /** The time is beyond the 32 bits of coturn. */
  | { readonly kind: 'time-too-large'; readonly expiresAt: number };

export type TimeUnit = 'milliseconds' | 'microseconds' | 'nanoseconds';

export interface TimeJudgement {
  readonly problems: readonly TimeProblem[];
  /** Seconds since 1970; null when the username says none. */
  readonly expiresAt: number | null;
}

// 2001-09-09: no server issued a TURN credential before it, and no lifetime is 31 years long.
const earliestTime = 1_000_000_000;
const latestTime = 2 ** 32 - 1; // coturn counts in 32 bits

/** Reads the time in a username (draft-uberti-behave-turn-rest-00 §2.2: `UNIX[:USER]`) and names what is wrong with it. */
export function judgeTime(given: string, nowSeconds: number): TimeJudgement {
  const username = given.trim();
  const match = /^(\d+)(:.*)?$/s.exec(username);
  if (!match) {
    const swapped = swappedForm.exec(username);
    if (!swapped) return judgeMisspelt(username, nowSeconds);
    const [, user, time] = swapped;
    const rightWay = judgeTime(`${time}:${user}`, nowSeconds);
    const problem: TimeProblem = { kind: 'swapped', username: `${time}:${user}` };
    return { problems: [problem, ...rightWay.problems], expiresAt: rightWay.expiresAt };
  }
  const [, digits = '', rest = ''] = match;
  return judgeNumber(Number(digits), rest, nowSeconds);
}

/** A time in seconds with something other than a colon, or the end, behind it. */
function judgeMisspelt(username: string, nowSeconds: number): TimeJudgement {
  const [, time = '', fraction = '', separator = '', user = ''] = misspeltForm.exec(username) ?? [];
  if (fraction === '' && separator === '') return { problems: [{ kind: 'no-time' }], expiresAt: null };
  const right = user === '' ? time : `${time}:${user}`;
  const problems: TimeProblem[] = [];
  if (fraction !== '') problems.push({ kind: 'fraction', username: right });
  if (separator !== '' && separator !== ':') problems.push({ kind: 'separator', separator, username: right });
  const rightWay = judgeTime(right, nowSeconds);
  return { problems: [...problems, ...rightWay.problems], expiresAt: rightWay.expiresAt };
}

// Ten digits, so that no name of a static user (a SIP extension, a date) is taken for a time.
const misspeltForm = /^(\d{10})([.,]\d+)?(?:(:|%3a|[/;|,_@#~=-])(.+))?$/is;
const swappedForm = /^(.+):(\d{9,})$/s;

/**
 * Whether a username is that of a time-limited credential. A small number alone can be a lifetime that was taken for
 * the time of its end, and as well the name of a static user: a SIP extension, say.
 */
export function formOf(username: string): 'time-limited' | 'static' | 'either' {
  const name = username.trim();
  if (/^\d+$/.test(name)) return Number(name) < earliestTime ? 'either' : 'time-limited';
  const isMeant = [/^\d+:/, swappedForm, misspeltForm].some((form) => form.test(name));
  return isMeant ? 'time-limited' : 'static';
}

function judgeNumber(time: number, rest: string, nowSeconds: number): TimeJudgement {
  if (time < earliestTime) {
    const username = `${nowSeconds + time}${rest}`;
    return { problems: [{ kind: 'lifetime', seconds: time, username }], expiresAt: null };
  }
  for (const [unit, factor] of subseconds) {
    const seconds = Math.floor(time / factor);
    if (seconds < earliestTime || seconds > latestTime) continue;
    const problem: TimeProblem = { kind: 'time-unit', unit, username: `${seconds}${rest}` };
    return { problems: [problem, ...expiry(seconds, nowSeconds)], expiresAt: seconds };
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
function expiry(expiresAt: number, nowSeconds: number): TimeProblem[] {
  return expiresAt < nowSeconds ? [{ kind: 'expired', expiresAt, agoSeconds: nowSeconds - expiresAt }] : [];
}
