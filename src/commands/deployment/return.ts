import { rm } from 'node:fs/promises';
import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import { requireConfig } from '../../config/load.ts';
import { serverSettings } from '../../coturn/server-settings.ts';
import { createTemporaryDirectory } from '../../coturn/temporary-directory.ts';
import { nearestVersion } from '../../coturn/versions.ts';
import type { DeploymentReport, HostDeployment, HostPlan } from '../../model/deployment.ts';
import { requireAnsible } from './ansible-tool.ts';
import { confirm } from './confirmation.ts';
import type { CommandContext } from '../context.ts';
import { lookAt, plannedHost } from './deployment.ts';
import { endedOwner } from './run-owner.ts';
import { deployTargets, type DeployTarget } from './target.ts';
import type { HostOptions } from './options.ts';
import { renderedFor, returnNotes, returnObstacle } from './version-notes.ts';
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
  /** Why it is not done; null where it is, or where there is nothing to do. */
  readonly because: string | null;
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
    const planned = [...jobs.map(plannedReturn), ...lost];
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
  const wanted = back.numberFor(facts);
  const { at = 'unknown', coturn = null } =
    facts.state?.generations.find((each) => each.number === wanted) ?? {};
  const obstacle = wanted === null ? back.because : returnObstacle(facts, coturn);
  const number = obstacle === null ? wanted : null;
  const steps = number === null ? [] : [{ kind: 'file' as const, title: back.title(number, at), diff: null }];
  return {
    target,
    facts,
    number,
    because: obstacle,
    plan: { steps, notes: number === null ? [] : returnNotes(facts, coturn) },
  };
}

function plannedReturn(job: ReturnJob): HostDeployment {
  const planned = plannedHost(job);
  return job.because === null ? planned : { ...planned, outcome: 'failed', because: job.because };
}

async function goBack(
  command: Return['command'],
  jobs: readonly ReturnJob[],
  run: RunOnHosts,
): Promise<Map<string, HostDeployment>> {
  const variables = new Map(
    jobs.map(({ target, number, facts }): [DeployTarget, RoleVariables] => [
      target,
      {
        ...(command === 'rollback' ? { coturn_rollback_to: number } : {}),
        coturn_deployment_ended: endedOwner(facts),
      },
    ]),
  );
  const targets = [...variables.keys()];
  const { failures } = await run(command, targets, { of: (target) => variables.get(target) ?? {} });
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

/** A service that is switched on has to run, and to listen where its configuration says. */
export function lackOf(after: Pick<HostFacts, 'service' | 'files' | 'listeners'> | undefined): string | null {
  if (after === undefined) return 'it does not answer any more';
  const { enabled, active } = after.service;
  if (enabled !== 'enabled') return null;
  if (active !== 'active') return 'coturn does not run';
  const missing = missingListeners(after);
  return missing.length === 0 ? null : `coturn does not listen on ${missing.join(', ')}`;
}

/** The listeners that a configuration of ours promises and that its coturn does not have, such as `tcp 5349`. */
function missingListeners({ files, listeners }: Pick<HostFacts, 'files' | 'listeners'>): string[] {
  const text = files['/etc/turnserver.conf']?.text ?? '';
  const made = renderedFor(text);
  if (made === null) return [];
  const held = new Set(
    listeners.flatMap(({ process, protocol, port }) =>
      process === 'turnserver' ? [`${protocol} ${port}`] : [],
    ),
  );
  return serverSettings(text, nearestVersion(made))
    .openings.filter(({ purpose }) => purpose !== 'relay')
    .map(({ protocol, ports }) => `${protocol} ${ports.first}`)
    .filter((socket) => !held.has(socket));
}
