import { finding, type Finding } from '../model/finding.ts';
import type { Observations, TargetFacts } from '../model/observations.ts';
import { hasAnswered } from './failure-kind.ts';
import { listenerOf } from './listener-evidence.ts';
import { vantageOfTarget } from './vantage.ts';

/** coturn 4.17.0 and 4.17.1, which send replies over UDP with an IP TTL of 1. */
const withTtlOne = /\bCoturn-(4\.17\.[01])\b/;

/**
 * REPLY_TTL_ONE: no program without privileges of its own sees the TTL of a datagram in Node.js, so the version tells,
 * together with a silence over UDP, or with a place from which no router is crossed.
 */
export function ttlFindings(observations: Observations): Finding[] {
  const { targets } = observations;
  return targets.flatMap((facts) => {
    const { target } = facts;
    if (target.transport !== 'udp') return [];
    const beside = targets.filter((other) => other.target.address === target.address);
    const version = beside.map(versionOf).find((each) => each !== null);
    if (version === undefined || version === null) return [];
    const silent = !hasAnswered(facts);
    const { kind } = vantageOfTarget(facts, observations);
    // What came from elsewhere has crossed a router, with a TTL of more than 1.
    if (!silent && kind !== 'same-host' && kind !== 'same-network') return [];
    const evidence = { ...listenerOf(target), version, silent };
    const severity = silent ? 'error' : 'warning';
    return [finding('REPLY_TTL_ONE', evidence, { severity, targets: [target.url] })];
  });
}

function versionOf({ binding }: TargetFacts): string | null {
  const software = binding.state === 'done' ? binding.value.software : null;
  return withTtlOne.exec(software ?? '')?.[1] ?? null;
}
