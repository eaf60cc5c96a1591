import { familyOf } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { TargetFacts } from '../../model/observations.ts';
import type { WitnessCapture } from '../../model/witness-facts.ts';
import { allocatorOf } from '../listener-evidence.ts';
import type { WitnessQuestion } from './witness-question.ts';

// Ways through the internet have some 15 routers, and hardly ever 30.
const enoughTtl = 20;

/**
 * RELAY_TTL_LOW: coturn gives what it relays over UDP the TTL that was left when it came, less one (RFC 8656 §14), so that
 * both halves of the way together have what the client began with.
 */
export function relayTtlFindings({ observations, witness }: WitnessQuestion): Finding[] {
  const { capture, server: seenBy } = witness;
  if (capture.state === 'unknown') return [];
  return observations.targets.flatMap((facts) => {
    const { target, outbound } = facts;
    const left = target.transport === 'udp' ? relayedWith(facts, capture.value) : null;
    if (left === null || left.ttl >= enoughTtl) return [];
    const isLost = outbound.state === 'failed';
    const evidence = { ...allocatorOf(facts), ...left, seenBy, isLost };
    const severity = isLost ? 'error' : 'warning';
    return [finding('RELAY_TTL_LOW', evidence, { severity, targets: [target.url] })];
  });
}

/** The lowest TTL with which packets left the relay for this client; null where none did. */
function relayedWith(
  { allocate }: TargetFacts,
  { flows }: WitnessCapture,
): { readonly ttl: number; readonly client: string } | null {
  if (allocate.state !== 'done') return null;
  const { relayed } = allocate.value;
  const [lowest] = flows
    .filter(
      ({ transport, host }) =>
        transport === 'udp' &&
        host.port === relayed.port &&
        familyOf(host.address) === familyOf(relayed.address),
    )
    .flatMap(({ answerTtl, client }) =>
      answerTtl === null ? [] : [{ ttl: answerTtl, client: client.address }],
    )
    .toSorted((a, b) => a.ttl - b.ttl);
  return lowest ?? null;
}
