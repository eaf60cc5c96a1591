import type { ExitCode } from './error.ts';
import type { Report, Verdict, schemaVersion } from './report.ts';

/** One thing that is done to a host. */
export interface PlanStep {
  readonly kind: 'package' | 'file' | 'secret' | 'service' | 'certificate' | 'firewall' | 'kernel';
  /** An imperative: `write /etc/turnserver.conf`. */
  readonly title: string;
  /** A unified diff without its heading and without secrets; of a new file, its lines. Null where there is none to show. */
  readonly diff: string | null;
}

export interface HostPlan {
  readonly steps: readonly PlanStep[];
  /** What to know before, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * What became of a host.
 * - `unchanged`: all was as it should be; `changed`: it is now.
 * - `planned`: there is something to do, and nothing was done (--check, or an earlier batch failed).
 * - `rolled-back`: what was done did not work, and the host is as it was before.
 * - `failed`: it is not known to be as it was before, or nothing could be done there at all.
 */
export type HostOutcome = 'unchanged' | 'changed' | 'planned' | 'rolled-back' | 'failed';

export interface HostDeployment {
  readonly name: string;
  /** How it was reached: `root@203.0.113.10`, `local`. */
  readonly by: string;
  /** Null where the host did not say. */
  readonly system: string | null;
  readonly coturn: string | null;
  readonly plan: HostPlan | null;
  readonly outcome: HostOutcome;
  /** Why it is not as it was wanted; null when it is. */
  readonly because: string | null;
  /** What to do about that. */
  readonly hint: string | null;
  /** What coturn has warned of in its log since it was started. */
  readonly warnings: readonly string[];
  /** How the service was found to be by a probe from here; null without one. */
  readonly verification: Verification | null;
  /** The number under which its state is kept on the host; null where nothing is. */
  readonly generation: number | null;
  /** All that are kept there; number 0 is the host as it was found. */
  readonly generations: readonly Generation[];
}

/** What a server said to a permission (RFC 8656 §9.2) for an address that nobody is to reach. */
export interface PeerDenial {
  readonly peer: string;
  /** Null: that is not known, because of `because`. */
  readonly denied: boolean | null;
  readonly because: string | null;
}

export interface Generation {
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** The version of coturn that its configuration was made for; null for one that is not ours. */
  readonly coturn: string | null;
}

export interface Verification {
  readonly verdict: Verdict;
  readonly headline: string;
  /** Whether nothing that was tested failed, and nothing is unknown but what cannot be told from here. */
  readonly holds: boolean;
  /** What the service said to users who want to reach what nobody is to reach. */
  readonly peers: readonly PeerDenial[];
  /** The command that proves the rest from elsewhere; null where nothing is left to prove. */
  readonly elsewhere: string | null;
  readonly report: Report;
}

/** What a command that changes hosts says in the end; the public JSON form. */
export interface DeploymentReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: 'rtc-ops'; readonly version: string };
  readonly command: 'deploy' | 'rollback' | 'remove' | 'rotate-secret';
  readonly startedAt: string;
  readonly durationMs: number;
  /** Whether nothing was to be changed. */
  readonly check: boolean;
  /** Of the probes; null where none was made because none was wanted. */
  readonly verdict: Verdict | null;
  readonly headline: string;
  readonly exitCode: ExitCode;
  readonly hosts: readonly HostDeployment[];
  /** What is to be done now that it is done; null where nothing is. */
  readonly next: string | null;
}
