import { Option, type Command } from 'commander';
import type { TransportKind, TurnUri } from '../model/turn-uri.ts';
import { urisOf } from '../probes/plan.ts';
import type { OutsidePeerOption } from '../probes/probe.ts';
import { requirements } from '../rules/criteria.ts';
import {
  countOption,
  durationOption,
  fileOption,
  intervalOption,
  listOption,
  mosOption,
  natLifetimeOption,
  peerUrlOption,
  portCountOption,
  ratioOption,
  servernameOption,
} from './option.ts';
import type { CriteriaOptions } from './probe-criteria.ts';
import type { OutputOptions } from './report-output.ts';
import { reportFormats } from './report.ts';

export interface ProbeCommandOptions extends OutputOptions, CriteriaOptions {
  readonly secretFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly transport?: TransportKind[];
  readonly family?: ('4' | '6')[];
  readonly call: boolean;
  readonly control?: TurnUri[];
  readonly duration: number;
  readonly nat?: boolean;
  readonly natLifetime?: number;
  readonly peer?: Pick<OutsidePeerOption, 'url' | 'host' | 'port'>;
  readonly peerSecretFile?: string;
  readonly ports?: number;
  readonly timeout: number;
  readonly concurrency: number;
  readonly ca?: string;
  readonly servername?: string;
  readonly from?: string;
  readonly watch?: number;
  readonly count?: number;
}

/** An option that is repeated adds to its list. */
export function controlsOption(text: string, previous: readonly TurnUri[] = []): TurnUri[] {
  return [...previous, ...text.split(',').flatMap((part) => urisOf(part.trim()))];
}

/** Who is asked, as whom. */
function addTargets(command: Command): void {
  command
    .option('--secret-file <file>', 'the static-auth-secret of the server', fileOption)
    .option('--username <name>', 'TURN username')
    .option('--password <password>', 'TURN password; "-" reads it from standard input')
    .option('--transport <list>', 'only these: udp,tcp,tls', listOption(['udp', 'tcp', 'tls']))
    .option('--family <list>', 'only these: 4,6', listOption(['4', '6']))
    .option('--ca <file>', 'PEM file of certificates to trust as well', fileOption)
    .option(
      '--servername <name>',
      'name to ask for and to find in the certificate (default: the host)',
      servernameOption,
    );
}

/** What is tried. */
function addMeasures(command: Command): void {
  command
    .addOption(new Option('--call', 'make an audio call through the relay').default(true))
    .option('--no-call', 'make no call')
    .addOption(
      new Option('--duration <time>', 'length of the call, 1s to hours')
        .argParser(durationOption(1000))
        .default(3000, '3s'),
    )
    .option(
      '--control <list>',
      'servers known to work (stun:HOST, …): what is silent there too is blocked in this network',
      controlsOption,
    )
    .option('--nat', 'examine the NAT of this network (RFC 5780), 2 to 6 s; needs a UDP listener')
    .option(
      '--nat-lifetime <time>',
      'also how long an idle binding lasts, tried up to this (5s to 10m), and taking as long; implies --nat',
      natLifetimeOption,
    )
    .option('--peer <url>', 'an "rtc-ops peer" on a third network, udp://HOST:PORT', peerUrlOption)
    .option('--peer-secret-file <file>', 'the secret of that peer (default: RTC_OPS_PEER_SECRET)')
    .option('--ports <n>', 'try so many relay ports, 1 to 500', portCountOption)
    .addOption(
      new Option('--timeout <time>', 'longest wait for one answer')
        .argParser(durationOption(100))
        .default(5000, '5s'),
    )
    .option('--concurrency <n>', 'targets at once', countOption, 20);
}

/** What is asked of the server. */
function addCriteria(command: Command): void {
  command
    .option(
      '--require <list>',
      `these must work, the rest may be unknown: ${requirements.join(',')}`,
      listOption(requirements),
    )
    .option('--max-rtt <time>', 'longest round trip', durationOption(1))
    .option('--max-loss <percentage>', 'highest packet loss of the call', ratioOption)
    .option('--max-jitter <time>', 'highest jitter of the call', durationOption(1))
    .option('--min-mos <score>', 'lowest quality of the call, 1 to 4.5', mosOption)
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 from here on (default: "error")').choices([
        'error',
        'warning',
      ]),
    );
}

/** Where the result goes, and how often. */
function addOutput(command: Command): void {
  command
    .addOption(new Option('--format <format>', 'form of the report').choices(reportFormats).default('human'))
    .option('--output <file>', 'write the report there instead of to stdout')
    .option('--from <report>', 'judge a saved JSON report again, without a packet; "-" reads standard input')
    .addOption(
      new Option('--watch [interval]', 'repeat until Ctrl-C, and print what changes')
        .preset('30s')
        .argParser(intervalOption),
    )
    .option('--count <n>', 'end --watch after so many rounds', countOption);
}

/** The options of `rtc-ops probe`, in the order of its help. */
export const probeOptionGroups: readonly ((command: Command) => void)[] = [
  addTargets,
  addMeasures,
  addCriteria,
  addOutput,
];
