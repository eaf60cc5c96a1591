import type { Finding } from './finding.ts';
import type { Attempt, TargetFacts } from './observations.ts';

/** What is known of a check beside its rule. */
export type CheckEntry = NameCheck | ListenerCheck | NetworkCheck;

interface AnyCheck {
  /** A statement that is true when the check passes. */
  readonly title: string;
  /** What is waited for while it is tried, as a person is told; absent where it shares the wait of another check. */
  readonly waiting?: string;
}

/** Of a host name. */
export interface NameCheck extends AnyCheck {
  readonly about: 'name';
}

/** Of a target: a `listener` of any kind, or the `relay` behind one of TURN. */
export interface ListenerCheck extends AnyCheck {
  readonly about: 'listener' | 'relay';
  /** Its row in the table for a person. Checks that name the same row are read together there. */
  readonly row: string;
  /** Whether it alone stands in the row, with its figure, when all of the row is good. */
  readonly hasFigure?: true;
  /**
   * What needs it: to `reach` a server over a transport, its `relay`, a `call`, or `health` alone, which needs all of
   * these too. Null for what a user has to require.
   */
  readonly neededFor: 'reach' | 'relay' | 'call' | 'health' | null;
  /** Whether it is met where it is skipped: the listener has no use for it. */
  readonly isMetBySkipping?: true;
  /** For which kind of server it is not known without this check whether a listener serves. */
  readonly decides?: 'TURN' | 'STUN';
  /** The attempt whose time is that of the check; null where it has none of its own. */
  readonly step: Step | null;
}

/** Of the network in which the probe stands. */
export interface NetworkCheck extends AnyCheck {
  readonly about: 'network';
  /** Its row in the section of the NAT. */
  readonly row: string;
}

/** The attempts of a target. */
type Step = {
  [K in keyof TargetFacts]: NonNullable<TargetFacts[K]> extends Attempt<unknown> ? K : never;
}[keyof TargetFacts];

const rows = {
  listener: 'listener · STUN binding',
  permission: 'permission · channel',
  relay: 'relay, in · out · reply',
  refresh: 'refresh · release',
  ice: 'ICE: host · srflx · relay',
  call: 'call through the relay',
} as const;

