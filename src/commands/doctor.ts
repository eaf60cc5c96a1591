import { Option, type Command } from 'commander';
import type { ReportOrigin } from '../evidence/doctor-archive.ts';
import type { DoctorReport, Symptom } from '../model/doctor-report.ts';
import { symptomIds, symptoms } from '../model/doctor-report.ts';
import { RtcOpsError, exitCode } from '../model/error.ts';
import { printable } from '../model/printable.ts';
import type { CommandContext } from './context.ts';
import { loginOption } from './deployment/options.ts';
import { examine, type ExaminationOptions } from './doctor-examination.ts';
import { judgeDoctor } from './doctor-judgement.ts';
import { durationOption, fileOption, servernameOption } from './option.ts';
import { controlsOption } from './probe-options.ts';
import type { OutputFile } from './output-file.ts';
import { askedSymptom } from './symptom-question.ts';

const formats = ['human', 'json'] as const;

interface Options extends ExaminationOptions {
  readonly symptom?: Symptom;
  readonly all?: boolean;
  readonly bundle?: string;
  readonly redactAddresses?: boolean;
  readonly from?: string;
  readonly failOn: 'error' | 'warning';
  readonly format: (typeof formats)[number];
}

const help = `
With URLs it looks at a server from here: names, every transport, credentials, the
relay, an audio call, and the network of this machine. With --local or --host it looks
at the server from within: its processes, configuration, sockets, firewall, certificates,
log, clock and limits, and reads only. With both, packets that are sent from here are
looked for there. What is found is put into one list: what follows from something else
stands below it, and what has to be mended first comes first.

Without a URL, --local and --host try what the configuration of the server promises.
Credentials come from where probe takes them; without any, one is made from the secret
of the server, which is kept nowhere.

Symptoms: ${symptomIds.map((id) => `${id} (${symptoms[id]})`).join(',\n  ')}.

Exit code: 0 healthy, or nothing but warnings, 1 something is wrong, or not all of what
was asked for is known, 2 usage, 3 configuration, 4 ssh or another tool failed.

Examples:
  rtc-ops doctor turn.example.com --secret-file secret.txt
  rtc-ops doctor --host root@turn.example.com turn.example.com --symptom one-way
  rtc-ops doctor --ice-servers ice-servers.json
  rtc-ops doctor --local --bundle ticket.tar.gz
  rtc-ops doctor --from ticket.tar.gz`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument(
      '[url...]',
      'turn:, turns:, stun: or stuns: URIs, or hosts (default: the hosts of rtc-ops.yaml)',
    )
    .option('--local', 'this machine is the server: look at it from within')
    .option('--host <user@host>', 'look at this server from within, by ssh', loginOption)
    .option('--private-key <file>', 'the key for ssh (default: as ssh is configured)', fileOption)
    .option('--ssh-common-args <arguments>', 'further arguments for ssh, such as "-o ProxyJump=bastion"')
    .option('--sudo', 'look from within as root, by sudo without a password')
    .addOption(new Option('--symptom <symptom>', 'what users complain of').choices(symptomIds))
    .option(
      '--ice-servers <file>',
      'what the application gives its browsers (JSON): its form, its URLs and its credentials',
      fileOption,
    )
    .option('--secret-file <file>', 'the static-auth-secret of the server', fileOption)
    .option('--username <name>', 'TURN username')
    .option('--password <password>', 'TURN password; "-" reads it from standard input')
    .option(
      '--control <list>',
      'servers known to work: what is silent there too is blocked here',
      controlsOption,
    )
    .option('--no-call', 'make no call')
    .option('--ca <file>', 'PEM file of certificates to trust as well', fileOption)
    .option('--servername <name>', 'name to find in the certificate (default: the host)', servernameOption)
    .option('--timeout <time>', 'longest wait for one answer', durationOption(100), 5000)
    .option(
      '--bundle <file>',
      'also write all that was seen as an archive (.tar.gz), without secrets',
      fileOption,
    )
    .option(
      '--redact-addresses',
      'pseudonyms in the archive for addresses, names and users; it then shows its report only',
    )
    .option('--from <file>', 'judge such an archive, without a packet', fileOption)
    .option('--all', 'everything in full, and every check')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 from here on')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addOption(new Option('--format <format>', 'form of the report').choices(formats).default('human'))
    .addHelpText('after', help)
    .action(async (urls: string[]) => run(urls, command.optsWithGlobals<Options>(), command, context));
}

