import type { ExitCode } from './error.ts';
import type { ConfigFinding } from './config-finding.ts';
import type { FindingWords } from './finding-words.ts';
import type { schemaVersion } from './report.ts';

/** A finding with its words; where it is stands in its evidence. */
export type LintFindingReport = ConfigFinding &
  Omit<FindingWords, 'fix'> & {
    /** One step a line. */
    readonly fix: string;
    /** Whether --fix makes the change. */
    readonly fixable: boolean;
  };

/** A line that --fix has changed; secrets are left out of both. */
export interface LintChange {
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/** What the lint says of one file; the public JSON form. */
export interface LintReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: 'lint';
  readonly file: string;
  readonly coturn: { readonly version: string; readonly from: 'given' | 'installed' | 'assumed' };
  /** Why parts were not judged, a sentence each; empty where everything was. */
  readonly notJudged: readonly string[];
  readonly exitCode: ExitCode;
  readonly fixed: { readonly backup: string; readonly changes: readonly LintChange[] } | null;
  readonly findings: readonly LintFindingReport[];
}

/** Where a finding of the lint is. */
export interface LintPosition {
  readonly file: string;
  readonly line: number | null;
  readonly column: number;
  readonly endColumn: number;
  readonly text: string;
}

export function positionOf({ evidence }: ConfigFinding, file: string): LintPosition {
  return 'endColumn' in evidence ? evidence : { file, line: null, column: 1, endColumn: 1, text: '' };
}
