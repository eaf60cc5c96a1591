import { familyOf, sameAddress, scopeOf } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { TargetFacts } from '../../model/observations.ts';
import { hasAnswered } from '../failure-kind.ts';
import type { WitnessQuestion } from './witness-question.ts';

/** NAME_LEADS_ELSEWHERE, ADDRESS_NOT_SERVED: what clients dial, against the addresses of the server and its sockets. */
export function nameFindings(question: WitnessQuestion): Finding[] {
  const { targets } = question.observations;
  const silent = targets.filter(({ target: { address } }) =>
    targets.every((each) => !sameAddress(each.target.address, address) || !hasAnswered(each)),
  );
  const byAddress = new Map(silent.map((facts) => [facts.target.address, facts]));
  return [...byAddress.values()].flatMap((facts) => {
    const urls = silent
      .filter(({ target }) => sameAddress(target.address, facts.target.address))
      .map(({ target }) => target.url);
    return [...elsewhere(facts, urls, question), ...notServed(facts, urls, question)];
  });
}

function elsewhere(
  { target: { host, address } }: TargetFacts,
  urls: readonly string[],
  { witness, firewall, addresses }: WitnessQuestion,
): Finding[] {
  const { capture } = witness;
  // Behind a NAT, what the server has itself says nothing of what leads to it.
  const own = (firewall?.addresses ?? []).filter(
    (each) => familyOf(each) === familyOf(address) && scopeOf(each) === 'global',
  );
  if (host === address || own.length === 0 || addresses.some((each) => sameAddress(each, address))) return [];
  if (capture.state === 'unknown' || capture.value.cutShort !== null) return [];
  // What comes to a server by a way that it does not know is there all the same.
  if (capture.value.flows.some(({ arrived }) => arrived.packets > 0)) return [];
  const evidence = { host, address, own, seenBy: witness.server };
  return [finding('NAME_LEADS_ELSEWHERE', evidence, { targets: urls })];
}

const wildcards = { 4: ['0.0.0.0', '::'], 6: ['::'] } as const;

function notServed(
  { target: { host, address } }: TargetFacts,
  urls: readonly string[],
  { firewall }: WitnessQuestion,
): Finding[] {
  if (firewall === null || firewall.sockets.state === 'unknown') return [];
  if (!firewall.addresses.some((each) => sameAddress(each, address))) return [];
  const listening = firewall.sockets.value
    .filter(({ program }) => program === 'turnserver')
    .map((socket) => socket.address)
    .filter((each) => scopeOf(each) !== 'loopback');
  const serves = (each: string): boolean =>
    sameAddress(each, address) || wildcards[familyOf(address)].some((wildcard) => wildcard === each);
  if (listening.length === 0 || listening.some(serves)) return [];
  const evidence = { host, address, listening: [...new Set(listening)] };
  return [finding('ADDRESS_NOT_SERVED', evidence, { targets: urls })];
}
