import type { DeploymentReport, HostDeployment } from '../../model/deployment.ts';
import { exitCode } from '../../model/error.ts';
import { schemaVersion, type Verdict } from '../../model/report.ts';
import { version } from '../../model/version.ts';
import type { CommandContext } from '../context.ts';
import type { HostOptions } from './options.ts';
import { wantsColor } from '../report.ts';

/** What came of all hosts, as the report. */
export function deploymentReport(
  command: DeploymentReport['command'],
  hosts: readonly HostDeployment[],
  { check, startedAt, now }: { readonly check: boolean; readonly startedAt: Date; readonly now: Date },
): DeploymentReport {
  const verdict = verdictOf(hosts);
  const fails =
    hosts.some(({ because }) => because !== null) || verdict === 'unknown' || verdict === 'broken';
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command,
    startedAt: startedAt.toISOString(),
    durationMs: now.getTime() - startedAt.getTime(),
    check,
    verdict,
    headline: headlineOf(hosts, verdict),
    exitCode: fails ? exitCode.findings : exitCode.healthy,
    hosts,
    next: null,
  };
}

const worstFirst: readonly Verdict[] = ['broken', 'unknown', 'degraded', 'healthy'];

function verdictOf(hosts: readonly HostDeployment[]): Verdict | null {
  if (hosts.some(({ because }) => because !== null)) return 'broken';
  const verdicts = new Set(
    hosts.flatMap(({ verification, warnings }): Verdict[] => [
      ...(verification === null ? [] : [verification.verdict]),
      // A relay that works, and whose log says that something is amiss.
      ...(warnings.length > 0 ? ['degraded' as const] : []),
    ]),
  );
  return worstFirst.find((each) => verdicts.has(each)) ?? null;
}

function headlineOf(hosts: readonly HostDeployment[], verdict: Verdict | null): string {
  const failing = hosts.filter(({ because }) => because !== null);
  if (failing.length > 0) {
    const first = failing.find(({ outcome }) => outcome !== 'planned') ?? failing[0];
    return `${countOf(failing.length, hosts.length)} not as wanted: ${first?.name}: ${first?.because}`;
  }
  const count = (outcome: HostDeployment['outcome']): number =>
    hosts.filter((host) => host.outcome === outcome).length;
  const parts = [
    [count('changed'), 'changed'],
    [count('unchanged'), 'as wanted already'],
    [count('planned'), 'to be changed'],
  ] as const;
  const what = parts.flatMap(([number, text]) =>
    number === 0 ? [] : [`${countOf(number, hosts.length)} ${text}`],
  );
  const proof = { healthy: ', verified from here', degraded: ', verified from here with warnings' };
  const isProven = hosts.some(({ verification }) => verification !== null);
  return `${what.join(', ')}${isProven && (verdict === 'healthy' || verdict === 'degraded') ? proof[verdict] : ''}`;
}

function countOf(number: number, all: number): string {
  return all === 1 ? 'the host is' : `${number} of ${all} hosts ${number === 1 ? 'is' : 'are'}`;
}

/** Shows what is about to be done, for somebody who is going to be asked. */
export async function printPlans(
  hosts: readonly HostDeployment[],
  options: HostOptions,
  context: CommandContext,
): Promise<void> {
  const { renderPlans } = await import('../../report/human-deployment.ts');
  context.stdout(renderPlans(hosts, { color: wantsColor(options, context), columns: context.columns }));
}

export async function printDeployment(
  report: DeploymentReport,
  options: HostOptions,
  context: CommandContext,
): Promise<void> {
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  if (options.format === 'json') {
    context.stdout(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const { renderDeployment } = await import('../../report/human-deployment.ts');
  context.stdout(renderDeployment(report, { color: wantsColor(options, context), columns: context.columns }));
}
