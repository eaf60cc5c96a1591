import type { Finding } from '../../model/finding.ts';

/** What a log or a capture proves, and what it cannot say. */
export interface JudgedRecording {
  readonly findings: readonly Finding[];
  /** Why something could not be judged, a sentence without its full stop each; empty where all of it could. */
  readonly notJudged: readonly string[];
  /** Whether it holds anything of calls at all; without, no finding means nothing. */
  readonly isTelling: boolean;
  /** Whether all of it was read; what was not may hold any fault. */
  readonly isWhole: boolean;
}
