import { LogAssembly } from '../../coturn/log/assembly.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import { isOwnUser } from '../../model/own-user.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type { Daemon, UnitFacts } from '../../model/server-facts.ts';
import type { ServerLogFacts } from '../../model/server-log-facts.ts';
import { isRoot, sectionOf, seen, seenText, unknown } from './section.ts';

/** What logs are read for: the processes that run, and whether systemd had to start them again. */
export interface LogContext {
  readonly daemons: readonly Pick<Daemon, 'pid' | 'startedAt' | 'isInHostNetwork'>[];
  readonly unit: UnitFacts | null;
}

/**
 * The journal where coturn writes there, and the files that processes write. Of what an earlier process wrote nothing
 * counts any more, but that it crashed.
 */
export function logsOf(evidence: ServerEvidence, context: LogContext): Seen<ServerLogFacts>[] {
  const { daemons } = context;
  const files = Object.keys(evidence.sections).flatMap((name): Seen<ServerLogFacts>[] => {
    const [, pid, path] = /^log (\d+) (.*)$/.exec(name) ?? [];
    if (pid === undefined || path === undefined) return [];
    const started = startOf(daemons.filter((daemon) => daemon.pid === Number(pid)));
    return [logOf(evidence, name, path, (text) => linesSince(text, started))];
  });
  const journal = sectionOf(evidence, 'journal');
  const file = 'the journal of coturn';
  if (journal.status === '127') return files;
  if (journal.text.trim() !== '') {
    const own = daemons.filter(({ isInHostNetwork }) => isInHostNetwork !== false);
    const started = startOf(own) ?? lastStartIn(journal.text);
    const pids = own.map(({ pid }) => pid);
    const kernel = sectionOf(evidence, 'kernel').text;
    const linesOf = (text: string): string[] => [
      ...crashesBefore(text, started, context.unit),
      ...linesSince(text, started, pids),
      ...linesSince(kernel, started),
    ];
    return [logOf(evidence, 'journal', file, linesOf), ...files];
  }
  if (files.length > 0) return files;
  const reason = isRoot(evidence) ? '' : ', as far as it may be read without root';
  return [unknown(`${file} has nothing of the last hours${reason}`)];
}

function logOf(
  evidence: ServerEvidence,
  name: string,
  file: string,
  linesOf: (text: string) => string[],
): Seen<ServerLogFacts> {
  const text = seenText(evidence, name, file);
  if (text.state === 'unknown') return text;
  // What this program has tried here before, with a wrong secret perhaps, says nothing of users.
  const assembly = new LogAssembly(Date.parse(evidence.takenAt), isOwnUser);
  for (const line of linesOf(text.value)) if (line !== '') assembly.push({ text: line, isCut: false });
  return seen(assembly.finish(file, null));
}

/** When the first of them was started; null where none runs, or none says. */
function startOf(daemons: LogContext['daemons']): number | null {
  const times = daemons.flatMap(({ startedAt }) => (startedAt === null ? [] : [Date.parse(startedAt)]));
  return times.length === 0 ? null : Math.min(...times);
}

/** When systemd started coturn last, whatever became of it. */
function lastStartIn(journal: string): number | null {
  const line = journal
    .split('\n')
    .findLast((each) => /systemd\[\d+\]: Starting (?:coturn|turnserver)\.service/.test(each));
  return line === undefined ? null : timeOf(line);
}

// Times of lines may be in whole seconds, and the start of a process is to a hundredth.
const grainMs = 1500;

/**
 * The lines that were written from then on: by their time, or where coturn counts from its start, by that count.
 * @param pids those that count, where a line names its process
 */
function linesSince(text: string, startMs: number | null, pids: readonly number[] = []): string[] {
  const lines = text.split('\n');
  let from = 0;
  let uptime = 0;
  for (const [index, line] of lines.entries()) {
    const atMs = timeOf(line);
    const isOther = pids.length > 0 && !pids.includes(writerOf(line) ?? pids[0] ?? 0);
    const sinceMs = (startMs ?? Number.NEGATIVE_INFINITY) + (isOther ? grainMs : -grainMs);
    if (atMs !== null && atMs < sinceMs) from = index + 1;
    const counted = Number(/^(\d{1,10}): /.exec(line)?.[1] ?? Number.NaN);
    if (counted < uptime) from = index;
    if (!Number.isNaN(counted)) uptime = counted;
  }
  return lines.slice(from);
}

/** How processes ended that systemd started again by itself since; what a person has restarted is mended. */
function crashesBefore(text: string, startMs: number | null, unit: UnitFacts | null): string[] {
  if (startMs === null || unit === null || unit.restarts === 0) return [];
  return text.split('\n').filter((line) => {
    const atMs = timeOf(line);
    return (
      atMs !== null &&
      atMs < startMs - grainMs &&
      /systemd\[\d+\]: .*(?:code=killed|code=dumped|oom-kill)/.test(line)
    );
  });
}

/** The process that wrote a line, where syslog or journald says so: `turnserver[812]:`. */
function writerOf(line: string): number | null {
  const [, pid] = /^\S+ \S+ turnserver\[(\d+)\]:/.exec(line) ?? [];
  return pid === undefined ? null : Number(pid);
}

/** Of a line that begins with a date, a time and a zone. */
function timeOf(line: string): number | null {
  const [, time = '', sign = '', hours = '', minutes = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?:Z|([+-])(\d\d):?(\d\d))/.exec(line) ?? [];
  if (time === '') return null;
  const zone = sign === '' ? 'Z' : `${sign}${hours}:${minutes}`;
  const atMs = Date.parse(`${time.replace(',', '.').replace(/(\.\d{3})\d+/, '$1')}${zone}`);
  return Number.isNaN(atMs) ? null : atMs;
}
