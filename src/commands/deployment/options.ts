import { InvalidArgumentError, Option, type Command } from 'commander';
import { isHost } from '../../model/turn-uri.ts';
import type { GlobalOptions } from '../context.ts';
import { fileOption } from '../option.ts';

/** Where a command works, and as whom: the options that all those that change hosts have. */
export interface HostOptions extends GlobalOptions {
  readonly local?: boolean;
  readonly host?: readonly Login[];
  readonly inventory?: string;
  readonly limit?: string;
  readonly privateKey?: string;
  readonly sshCommonArgs?: string;
  readonly check?: boolean;
  readonly yes?: boolean;
  readonly format: 'human' | 'json';
}

export interface DeployOptions extends HostOptions {
  readonly verify: boolean;
  readonly ca?: string;
  readonly serial?: number;
}

/** `root@203.0.113.10:2222`; null is left to ssh. */
export interface Login {
  readonly address: string;
  readonly user: string | null;
  readonly port: number | null;
}

export function addHostOptions(command: Command): Command {
  return command
    .option('--local', 'this machine is the host')
    .option(
      '--host <user@host>',
      'a host, by ssh; can be repeated (default: those of rtc-ops.yaml)',
      loginOption,
    )
    .option('--inventory <file>', 'an inventory of Ansible that says how to reach the hosts', fileOption)
    .option('--limit <pattern>', 'only the hosts of this pattern, as Ansible has it')
    .option('--private-key <file>', 'the key for ssh (default: as ssh is configured)', fileOption)
    .option('--ssh-common-args <arguments>', 'further arguments for ssh, such as "-o ProxyJump=bastion"')
    .option('--check', 'say what would be done, and change nothing')
    .option('--yes', 'do it without asking')
    .addOption(
      new Option('--format <format>', 'how to print the report').choices(['human', 'json']).default('human'),
    );
}

/** An option that is repeated adds to its list. */
export function loginOption(text: string, previous: readonly Login[] | undefined): Login[] {
  const [, user, bracketed, plain, digits] =
    /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^:@\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  // A word that begins with a dash would be an option of ssh.
  if (!isHost(address) || address.startsWith('-') || user?.startsWith('-') === true) {
    throw new InvalidArgumentError('Write USER@HOST, such as root@203.0.113.10 or admin@[2001:db8::1]:2222.');
  }
  return [
    ...(previous ?? []),
    { address, user: user ?? null, port: digits === undefined ? null : Number(digits) },
  ];
}
