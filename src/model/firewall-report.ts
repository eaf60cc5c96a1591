import type { Family } from './endpoint.ts';
import type { ExitCode } from './error.ts';
import type { Finding, FindingCode } from './finding.ts';
import type { FindingWords } from './finding-words.ts';
import type { OpeningPurpose, PortSpan } from './firewall.ts';
import type { schemaVersion, Verdict } from './report.ts';

/** What is known of one thing that the config promises. `unknown` and `skipped` say why, and are never shown as success. */
export interface FirewallCheck {
  readonly id: 'firewall-rules' | 'firewall-listener' | 'firewall-outside';
  readonly status: 'passed' | 'failed' | 'unknown' | 'skipped';
  /** Why it is unknown or was skipped; null otherwise. */
  readonly because: string | null;
  /** A figure or a name beside it: the program that listens, the ports that are blocked. */
  readonly detail: string | null;
  readonly findings: readonly FindingCode[];
}

/** One opening with what was found out about it. */
export interface FirewallOpening {
  readonly protocol: 'udp' | 'tcp';
  readonly ports: PortSpan;
  readonly purpose: OpeningPurpose;
  readonly title: string;
  readonly families: readonly Family[];
  readonly checks: readonly FirewallCheck[];
}

/** The result of `firewall check`; the public JSON form. */
export interface FirewallReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: 'rtc-ops'; readonly version: string };
  readonly command: 'firewall check';
  readonly verdict: Verdict;
  /** One sentence for a person: why this verdict. */
  readonly headline: string;
  readonly exitCode: ExitCode;
  /** What manages the rules of this machine, as their names tell; null when that is not known. */
  readonly manager: FirewallManager | null;
  readonly openings: readonly FirewallOpening[];
  /** What was seen and changes nothing: senders that are refused, ports that were not asked from outside. */
  readonly notes: readonly string[];
  readonly findings: readonly (Finding & Omit<FindingWords, 'fix'> & { readonly fix: string })[];
}

export type FirewallManager = 'ufw' | 'firewalld' | 'nftables' | 'iptables' | 'none';
