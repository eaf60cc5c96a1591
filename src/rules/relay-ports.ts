import type { Outcome } from '../model/check.ts';
import { sameAddress } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import type { FindingCode } from '../model/finding.ts';
import type { PortSampleFacts, TargetFacts } from '../model/observations.ts';
import { allocatorOf } from './listener-evidence.ts';
import { failed, passed, unknown } from './outcome.ts';
import { whyAddressUncertain, whyPeerUncertain } from './relay.ts';

// Of a range of which a quarter is blocked, this many ports show nothing in one of ten runs.
const fewPorts = 8;
// What a firewall leaves open is one stretch of the range, or two; what a limit or the path takes away lies anywhere.
const mostEdges = 4;

/** `relay-ports`: each relay port that was sampled took a packet. Null when none was asked for. */
export function judgePorts(
  facts: TargetFacts,
  inbound: Outcome,
  sampledWith: TargetFacts = facts,
): Outcome | null {
  const { ports } = facts;
  if (ports === null) return null;
  if (ports.state === 'not-tried') return unknown(ports.because);
  if (ports.state === 'failed') return unknown(describeFailure(ports.failure));
  const { samples } = ports.value;
  const [sampled, silent, untold] = [
    portsOf(samples.filter(({ answered }) => answered !== null)),
    portsOf(samples.filter(({ answered }) => answered === false)),
    portsOf(samples.filter(({ answered }) => answered === null)),
  ];
  const answering = sampled.filter((port) => !silent.includes(port));
  if (samples.length === 0) return unknown(`no relay port could be tried${whyFewer(ports.value)}`);
  if (answering.length === 0) {
    // The same fault as that of the first relay port, or as little known.
    if (inbound.status === 'failed') return inbound;
    if (inbound.status === 'unknown') return unknown(inbound.because);
    if (facts.inbound.state !== 'done' && ports.value.from === 'here') {
      return unknown('this client itself reaches no relay port');
    }
  }
  if (silent.length > 0) {
    const uncertain = ports.value.from === 'here' ? whySilenceUncertain(sampledWith) : null;
    if (uncertain !== null)
      return unknown(`of ${sampled.length} ports ${silent.length} took nothing, but ${uncertain}`);
    if (edges(sampled, silent) > mostEdges) {
      return unknown(
        `${silent.length} of ${sampled.length} ports, here and there in the range, took nothing: a limit on the rate of packets, or a path that loses them, rather than ports that are closed`,
      );
    }
    const evidence = { ...allocatorOf(facts), sampled: sampled.length, silent, answering };
    return failed('RELAY_PORTS_PARTLY_BLOCKED', evidence, facts.target);
  }
  if (untold.length > 0) {
    return unknown(
      `of ${sampled.length + untold.length} ports ${untold.length} had nothing from the outside peer, which did not say that it was asked: a loss on the way, its limit, or a firewall`,
    );
  }
  const [least = 0, most = 0] = [sampled[0], sampled.at(-1)];
  const seen = `${sampled.length} ${sampled.length === 1 ? 'port' : 'ports'} from ${least} to ${most}`;
  if (ports.value.stopped !== null) return unknown(`only ${seen} could be tried${whyFewer(ports.value)}`);
  if (sampled.length < fewPorts && most - least + 1 > sampled.length) {
    return unknown(`${seen} were tried, of ${most - least + 1} or more: too few to say`);
  }
  return passed(`${sampled.length} ports, ${least} to ${most}`);
}

/** How often, along the range, a port that takes packets stands beside one that does not. */
function edges(sampled: readonly number[], silent: readonly number[]): number {
  const states = sampled.map((port) => silent.includes(port));
  return states.filter((isSilent, index) => index > 0 && isSilent !== states[index - 1]).length;
}

/** Why what a socket of this client sent may have been dropped for its address: each sample has another socket. */
function whySilenceUncertain(facts: TargetFacts): string | null {
  const { target, allocate, inbound, peer } = facts;
  if (inbound.state !== 'done' || allocate.state !== 'done') return whyPeerUncertain(facts);
  // To another host it may send from another address by its routes, which is no other one here.
  const { relayed, mapped } = allocate.value;
  const isThere = (address: string): boolean => sameAddress(address, relayed.address);
  const mappings = peer.state === 'done' ? peer.value.mappings : [];
  // Over TCP and TLS a proxy may stand between, which has an address of its own.
  const own = target.transport === 'udp' && isThere(allocatorOf(facts).address) ? mapped : null;
  return whyAddressUncertain([
    ...mappings.filter(({ server }) => isThere(server.address)).map((each) => each.mapped.address),
    ...(own === null ? [] : [own.address]),
    inbound.value.seenFrom.address,
  ]);
}

function whyFewer({ wanted, stopped }: PortSampleFacts): string {
  return stopped === null ? '' : `, of ${wanted} that were wanted: ${describeFailure(stopped)}`;
}

/** Each port once, in order. */
function portsOf(samples: PortSampleFacts['samples']): number[] {
  return [...new Set(samples.map(({ relayed }) => relayed.port))].toSorted((a, b) => a - b);
}

/**
 * What the relay ports of its server show of one target, be it that they were sampled over another listener. Null when
 * none were.
 */
export function judgePortsBeside(
  facts: TargetFacts,
  all: readonly TargetFacts[],
  inbound: Outcome,
): Outcome | null {
  const { address } = allocatorOf(facts);
  const sampled = [facts, ...all].find(
    (each) => each.ports !== null && sameAddress(allocatorOf(each).address, address),
  );
  return sampled === undefined ? null : judgePorts({ ...facts, ports: sampled.ports }, inbound, sampled);
}

/** A first relay port that takes nothing, while others do, is one of those and no fault of its own. */
export function amongPorts(relay: Outcome, ports: Outcome | null): Outcome {
  if (ports?.status !== 'failed' || relay.status !== 'failed') return relay;
  const isPart = ports.findings.some(({ code }) => code === 'RELAY_PORTS_PARTLY_BLOCKED');
  return isPart && relay.findings.every(({ code }) => ofOnePort.has(code)) ? ports : relay;
}

const ofOnePort: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'RELAY_PORTS_BLOCKED',
  'RELAY_PORTS_STATEFUL_ONLY',
]);
