export type TimeUnit = 'milliseconds' | 'microseconds' | 'nanoseconds';

/**
 * What is wrong with a credential. The first group is about the time in the username, the second about what the
 * password was made of and how; several can hold at once.
 */
export type CredentialProblem =
  /** It was good once. */
  | { readonly kind: 'expired'; readonly expiresAt: number; readonly agoSeconds: number }
  /** The username does not begin with a time. */
  | { readonly kind: 'no-time' }
  /** The time counts in thousandths or less. */
  | { readonly kind: 'time-unit'; readonly unit: TimeUnit; readonly username: string }
  /** A lifetime stands where the time of its end belongs. */
  | { readonly kind: 'lifetime'; readonly seconds: number; readonly username: string }
  /** `USER:UNIX` instead of `UNIX:USER`. */
  | { readonly kind: 'swapped'; readonly username: string }
  /** The time is beyond the 32 bits of coturn. */
  | { readonly kind: 'time-too-large'; readonly expiresAt: number }
  /** Blanks or a line break where none belong. */
  | { readonly kind: 'blanks'; readonly where: 'username' | 'password' | 'secret' }
  /** The password was made from the secret and a line break behind it. */
  | { readonly kind: 'secret-with-newline' }
  | { readonly kind: 'secret-decoded'; readonly encoding: 'base64' | 'hex' }
  /** The password belongs to a part of the username. */
  | { readonly kind: 'part-of-username'; readonly part: 'time' | 'user' }
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'encoding'; readonly encoding: 'hex' | 'base64url' | 'percent' }
  /** Base64 ends in `=` to a multiple of four characters. */
  | { readonly kind: 'padding'; readonly padding: 'missing' | 'extra' }
  /** `+` became a blank, as in a form that was decoded once too often. */
  | { readonly kind: 'plus-as-blank' }
  /** Nothing that is tried here gives the password. */
  | { readonly kind: 'wrong-secret' };
