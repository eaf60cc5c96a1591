import { InvalidArgumentError, Option, type Command } from 'commander';
import { RtcOpsError, exitCode } from '../model/error.ts';
import type { PlanReport, Usage } from '../model/plan-report.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { durationOption, ratioOption } from './option.ts';

interface Options extends GlobalOptions {
  readonly users: number;
  readonly minutes: number;
  readonly relayed: number;
  readonly bitrate: number;
  readonly frame: number;
  readonly format: 'human' | 'json';
}

const help = `
Ports, bandwidth, traffic and machine for a TURN server of that use, each with
its formula, and what hosted relays would charge, from a table with dates. It
asks nobody and sends nothing.

The defaults: Opus at 32 kbit/s in packets of 20 ms is what browsers send of
speech; 20% relayed is what services on the open internet see (10% to 25%),
within companies it can be all: --relayed 100%. For video, give its bitrate.
--users counts people, and so does --minutes: a call of two that lasts ten
minutes is twenty. Relay ports are sized for everybody, because a browser
allocates before it knows whether it needs the relay.

Examples:
  rtc-ops plan --users 100 --minutes 50000
  rtc-ops plan --users 40 --minutes 20000 --relayed 100% --bitrate 1500 --format json`;

export function define(command: Command, context: CommandContext): void {
  command
    .requiredOption('--users <count>', 'people in calls at once, at the busiest', numberOption(1, 1_000_000))
    .requiredOption(
      '--minutes <count>',
      'minutes in calls a month, of all people together',
      numberOption(1, 1e12),
    )
    .addOption(
      new Option('--relayed <share>', 'how many of them need the relay')
        .argParser(ratioOption)
        .default(0.2, '20%'),
    )
    .option('--bitrate <kbit/s>', 'media that one person sends', numberOption(6, 20_000), 32)
    .addOption(
      new Option('--frame <time>', 'time between two packets of audio')
        .argParser(durationOption(3, 120))
        .default(20, '20ms'),
    )
    .addOption(new Option('--format <format>', 'how to print it').choices(['human', 'json']).default('human'))
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

// 31 days of 24 hours.
const minutesOfMonth = 44_640;

async function run(options: Options, context: CommandContext): Promise<void> {
  const { users, minutes, relayed, bitrate, frame, format } = options;
  if (minutes > users * minutesOfMonth) {
    throw new RtcOpsError('usage', `${users} at once cannot be in calls for ${minutes} minutes in a month`, {
      hint: `A month has ${minutesOfMonth} minutes for each of them: --users is too low, or --minutes too high.`,
    });
  }
  const report = await reportOf({
    users,
    minutes,
    relayedRatio: relayed,
    bitrateBps: bitrate * 1000,
    frameMs: frame,
  });
  context.exitWith(exitCode.healthy);
  if (format === 'json') {
    context.stdout(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const [{ renderPlanHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-plan.ts'),
    import('./report.ts'),
  ]);
  context.stdout(renderPlanHuman(report, { color: wantsColor(options, context), columns: context.columns }));
}

async function reportOf(usage: Usage): Promise<PlanReport> {
  const [{ capacityFor }, { formulasOf }, { hostedCosts }] = await Promise.all([
    import('../coturn/plan/capacity.ts'),
    import('../coturn/plan/formulas.ts'),
    import('../coturn/plan/hosted-cost.ts'),
  ]);
  const capacity = capacityFor(usage);
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'plan',
    usage,
    capacity,
    formulas: formulasOf(usage, capacity),
    hosted: hostedCosts(capacity),
  };
}

function numberOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
    return value;
  };
}
