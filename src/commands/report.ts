import type { Report } from '../model/report.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export const reportFormats = ['human', 'json', 'junit', 'prometheus', 'github', 'tap'] as const;

export type ReportFormat = (typeof reportFormats)[number];

/** Prints a report and sets the exit code that it stands for. */
export async function printReport(
  report: Report,
  format: ReportFormat,
  options: GlobalOptions,
  context: CommandContext,
): Promise<void> {
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, format, options, context));
}

/** The text of a report in one format. */
export async function rendered(
  report: Report,
  format: ReportFormat,
  options: GlobalOptions,
  context: CommandContext,
): Promise<string> {
  switch (format) {
    case 'human': {
      const { renderHuman } = await import('../report/human.ts');
      return renderHuman(report, { color: wantsColor(options, context), columns: context.columns });
    }
    case 'json':
      return (await import('../report/json.ts')).renderJson(report);
    case 'junit':
      return (await import('../report/junit.ts')).renderJunit(report);
    case 'prometheus':
      return (await import('../report/prometheus.ts')).renderPrometheus(report);
    case 'github':
      return (await import('../report/github.ts')).renderGithub(report);
    case 'tap':
      return (await import('../report/tap.ts')).renderTap(report);
    default:
      return format satisfies never;
  }
}

/** NO_COLOR (no-color.org), FORCE_COLOR, --no-color, and whether somebody looks at a terminal there. */
export function wantsColor(
  options: GlobalOptions,
  { env, stdoutIsTerminal, stderrIsTerminal }: CommandContext,
  stream: 'stdout' | 'stderr' = 'stdout',
): boolean {
  if (!options.color || (env['NO_COLOR'] ?? '') !== '') return false;
  if (!['', '0', undefined].includes(env['FORCE_COLOR'])) return true;
  return (stream === 'stdout' ? stdoutIsTerminal : stderrIsTerminal) && env['TERM'] !== 'dumb';
}
