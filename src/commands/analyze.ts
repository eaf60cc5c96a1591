import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { mostLast } from '../coturn/log/assembly.ts';
import { fileSource, streamSource, type ByteSourceOptions } from '../evidence/byte-source.ts';
import { readRecordings } from '../evidence/recording.ts';
import { exitCode } from '../model/error.ts';
import { parseDuration } from '../model/duration.ts';
import { wordsOf } from '../model/finding.ts';
import type { CallsReport } from '../model/call-report.ts';
import type { Recording, RecordingFindingReport, RecordingReport } from '../model/recording-report.ts';
import { schemaVersion } from '../model/report.ts';
import type { CallRecording } from '../model/call-recording.ts';
import type { LogSession } from '../model/server-log-facts.ts';
import { version } from '../model/version.ts';
import type { CallQuestion } from '../rules/analysis/calls.ts';
import { wantedBy } from '../rules/analysis/join.ts';
import { judgeRecordings, type JudgedRecordings } from '../rules/analysis/recordings.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

interface Options extends GlobalOptions {
  readonly format: 'human' | 'json' | 'html';
  readonly expect?: 'both' | 'send' | 'recv';
  readonly pc?: string;
  readonly redact?: boolean;
  readonly since?: Since;
  readonly maxUnpacked?: number;
  readonly failOn: 'error' | 'warning';
}

const help = `
Reads what people send when they heard nothing, gzipped or not, and says why:
  dumps     of chrome://webrtc-internals and rtcstats, getStats() as JSON
  pages     of Firefox, about:webrtc: saved, copied, “Copy Report”
  texts     SDP offers and answers, candidate lines
  logs      of coturn 4.5 to 4.18, its own or out of syslog, journalctl, docker
  captures  of packets (pcap, pcapng)
- reads standard input. What a file is, is seen from what is in it.

Of many connections the worst that carries audio is told of, and why that one.
A dump, a log and a capture of one call are laid side by side.

Exit code: 0 nothing at or above --fail-on, 1 findings, or not all is known,
3 a file cannot be read.

Examples:
  rtc-ops analyze webrtc_internals_dump.txt
  rtc-ops analyze dump.gz --expect recv --format json
  rtc-ops analyze dump.gz turnserver.log call.pcap
  rtc-ops analyze dump.gz --redact --format html > ticket.html
  rtc-ops analyze /var/log/turnserver.log
  journalctl -u coturn -o json --since yesterday | rtc-ops analyze -
  tcpdump -i any -s 0 -w call.pcap 'udp or icmp or port 3478' ; rtc-ops analyze call.pcap`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument('<file...>', 'dumps, SDP, logs and captures; - for standard input')
    .addOption(
      new Option('--expect <direction>', 'how audio was to flow (default: as it was offered)').choices([
        'both',
        'send',
        'recv',
      ]),
    )
    .option('--pc <id>', 'judge this connection alone')
    .option('--redact', 'pseudonyms for addresses, names, users and files, so that it can be shown')
    .option(
      '--since <time>',
      'leave out what ended before: 10m before the end, or a time (ISO 8601)',
      sinceOption,
    )
    .option('--max-unpacked <size>', 'how much a gzipped file may hold: 500M, 16G (default: 4G)', sizeOption)
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['human', 'json', 'html']).default('human'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'what counts as a failure')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addHelpText('after', help)
    .action(async (files: string[]) => run(files, command.optsWithGlobals<Options>(), context));
}

