/** Exit codes of the command line; documented in README.md, relied on by scripts. */
export const exitCode = {
  healthy: 0,
  findings: 1,
  usage: 2,
  configuration: 3,
  toolFailed: 4,
  bug: 70,
  /** 128 and the number of the signal, as shells have it: SIGHUP, SIGINT, SIGTERM. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
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
  readonly exitCode: ExitCode;

  /** @param options.exitCode where the kind of error has more than one */
  constructor(
    code: RtcOpsErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; exitCode?: ExitCode } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodeOf[code];
  }
}

const exitCodeOfSignal = {
  SIGHUP: exitCode.hungUp,
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
} as const;

/** The error of a command that a signal has ended. */
export function interruptedBy(signal: keyof typeof exitCodeOfSignal): RtcOpsError {
  return new RtcOpsError('interrupted', `stopped by ${signal}`, { exitCode: exitCodeOfSignal[signal] });
}

/** The text of anything that was thrown, for a message to a person. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Why a file could not be read or opened, in words, after `cannot be read: `. */
export function whyUnread(cause: unknown): string {
  switch (cause instanceof Error && 'code' in cause ? cause.code : null) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
      return 'this account may not read it';
    default:
      return reasonOf(cause);
  }
}
