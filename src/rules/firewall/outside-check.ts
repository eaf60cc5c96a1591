import type { FirewallFacts, OutsideReach, ReachedPort } from '../../model/firewall-facts.ts';
import type { FirewallCheck } from '../../model/firewall-report.ts';
import { spanText, type Opening } from '../../model/firewall.ts';
import { finding } from '../../model/finding.ts';
import type { Outcome } from './rules-check.ts';

// As for the sampling of relay ports: when all answer, fewer of a larger range say too little.
const fewestSampled = 8;

export interface OutsideQuestion {
  readonly host: string;
  /** The addresses under which clients know this host; empty when the config does not say. */
  readonly publicAddresses: readonly string[];
  /** Whether the rules of this machine let the ports in. */
  readonly rules: FirewallCheck['status'];
}

/** Whether what comes from another network arrives; null when that was not asked for. */
export function outsideOutcome(
  opening: Opening,
  { outside }: FirewallFacts,
  question: OutsideQuestion,
): Outcome | null {
  if (outside === null) return null;
  if (opening.protocol === 'tcp') return skipped('an rtc-ops peer sends UDP alone');
  if (outside.state === 'unknown') return outcome('unknown', outside.because);
  const { ports: span } = opening;
  const families = outside.value.families
    .filter(({ family }) => opening.families.includes(family))
    .map((each) => ({
      ...each,
      ports: each.ports.filter(({ port }) => span.first <= port && port <= span.last),
    }));
  const tried = families.flatMap(({ ports }) => ports);
  if (tried.length > 0 && tried.every(({ state }) => state === 'busy'))
    return skipped('coturn, or another program, has the port');
  const strange = families.find(({ seenFrom }) => isStrange(seenFrom, question.publicAddresses));
  if (strange !== undefined) {
    return outcome(
      'unknown',
      `the peer sees this machine at ${strange.seenFrom}, and clients are sent to ${question.publicAddresses.join(', ')}`,
    );
  }
  return judged(opening, tried, outside.value, question);
}

function isStrange(seenFrom: string, known: readonly string[]): boolean {
  const sameFamily = known.filter((address) => address.includes(':') === seenFrom.includes(':'));
  return sameFamily.length > 0 && !sameFamily.includes(seenFrom);
}

function judged(
  opening: Opening,
  tried: readonly ReachedPort[],
  outside: OutsideReach,
  { host, rules }: OutsideQuestion,
): Outcome {
  const { url } = outside;
  const of = (state: ReachedPort['state']): number[] => [
    ...new Set(tried.filter((each) => each.state === state).map(({ port }) => port)),
  ];
  const silent = of('silent');
  const arrived = of('arrived').filter((port) => !silent.includes(port));
  const sampled = `${arrived.length} of ${arrived.length + silent.length} ports that were tried`;
  if (silent.length > 0) {
    const evidence = { host, peer: url, ports: spanText(opening.ports), silent, arrived };
    // What this machine drops itself needs no second finding.
    const findings = rules === 'failed' ? [] : [finding('FIREWALL_BLOCKS_OUTSIDE', evidence)];
    return outcome('failed', null, { detail: sampled, findings });
  }
  const unasked = of('unasked');
  if (unasked.length > 0) {
    return outcome(
      'unknown',
      `nothing came to ${unasked.length} of ${tried.length} ports, and ${url} is not known to have sent anything there`,
    );
  }
  const size = opening.ports.last - opening.ports.first + 1;
  if (arrived.length < Math.min(size, fewestSampled)) {
    return outcome('unknown', `too few ports were tried: ${arrived.length} of ${size}`);
  }
  return { ...outcome('passed', null, { detail: sampled }), notes: untriedFamilies(opening, outside) };
}

function untriedFamilies({ families }: Opening, { url, families: tried }: OutsideReach): string[] {
  return families
    .filter((family) => !tried.some((each) => each.family === family))
    .map((family) => `From outside IPv${family} was not tried: ${url} does not answer over it.`);
}

function skipped(because: string): Outcome {
  return outcome('skipped', because);
}

function outcome(
  status: FirewallCheck['status'],
  because: string | null,
  {
    detail = null,
    findings = [],
  }: { detail?: string; findings?: Outcome['findings'] } | { detail?: null; findings?: [] } = {},
): Outcome {
  return {
    check: { id: 'firewall-outside', status, because, detail, findings: findings.map(({ code }) => code) },
    findings,
    notes: [],
  };
}
