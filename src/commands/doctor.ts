import { Option, type Command } from 'commander';
import type { DoctorReport, NotExamined, Symptom } from '../model/doctor-report.ts';
import { symptomIds, symptoms } from '../model/doctor-report.ts';
import { scopeOf } from '../model/endpoint.ts';
import { schemaVersion } from '../model/report.ts';
import { isTurn } from '../model/turn-uri.ts';
import { version } from '../model/version.ts';
import { clientNetworkFindings, networkLines } from '../rules/doctor/client-network.ts';
import { diagnose } from '../rules/doctor/diagnosis.ts';
import type { CommandContext } from './context.ts';
import { examineFromHere, type ClientExamination, type ClientOptions } from './doctor-client.ts';
import { durationOption, fileOption, servernameOption } from './option.ts';
import { controlsOption } from './probe-options.ts';
import { askedSymptom } from './symptom-question.ts';

const formats = ['human', 'json'] as const;

interface Options extends ClientOptions {
  readonly symptom?: Symptom;
  readonly all?: boolean;
  readonly failOn: 'error' | 'warning';
  readonly format: (typeof formats)[number];
}

const help = `
Looks at a server from here: names, every transport, credentials, the relay, an audio
call, and the network of this machine. What is found is put into one list: what follows
from something else stands below it, and what has to be mended first comes first.

Credentials come from where probe takes them.

Symptoms: ${symptomIds.map((id) => `${id} (${symptoms[id]})`).join(',\n  ')}.

Exit code: 0 healthy, or nothing but warnings, 1 something is wrong, or not all of what
was asked for is known, 2 usage, 3 configuration, 4 a needed tool failed.

Examples:
  rtc-ops doctor turn.example.com --secret-file secret.txt
  rtc-ops doctor turn.example.com --symptom one-way --control stun:stun.example.net`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument(
      '[url...]',
      'turn:, turns:, stun: or stuns: URIs, or hosts (default: the hosts of rtc-ops.yaml)',
    )
    .addOption(new Option('--symptom <symptom>', 'what users complain of').choices(symptomIds))
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
    .option('--all', 'everything in full, and every check')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 from here on')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addOption(new Option('--format <format>', 'form of the report').choices(formats).default('human'))
    .addHelpText('after', help)
    .action(async (urls: string[]) => run(urls, command.optsWithGlobals<Options>(), context));
}

async function run(urls: readonly string[], options: Options, context: CommandContext): Promise<void> {
  const startedAt = context.now();
  const origin = performance.now();
  const symptom = options.symptom ?? (await askedSymptom(options, context));
  const client = await examineFromHere(urls, options, context);
  const { probe, observations, network } = client;
  const diagnosis = diagnose({
    server: null,
    client: { probe, network: clientNetworkFindings(network) },
    leftOut: leftOut(client, options),
    symptom,
    failOn: options.failOn,
  });
  const report: DoctorReport = {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'doctor',
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - origin),
    ...diagnosis,
    client: { network: networkLines(observations, probe.nat, network), networkFacts: network, probe },
  };
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

/** What nobody asked for, and what would show it. */
function leftOut({ uris, credential }: ClientExamination, { call }: Options): NotExamined[] {
  const isElsewhere = uris.some(({ host }) => !isLoopback(host));
  const server: NotExamined = {
    what: 'the server itself',
    because: 'it was looked at from here only',
    how: isElsewhere ? 'on it, rtc-ops lint --here and rtc-ops firewall check say more' : null,
    isRequired: false,
  };
  const noCall: NotExamined = {
    what: 'a call',
    because: '--no-call forbids it',
    how: null,
    isRequired: false,
  };
  const noRelay: NotExamined = {
    what: 'the relay and calls',
    because: 'no credentials were given',
    how: 'add --secret-file, or --username and --password',
    isRequired: false,
  };
  const hasTurn = uris.some(isTurn);
  return [
    server,
    ...(hasTurn && !credential ? [noRelay] : []),
    ...(hasTurn && credential && !call ? [noCall] : []),
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (/^[\d.]+$|:/.test(host) && scopeOf(host) === 'loopback');
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
