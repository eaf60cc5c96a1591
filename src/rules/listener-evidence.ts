import type { ListenerEvidence } from '../model/catalog/entry.ts';
import { formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import type { Target, TargetFacts } from '../model/observations.ts';

/** What names a listener in the evidence of its findings. */
export function listenerOf({ host, address, port, transport }: Target): ListenerEvidence {
  return { host, address, port, transport };
}

/** The listener that allocated: the last one that 300 Try-Alternate led to, else the target itself. */
export function allocatorOf({ target, redirects }: TargetFacts): ListenerEvidence {
  return { ...listenerOf(target), ...redirects.at(-1) };
}

/** What names a relay in the evidence of its findings. */
export function relayEvidence(facts: TargetFacts, relayed: Endpoint) {
  return { ...allocatorOf(facts), relayed: formatEndpoint(relayed), relayedAddress: relayed.address };
}
