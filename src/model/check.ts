import type { Finding } from './finding.ts';

/**
 * Every check, in the order in which a report shows them. The ids are public; a title is a statement
 * that is true when the check passes.
 */
export const checkTitles = {
  'dns-resolves': 'the name resolves',
  'listener-answers': 'the listener answers',
  'tls-certificate': 'the certificate is valid',
  'stun-binding': 'STUN binding answers',
  'turn-challenge': 'anonymous allocation is refused',
  'turn-allocate': 'an allocation is granted',
  'relay-address': 'the relay address is as public as the server',
  'turn-permission': 'a permission is granted',
  'turn-channel': 'a channel is bound',
  'relay-inbound': 'the relay takes packets from a peer',
  'relay-outbound': 'the relay sends packets to a peer',
  'relay-reply': 'the peer can reply through the relay',
  'relay-ports': 'the relay ports that were sampled take packets',
  'turn-refresh': 'the allocation can be refreshed',
  'turn-release': 'the allocation is freed',
  'candidates-host': 'ICE finds a host candidate',
  'candidates-srflx': 'ICE finds a server-reflexive candidate',
  'candidates-relay': 'ICE finds a relay candidate',
  'call-connects': 'a call connects through the relay',
  'call-uses-relay': 'both ends of the call use the relay',
  'call-audio': 'audio flows both ways',
  'call-quality': 'the audio is good',
  'nat-mapping': 'the mapping behaviour of the NAT is known',
  'nat-filtering': 'the filtering behaviour of the NAT is known',
  'nat-hairpin': 'the hairpinning behaviour of the NAT is known',
  'nat-lifetime': 'the lifetime of a NAT binding is known',
} as const;

export type CheckId = keyof typeof checkTitles;

export const checkIds = Object.keys(checkTitles) as CheckId[];

/** What became of a check. `skipped` and `unknown` are never shown as success. */
export type Outcome =
  | { readonly status: 'passed'; readonly detail?: string }
  | { readonly status: 'failed'; readonly findings: readonly Finding[] }
  | { readonly status: 'skipped'; readonly because: string }
  | { readonly status: 'unknown'; readonly because: string };

export type CheckStatus = Outcome['status'];
