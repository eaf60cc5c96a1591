import type { TimeProblem } from '../model/credential-time.ts';

/**
 * What is wrong with a credential. The first group is about the time in the username, the second about what the
 * password was made of and how; several can hold at once.
 */
export type CredentialProblem =
  | TimeProblem
  /** Blanks or a line break where none belong. */
  | { readonly kind: 'blanks'; readonly where: 'username' | 'password' | 'secret' }
  /** The password was made from the secret and a line break behind it. */
  | { readonly kind: 'secret-with-newline' }
  | { readonly kind: 'secret-decoded'; readonly encoding: 'base64' | 'hex' }
  /** The password belongs to a part of the username. */
  | { readonly kind: 'part-of-username'; readonly part: 'time' | 'user' }
  /** The secret was signed with the username as the key. */
  | { readonly kind: 'key-as-message' }
  /** The quotes around the secret, of a .env or YAML file say, were taken for a part of it. */
  | { readonly kind: 'secret-quoted'; readonly where: 'here' | 'issuer' }
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'encoding'; readonly encoding: 'hex' | 'base64url' | 'percent' }
  /** Base64 ends in `=` to a multiple of four characters. */
  | { readonly kind: 'padding'; readonly padding: 'missing' | 'extra' }
  /** `+` became a blank, as in a form that was decoded once too often. */
  | { readonly kind: 'plus-as-blank' }
  /** Nothing that is tried here gives the password. */
  | { readonly kind: 'wrong-secret' };
