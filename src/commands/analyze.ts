import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { fileSource, streamSource } from '../evidence/byte-source.ts';
import { readRecording } from '../evidence/recording.ts';
import { exitCode } from '../model/error.ts';
import { wordsOf } from '../model/finding.ts';
import type { Recording, RecordingReport } from '../model/recording-report.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { JudgedRecording } from '../rules/analysis/judged-recording.ts';
import { judgeRecordings } from '../rules/analysis/recordings.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

interface Options extends GlobalOptions {
  readonly format: 'human' | 'json';
  readonly failOn: 'error' | 'warning';
}

const help = `
Reads logs of coturn (4.5 to 4.17: its own files, or out of syslog, journalctl
and docker logs) and captures of packets (pcap, pcapng), gzipped or not, and
says what they prove. - reads standard input. What a file is, is seen from what
is in it.

Exit code: 0 nothing at or above --fail-on, 1 findings, or nothing to judge,
3 a file cannot be read.

Examples:
  rtc-ops analyze /var/log/turnserver.log
  journalctl -u coturn -o json --since yesterday | rtc-ops analyze -
  tcpdump -i any -s 0 -w call.pcap 'udp or icmp or port 3478' ; rtc-ops analyze call.pcap`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument('<file...>', 'logs and captures, - for standard input')
    .addOption(new Option('--format <format>', 'how to print it').choices(['human', 'json']).default('human'))
    .addOption(
      new Option('--fail-on <severity>', 'what counts as a failure')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addHelpText('after', help)
    .action(async (files: string[]) => run(files, command.optsWithGlobals<Options>(), context));
}

async function run(files: readonly string[], options: Options, context: CommandContext): Promise<void> {
  const recordings: Recording[] = [];
  // One after the other: each may be larger than the memory.
  for (const file of files) recordings.push(await read(file, context));
  const report = reportOf(recordings, judgeRecordings(recordings), options);
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function read(file: string, { workingDirectory, signal, now }: CommandContext): Promise<Recording> {
  const source =
    file === '-'
      ? streamSource(process.stdin, 'standard input', { signal })
      : fileSource(resolve(workingDirectory, file), file, { signal });
  return readRecording(source, file === '-' ? 'standard input' : file, now().getTime());
}

function reportOf(
  recordings: readonly Recording[],
  { findings, notJudged, isTelling }: JudgedRecording,
  { failOn }: Options,
): RecordingReport {
  const fails = findings.some(
    ({ severity }) => severity === 'error' || (failOn === 'warning' && severity === 'warning'),
  );
  // What tells of no call must not pass for a healthy one.
  const isSilent = !isTelling && !fails;
  const reports = findings.map((finding) => {
    const words = wordsOf(finding);
    return { ...finding, ...words, fix: words.fix.join('\n') };
  });
  const [first] = reports;
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'analyze',
    headline:
      first !== undefined && first.severity !== 'info'
        ? first.title
        : isSilent
          ? 'nothing is known: there is no call in it'
          : 'no fault is seen',
    exitCode: fails || isSilent ? exitCode.findings : exitCode.healthy,
    findings: reports,
    notJudged,
    recordings,
  };
}

async function rendered(report: RecordingReport, options: Options, context: CommandContext): Promise<string> {
  if (options.format === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  const [{ renderRecordingHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-recording.ts'),
    import('./report.ts'),
  ]);
  return renderRecordingHuman(report, { color: wantsColor(options, context), columns: context.columns });
}