/** Every check, in the order in which a report shows them. The ids are public. */
export const checks = {
  'dns-resolves': {
    title: 'the name resolves',
    about: 'name',
    waiting: 'looking up names',
  },
  'listener-answers': {
    title: 'the listener answers',
    about: 'listener',
    row: rows.listener,
    neededFor: 'reach',
    step: 'connect',
    waiting: 'connecting',
  },
  'tls-certificate': {
    title: 'the certificate is valid',
    about: 'listener',
    row: 'certificate',
    neededFor: 'reach',
    isMetBySkipping: true,
    step: 'tls',
  },
  'stun-binding': {
    title: 'STUN binding answers',
    about: 'listener',
    row: rows.listener,
    hasFigure: true,
    neededFor: 'reach',
    decides: 'STUN',
    step: 'binding',
    waiting: 'STUN binding',
  },
  'turn-challenge': {
    title: 'anonymous allocation is refused',
    about: 'relay',
    row: 'anonymous is refused',
    neededFor: 'relay',
    step: 'challenge',
    waiting: 'anonymous allocation',
  },
  'turn-allocate': {
    title: 'an allocation is granted',
    about: 'relay',
    row: 'allocation',
    neededFor: 'relay',
    decides: 'TURN',
    step: 'allocate',
    waiting: 'allocation',
  },
  'relay-address': {
    title: 'the relay address is as public as the server',
    about: 'relay',
    row: 'relay address',
    neededFor: 'relay',
    step: null,
  },
  'turn-permission': {
    title: 'a permission is granted',
    about: 'relay',
    row: rows.permission,
    neededFor: 'health',
    isMetBySkipping: true,
    step: 'permission',
    waiting: 'permission',
  },
  'turn-channel': {
    title: 'a channel is bound',
    about: 'relay',
    row: rows.permission,
    neededFor: 'health',
    step: 'channel',
    waiting: 'channel',
  },
  'relay-inbound': {
    title: 'the relay takes packets from a peer',
    about: 'relay',
    row: rows.relay,
    neededFor: 'relay',
    step: 'inbound',
    waiting: 'packets through the relay',
  },
  'relay-outbound': {
    title: 'the relay sends packets to a peer',
    about: 'relay',
    row: rows.relay,
    neededFor: 'relay',
    step: 'outbound',
  },
  'relay-reply': {
    title: 'the peer can reply through the relay',
    about: 'relay',
    row: rows.relay,
    neededFor: 'relay',
    decides: 'TURN',
    step: 'reply',
  },
  // Is there only where it was asked for.
  'relay-ports': {
    title: 'the relay ports that were sampled take packets',
    about: 'relay',
    row: 'relay ports',
    neededFor: 'health',
    step: 'ports',
    waiting: 'relay ports',
  },
  'turn-refresh': {
    title: 'the allocation can be refreshed',
    about: 'relay',
    row: rows.refresh,
    neededFor: 'health',
    step: 'refresh',
    waiting: 'refresh',
  },
  'turn-release': {
    title: 'the allocation is freed',
    about: 'relay',
    row: rows.refresh,
    neededFor: 'health',
    step: 'release',
    waiting: 'release',
  },
  'candidates-host': {
    title: 'ICE finds a host candidate',
    about: 'relay',
    row: rows.ice,
    neededFor: null,
    step: null,
  },
  'candidates-srflx': {
    title: 'ICE finds a server-reflexive candidate',
    about: 'relay',
    row: rows.ice,
    neededFor: null,
    isMetBySkipping: true,
    step: null,
  },
  'candidates-relay': {
    title: 'ICE finds a relay candidate',
    about: 'relay',
    row: rows.ice,
    neededFor: 'relay',
    step: 'gathering',
    waiting: 'ICE candidates',
  },
  'call-connects': {
    title: 'a call connects through the relay',
    about: 'relay',
    row: rows.call,
    neededFor: 'call',
    step: 'call',
  },
  'call-uses-relay': {
    title: 'both ends of the call use the relay',
    about: 'relay',
    row: rows.call,
    neededFor: 'call',
    step: null,
  },
  'call-audio': {
    title: 'audio flows both ways',
    about: 'relay',
    row: rows.call,
    neededFor: 'call',
    step: null,
    waiting: 'audio call',
  },
  'call-quality': {
    title: 'the audio is good',
    about: 'relay',
    row: rows.call,
    hasFigure: true,
    neededFor: 'call',
    step: null,
  },
  'nat-mapping': {
    title: 'the mapping behaviour of the NAT is known',
    about: 'network',
    row: 'mapping',
    waiting: 'NAT behaviour',
  },
  'nat-filtering': {
    title: 'the filtering behaviour of the NAT is known',
    about: 'network',
    row: 'filtering',
  },
  'nat-hairpin': {
    title: 'the hairpinning behaviour of the NAT is known',
    about: 'network',
    row: 'hairpinning',
  },
  'nat-lifetime': {
    title: 'the lifetime of a NAT binding is known',
    about: 'network',
    row: 'idle binding',
    waiting: 'lifetime of NAT bindings',
  },
} as const satisfies Readonly<Record<string, CheckEntry>>;

export type CheckId = keyof typeof checks;

export const checkIds = Object.keys(checks) as CheckId[];

/** The checks that are about one thing. */
export type CheckIdAbout<About extends CheckEntry['about']> = {
  [I in CheckId]: (typeof checks)[I]['about'] extends About ? I : never;
}[CheckId];

/** A check for which a probe waits. */
export type ProbeStep = {
  [I in CheckId]: (typeof checks)[I] extends { readonly waiting: string } ? I : never;
}[CheckId];

export function checkOf(id: CheckId): CheckEntry {
  return checks[id];
}

/** The checks of a target, in the order of a report. */
export const listenerChecks: readonly (ListenerCheck & { readonly id: CheckId })[] = checkIds.flatMap(
  (id) => {
    const check = checkOf(id);
    return 'neededFor' in check ? [{ id, ...check }] : [];
  },
);

/** What became of a check. `skipped` and `unknown` are never shown as success. */
export type Outcome =
  | { readonly status: 'passed'; readonly detail?: string }
  | { readonly status: 'failed'; readonly findings: readonly Finding[] }
  | { readonly status: 'skipped'; readonly because: string }
  | { readonly status: 'unknown'; readonly because: string };

export type CheckStatus = Outcome['status'];
