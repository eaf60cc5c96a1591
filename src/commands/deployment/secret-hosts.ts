import type { HostFacts } from '../../ansible/host-facts.ts';
import type { HostDeployment } from '../../model/deployment.ts';
import type { CommandContext } from '../context.ts';
import { plannedHost, type Job } from './deployment.ts';
import { checkLogin, type LoginAnswer } from './login-check.ts';
import type { RunOnHosts } from './playbook-run.ts';
import type { SecretRotation } from './secret-rotation.ts';

export interface RotationOptions {
  /** For how long a credential is good at most. */
  readonly ttlSeconds: number;
  /** Whether the old secret goes before that. */
  readonly force: boolean;
  /** How many hosts at once. */
  readonly serial?: number;
}

// As in ansible/roles/coturn/files/rotation.py: between the last host that accepts a new secret and the first credential
// that is made with it.
const marginSeconds = 300;

/** When the last credential that is made with an old secret ends, by what a host has noted; null where it has not. */
export function endOfOldSecret({ state }: Pick<HostFacts, 'state'>): Date | null {
  const rotation = state?.rotation ?? null;
  if (rotation === null) return null;
  return new Date(Date.parse(rotation.at) + (rotation.ttlSeconds + marginSeconds) * 1000);
}

/** Why a host cannot take part; null where it can. */
export function obstacle(
  { facts, plan }: Pick<Job, 'facts' | 'plan'>,
  { step }: Pick<SecretRotation, 'step'>,
  { force, now }: { readonly force: boolean; readonly now: Date },
): string | null {
  if (facts.secrets === null) {
    return 'its coturn reads its secrets only when it starts: each change of them restarts it, which ends all calls';
  }
  if (plan.steps.some(({ kind }) => kind !== 'secret')) {
    return 'more is to be changed there than its secrets: rtc-ops deploy does that first';
  }
  if (step === 'begin' || force || plan.steps.length === 0) return null;
  const end = endOfOldSecret(facts);
  if (end === null)
    return 'it is not known since when the new secret is in use there; --force takes the old one away';
  if (now >= end) return null;
  return `until ${timeText(end)} there are credentials made with the old secret; --force ends them now`;
}

/** `2026-11-22T15:04:05Z`. */
export function timeText(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Does a step on hosts that nothing hinders, some at a time; the first that does not end well is the last. */
export async function rotateOnHosts(
  jobs: readonly Job[],
  rotation: SecretRotation,
  options: RotationOptions,
  run: RunOnHosts,
  context: CommandContext,
): Promise<HostDeployment[]> {
  const done: HostDeployment[] = [];
  const { serial = jobs.length } = options;
  for (let start = 0; start < jobs.length; start += serial) {
    const batch = jobs.slice(start, start + serial);
    const isStopped = done.some(({ because }) => because !== null);
    done.push(
      ...(isStopped
        ? batch.map((job) => ({ ...plannedHost(job), because: 'an earlier batch did not end well' }))
        : await rotateBatch(batch, rotation, options, run, context)),
    );
  }
  return done;
}

async function rotateBatch(
  batch: readonly Job[],
  rotation: SecretRotation,
  { ttlSeconds, force }: RotationOptions,
  run: RunOnHosts,
  context: CommandContext,
): Promise<HostDeployment[]> {
  const early = new Map<Job, string>();
  for (const job of batch) {
    const lack = rotation.step === 'finish' ? await lackOf(job, rotation, context, 'before') : null;
    if (lack !== null) early.set(job, lack);
  }
  const ready = batch.filter((job) => !early.has(job));
  const variables = new Map(ready.map((job) => [job.target, job.state.variables]));
  const { failures } =
    ready.length === 0
      ? { failures: new Map<string, { task: string; message: string }>() }
      : await run('rotate-secret', [...variables.keys()], {
          of: (target) => variables.get(target) ?? {},
          ofAll: { coturn_secret_ttl: ttlSeconds, coturn_rotation_force: force },
        });
  return Promise.all(
    batch.map(async (job) => {
      const failure = failures.get(job.target.host.name);
      const because =
        early.get(job) ??
        (failure === undefined ? await lackOf(job, rotation, context, 'after') : failure.message);
      const outcome = because !== null ? 'failed' : job.plan.steps.length > 0 ? 'changed' : 'unchanged';
      return { ...plannedHost(job), outcome, because };
    }),
  );
}

/** What a host says to each secret that is not what it should say; null where all is well. */
async function lackOf(
  { target: { host, config } }: Job,
  { step, accepted, gone }: SecretRotation,
  context: CommandContext,
  when: 'before' | 'after',
): Promise<string | null> {
  const [first, second] = accepted;
  const names = step === 'begin' ? ['the new secret', 'the present secret'] : ['the new secret', ''];
  for (const [index, secret] of [first, second].entries()) {
    if (secret === undefined) continue;
    const answer = await checkLogin({ host, config, secret }, context);
    if (answer.kind !== 'accepted') return `${names[index]} ${answerText(answer)}`;
  }
  if (gone === null || when === 'before') return null;
  const answer = await checkLogin({ host, config, secret: gone }, context);
  return answer.kind === 'refused' ? null : `the old secret ${answerText(answer)}`;
}

function answerText(answer: LoginAnswer): string {
  switch (answer.kind) {
    case 'accepted':
      return 'is still accepted';
    case 'refused':
      return 'is refused';
    case 'unknown':
      return `could not be tried: ${answer.because}`;
    default:
      return answer satisfies never;
  }
}
