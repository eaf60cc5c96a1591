import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import { printable } from '../model/printable.ts';
import type { Report } from '../model/report.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { openOutputFile, type OutputFile } from './output-file.ts';
import { rendered, type ReportFormat } from './report.ts';

export interface OutputOptions extends GlobalOptions {
  readonly format: ReportFormat;
  readonly output?: string;
}

/** Where the reports of a run go. */
export interface ReportOutput {
  /** The file of --output; null when the result goes to stdout. */
  readonly file: OutputFile | null;
  /** Writes a report where it belongs, and sets the exit code that it stands for. */
  readonly print: (report: Report) => Promise<void>;
}

/**
 * Opens what the reports go to, before anything is measured.
 *
 * With --output the file has the result. stdout then carries the report for a person when a terminal is there, and
 * nothing elsewhere; what failed is told in one line on stderr.
 * @throws RtcOpsError `usage` for a file that cannot be written
 */
export async function openReportOutput(
  options: OutputOptions,
  context: CommandContext,
): Promise<ReportOutput> {
  const { format, output } = options;
  if (output === '') {
    throw new RtcOpsError('usage', '--output is empty, which names no file', {
      hint: 'Is a variable of the shell unset? Without --output, or with --output -, the result goes to stdout.',
    });
  }
  const file =
    output === undefined || output === '-'
      ? null
      : // node_exporter, which reads it, is another user.
        await openOutputFile(
          resolve(context.workingDirectory, output),
          format === 'prometheus' ? 0o644 : null,
        );
  const summary = format === 'github' ? await openStepSummary(context) : null;
  return {
    file,
    async print(report) {
      // First the code: a reader that closes the pipe must not turn it into success.
      context.exitWith(report.exitCode);
      await summary?.(report);
      if (file === null) {
        context.stdout(await rendered(report, format, options, context));
        return;
      }
      await file.write(await rendered(report, format, options, context));
      if (context.stdoutIsTerminal) context.stdout(await rendered(report, 'human', options, context));
      else if (report.exitCode !== 0) notice(verdictLine(report), options, context);
    },
  };
}

/** One line for whoever reads the log of a run whose result went elsewhere. */
export function notice(text: string, options: GlobalOptions, context: CommandContext): void {
  if (options.quiet !== true) context.stderr(`rtc-ops: ${text}\n`);
}

export function verdictLine({ verdict, headline }: Report): string {
  return printable(`${verdict}: ${headline}`);
}

/** The page of a job of GitHub Actions. Other commands of the same step may have written to it. */
async function openStepSummary({ env }: CommandContext): Promise<((report: Report) => Promise<void>) | null> {
  const file = env['GITHUB_STEP_SUMMARY'] ?? '';
  if (file === '') return null;
  const append = async (text: string, code: 'usage' | 'tool-failed'): Promise<void> => {
    try {
      await appendFile(file, text);
    } catch (cause) {
      const message = `the file that GITHUB_STEP_SUMMARY names cannot be written: ${reasonOf(cause)}`;
      throw new RtcOpsError(code, message, { cause });
    }
  };
  await append('', 'usage');
  return async (report) => {
    const { renderMarkdown } = await import('../report/markdown.ts');
    await append(renderMarkdown(report), 'tool-failed');
  };
}
