import { hostname } from 'node:os';
import { requireConfig } from '../config/load.ts';
import { RtcOpsError } from '../model/error.ts';
import type { FirewallReport } from '../model/firewall-report.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export interface CheckOptions extends GlobalOptions {
  readonly host?: string;
  readonly format: 'human' | 'json';
}

/** Looks at this machine, and says whether it lets in what the config promises. */
export async function runFirewallCheck(options: CheckOptions, context: CommandContext): Promise<void> {
  const { config } = await requireConfig({
    config: options.config,
    workingDirectory: context.workingDirectory,
  });
  const [{ openingsOf, ownAddressesOf }, { firewallFacts }, { judgeFirewall }] = await Promise.all([
    import('../coturn/firewall/openings.ts'),
    import('../probes/firewall/machine-probe.ts'),
    import('../rules/firewall/judgement.ts'),
  ]);
  const openings = openingsOf(config, options.host);
  const [only, ...others] = config.hosts;
  const host = options.host ?? (only !== undefined && others.length === 0 ? only.name : hostname());
  const addresses = ownAddressesOf(config, options.host);
  const facts = await firewallFacts(context.signal);
  refuseElsewhere(host, addresses, facts.addresses);
  const report: FirewallReport = {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'firewall check',
    ...judgeFirewall({ openings, host, addresses, facts }),
  };
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  if (options.format === 'json') {
    context.stdout(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const [{ renderFirewallHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-firewall.ts'),
    import('./report.ts'),
  ]);
  context.stdout(
    renderFirewallHuman(report, { color: wantsColor(options, context), columns: context.columns }),
  );
}

/** What is true of another machine says nothing about this one. */
function refuseElsewhere(host: string, addresses: readonly string[], here: readonly string[]): void {
  if (addresses.length === 0 || addresses.some((address) => here.includes(address))) return;
  throw new RtcOpsError('usage', `this machine is not ${host}: it has none of ${addresses.join(', ')}`, {
    hint: 'Run it on the server itself, where its rules and sockets are.',
  });
}