async function run(
  urls: readonly string[],
  options: Options,
  command: Command,
  context: CommandContext,
): Promise<void> {
  if (options.redactAddresses === true && options.bundle === undefined)
    throw new RtcOpsError('usage', '--redact-addresses is for --bundle');
  if (options.from !== undefined) {
    refuseLooking(urls, command);
    await judgeSaved(options.from, options, context);
    return;
  }
  const bundle = options.bundle === undefined ? null : await openedBundle(options.bundle, context);
  const symptom = options.symptom ?? (await askedSymptom(options, context));
  const { facts, secrets } = await examine(urls, options, symptom, context);
  const report = await judgeDoctor(facts, options.failOn);
  if (bundle !== null) {
    const { bundleOf } = await import('./doctor-bundle.ts');
    await bundle.write(
      bundleOf(facts, report, { redactsAddresses: options.redactAddresses === true, secrets }),
    );
  }
  await print(report, options, context);
}

async function openedBundle(file: string, context: CommandContext): Promise<OutputFile> {
  return (await import('./doctor-bundle.ts')).openBundle(file, context);
}

/** The same report once more, by the rules of this version; a symptom that is given now counts. */
async function judgeSaved(file: string, options: Options, context: CommandContext): Promise<void> {
  const { readBundle } = await import('./doctor-bundle.ts');
  const saved = await readBundle(file, context);
  if (saved.kind === 'facts') {
    const { facts } = saved;
    const report = await judgeDoctor({ ...facts, symptom: options.symptom ?? facts.symptom }, options.failOn);
    await print(report, options, context);
    return;
  }
  if (options.quiet !== true) context.stderr(`rtc-ops: ${unjudged(saved.origin, file)}\n`);
  const isHealthy = saved.origin.exitCode === exitCode.healthy;
  context.exitWith(isHealthy ? exitCode.healthy : exitCode.findings);
  const text = options.format === 'json' ? saved.json : saved.human;
  context.stdout(text.split('\n').map(printable).join('\n'));
}

/** Why a report is shown as it was written, whatever was given beside --from. */
function unjudged({ madeBy, startedAt }: ReportOrigin, file: string): string {
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return printable(
    `${file} has pseudonyms in place of addresses, which no rule can compare: this is the report of ${when} as rtc-ops ${madeBy} wrote it`,
  );
}

/** What --from may stand with: how to judge, and how to show it. All else is about looking. */
const usable: ReadonlySet<string> = new Set([
  ...['from', 'symptom', 'all', 'failOn', 'format', 'config', 'color', 'quiet', 'debug'],
]);

function refuseLooking(urls: readonly string[], command: Command): void {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .filter((option) => !usable.has(option.attributeName()))
    .map((option) => option.long ?? option.attributeName());
  const refused = [...urls.slice(0, 1), ...given];
  if (refused.length === 0) return;
  throw new RtcOpsError(
    'usage',
    `--from looks at nothing, so it cannot stand with ${refused.join(' and ')}`,
    {
      hint: 'It judges what was seen: leave that out, or leave out --from.',
    },
  );
}

async function print(report: DoctorReport, options: Options, context: CommandContext): Promise<void> {
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function rendered(report: DoctorReport, options: Options, context: CommandContext): Promise<string> {
  if (options.format === 'json') return (await import('../report/json.ts')).renderJson(report);
  const [{ renderDoctorHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-doctor.ts'),
    import('./report.ts'),
  ]);
  return renderDoctorHuman(report, {
    color: wantsColor(options, context),
    columns: context.columns,
    all: options.all === true,
  });
}
