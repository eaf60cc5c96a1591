export const requirements = ['relay', 'srflx', 'udp', 'tcp', 'tls', 'call'] as const;

export type Requirement = (typeof requirements)[number];

/** What the person who runs a probe asks of it. */
export interface Criteria {
  /** Null: everything that a target offers must work. Else: these must, and the rest may be unknown. */
  readonly require: readonly Requirement[] | null;
  readonly maxRttMs: number | null;
  readonly maxLossRatio: number | null;
  readonly maxJitterMs: number | null;
  readonly minMos: number | null;
  /** Findings of this severity and above make the exit code 1. */
  readonly failOn: 'error' | 'warning';
  /** The time against which certificates and credentials are judged. */
  readonly now: Date;
}
