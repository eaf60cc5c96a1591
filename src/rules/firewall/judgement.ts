import { familyOf } from '../../model/endpoint.ts';
import { exitCode } from '../../model/error.ts';
import type { FirewallFacts } from '../../model/firewall-facts.ts';
import type { FirewallManager, FirewallOpening, FirewallReport } from '../../model/firewall-report.ts';
import { openingPurposes, spanText, type Opening } from '../../model/firewall.ts';
import { wordsOf } from '../../model/finding.ts';
import { listenerOutcome } from './listener-check.ts';
import { outsideOutcome } from './outside-check.ts';
import { managerOf, rulesOutcome, type Outcome } from './rules-check.ts';

export interface FirewallQuestion {
  readonly openings: readonly Opening[];
  /** What clients call the machine. */
  readonly host: string;
  /** Its own addresses as the config has them; empty when it has none. */
  readonly addresses: readonly string[];
  /** Those under which clients know it; empty when the config has none. */
  readonly publicAddresses: readonly string[];
  readonly facts: FirewallFacts;
}

export type FirewallJudgement = Omit<FirewallReport, 'schemaVersion' | 'tool' | 'command'>;

/** What the config promises, against what this machine lets in and listens to. */
export function judgeFirewall(question: FirewallQuestion): FirewallJudgement {
  const judged = question.openings.flatMap((opening) => judgedOpening(opening, question));
  const findings = judged.flatMap(({ outcomes }) => outcomes.flatMap((each) => each.findings));
  const openings = judged.map(({ opening }) => opening);
  const checks = openings.flatMap((opening) => opening.checks);
  const failed = checks.some(({ status }) => status === 'failed');
  const unknown = checks.some(({ status }) => status === 'unknown');
  return {
    verdict: failed ? 'broken' : unknown ? 'unknown' : 'healthy',
    headline: headlineOf(openings),
    exitCode: failed || unknown ? exitCode.findings : exitCode.healthy,
    manager: managerOfAll(question.facts),
    openings,
    notes: [...new Set(judged.flatMap(({ outcomes }) => outcomes.flatMap((each) => each.notes)))],
    findings: findings.map((finding) => {
      const words = wordsOf(finding);
      return { ...finding, ...words, fix: words.fix.join('\n') };
    }),
  };
}

/** Nothing for an opening in families that the machine has no address of, as far as that is known. */
function judgedOpening(
  promised: Opening,
  { facts, host, addresses, publicAddresses }: FirewallQuestion,
): { opening: FirewallOpening; outcomes: Outcome[] }[] {
  const isThere = (family: 4 | 6): boolean =>
    addresses.length > 0 || facts.addresses.some((address) => familyOf(address) === family);
  const present = promised.families.filter(isThere);
  const opening = { ...promised, families: present.length === 0 ? promised.families : present };
  const known = { ...facts, addresses: addresses.length > 0 ? addresses : facts.addresses };
  const rules = rulesOutcome(opening, known, host);
  const outcomes = [
    rules,
    listenerOutcome(opening, facts, { host, addresses }),
    outsideOutcome(opening, facts, { host, publicAddresses, rules: rules.check.status }),
  ].filter((each) => each !== null);
  const title = openingPurposes[opening.purpose];
  return [{ opening: { ...opening, title, checks: outcomes.map(({ check }) => check) }, outcomes }];
}

function headlineOf(openings: readonly FirewallOpening[]): string {
  const named = (status: string): string[] =>
    openings
      .filter(({ checks }) => checks.some((check) => check.status === status))
      .map(({ protocol, ports }) => `${protocol} ${spanText(ports)}`);
  const failed = named('failed');
  if (failed.length > 0) return `not in order: ${failed.join(', ')}`;
  const unknown = named('unknown');
  if (unknown.length > 0) return `it is not known whether these are open: ${unknown.join(', ')}`;
  return 'this machine lets in what rtc-ops.yaml promises, and coturn listens';
}

function managerOfAll({ rules }: FirewallFacts): FirewallManager | null {
  if (rules.state === 'unknown') return null;
  const filtering = rules.value.filter(({ chains }) => chains.some(({ base }) => base?.hook === 'input'));
  if (filtering.length === 0) return 'none';
  const managers = new Set(filtering.map((table) => managerOf([table], table.tool)));
  return (['firewalld', 'ufw', 'nftables', 'iptables'] as const).find((each) => managers.has(each)) ?? 'none';
}
