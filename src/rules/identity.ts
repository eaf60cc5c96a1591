import { finding, type Finding } from '../model/finding.ts';
import type { IdentityFacts, Observations, TargetFacts } from '../model/observations.ts';
import { listenerOf } from './listener-evidence.ts';

/** TWO_SERVERS_ANSWER for each port at which not one server alone answers. */
export function identityFindings({ targets }: Observations): Finding[] {
  return targets.flatMap((facts) => {
    const told = twoServers(facts);
    return told === null ? [] : [told];
  });
}

/** Null where all answers may be those of one server. */
export function twoServers(facts: TargetFacts): Finding | null {
  const { identities, target } = facts;
  if (identities.state !== 'done') return null;
  const answers = identities.value.answers.filter(({ code }) => code !== null);
  const differing = {
    realm: differ(answers.map(({ realm, code }) => (code === 401 ? realm : undefined))),
    software: differ(answers.map(({ software }) => software)),
    access: differ(answers.map(({ code }) => (code === 0 || code === 401 ? code : undefined))),
    credential: differ(answers.map(({ signed }) => (signed === 401 || signed === 437 ? signed : undefined))),
  };
  if (!Object.values(differing).includes(true)) return null;
  const kinds = new Map<string, number>();
  for (const answer of answers) {
    const words = describe(answer, differing);
    kinds.set(words, (kinds.get(words) ?? 0) + 1);
  }
  const seen = [...kinds].map(([words, count]) => `${count} of ${answers.length}: ${words}`);
  // Where both take the same users, these are served by either.
  const severity = differing.access || differing.credential ? 'error' : 'warning';
  const evidence = { ...listenerOf(target), seen };
  return finding('TWO_SERVERS_ANSWER', evidence, { severity, targets: [target.url] });
}

/** Whether a credential is good at one of the servers and not at the other. */
export function refusesSometimes({ identities }: TargetFacts): boolean {
  if (identities.state !== 'done') return false;
  const codes = new Set(identities.value.answers.map(({ signed }) => signed));
  return codes.has(401) && codes.has(437);
}

function differ<T>(values: readonly (T | undefined)[]): boolean {
  return new Set(values.filter((value) => value !== undefined)).size > 1;
}

function describe(
  { realm, software, code, signed }: IdentityFacts,
  differing: Readonly<Record<'realm' | 'software' | 'access' | 'credential', boolean>>,
): string {
  return [
    ...(differing.realm && realm !== null ? [`realm ${realm}`] : []),
    ...(differing.software ? [software ?? 'no SOFTWARE'] : []),
    ...(differing.access ? [code === 0 ? 'a relay without credentials' : 'asks for credentials'] : []),
    ...(differing.credential && signed !== null
      ? [signed === 401 ? 'refuses these credentials' : 'accepts these credentials']
      : []),
  ].join(', ');
}
