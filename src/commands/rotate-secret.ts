import { rm } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { requireConfig, type LoadedConfig } from '../config/load.ts';
import { createTemporaryDirectory } from '../coturn/temporary-directory.ts';
import type { HostDeployment } from '../model/deployment.ts';
import type { CommandContext } from './context.ts';
import { ttlSeconds } from './credentials-issue.ts';
import { confirm } from './deployment/confirmation.ts';
import { addHostOptions, type HostOptions } from './deployment/options.ts';
import type { SecretRotation } from './deployment/secret-rotation.ts';
import { countOption } from './option.ts';
import { progressLine, type ProgressLine } from './progress.ts';

interface Options extends HostOptions {
  readonly ttl: number;
  readonly finish?: boolean;
  readonly force?: boolean;
  readonly serial?: number;
}

const help = `
A new shared secret in two steps, without a restart of coturn: no call ends, and no login is refused.

  1. rtc-ops rotate-secret
     makes a secret, has every host accept it beside the present one, logs in with both, and only then puts it in the
     place of the present one: FILE of auth.secret is the new secret, FILE.old the one before, and rtc-ops.yaml names
     both. Bring it to all that issue credentials; rtc-ops credentials serve reads it again at SIGHUP.
  2. rtc-ops rotate-secret --finish
     takes the old one away, from the hosts and from rtc-ops.yaml, once the last credential that was made with it has
     ended (--ttl of step 1). Hosts have noted when that is, and refuse it before.

What is interrupted goes on when it is run again. A secret of your own is taken from FILE.new.

Examples:
  rtc-ops rotate-secret --ttl 12h
  rtc-ops rotate-secret --finish --check
  rtc-ops rotate-secret --finish --force    # a secret that has leaked

Exit code: 0 the step is done, 1 it is not, or not on all hosts, 2 usage, 3 configuration, 4 a tool that is needed is
missing or failed.`;

export function define(command: Command, context: CommandContext): void {
  addHostOptions(command)
    .addOption(
      new Option('--ttl <time>', 'the longest that any credential is good for')
        .argParser(ttlSeconds)
        .default(86_400, '24h'),
    )
    .option('--finish', 'take the old secret away')
    .option('--force', 'with --finish: now, also while there are credentials made with it')
    .option('--serial <count>', 'how many hosts at once; a batch that fails stops the rest', countOption)
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

async function run(options: Options, context: CommandContext): Promise<void> {
  const startedAt = context.now();
  const loaded = await requireConfig({ config: options.config, workingDirectory: context.workingDirectory });
  const [{ requireAnsible }, { secretRotation }, { deploymentReport, printDeployment }, { deployTargets }] =
    await Promise.all([
      import('./deployment/ansible-tool.ts'),
      import('./deployment/secret-rotation.ts'),
      import('./deployment/report.ts'),
      import('./deployment/target.ts'),
    ]);
  deployTargets(loaded.config, options);
  const rotation = await secretRotation(loaded, options.finish === true, context);
  await requireAnsible(options, context);
  const directory = await createTemporaryDirectory('rtc-ops-deploy-');
  const progress = await progressLine(options, context);
  try {
    const { hosts, next } = await rotate({ loaded, rotation, directory, progress }, options, context);
    progress.stop();
    const times = { check: options.check === true, startedAt, now: context.now() };
    await printDeployment({ ...deploymentReport('rotate-secret', hosts, times), next }, options, context);
  } finally {
    progress.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Work {
  readonly loaded: LoadedConfig;
  readonly rotation: SecretRotation;
  readonly directory: string;
  readonly progress: ProgressLine;
}

async function rotate(
  { loaded, rotation, directory, progress }: Work,
  options: Options,
  context: CommandContext,
): Promise<{ hosts: HostDeployment[]; next: string | null }> {
  const [
    { planDeployment, plannedHost },
    { playbookRunner },
    { settingOf },
    { printPlans },
    { obstacle, rotateOnHosts },
    { keepNextSecret },
    { secretGoes },
  ] = await Promise.all([
    import('./deployment/deployment.ts'),
    import('./deployment/playbook-run.ts'),
    import('./deployment/setting.ts'),
    import('./deployment/report.ts'),
    import('./deployment/secret-hosts.ts'),
    import('./deployment/secret-rotation.ts'),
    import('../ansible/plan.ts'),
  ]);
  const runOnHosts = playbookRunner(directory, options, context, progress);
  const setting = await settingOf(loaded, { directory, secrets: rotation.accepted }, context);
  const { jobs, lost } = await planDeployment(setting, options, runOnHosts);
  const force = options.force === true;
  const planned = jobs.map((job): HostDeployment => {
    const because = obstacle(job, rotation, { force, now: context.now() });
    const { steps, notes } = job.plan;
    const plan = { steps, notes: notes.filter((note) => note !== secretGoes) };
    return { ...plannedHost({ ...job, plan }), because };
  });
  const all = [...planned, ...lost, ...absent(loaded, [...planned, ...lost])];
  // One host that cannot come along keeps all from going: clients come to each with credentials of the same secret.
  if (options.check === true || all.some(({ because }) => because !== null))
    return { hosts: all, next: null };
  progress.pause();
  if (options.format === 'human') await printPlans(all, options, context);
  await confirm(options, context);
  await keepNextSecret(loaded, rotation, context.now());
  const serial = options.serial === undefined ? {} : { serial: options.serial };
  const how = { ttlSeconds: options.ttl, force, ...serial };
  const hosts = await rotateOnHosts(jobs, rotation, how, runOnHosts, context);
  if (hosts.some(({ because }) => because !== null)) return { hosts, next: null };
  await rotation.conclude();
  return { hosts, next: nextOf(rotation, options, context.now()) };
}

/** The hosts of rtc-ops.yaml that were not looked at, as --limit, --host or an inventory leaves them out. */
function absent({ config }: LoadedConfig, found: readonly HostDeployment[]): HostDeployment[] {
  return config.hosts
    .filter(({ name }) => !found.some((host) => host.name === name))
    .map(({ name }) => ({
      name,
      by: 'not asked for',
      system: null,
      coturn: null,
      plan: null,
      outcome: 'failed',
      because: 'it was left out, and clients come to it with credentials of the same secret',
      hint: 'Name all hosts of rtc-ops.yaml.',
      warnings: [],
      verification: null,
      generation: null,
      generations: [],
    }));
}

function nextOf({ step, file }: SecretRotation, { ttl }: Options, now: Date): string {
  if (step === 'finish') return `${file} is the only secret now.`;
  const end = new Date(now.getTime() + (ttl + 360) * 1000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
  return `${file} is the new secret: bring it to all that issue credentials. The old one goes on being accepted. From ${end} on: rtc-ops rotate-secret --finish`;
}
