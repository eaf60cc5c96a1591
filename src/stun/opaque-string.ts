/**
 * Prepares a username, realm or password by the OpaqueString profile (RFC 8265 §4.2.2), which RFC 8489 §9.2.2 uses
 * where RFC 5389 used SASLprep: every non-ASCII space becomes U+0020, then NFC. Case and width stay.
 *
 * Code points that the profile forbids (controls, U+00AD and others) pass unchanged: servers take what was typed
 * into their configuration, and a refusal here would hide their answer.
 */
export function opaqueString(text: string): string {
  return asciiOnly.test(text) ? text : text.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
}

const asciiOnly = /^[\x20-\x7e]*$/;
