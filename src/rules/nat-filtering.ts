import { formatEndpoint, sameAddress, type Endpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { Attempt, NatFacts } from '../model/observations.ts';
import type { NatBehaviour } from '../model/report.ts';
import type { Known, Presence } from './nat-presence.ts';

/**
 * RFC 5780 §4.4, of a NAT or, without one, of a firewall. Silence proves a filter only where the control shows that the
 * server does send from there.
 */
export function judgeFiltering(facts: NatFacts, presence: Presence): Known<NatBehaviour> {
  if (presence.value === null) return presence;
  const { server } = facts;
  const isElsewhere = {
    addressAndPort: (from: Endpoint) => !sameAddress(from.address, server.address),
    port: (from: Endpoint) => sameAddress(from.address, server.address) && from.port !== server.port,
  };
  const judged = (key: 'addressAndPort' | 'port'): Passage => passageOf(facts, key, isElsewhere[key]);
  const fromAddress = judged('addressAndPort');
  if (fromAddress.value === true) return { value: 'endpoint-independent' };
  const fromPort = judged('port');
  // What keeps the other port of the same address out, keeps out other addresses all the more.
  if (fromPort.value === false) return { value: 'address-and-port-dependent' };
  if (fromAddress.value === null) return { value: null, because: fromAddress.because };
  if (fromPort.value === true) return { value: 'address-dependent' };
  return { value: null, because: `it is not endpoint-independent; more is not known: ${fromPort.because}` };
}

/** Whether a packet from there came through. */
type Passage = Known<boolean>;

function passageOf(
  facts: NatFacts,
  key: 'addressAndPort' | 'port',
  isElsewhere: (from: Endpoint) => boolean,
): Passage {
  const { server } = facts;
  const tried = facts.filtering[key];
  const control = facts.control[key];
  const stays = `${formatEndpoint(server)} answers a CHANGE-REQUEST from where it was sent to`;
  if (tried.state === 'done') {
    return isElsewhere(tried.value.from) ? { value: true } : { value: null, because: stays };
  }
  if (tried.state === 'not-tried') return { value: null, because: tried.because };
  if (tried.failure.kind !== 'timeout') {
    const seen = describeFailure(tried.failure);
    return {
      value: null,
      because: `${formatEndpoint(server)} does not do what a CHANGE-REQUEST asks: ${seen}`,
    };
  }
  if (control.state === 'done') {
    return isElsewhere(control.value.from) ? { value: false } : { value: null, because: stays };
  }
  const what = key === 'port' ? 'port' : 'address';
  const nothing = `nothing came from the other ${what} of the server, and it is not known whether it sends from there`;
  return { value: null, because: `${nothing}: ${reasonOf(control)}` };
}

export function reasonOf(attempt: Attempt<unknown>): string {
  if (attempt.state === 'done') return '';
  return attempt.state === 'not-tried' ? attempt.because : describeFailure(attempt.failure);
}
