import type { Environment } from '../model/environment.ts';
import type { ExitCode } from '../model/error.ts';

/** What a command may touch of the world; handed in, so that tests and other commands can run it too. */
export interface CommandContext {
  /** Results. */
  readonly stdout: (text: string) => void;
  /** Progress, warnings and errors. */
  readonly stderr: (text: string) => void;
  /** All of standard input, as text, with the byte order mark that it may begin with. */
  readonly stdin: () => Promise<string>;
  /** Puts a question on the terminal and gives the line that is answered; rejects when there is none to come. */
  readonly ask: (question: string) => Promise<string>;
  readonly env: Environment;
  readonly workingDirectory: string;
  /** Aborted by SIGINT, SIGTERM and, unless onHangUp was called, SIGHUP: stop, clean up, and let the caller exit with 128 and the signal's number. */
  readonly signal: AbortSignal;
  /** Calls `listener` at each SIGHUP from now on, which then ends nothing: what a service does to read its files again. */
  readonly onHangUp: (listener: () => void) => void;
  readonly stdoutIsTerminal: boolean;
  /** The reader has closed the pipe: `rtc-ops … | head`. */
  readonly stdoutIsClosed: boolean;
  readonly stderrIsTerminal: boolean;
  readonly stdinIsTerminal: boolean;
  /** Columns of the terminal of stdout, 80 when there is none. */
  readonly columns: number;
  /** Columns of the terminal of stderr, 80 when there is none; 0 for one that does not say. */
  readonly stderrColumns: number;
  readonly now: () => Date;
  /** What the process will exit with. A command sets it once, at its end. */
  readonly exitWith: (code: ExitCode) => void;
}

/** The options that stand before every command's name. */
export interface GlobalOptions {
  readonly config?: string;
  /** False with `--no-color`. */
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}
