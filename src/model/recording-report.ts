import type { CallRecording, SourceFacts } from './call-recording.ts';
import type { CallsReport } from './call-report.ts';
import type { CaptureFacts } from './capture-facts.ts';
import type { ExitCode } from './error.ts';
import type { Finding } from './finding.ts';
import type { FindingWords } from './finding-words.ts';
import type { schemaVersion, Verdict } from './report.ts';
import type { ServerLogFacts } from './server-log-facts.ts';

/** What one file told, by its kind. */
export type Recording =
  | { readonly kind: 'server-log'; readonly facts: ServerLogFacts }
  | { readonly kind: 'capture'; readonly facts: CaptureFacts }
  | { readonly kind: 'calls'; readonly facts: CallRecording };

export type RecordingKind = Recording['kind'];

/** What a report says of a file: of a recording of calls where it comes from, as its figures are told by the calls. */
export type RecordingSummary =
  Exclude<Recording, { kind: 'calls' }> | { readonly kind: 'calls'; readonly facts: SourceFacts };

/** A finding with its words; the steps of the fix as lines of one text. */
export type RecordingFindingReport = Finding & Omit<FindingWords, 'fix'> & { readonly fix: string };

/** What `analyze` says of logs and captures; the public JSON form. */
export interface RecordingReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: 'analyze';
  /** Of the call that was chosen; null where there is no recording of calls. */
  readonly verdict: Verdict | null;
  /** One sentence for a person: what matters most. */
  readonly headline: string;
  readonly exitCode: ExitCode;
  readonly findings: readonly RecordingFindingReport[];
  /** Why parts could not be judged, a sentence each. */
  readonly notJudged: readonly string[];
  readonly recordings: readonly RecordingSummary[];
  /** What recordings of calls show; null where there is none. */
  readonly calls: CallsReport | null;
}
