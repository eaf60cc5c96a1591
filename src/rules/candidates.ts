import type { Outcome } from '../model/check.ts';
import { durationText } from '../model/duration.ts';
import { sameAddress } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { CandidateFacts, GatheringFacts, TargetFacts } from '../model/observations.ts';
import { listenerOf } from './listener-evidence.ts';
import { failed, passed, skipped, unknown } from './outcome.ts';

/** `candidates-host`, `candidates-srflx`, `candidates-relay`: what an ICE agent gets from this server. */
export function judgeCandidates(
  facts: TargetFacts,
): Record<'candidates-host' | 'candidates-srflx' | 'candidates-relay', Outcome> {
  const { gathering } = facts;
  const overUdp = facts.target.transport === 'udp';
  const notOverUdp = skipped('a mapped address is learnt over UDP only');
  if (gathering.state === 'done') {
    return {
      'candidates-host': judgeHost(facts, gathering.value),
      'candidates-srflx': overUdp ? judgeServerReflexive(facts, gathering.value) : notOverUdp,
      'candidates-relay': judgeRelay(facts, gathering.value),
    };
  }
  const because = gathering.state === 'not-tried' ? gathering.because : describeFailure(gathering.failure);
  const none = unknown(because);
  return {
    'candidates-host': none,
    'candidates-srflx': overUdp ? none : notOverUdp,
    'candidates-relay': none,
  };
}

const incomplete = 'ICE had not gathered all candidates in time';

function judgeHost({ target }: TargetFacts, { candidates, complete }: GatheringFacts): Outcome {
  const host = first(candidates, 'host');
  if (host) return passed(host.address);
  return complete ? failed('NO_HOST_CANDIDATE', listenerOf(target), target) : unknown(incomplete);
}

function judgeServerReflexive({ target, binding }: TargetFacts, gathered: GatheringFacts): Outcome {
  const srflx = first(gathered.candidates, 'srflx');
  if (srflx) return passed(`${srflx.address}, ${durationText(srflx.atMs)}`);
  if (binding.state === 'failed' && binding.failure.kind === 'stun-error') {
    return unknown(`the server refused Binding: ${describeFailure(binding.failure)}`);
  }
  if (binding.state !== 'done') return unknown('the server did not answer Binding');
  // RFC 8445 §5.1.3: a candidate equal to one that is there already is redundant and left out.
  const { mapped } = binding.value;
  if (
    gathered.candidates.some(({ type, address }) => type === 'host' && sameAddress(address, mapped.address))
  ) {
    return passed('no NAT: the same as the host candidate');
  }
  if (gathered.stunUntried !== null) return unknown(gathered.stunUntried);
  if (!gathered.complete) return unknown(incomplete);
  return failed('NO_SRFLX_CANDIDATE', listenerOf(target), target);
}

function judgeRelay({ target }: TargetFacts, gathered: GatheringFacts): Outcome {
  const relay = first(gathered.candidates, 'relay');
  if (relay) return passed(durationText(relay.atMs));
  if (!gathered.complete) return unknown(incomplete);
  // The server gave the allocation, and the ICE agent is no part of the server.
  if (gathered.relayFailure === null) {
    return unknown(`the ICE library lost the relay candidate (attempts: ${gathered.attempts})`);
  }
  const seen = describeFailure(gathered.relayFailure);
  return failed('NO_RELAY_CANDIDATE', { ...listenerOf(target), seen }, target);
}

function first(
  candidates: readonly CandidateFacts[],
  type: CandidateFacts['type'],
): CandidateFacts | undefined {
  return candidates.find((candidate) => candidate.type === type);
}
