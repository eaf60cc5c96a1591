import { checkIds, type CheckId, type CheckStatus } from '../../src/model/check.ts';
import type { FindingCode } from '../../src/model/finding.ts';
import type { NatReport, Verdict } from '../../src/model/report.ts';
import type { Requirement } from '../../src/rules/criteria.ts';
import type { ScenarioName } from './scenarios.ts';
import type { TurnServerSetUp } from './turn-server.ts';

/** One probe in the lab, from client a, and what it has to say. */
export interface Case {
  readonly network: ScenarioName;
  /** What is wrong with the server; it is in order by default. */
  readonly server?: TurnServerSetUp;
  /** What runs in the place of coturn: something that has the port and is no TURN server. */
  readonly standIn?: 'accepts TCP and never answers' | 'echoes UDP';
  /** Relay addresses that other users hold meanwhile: one, by the user whom the probe is too or by another. */
  readonly held?: 'by the same user' | 'by another user';
  /** The server is killed as soon as it has granted an allocation. */
  readonly stops?: true;
  readonly client?: ClientCase;
  /** Servers elsewhere that are known to work, as --control names them; a STUN server answers there, over UDP and TCP. */
  readonly control?: readonly Control[];
  /** Whether an `rtc-ops peer` runs elsewhere, for --peer. */
  readonly peer?: true;
  /** Of --require. */
  readonly require?: readonly Requirement[];
  /** With --nat. */
  readonly nat?: true;
  /** Of --ports. */
  readonly ports?: number;
  /** Of the call; 1 s by default, as what is judged is mostly the cause. */
  readonly durationMs?: number;
  /** Which listeners are asked; all four by default. */
  readonly ask?: readonly Listener[];
  readonly expected: Expected;
}

/** What is wrong with the client: its secret is another one, or its credential is an hour old, or its clock is wrong. */
export interface ClientCase {
  readonly credential?: 'from another secret' | 'expired an hour ago';
  readonly clockMs?: number;
}

export type Control = 'udp 3478' | 'tcp 3478';

export const listeners = ['udp 3478', 'tcp 3478', 'tls 5349', 'tls 443'] as const;
export type Listener = (typeof listeners)[number];

export interface Expected {
  readonly verdict: Verdict;
  /**
   * Every cause that is named, with the listeners that it concerns. The first one leads the report. `varies`: which
   * listeners, depends on the moment.
   */
  readonly causes: Causes;
  /** What is told as an effect of a cause. */
  readonly effects?: Partial<Record<FindingCode, FindingCode>>;
  /** What may be told as well: figures of a bad line differ from run to run. */
  readonly perhaps?: readonly FindingCode[];
  /** Words with the user's own values, which the first cause's proof or fix has to hold. */
  readonly says?: readonly string[];
  /** What does not pass, of all checks at each listener. `varies`: it depends on the moment. */
  readonly checks: 'varies' | Partial<Record<Listener, Statuses>>;
  /** Relay ports that take nothing, of those of --ports: from this one on. */
  readonly closedFrom?: number;
  /** Of the NAT in the one address family that is asked for. */
  readonly nat?: ExpectedNat;
}

/** In the words of RFC 4787. Null is what cannot be told; why, is in `because`. */
export interface ExpectedNat extends Pick<NatReport, 'present' | 'mapping' | 'filtering' | 'hairpin'> {
  /** Words that the reason of each check which does not pass has to hold. */
  readonly because?: Partial<Record<CheckId, string>>;
}

type Causes = Partial<Record<FindingCode, readonly Listener[] | 'varies'>>;

/** Checks that do not pass; of two statuses, either will do. */
export type Statuses = Partial<Record<CheckId, CheckStatus | readonly CheckStatus[]>>;

// --- how a listener can fare ---

/** Every check after this one is unknown. */
export function unknownAfter(last: CheckId): Statuses {
  const rest = checkIds.slice(checkIds.indexOf(last) + 1);
  return Object.fromEntries(rest.map((id) => [id, 'unknown' as const]));
}

/** Nothing comes back from it, so nothing else is known. */
export const silent: Statuses = { ...unknownAfter('listener-answers'), 'listener-answers': 'failed' };

/** Nothing is known of it, as packets to it do not leave the network of the client. */
export const untold: Statuses = Object.fromEntries(checkIds.map((id) => [id, 'unknown' as const]));

/** It works, but the UDP that would show whether the relay is reachable does not leave the network of the client. */
export const relayNotKnown: Statuses = {
  'relay-inbound': 'unknown',
  'relay-outbound': 'unknown',
  'relay-reply': 'unknown',
};

export const notAllocated: Statuses = { ...unknownAfter('turn-allocate'), 'turn-allocate': 'failed' };
export const notChallenged: Statuses = { ...unknownAfter('turn-challenge'), 'turn-challenge': 'failed' };
export const badCertificate: Statuses = { 'tls-certificate': 'failed' };

export function everywhere(statuses: Statuses): Partial<Record<Listener, Statuses>> {
  return Object.fromEntries(listeners.map((listener) => [listener, statuses]));
}

export const healthy: Expected = { verdict: 'healthy', causes: {}, checks: {} };
