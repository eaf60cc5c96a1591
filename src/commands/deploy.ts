import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { requireConfig } from '../config/load.ts';
import { createTemporaryDirectory } from '../coturn/temporary-directory.ts';
import type { HostDeployment, Verification } from '../model/deployment.ts';
import type { CommandContext } from './context.ts';
import type { DeployTarget } from './deployment/target.ts';
import { confirm } from './deployment/confirmation.ts';
import { addHostOptions, type DeployOptions } from './deployment/options.ts';
import { countOption, fileOption } from './option.ts';
import type { StateOptions } from './deployment/host-state.ts';
import type { Login } from './deployment/verification.ts';
import { progressLine, type ProgressLine } from './progress.ts';

const help = `
Looks at each host, renders its files for the coturn that it has, shows what would change, asks, does it, and probes the
service from here with a call over every transport. What does not verify is rolled back: a host ends with a service that
is proven, or as it was before. A second run changes nothing. It works by Ansible, over ssh as root or with sudo.

Examples:
  rtc-ops deploy --host root@203.0.113.10
  rtc-ops deploy --check
  rtc-ops deploy --local --yes
  rtc-ops deploy --inventory hosts.yml --limit eu --serial 1

Exit code: 0 the service is deployed and verified (or, with --check, the plan is made), 1 it is not, or something of it
is unknown, 2 usage, 3 configuration, 4 a tool that is needed is missing or failed.`;

export function define(command: Command, context: CommandContext): void {
  addHostOptions(command)
    .option('--no-verify', 'do not probe the service afterwards')
    .option('--ca <file>', 'trust the certificates in this file (PEM), beside the usual ones', fileOption)
    .option('--serial <count>', 'how many hosts at once; a batch that fails stops the rest', countOption)
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<DeployOptions>(), context));
}

async function run(options: DeployOptions, context: CommandContext): Promise<void> {
  const startedAt = context.now();
  const loaded = await requireConfig({ config: options.config, workingDirectory: context.workingDirectory });
  const [{ requireAnsible }, { deploymentReport, printDeployment }, { deployTargets }, { settingOf }] =
    await Promise.all([
      import('./deployment/ansible-tool.ts'),
      import('./deployment/report.ts'),
      import('./deployment/target.ts'),
      import('./deployment/setting.ts'),
    ]);
  const ca = await trustedBeside(options, context);
  const directory = await createTemporaryDirectory('rtc-ops-deploy-');
  const progress = await progressLine(options, context);
  try {
    const setting = await settingOf(loaded, { directory }, context);
    deployTargets(loaded.config, options);
    await requireAnsible(options, context);
    const hosts = await deploy(setting, ca, progress, options, context);
    progress.stop();
    const times = { check: options.check === true, startedAt, now: context.now() };
    await printDeployment(deploymentReport('deploy', hosts, times), options, context);
  } finally {
    progress.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function trustedBeside({ ca }: DeployOptions, context: CommandContext): Promise<string | null> {
  if (ca === undefined) return null;
  const { trustAnchors } = await import('./trust-anchors.ts');
  return trustAnchors(ca, context);
}

async function deploy(
  setting: StateOptions,
  ca: string | null,
  progress: ProgressLine,
  options: DeployOptions,
  context: CommandContext,
): Promise<HostDeployment[]> {
  const [{ applyPlans, planDeployment, plannedHost }, { playbookRunner }, { printPlans }] = await Promise.all(
    [
      import('./deployment/deployment.ts'),
      import('./deployment/playbook-run.ts'),
      import('./deployment/report.ts'),
    ],
  );
  const runOnHosts = playbookRunner(setting.directory, options, context, progress);
  const { jobs, lost } = await planDeployment(setting, options, runOnHosts);
  if (options.check === true) return [...jobs.map(plannedHost), ...lost];
  if (jobs.some(({ plan }) => plan.steps.length > 0)) {
    progress.pause();
    if (options.format === 'human') await printPlans([...jobs.map(plannedHost), ...lost], options, context);
    await confirm(options, context);
  }
  const verifyTarget = async (target: DeployTarget): Promise<Verification | null> => {
    if (!options.verify) return null;
    const { verify } = await import('./deployment/verification.ts');
    const { host, config, connection } = target;
    const login = loginOf(setting);
    return verify({ host, config, login, isLocal: connection.kind === 'local', ca }, context, progress);
  };
  return [...(await applyPlans(jobs, options, { run: runOnHosts, verify: verifyTarget })), ...lost];
}

/** By what the service lets a probe in; the first secret is the one that issues. */
function loginOf({ secrets, passwords }: StateOptions): Login | null {
  const [secret] = secrets;
  if (secret !== undefined) return { kind: 'secret', secret };
  const [user] = passwords.users;
  return user === undefined ? null : { kind: 'user', username: user[0], password: user[1] };
}
