import { InvalidArgumentError, type Command } from 'commander';
import type { CommandContext } from './context.ts';
import { returnHosts } from './deployment/return.ts';
import { addHostOptions, type HostOptions } from './deployment/options.ts';

interface Options extends HostOptions {
  readonly to?: number;
}

const help = `
Each deployment that changes a host keeps its state there as a generation; the last five stay. Generation 0 is the host as
it was found. --check lists them in the JSON report, and changes nothing. rtc-ops.yaml stays as it is: the next deployment
puts its state back.

Examples:
  rtc-ops rollback --host root@203.0.113.10
  rtc-ops rollback --to 3 --yes`;

export function define(command: Command, context: CommandContext): void {
  addHostOptions(command)
    .option('--to <generation>', 'the number of the generation (default: the one before)', (text) => {
      if (!/^\d{1,6}$/.test(text))
        throw new InvalidArgumentError('Write the number of a generation, such as 3.');
      return Number(text);
    })
    .addHelpText('after', help)
    .action(async () => {
      const options = command.optsWithGlobals<Options>();
      await returnHosts(
        {
          command: 'rollback',
          numberFor: ({ state }) => {
            const { current = 0, generations = [] } = state ?? {};
            const earlier = generations.map(({ number }) => number).filter((number) => number < current);
            if (options.to === undefined) return earlier.at(-1) ?? null;
            return earlier.includes(options.to) ? options.to : null;
          },
          because:
            options.to === undefined
              ? 'it keeps no earlier state to go back to'
              : `it keeps no earlier generation ${options.to}`,
          title: (number, at) =>
            number === 0
              ? `go back to how it was before the first deployment, ${at}`
              : `go back to generation ${number} of ${at}`,
        },
        options,
        context,
      );
    });
}
