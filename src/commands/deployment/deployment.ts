import { parseHostFacts, type HostFacts } from '../../ansible/host-facts.ts';
import { planOf } from '../../ansible/plan.ts';
import type { HostFailure, PlaybookResult } from '../../ansible/playbook.ts';
import type { HostDeployment, HostPlan, Verification } from '../../model/deployment.ts';
import { RtcOpsError } from '../../model/error.ts';
import { deployTargets, type DeployTarget } from './target.ts';
import { stunServersFor, withAddresses, type StunServer } from './host-addresses.ts';
import type { DeployOptions, HostOptions } from './options.ts';
import type { RunOnHosts } from './playbook-run.ts';
import { endedOwner } from './run-owner.ts';
import { hostState, type HostState, type StateOptions } from './host-state.ts';

/** A host that was looked at, with what is to be done there. */
export interface Job {
  readonly target: DeployTarget;
  readonly facts: HostFacts;
  readonly state: HostState;
  readonly plan: HostPlan;
}

/** What a deployment does to the world, beside running playbooks. */
export interface DeploymentSteps {
  readonly run: RunOnHosts;
  /** Null where it is not wanted. */
  readonly verify: (target: DeployTarget) => Promise<Verification | null>;
}

/**
 * Looks at the hosts and plans. A host that cannot be reached is a result; a config that cannot be had is not.
 * @throws RtcOpsError `configuration`, `usage`
 */
export async function planDeployment(
  setting: StateOptions,
  options: HostOptions,
  run: RunOnHosts,
): Promise<{ readonly jobs: Job[]; readonly lost: HostDeployment[] }> {
  const targets = deployTargets(setting.shared, options);
  const { found, lost } = await lookAt(targets, setting.key, run, stunServersFor(setting.shared, targets));
  const jobs: Job[] = [];
  for (const { target: named, facts } of found) {
    refuseForeignSystem(named, facts);
    const { target, shared, notes } = withAddresses(setting.shared, named, facts);
    const state = await hostState(target, facts, { ...setting, shared });
    const plan = planOf(facts, state.wanted);
    jobs.push({
      target,
      facts,
      state,
      plan: { ...plan, notes: [...plan.notes, ...notes, ...state.notes] },
    });
  }
  return { jobs, lost };
}

/** The facts of hosts, and those that did not answer. */
export async function lookAt(
  targets: readonly DeployTarget[],
  key: string,
  run: RunOnHosts,
  stun: readonly StunServer[] = [],
): Promise<{ found: { target: DeployTarget; facts: HostFacts }[]; lost: HostDeployment[] }> {
  const asked = stun.length === 0 ? {} : { coturn_facts_stun: stun };
  const result = await run('facts', targets, { ofAll: { coturn_facts_key: key, ...asked } });
  const found = targets.flatMap((target) => {
    const output = outputOf(result, target, 'Look at the host');
    return output === null ? [] : [{ target, facts: parseHostFacts(output) }];
  });
  const lost = targets.flatMap((target) => {
    const failure = result.failures.get(target.host.name);
    return failure === undefined ? [] : [lostHost(target, failure)];
  });
  if (found.length + lost.length > 0) return { found, lost };
  throw new RtcOpsError('usage', 'none of the hosts of rtc-ops.yaml is among those that were named', {
    hint: `They are ${targets.map(({ host }) => host.name).join(', ')}.`,
  });
}

function outputOf(result: PlaybookResult, { host }: DeployTarget, task: string): string | null {
  const found = result.results.find((each) => each.host === host.name && each.task === task);
  return found?.output ?? null;
}

function refuseForeignSystem({ host }: DeployTarget, { system }: HostFacts): void {
  if ([system.id, ...system.like].some((id) => id === 'debian' || id === 'ubuntu')) return;
  throw new RtcOpsError(
    'configuration',
    `${host.name} runs ${system.name}; a deployment knows Debian and Ubuntu`,
    {
      hint: 'rtc-ops render --out DIR writes the files, to be put there by hand.',
    },
  );
}

function lostHost(target: DeployTarget, { kind, message }: HostFailure): HostDeployment {
  const { by, host } = target;
  const login = by === 'local' || target.connection.kind === 'inventory' ? host.name : by;
  const test =
    by === 'local'
      ? 'sudo -n true'
      : `ssh -o BatchMode=yes ${login} ${kind === 'failed' ? 'sudo -n true' : 'true'}`;
  return {
    ...unknownHost(target),
    outcome: 'failed',
    because: `${kind === 'unreachable' ? 'it cannot be reached' : 'it cannot be looked at as root'}: ${message}`,
    hint: `This has to work without a question: ${test}`,
  };
}

function unknownHost({ host, by }: DeployTarget): HostDeployment {
  return {
    name: host.name,
    by,
    system: null,
    coturn: null,
    plan: null,
    outcome: 'planned',
    because: null,
    hint: null,
    warnings: [],
    verification: null,
    generation: null,
    generations: [],
  };
}

/** A host of which no more is known than the plan. */
export function plannedHost({ target, facts, plan }: Pick<Job, 'target' | 'facts' | 'plan'>): HostDeployment {
  return {
    ...unknownHost(target),
    system: facts.system.name,
    coturn: facts.coturn.installed,
    plan,
    outcome: plan.steps.length === 0 ? 'unchanged' : 'planned',
    generation: facts.state?.current ?? null,
    generations: facts.state?.generations ?? [],
  };
}

