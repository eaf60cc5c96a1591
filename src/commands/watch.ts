import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../model/error.ts';
import type { Report } from '../model/report.ts';
import type { CommandContext } from './context.ts';
import { notice, verdictLine, type OutputOptions, type ReportOutput } from './report-output.ts';
import { rendered, wantsColor } from './report.ts';

export interface WatchOptions extends Omit<OutputOptions, 'output'> {
  readonly output: Pick<ReportOutput, 'file'>;
  readonly intervalMs: number;
  /** Rounds; null for as long as nobody ends it. */
  readonly count: number | null;
}

/** The time to show, and one that nobody sets while we count. */
interface Moment {
  readonly at: Date;
  readonly ms: number;
}

interface Outage {
  readonly from: Moment;
  readonly to: Moment;
  readonly isOver: boolean;
}

/** What became of the rounds that were completed. */
interface Tally {
  readonly rounds: number;
  readonly failed: number;
  /** When the first of the rounds began that fail until now; null while all is well. */
  readonly failingSince: Moment | null;
  readonly longest: Outage | null;
}

/**
 * Measures at a fixed rate and tells what changes, until `count` rounds are done or the signal of `context` comes. A round
 * that takes longer than the interval moves the next one to the next multiple of it: there are never two at once.
 *
 * Sets the exit code: 1 when any round failed, else 0.
 * @throws RtcOpsError `interrupted` when not one round was completed, and what `measure` throws
 */
export async function watch(
  measure: (signal: AbortSignal) => Promise<Report>,
  options: WatchOptions,
  context: CommandContext,
): Promise<void> {
  const { intervalMs, count } = options;
  const { signal } = context;
  let tally: Tally = { rounds: 0, failed: 0, failingSince: null, longest: null };
  let previous: Report | null = null;
  const startedMs = performance.now();
  while (tally.rounds !== count && (tally.rounds === 0 || !isUnread(options, context))) {
    const began = momentOf(context);
    const report = await round(measure, signal);
    if (report === null) break;
    tally = counted(tally, report, began);
    await tell(report, previous, options, context);
    previous = report;
    const elapsedMs = performance.now() - startedMs;
    const waitMs = intervalMs - (elapsedMs % intervalMs);
    if (tally.rounds !== count && !(await waited(waitMs, signal))) break;
  }
  if (tally.rounds === 0) throw signal.reason;
  context.exitWith(tally.failed > 0 ? exitCode.findings : exitCode.healthy);
  const text = summary(tally, momentOf(context));
  if (options.format === 'human' && showsPeople(options, context)) {
    context.stdout(`\n${text.replace('; ', ';\n  ')}\n`);
  } else notice(text, options, context);
}

/** Null when the signal came first. Each round has a signal of its own, so that no listener outlives it. */
async function round(
  measure: (signal: AbortSignal) => Promise<Report>,
  signal: AbortSignal,
): Promise<Report | null> {
  const own = new AbortController();
  // As of the signal of the whole run: everything that a round opens listens to it.
  setMaxListeners(0, own.signal);
  const abort = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await measure(own.signal);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** False when the signal came first. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** `rtc-ops … | head` has gone, and no file is kept up to date: nobody would learn of another round. */
function isUnread({ output }: WatchOptions, { stdoutIsClosed }: CommandContext): boolean {
  return output.file === null && stdoutIsClosed;
}

async function tell(
  report: Report,
  previous: Report | null,
  options: WatchOptions,
  context: CommandContext,
): Promise<void> {
  const { format, output } = options;
  if (output.file === null && format === 'json') {
    const { renderJsonLine } = await import('../report/json.ts');
    context.stdout(renderJsonLine(report));
    return;
  }
  await output.file?.write(await rendered(report, format, options, context));
  if (showsPeople(options, context)) {
    context.stdout(await forPeople(report, previous, options, context));
  } else if (previous === null ? report.exitCode !== 0 : report.verdict !== previous.verdict) {
    notice(`${localTime(context.now())} ${verdictLine(report)}`, options, context);
  }
}

/** As with one report: a file takes the result, and then only a terminal shows it too. */
function showsPeople({ output, format }: WatchOptions, { stdoutIsTerminal }: CommandContext): boolean {
  return output.file === null ? format === 'human' : stdoutIsTerminal;
}

async function forPeople(
  report: Report,
  previous: Report | null,
  options: WatchOptions,
  context: CommandContext,
): Promise<string> {
  if (previous === null) return `${await rendered(report, 'human', options, context)}\n`;
  const { renderChange } = await import('../report/human-change.ts');
  return renderChange(previous, report, {
    time: localTime(context.now()),
    color: wantsColor(options, context),
    columns: context.columns,
  });
}

function counted({ rounds, failed, failingSince, longest }: Tally, report: Report, began: Moment): Tally {
  const fails = report.exitCode !== exitCode.healthy;
  return {
    rounds: rounds + 1,
    failed: failed + (fails ? 1 : 0),
    failingSince: fails ? (failingSince ?? began) : null,
    longest:
      !fails && failingSince !== null
        ? longerOf(longest, { from: failingSince, to: began, isOver: true })
        : longest,
  };
}

function longerOf(a: Outage | null, b: Outage): Outage {
  return a !== null && lengthOf(a) >= lengthOf(b) ? a : b;
}

function lengthOf({ from, to }: Outage): number {
  return to.ms - from.ms;
}

function summary({ rounds, failed, failingSince, longest: ended }: Tally, now: Moment): string {
  const count = `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${failed === 0 ? 'none' : failed} failed`;
  const longest =
    failingSince === null ? ended : longerOf(ended, { from: failingSince, to: now, isOver: false });
  if (longest === null) return count;
  const { from, to, isOver } = longest;
  const end = isOver ? `to ${localTime(to.at)}` : 'and not over';
  return `${count}; longest outage ${lengthText(lengthOf(longest))}, from ${localTime(from.at)} ${end}`;
}

function momentOf({ now }: CommandContext): Moment {
  return { at: now(), ms: performance.now() };
}

/** `42 s`, `3 min 5 s`, `2 h 10 min` */
function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (minutes === 0) return `${seconds} s`;
  return hours === 0 ? `${minutes} min ${seconds % 60} s` : `${hours} h ${minutes % 60} min`;
}

/** `2026-06-01 14:03:21`, in the time zone of this machine. */
function localTime(time: Date): string {
  // The Swedish form is ISO 8601 but for the T.
  return time.toLocaleString('sv-SE');
}
