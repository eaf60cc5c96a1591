import type { CaptureFacts } from './capture-facts.ts';
import type { ExitCode } from './error.ts';
import type { Finding, FindingWords } from './finding.ts';
import type { schemaVersion } from './report.ts';
import type { ServerLogFacts } from './server-log-facts.ts';

/** What one file told, by its kind. */
export type Recording =
  | { readonly kind: 'server-log'; readonly facts: ServerLogFacts }
  | { readonly kind: 'capture'; readonly facts: CaptureFacts };

export type RecordingKind = Recording['kind'];

/** A finding with its words; the steps of the fix as lines of one text. */
export type RecordingFindingReport = Finding & Omit<FindingWords, 'fix'> & { readonly fix: string };

/** What `analyze` says of logs and captures; the public JSON form. */
export interface RecordingReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: 'analyze';
  /** One sentence for a person: what matters most. */
  readonly headline: string;
  readonly exitCode: ExitCode;
  readonly findings: readonly RecordingFindingReport[];
  /** Why parts could not be judged, a sentence each. */
  readonly notJudged: readonly string[];
  readonly recordings: readonly Recording[];
}
