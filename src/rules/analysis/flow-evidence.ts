import type { CaptureFacts, FlowFacts } from '../../model/capture-facts.ts';
import type { CaptureEvidence } from '../../model/catalog/capture-place.ts';
import { formatEndpoint } from '../../model/endpoint.ts';

/** `isReversed`: what is told of the other direction. */
export function evidence(
  { file }: CaptureFacts,
  flow: FlowFacts,
  count: number,
  isReversed = false,
): CaptureEvidence {
  const { transport, a, b, relayedBy } = flow;
  const [from, to] = isReversed ? [b, a] : [a, b];
  return {
    file,
    transport,
    from: formatEndpoint(from),
    to: formatEndpoint(to),
    relayedBy: relayedBy === null ? null : formatEndpoint(relayedBy),
    flows: 1,
    count,
  };
}