/** Does what is planned, a batch after the other. One that does not end well is the last. */
export async function applyPlans(
  jobs: readonly Job[],
  { serial = jobs.length }: Pick<DeployOptions, 'serial'>,
  steps: DeploymentSteps,
): Promise<HostDeployment[]> {
  const done: HostDeployment[] = [];
  for (let start = 0; start < jobs.length; start += serial) {
    const stopped = done.some(({ because }) => because !== null);
    const batch = jobs.slice(start, start + serial);
    done.push(
      ...(stopped
        ? batch.map((job) => ({ ...plannedHost(job), because: 'an earlier batch did not end well' }))
        : await applyBatch(batch, steps)),
    );
  }
  return done;
}

async function applyBatch(batch: readonly Job[], steps: DeploymentSteps): Promise<HostDeployment[]> {
  const toChange = batch.filter(({ plan }) => plan.steps.length > 0);
  const applied = toChange.length === 0 ? null : await apply(toChange, steps.run);
  const results = await Promise.all(
    batch.map(async (job) => {
      const failure = applied?.failures.get(job.target.host.name);
      if (failure !== undefined) return { job, result: failedHost(job, failure) };
      const committed = applied && outputOf(applied, job.target, 'Keep this state');
      const generation = committed
        ? (JSON.parse(committed) as { generation: number }).generation
        : plannedHost(job).generation;
      const outcome = toChange.includes(job) ? 'changed' : 'unchanged';
      const verification = await steps.verify(job.target);
      const served = applied && outputOf(applied, job.target, 'See that it serves');
      const warnings = served ? (JSON.parse(served) as { warnings: string[] }).warnings : [];
      const result = { ...plannedHost(job), outcome, generation, warnings, ...judged(verification) } as const;
      return { job, result };
    }),
  );
  const toTakeBack = results.filter(({ result }) => result.outcome === 'changed' && result.because !== null);
  const takenBack = await takeBack(
    toTakeBack.map(({ job, result }) => ({ job, from: result.generation })),
    steps.run,
  );
  return results.map(({ job, result }) => ({ ...result, ...takenBack.get(job) }));
}

async function apply(jobs: readonly Job[], run: RunOnHosts): Promise<PlaybookResult> {
  const variables = new Map(
    jobs.map(({ target, state, facts }) => [
      target,
      { ...state.variables, coturn_deployment_ended: endedOwner(facts) },
    ]),
  );
  return run('deploy', [...variables.keys()], { of: (target) => variables.get(target) ?? {} });
}

function judged(
  verification: Verification | null,
): Pick<HostDeployment, 'verification' | 'because' | 'hint'> {
  return {
    verification,
    because:
      verification === null || verification.holds
        ? null
        : `the service does not verify: ${verification.headline}`,
    hint: null,
  };
}

/** The last task of the role when it has taken everything back. */
const takenBackTask = 'Tell what failed';

function failedHost(job: Job, { kind, task, message }: HostFailure): HostDeployment {
  const planned = plannedHost(job);
  if (kind === 'failed' && task === takenBackTask)
    return { ...planned, outcome: 'rolled-back', because: message };
  const hint = 'Run the same command again: it goes on from there.';
  const because = kind === 'unreachable' ? `the connection was lost: ${message}` : `${task}: ${message}`;
  return { ...planned, outcome: 'failed', because, hint };
}

/** Brings back what was there before, and looks whether it serves again. */
async function takeBack(
  changed: readonly { readonly job: Job; readonly from: number | null }[],
  run: RunOnHosts,
): Promise<Map<Job, Pick<HostDeployment, 'outcome' | 'hint' | 'generation'>>> {
  const outcomes = new Map<Job, Pick<HostDeployment, 'outcome' | 'hint' | 'generation'>>();
  if (changed.length === 0) return outcomes;
  const jobs = changed.map(({ job }) => job);
  const before = new Map(jobs.map((job) => [job.target, job.facts.state?.current ?? 0]));
  const present = new Map(changed.map(({ job, from }) => [job.target, from]));
  const targets = [...before.keys()];
  const result = await run('rollback', targets, {
    // What somebody else has deployed meanwhile is not ours to take back.
    of: (target) => ({
      coturn_rollback_to: before.get(target),
      coturn_rollback_from: String(present.get(target) ?? ''),
    }),
  });
  const { found } = await lookAt(targets, 'of no use', run);
  for (const job of jobs) {
    const generation = before.get(job.target) ?? 0;
    const failure = result.failures.get(job.target.host.name);
    const after = found.find(({ target }) => target === job.target)?.facts;
    const lack =
      failure?.message ?? (after === undefined ? 'it does not answer any more' : lackOf(job.facts, after));
    outcomes.set(
      job,
      lack === null
        ? { outcome: 'rolled-back', hint: null, generation }
        : { outcome: 'failed', hint: `It is not as it was before: ${lack}`, generation },
    );
  }
  return outcomes;
}

/** What a host lacks of the service that it had before; null when it has it all. */
function lackOf(before: HostFacts, after: HostFacts): string | null {
  if (before.service.active === 'active' && after.service.active !== 'active') return 'coturn does not run';
  const ports = ({ listeners }: HostFacts): Set<string> =>
    new Set(
      listeners.flatMap(({ process, protocol, port }) =>
        process === 'turnserver' ? [`${protocol} ${port}`] : [],
      ),
    );
  const missing = [...ports(before)].filter((port) => !ports(after).has(port));
  if (missing.length > 0) return `coturn does not listen on ${missing.join(', ')}`;
  if (before.coturn.installed === null && after.coturn.installed !== null) return 'coturn is still installed';
  return null;
}
