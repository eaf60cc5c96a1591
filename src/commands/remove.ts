import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { returnHosts } from './deployment/return.ts';
import { addHostOptions, type HostOptions } from './deployment/options.ts';

const help = `
Takes off what deployments have put on the hosts: packages that came with them, files, the certificate of certbot with its
hook, what is kept of earlier states. What was there before, such as a coturn made by hand, comes back. The host itself
says what that is (/var/lib/rtc-ops/state.json).

Examples:
  rtc-ops remove --host root@203.0.113.10
  rtc-ops remove --check`;

export function define(command: Command, context: CommandContext): void {
  addHostOptions(command)
    .addHelpText('after', help)
    .action(async () =>
      returnHosts(
        {
          command: 'remove',
          numberFor: ({ state }) => (state === null ? null : 0),
          because: null,
          title: () => 'remove coturn and all that came with it, and bring back what was there before',
        },
        command.optsWithGlobals<HostOptions>(),
        context,
      ),
    );
}
