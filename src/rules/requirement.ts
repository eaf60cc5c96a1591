import { listenerChecks, type CheckId, type ListenerCheck } from '../model/check.ts';
import type { Observations, Target } from '../model/observations.ts';
import type { CheckReport, TargetReport } from '../model/report.ts';
import { isTurn, type TransportKind } from '../model/turn-uri.ts';
import type { Criteria, Requirement } from './criteria.ts';
import { serviceOf } from './service.ts';

/** What `healthy` needs of a listener when the user requires nothing in particular. */
const byDefault = neededFor('reach', 'relay', 'call', 'health');
const [reaching, relaying, calling] = [neededFor('reach'), neededFor('relay'), neededFor('call')];

function neededFor(...uses: readonly ListenerCheck['neededFor'][]): CheckId[] {
  return listenerChecks.filter((check) => uses.includes(check.neededFor)).map(({ id }) => id);
}

/** Checks that a listener has no use for, and that are met where they are skipped. */
const inapplicable: ReadonlySet<CheckId> = new Set(
  listenerChecks.filter(({ isMetBySkipping }) => isMetBySkipping === true).map(({ id }) => id),
);

const transports: readonly TransportKind[] = ['udp', 'tcp', 'tls'];

/**
 * One thing that the user requires. It is met for a host when one of its listeners passes all of it: a host with two
 * addresses is required over UDP, not over UDP at each of them.
 */
interface Goal {
  /** As the user names it: `udp`, `relay and call`. */
  readonly name: string;
  readonly concerns: (target: Target) => boolean;
  readonly checks: (target: Target) => readonly CheckId[];
}

/**
 * The goals of `--require`. A transport means all that makes it usable; with transports, `relay`, `call` and what the
 * limits measure are required over each of them, else over any.
 */
function goalsOf(require: readonly Requirement[], criteria: Criteria): Goal[] {
  const wanted = transports.filter((transport) => require.includes(transport));
  const limits = limitedChecks(criteria);
  const uses = [
    ...(require.includes('relay') ? ['relay'] : []),
    ...(require.includes('call') ? ['call'] : []),
    ...(limits.length > 0 ? ['a limit'] : []),
  ];
  const usesChecks = [
    ...(require.includes('relay') ? relaying : []),
    ...(require.includes('call') ? calling : []),
    ...limits,
  ];
  const overTransports = wanted.map((transport): Goal => ({
    name: [transport, ...uses].join(' with '),
    concerns: (target) => target.transport === transport,
    checks: (target) => [...reaching, ...(isTurn(target) ? (['turn-allocate'] as const) : []), ...usesChecks],
  }));
  const overAny: Goal[] =
    wanted.length > 0 || uses.length === 0
      ? []
      : [{ name: uses.join(' and '), concerns: () => true, checks: () => usesChecks }];
  const srflx: Goal = {
    name: 'srflx',
    concerns: ({ transport }) => transport === 'udp',
    // Behind a stun: URI nothing gathers; the mapped address is what becomes the candidate (RFC 8445 §5.1.1.2).
    checks: (target) => [isTurn(target) ? 'candidates-srflx' : 'stun-binding'],
  };
  return [...overTransports, ...overAny, ...(require.includes('srflx') ? [srflx] : [])];
}

/** A limit that is not measured is not kept. */
function limitedChecks(criteria: Criteria): readonly CheckId[] {
  const { maxRttMs, maxLossRatio, maxJitterMs, minMos } = criteria;
  const ofCall = [maxLossRatio, maxJitterMs, minMos].some((limit) => limit !== null);
  return [...(maxRttMs === null ? [] : (['stun-binding'] as const)), ...(ofCall ? calling : [])];
}

/** The checks of one target that `healthy` needs. */
export function requiredChecks(target: Target, criteria: Criteria): ReadonlySet<CheckId> {
  const { require } = criteria;
  if (require === null) return new Set(byDefault);
  const goals = goalsOf(require, criteria).filter(({ concerns }) => concerns(target));
  return new Set(goals.flatMap(({ checks }) => checks(target)));
}

/** Why something that `healthy` needs is not known, each reason once: names first, then what is required of listeners. */
export function openQuestions(
  names: readonly CheckReport[],
  targets: readonly TargetReport[],
  observations: Observations,
  criteria: Criteria,
): string[] {
  const resolved = observations.names.filter(
    ({ lookup, isControl }) => lookup.state === 'done' && !isControl,
  );
  const hosts = [...resolved, ...targets].map(({ host }) => host);
  return [
    ...new Set([
      ...names.flatMap(({ status, because, required }) =>
        required && status === 'unknown' && because !== null ? [because] : [],
      ),
      ...openRequirements([...new Set(hosts)], targets, criteria),
    ]),
  ];
}

/**
 * Why something that is required is not known, in words; empty when it is known, be it good or bad. `hosts` are those
 * whose name resolves.
 */
function openRequirements(
  hosts: readonly string[],
  targets: readonly TargetReport[],
  criteria: Criteria,
): string[] {
  const { require } = criteria;
  const isTested = (host: string): boolean => targets.some((target) => target.host === host);
  const untested = hosts
    .filter((host) => !isTested(host))
    .map((host) => `nothing of ${host} was tested: none of its addresses and transports was asked for`);
  if (require === null) return [...untested, ...targets.flatMap(openChecks)];
  const goals = goalsOf(require, criteria);
  const open = hosts
    .filter(isTested)
    .flatMap((host) => goals.flatMap((goal) => openGoal(goal, host, targets)));
  return [...untested, ...open];
}

/** The reasons of what is unknown and required at one target; none where a failure explains them. */
function openChecks(target: TargetReport): string[] {
  if (serviceOf(target) === 'not-served') return [];
  return target.checks
    .filter(({ required, status }) => required && status === 'unknown')
    .map(({ because, title }) => because ?? `it is not known whether ${title}`);
}

function openGoal(goal: Goal, host: string, targets: readonly TargetReport[]): string[] {
  const concerned = targets.filter((target) => target.host === host && goal.concerns(target));
  const able = concerned.filter((target) => canMeet(target, goal));
  if (able.length === 0) return [`${goal.name} is required, and nothing of ${host} was tested for it`];
  if (able.some((target) => meets(target, goal))) return [];
  return able.flatMap((target) => [...openChecks(target), ...leftOut(target, goal)]);
}

/** What a goal asks for and nobody tried, in words. */
function leftOut(target: TargetReport, goal: Goal): string[] {
  const ids = goal.checks(target);
  const skipped = target.checks.filter(({ id, status }) => ids.includes(id) && status === 'skipped');
  return skipped
    .filter(({ id }) => !inapplicable.has(id))
    .map(({ title, because }) => `whether ${title} was not tried: ${because}`);
}

/** Whether a target has every check of a goal, and one of them at least was not skipped. */
function canMeet(target: TargetReport, goal: Goal): boolean {
  const ids = goal.checks(target);
  const checks = target.checks.filter(({ id }) => ids.includes(id));
  return (
    ids.every((id) => checks.some((check) => check.id === id)) &&
    checks.some(({ status }) => status !== 'skipped')
  );
}

/**
 * A check that failed with a warning leaves users served; the warning is told, and the goal is met. One that was left
 * out, as by --no-call, is not met.
 */
function meets(target: TargetReport, goal: Goal): boolean {
  const ids = goal.checks(target);
  return target.checks
    .filter(({ id }) => ids.includes(id))
    .every(
      ({ id, status, severity }) =>
        status === 'passed' ||
        (status === 'skipped' && inapplicable.has(id)) ||
        (status === 'failed' && severity !== 'error'),
    );
}
