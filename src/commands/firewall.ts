import { Option, type Command } from 'commander';
import { requireConfig } from '../config/load.ts';
import { exitCode } from '../model/error.ts';
import { firewallBackends, openingPurposes, type FirewallBackend } from '../model/firewall.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import type { CheckOptions } from './firewall-check.ts';
import { peerUrlOption, portCountOption } from './option.ts';

interface ShowOptions extends GlobalOptions {
  readonly host?: string;
  readonly backend?: FirewallBackend;
  readonly format: 'human' | 'json';
}

const showHelp = `
Without --backend: the ports alone. With it: a script for that firewall, to be
read, pasted, or piped into sh. It adds rules and files of its own and leaves
all others as they are.

  ufw firewalld nftables                     on the server itself, as root or by
                                             sudo; it stops at what fails
  aws google-cloud azure hetzner digitalocean  in front of it, by their own tools;
                                             it runs them all, and ends with 1
                                             when one failed

Examples:
  rtc-ops firewall show
  rtc-ops firewall show --backend ufw | ssh turn.example.com sh
  SECURITY_GROUP=sg-0a1b2c3d rtc-ops firewall show --backend aws | sh`;

const checkHelp = `
Run it on the server, as root. It reads the rules that are loaded (nftables, and
iptables in both its kinds, so those of ufw, firewalld and Docker too), follows
a packet from the internet through them to each port of rtc-ops.yaml, and looks
at the sockets that listen. Nothing is changed. What cannot be decided is
unknown, with the rule that it depends on.

A firewall in front of the machine is not seen by that. With --from-peer, an
rtc-ops peer in another network sends to UDP ports of this machine that are
free, relay ports mostly, which have sent nothing themselves: what arrives, every
firewall on the way lets in. TCP ports, and ports that coturn has, it cannot try:
rtc-ops probe, from another network, does.

Exit code: 0 all is open and listening, 1 something is not or is unknown, 2
usage, 3 configuration.

Examples:
  sudo rtc-ops firewall check
  sudo rtc-ops firewall check --host turn.example.com --format json
  sudo rtc-ops firewall check --from-peer udp://peer.example.net:3479 --peer-secret-file peer.secret`;

export function define(command: Command, context: CommandContext): void {
  const show = command
    .command('show')
    .description('the ports to open, as the rules of a firewall')
    .option('--host <name>', 'which of the hosts of rtc-ops.yaml')
    .addOption(new Option('--backend <name>', 'the kind of firewall').choices(firewallBackends))
    .addOption(new Option('--format <format>', 'how to print it').choices(['human', 'json']).default('human'))
    .addHelpText('after', showHelp);
  const check = command
    .command('check')
    .description('whether this machine lets in what rtc-ops.yaml promises, and listens to it')
    .option('--host <name>', 'which of the hosts of rtc-ops.yaml this machine is')
    .option('--from-peer <url>', 'an "rtc-ops peer" in another network, udp://HOST:PORT', peerUrlOption)
    .option('--peer-secret-file <file>', 'the secret of that peer (default: RTC_OPS_PEER_SECRET)')
    .option('--ports <count>', 'how many relay ports that peer is to try', portCountOption, 16)
    .addOption(new Option('--format <format>', 'how to print it').choices(['human', 'json']).default('human'))
    .addHelpText('after', checkHelp);
  check.action(async () => {
    const { runFirewallCheck } = await import('./firewall-check.ts');
    await runFirewallCheck(check.optsWithGlobals<CheckOptions>(), context);
  });
  show.action(async () => runShow(show.optsWithGlobals<ShowOptions>(), context));
}

async function runShow(options: ShowOptions, context: CommandContext): Promise<void> {
  const { config } = await requireConfig({
    config: options.config,
    workingDirectory: context.workingDirectory,
  });
  const { backend, host } = options;
  const [{ openingsOf }, { firewallRules }, { firewallScript, openingLines }] = await Promise.all([
    import('../coturn/firewall/openings.ts'),
    import('../coturn/firewall/backends.ts'),
    import('../coturn/firewall/script.ts'),
  ]);
  const openings = openingsOf(config, host);
  const rules = backend === undefined ? null : firewallRules(backend, openings);
  context.exitWith(exitCode.healthy);
  if (options.format === 'json') {
    const report = {
      schemaVersion,
      tool: { name: 'rtc-ops', version },
      command: 'firewall show',
      openings: openings.map((opening) => ({
        ...opening,
        from: 'anywhere',
        title: openingPurposes[opening.purpose],
      })),
      rules,
    };
    context.stdout(`${JSON.stringify(report, null, 2)}\n`);
  } else if (rules === null) {
    context.stdout(`${openingLines(openings).join('\n')}\n`);
  } else {
    const heading = openingLines(openings).map((line) => `#   ${line}\n`);
    context.stdout(`# From anywhere:\n${heading.join('')}${firewallScript(rules)}`);
  }
}
