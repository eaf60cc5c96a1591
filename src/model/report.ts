import type { Asked } from './asked.ts';
import type { ExitCode } from './error.ts';
import type { CheckId, CheckStatus } from './check.ts';
import type { Finding, FindingCode, Severity } from './finding.ts';
import type { FindingWords } from './finding-words.ts';
import type { Family } from './endpoint.ts';
import type { CallFacts, NatLifetimeFacts, Observations, Target, TargetFacts } from './observations.ts';

/** Raised when a key of the JSON report is renamed, removed or changes its meaning; additions leave it. */
export const schemaVersion = 1;

export type Verdict = 'healthy' | 'degraded' | 'broken' | 'unknown';

export type VantageKind = 'off-link' | 'same-network' | 'same-host' | 'unknown';

export interface Vantage {
  readonly kind: VantageKind;
  readonly because: string;
}

export interface CheckReport {
  readonly id: CheckId;
  readonly title: string;
  readonly status: CheckStatus;
  /** Why it was skipped or is unknown; null otherwise. */
  readonly because: string | null;
  /** The figure a person wants beside a passed check (`62 days`, `MOS 4.4`); null when there is none. */
  readonly detail: string | null;
  /** Null when nothing was done. */
  readonly durationMs: number | null;
  /** Whether `healthy` needs it, here or (with --require) at another listener of the same host. */
  readonly required: boolean;
  readonly findings: readonly FindingCode[];
  /** The worst of its findings; null without any. A check that failed with a warning leaves users served. */
  readonly severity: Severity | null;
}

/** A check of the whole, with what it is about: a host name, or an address family. */
export interface SubjectCheckReport extends CheckReport {
  readonly subject: string;
}

/** `null` where nothing was asked; `now` is ISO 8601. */
export interface ReportCriteria {
  readonly require: readonly string[] | null;
  readonly maxRttMs: number | null;
  readonly maxLossRatio: number | null;
  readonly maxJitterMs: number | null;
  readonly minMos: number | null;
  readonly failOn: 'error' | 'warning';
  readonly now: string;
}

export interface TargetReport extends Target {
  readonly checks: readonly CheckReport[];
  readonly observations: Omit<TargetFacts, 'target'>;
}

export interface CallReport {
  readonly transport: CallFacts['transport'];
  readonly target: string;
  readonly address: string;
  readonly connectMs: number | null;
  readonly selectedPair: { readonly local: string; readonly remote: string } | null;
  /**
   * The worse of both directions in every figure; `sent` and `received` are their sums. `jitterMs` is the highest that
   * J (RFC 3550 §6.4.1) was during the call.
   */
  readonly audio: {
    readonly sent: number;
    readonly received: number;
    readonly lossRatio: number;
    readonly jitterMs: number;
    readonly rttMs: number | null;
    readonly mos: number | null;
  } | null;
}

/** In the words of RFC 4787 §4.1 and §5. */
export type NatBehaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** The NAT of the client, as one server saw it. Null is what is not known; why, says the check. */
export interface NatReport {
  readonly family: Family;
  readonly target: string;
  readonly server: string;
  /** Whether there is one. */
  readonly present: boolean | null;
  readonly mapped: string | null;
  /** `destination-dependent`: not endpoint-independent; whether the port counts is not known. */
  readonly mapping: NatBehaviour | 'destination-dependent' | null;
  readonly filtering: NatBehaviour | null;
  readonly hairpin: boolean | null;
  readonly lifetime: NatLifetimeFacts | null;
  /** One sentence for a person: with whom direct calls work, and with whom the relay is needed. */
  readonly summary: string;
}

/** A finding with its words; the steps of the fix as lines of one text. */
export type FindingReport = Finding & Omit<FindingWords, 'fix'> & { readonly fix: string };

/** The result of a probe: the public JSON form, and all that a human report is made of. */
export interface Report {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: 'rtc-ops'; readonly version: string };
  readonly command: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly verdict: Verdict;
  /** One sentence for a person: why this verdict. */
  readonly headline: string;
  readonly exitCode: ExitCode;
  readonly vantage: Vantage;
  readonly targets: readonly TargetReport[];
  /** What was asked: limits, requirements and the time against which it was judged. */
  readonly criteria: ReportCriteria;
  /** Checks that belong to no single target: one `dns-resolves` for each name, `nat-…` for each address family. */
  readonly checks: readonly SubjectCheckReport[];
  /** Why something that `healthy` needs is not known, each reason once; empty when all of it is known. */
  readonly open: readonly string[];
  /** The worst call; null when none was tried. */
  readonly call: CallReport | null;
  readonly calls: readonly CallReport[];
  /** One entry per address family; null without --nat. */
  readonly nat: readonly NatReport[] | null;
  readonly findings: readonly FindingReport[];
  /**
   * With the targets' own observations, enough to judge this report again. `callDurationMs` is that of `asked`, which
   * reports did not always have.
   */
  readonly observations: Pick<
    Observations,
    'asked' | 'interfaces' | 'credential' | 'names' | 'controls' | 'nat'
  > &
    Pick<Asked, 'callDurationMs'>;
}
