/** Exit codes of the command line; documented in README.md, relied on by scripts. */
export const exitCode = {
  healthy: 0,
  findings: 1,
  usage: 2,
  configuration: 3,
  toolFailed: 4,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What kind of error this is; each kind has one exit code. */
export type RtcOpsErrorCode = 'usage' | 'configuration' | 'tool-failed' | 'interrupted' | 'bug';

const exitCodeOf: Record<RtcOpsErrorCode, ExitCode> = {
  usage: exitCode.usage,
  configuration: exitCode.configuration,
  'tool-failed': exitCode.toolFailed,
  interrupted: exitCode.interrupted,
  bug: exitCode.bug,
};

/**
 * An error for a person: made where the cause is known, printed by the one `catch` in `cli.ts`.
 * What is wrong with a *server* is a finding, never an error.
 */
export class RtcOpsError extends Error {
  override readonly name = 'RtcOpsError';
  readonly code: RtcOpsErrorCode;
  /** What to do about it, as a sentence or a command. */
  readonly hint: string | undefined;

  constructor(code: RtcOpsErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): ExitCode {
    return exitCodeOf[this.code];
  }
}

/** The text of anything that was thrown, for a message to a person. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
