import { rm } from 'node:fs/promises';
import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import { requireConfig } from '../../config/load.ts';
import { createTemporaryDirectory } from '../../coturn/temporary-directory.ts';
import type { DeploymentReport, HostDeployment, HostPlan } from '../../model/deployment.ts';
import { requireAnsible } from './ansible-tool.ts';
import { confirm } from './confirmation.ts';
import type { CommandContext } from '../context.ts';
import { lookAt, plannedHost } from './deployment.ts';
import { deployTargets, type DeployTarget } from './target.ts';
import type { HostOptions } from './options.ts';
import { deploymentReport, printDeployment, printPlans } from './report.ts';
import { playbookRunner, type RunOnHosts } from './playbook-run.ts';
import { progressLine } from '../progress.ts';

/** Going back, to a generation that hosts keep. */
export interface Return {
  readonly command: Extract<DeploymentReport['command'], 'rollback' | 'remove'>;
  /** The number to go back to; null where a host has nothing to go back to, or is there already. */
  readonly numberFor: (facts: HostFacts) => number | null;
  /** Why a host keeps nothing to go back to is an error, and not just nothing to do; null when it is not. */
  readonly because: string | null;
  /** What is done, as an imperative. */
  readonly title: (number: number, at: string) => string;
}

interface ReturnJob {
  readonly target: DeployTarget;
  readonly facts: HostFacts;
  readonly number: number | null;
  readonly plan: HostPlan;
}

/** Brings an earlier state back on hosts, after asking, and looks whether coturn runs there as it did. */
export async function returnHosts(
  back: Return,
  options: HostOptions,
  context: CommandContext,
): Promise<void> {
  const startedAt = context.now();
  const { config } = await requireConfig({
    config: options.config,
    workingDirectory: context.workingDirectory,
  });
  const targets = deployTargets(config, options);
  await requireAnsible(options, context);
  const directory = await createTemporaryDirectory('rtc-ops-deploy-');
  const progress = await progressLine(options, context);
  try {
    const run = playbookRunner(directory, options, context, progress);
    const { found, lost } = await lookAt(targets, 'of no use', run);
    const jobs = found.map(({ target, facts }) => jobOf(target, facts, back));
    const planned = [...jobs.map((job) => plannedReturn(job, back)), ...lost];
    const todo = jobs.filter(({ number }) => number !== null);
    let hosts: HostDeployment[] = planned;
    if (options.check !== true && todo.length > 0) {
      progress.pause();
      if (options.format === 'human') await printPlans(planned, options, context);
      await confirm(options, context);
      const done = await goBack(back.command, todo, run);
      hosts = planned.map((host) => done.get(host.name) ?? host);
    }
    progress.stop();
    const times = { check: options.check === true, startedAt, now: context.now() };
    await printDeployment(deploymentReport(back.command, hosts, times), options, context);
  } finally {
    progress.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function jobOf(target: DeployTarget, facts: HostFacts, back: Return): ReturnJob {
  const number = back.numberFor(facts);
  const at = facts.state?.generations.find((each) => each.number === number)?.at;
  const steps =
    number === null
      ? []
      : [{ kind: 'file' as const, title: back.title(number, at ?? 'unknown'), diff: null }];
  return { target, facts, number, plan: { steps, notes: [] } };
}

function plannedReturn(job: ReturnJob, { because }: Return): HostDeployment {
  const planned = plannedHost(job);
  return job.number === null && because !== null ? { ...planned, outcome: 'failed', because } : planned;
}

async function goBack(
  command: Return['command'],
  jobs: readonly ReturnJob[],
  run: RunOnHosts,
): Promise<Map<string, HostDeployment>> {
  const numbers = new Map(jobs.map(({ target, number }) => [target, number]));
  const targets = [...numbers.keys()];
  const of = (target: DeployTarget): RoleVariables => ({ coturn_rollback_to: numbers.get(target) });
  const { failures } = await run(command, targets, command === 'rollback' ? { of } : {});
  const { found } = await lookAt(targets, 'of no use', run);
  return new Map(
    jobs.map((job) => {
      const { name } = job.target.host;
      const after = found.find(({ target }) => target === job.target)?.facts;
      const failure = failures.get(name);
      const because = failure === undefined ? lackOf(after) : `${failure.task}: ${failure.message}`;
      const generation = after?.state?.current ?? null;
      const outcome = because === null ? 'changed' : 'failed';
      return [name, { ...plannedHost(job), outcome, because, generation }];
    }),
  );
}

/** A service that is switched on has to run. */
function lackOf(after: HostFacts | undefined): string | null {
  if (after === undefined) return 'it does not answer any more';
  const { enabled, active } = after.service;
  return enabled === 'enabled' && active !== 'active' ? 'coturn does not run' : null;
}