async function run(files: readonly string[], options: Options, context: CommandContext): Promise<void> {
  const recordings = await readAll(files, options, context);
  const judged = reportOf(recordings, judgeRecordings(recordings, questionOf(recordings, options)), options);
  const report =
    options.redact === true ? (await import('../report/redaction.ts')).redacted(judged, recordings) : judged;
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function readAll(
  files: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<Recording[]> {
  const sizes = await Promise.all(files.map(async (file) => sizeOf(file, context)));
  const isLong = sizes.some((size) => size === null || size >= worthTellingBytes);
  const line =
    isLong && context.stderrIsTerminal
      ? await (await import('./progress.ts')).progressLine(options, context)
      : null;
  const found: Recording[][] = [];
  try {
    // One after the other: each may be larger than the memory.
    for (const [index, file] of files.entries()) {
      const onRead = line === null ? undefined : progressOf(file, sizes[index] ?? null, line.show);
      const told = { ...options, ...(onRead && { onRead }) };
      found.push(await read(file, told, context, wantedBy(callsOf(found))));
    }
    // A log that was read before the calls that it belongs to may have had more sessions than are kept.
    for (const [index, file] of files.entries()) {
      const isLate = found[index]?.some(hasMore) === true && callsOf(found.slice(index)).length > 0;
      // What comes through a pipe can be read once.
      if (!isLate || typeof sizes[index] !== 'number') continue;
      found[index] = await read(file, options, context, wantedBy(callsOf(found)));
    }
  } finally {
    line?.stop();
  }
  return found.flat();
}

function callsOf(found: readonly (readonly Recording[])[]): CallRecording[] {
  return found.flat().flatMap((each) => (each.kind === 'calls' ? [each.facts] : []));
}

function hasMore(recording: Recording): boolean {
  if (recording.kind !== 'server-log') return false;
  const { total, last } = recording.facts.sessions;
  return last.length >= mostLast && total > last.length;
}

// What is read in half a second needs no line.
const worthTellingBytes = 20 * 2 ** 20;

/** In bytes, as it lies there; null where that cannot be told, and 0 for what is not there. */
async function sizeOf(file: string, { workingDirectory }: CommandContext): Promise<number | null> {
  if (file === '-') return null;
  return stat(resolve(workingDirectory, file)).then(
    (found) => (found.isFile() ? found.size : null),
    () => 0,
  );
}

/** Tells how far a file is read, in per cent where its size is known. */
function progressOf(
  file: string,
  size: number | null,
  show: (text: string) => void,
): (bytes: number) => void {
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
  let told = 0;
  return (bytes) => {
    if (bytes - told < 2 ** 20 || (size ?? bytes) < worthTellingBytes) return;
    told = bytes;
    const far =
      size === null ? megabytes(bytes) : `${Math.floor((bytes / size) * 100)} % of ${megabytes(size)}`;
    show(`reading ${file === '-' ? 'standard input' : file}: ${far}`);
  };
}

const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function sizeOption(text: string): number {
  const [, figure, unit = ''] = /^(\d{1,6})([KMGT]?)B?$/i.exec(text) ?? [];
  if (figure === undefined || Number(figure) === 0)
    throw new InvalidArgumentError('Write a size such as 500M or 16G.');
  return Number(figure) * (units[unit.toUpperCase()] ?? 1);
}

type Since = { readonly beforeEndMs: number } | { readonly atMs: number };

function sinceOption(text: string): Since {
  const beforeEndMs = parseDuration(text);
  if (beforeEndMs !== null) return { beforeEndMs };
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new InvalidArgumentError('Write a duration such as 10m, or a time such as 2026-11-21T13:00Z.');
  return { atMs };
}

function questionOf(recordings: readonly Recording[], { expect, pc, since }: Options): CallQuestion {
  const ends = recordings.flatMap((each) =>
    each.kind === 'calls' ? each.facts.connections.flatMap(({ lastAtMs }) => lastAtMs ?? []) : [],
  );
  const sinceMs =
    since === undefined || ends.length === 0
      ? null
      : 'atMs' in since
        ? since.atMs
        : Math.max(...ends) - since.beforeEndMs;
  return { expect: expect ?? null, connection: pc ?? null, sinceMs };
}

async function read(
  file: string,
  { maxUnpacked, onRead }: Options & Pick<ByteSourceOptions, 'onRead'>,
  { workingDirectory, signal, now }: CommandContext,
  isWanted: (session: LogSession) => boolean,
): Promise<Recording[]> {
  const limits = {
    signal,
    ...(maxUnpacked === undefined ? {} : { mostUnpackedBytes: maxUnpacked }),
    ...(onRead === undefined ? {} : { onRead }),
  };
  const source =
    file === '-'
      ? streamSource(process.stdin, 'standard input', limits)
      : fileSource(resolve(workingDirectory, file), file, limits);
  return readRecordings(source, file === '-' ? 'standard input' : file, now().getTime(), isWanted);
}

function reportOf(
  recordings: readonly Recording[],
  { findings, notJudged, isTelling, unread, calls }: JudgedRecordings,
  { failOn }: Options,
): RecordingReport {
  const fails = findings.some(
    ({ severity }) => severity === 'error' || (failOn === 'warning' && severity === 'warning'),
  );
  // What tells of no call must not pass for a healthy one.
  const isSilent = !isTelling || calls?.verdict === 'unknown';
  const isOpen = isSilent || unread.length > 0;
  const reports = findings.map((finding) => {
    const words = wordsOf(finding);
    return { ...finding, ...words, fix: words.fix.join('\n') };
  });
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'analyze',
    verdict: calls?.verdict ?? null,
    headline: headlineOf(reports, { calls, isSilent, unread: unread[0] }),
    exitCode: fails || isOpen ? exitCode.findings : exitCode.healthy,
    findings: reports,
    notJudged,
    recordings: recordings.map((each) =>
      each.kind === 'calls' ? { kind: each.kind, facts: each.facts.source } : each,
    ),
    calls,
  };
}

interface Shown {
  readonly calls: CallsReport | null;
  readonly isSilent: boolean;
  /** A file of which a part was not read. */
  readonly unread: string | undefined;
}

function headlineOf([first]: readonly RecordingFindingReport[], { calls, isSilent, unread }: Shown): string {
  if (calls === null) {
    if (first !== undefined && first.severity !== 'info') return first.title;
    if (isSilent) return 'nothing is known: there is no call in it';
    return unread === undefined ? 'no fault is seen' : `no fault is seen, as far as ${unread} can be read`;
  }
  // What a call does not show, and a log or a capture that was given with it does.
  const isQuiet = calls.verdict === 'healthy' || calls.verdict === 'unknown';
  if (!isQuiet || first?.severity !== 'error' || !('file' in first.evidence)) return calls.headline;
  return `${calls.headline}; but in ${first.evidence.file}: ${first.title}`;
}

async function rendered(report: RecordingReport, options: Options, context: CommandContext): Promise<string> {
  if (options.format === 'html') return html(report);
  if (options.format === 'json') return (await import('../report/json.ts')).renderJson(report);
  const [{ renderRecordingHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-recording.ts'),
    import('./report.ts'),
  ]);
  return renderRecordingHuman(report, { color: wantsColor(options, context), columns: context.columns });
}

/** The page carries its chart library in itself. */
async function html(report: RecordingReport): Promise<string> {
  const { renderRecordingHtml } = await import('../report/recording-html.ts');
  const part = async (name: string): Promise<string> =>
    readFile(new URL(import.meta.resolve(`uplot/dist/${name}`)), 'utf8');
  const [script, style] = await Promise.all([part('uPlot.iife.min.js'), part('uPlot.min.css')]);
  return renderRecordingHtml(report, { script, style });
}
