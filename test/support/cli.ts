import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Report } from '../../src/model/report.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

export interface CliRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
  readonly durationMs: number;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Ends the command with SIGINT after this. */
  readonly interruptAfterMs?: number;
}

/** Runs the command line as a user would; never rejects for an exit code. */
export async function rtcOps(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const startedAt = performance.now();
  const child = execa(process.execPath, [bin, ...args], {
    reject: false,
    stripFinalNewline: false,
    // Without the variables that would change what is tested.
    env: { ...options.env, NO_COLOR: '', FORCE_COLOR: '' },
    timeout: 60_000,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const interrupt =
    options.interruptAfterMs === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGINT'), options.interruptAfterMs);
  const { stdout, stderr, exitCode } = await child;
  clearTimeout(interrupt);
  return { stdout, stderr, exitCode, durationMs: performance.now() - startedAt };
}

/** Runs a command with `--format json` and reads its report. */
export async function rtcOpsReport(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliRun & { report: Report }> {
  const run = await rtcOps([...args, '--format', 'json'], options);
  if (run.stdout === '') throw new Error(`no report; stderr: ${run.stderr}`);
  return { ...run, report: JSON.parse(run.stdout) as Report };
}
