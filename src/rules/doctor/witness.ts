import type { ListenerEvidence } from '../../model/catalog/entry.ts';
import { listenerName } from '../../model/catalog/entry.ts';
import type { PassageEvidence } from '../../model/catalog/server-witness.ts';
import { familyOf, sameAddress } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { TargetFacts } from '../../model/observations.ts';
import type { WitnessCapture, WitnessFlow } from '../../model/witness-facts.ts';
import { firstFailure, hasAnswered, isTimeout } from '../failure-kind.ts';
import { packetFate, type PacketFate } from '../firewall/packet-path.ts';
import { outwardOf } from '../outward.ts';
import { allocatorOf, listenerOf } from '../listener-evidence.ts';
import { relayTtlFindings } from './relay-ttl.ts';
import { nameFindings } from './server-name.ts';
import type { WitnessQuestion } from './witness-question.ts';
import { tracesOf } from './witness-trace.ts';

export interface WitnessJudgement {
  readonly findings: readonly Finding[];
  /** How far the packets of each place came. */
  readonly passages: readonly Passage[];
  /** What could not be told, with the reason, and what would tell it. */
  readonly notExamined: readonly Open[];
}

interface Open {
  readonly because: string;
  readonly how: string | null;
}

/** Packets from here to one listener, or to the relay ports, and what became of them at each end. */
export interface Passage {
  /** `UDP 3478 of turn.example.com`, `the relay ports of …`. */
  readonly what: string;
  readonly arrived: number;
  readonly answered: number;
  /** Whether an answer came back here; for relay ports, whether it came in by the relay. */
  readonly cameBack: boolean;
}

/** Joins what the probe saw here with what the server saw there of the same packets. Every target that was silent gets a word. */
export function judgeWitness(question: WitnessQuestion): WitnessJudgement {
  const { capture, server, trace } = question.witness;
  const { targets } = question.observations;
  const ofNames = nameFindings(question);
  if (capture.state === 'unknown') {
    const silent = targets.filter((facts) => isSilent(facts) || isRelayShut(facts));
    const because = `where on the way packets get lost: ${capture.because}`;
    const how = trace === null ? null : whatCaptures[trace.lacks];
    const told = new Set(
      trace === null ? [] : silent.flatMap((facts) => tracesOf(facts, silentPorts(facts), trace)),
    );
    const notExamined = [{ because, how }, ...[...told].map((text) => ({ because: text, how: null }))];
    return { findings: ofNames, passages: [], notExamined: silent.length > 0 ? notExamined : [] };
  }
  const view = new ServerView(capture.value, question);
  const parts = targets.flatMap((facts) => [view.listener(facts), view.relay(facts)]);
  const heard = parts.filter((part) => part !== null);
  const passages = new Map(
    heard.flatMap(({ passage }) => (passage ? [[passage.what, passage] as const] : [])),
  );
  return {
    findings: [
      ...ofNames,
      ...together(heard.flatMap(({ found }) => found ?? [])),
      ...relayTtlFindings(question),
    ],
    passages: [...passages.values()],
    notExamined: [
      ...new Set(heard.flatMap(({ because }) => (because === undefined ? [] : [`${because}, by ${server}`]))),
    ].map((because) => ({ because, how: null })),
  };
}

const whatCaptures = {
  root: 'log in as root, or add --sudo',
  program: 'sudo apt-get install tcpdump on the server',
} as const;

interface Part {
  readonly passage?: Passage;
  readonly found?: Lost;
  readonly because?: string;
}

/** Where the packets to one place got lost. */
interface Lost {
  readonly code:
    'LOST_BEFORE_HOST' | 'DROPPED_AT_HOST' | 'HOST_DOES_NOT_ANSWER' | 'ANSWER_LOST' | 'ANSWER_TTL_ONE';
  readonly evidence: PassageEvidence;
  readonly fate: PacketFate | null;
  readonly targets: readonly string[];
}

/** One finding for all places of a server at which the same happens, as one thing is behind it. */
function together(lost: readonly Lost[]): Finding[] {
  const groups = new Map<string, Lost[]>();
  for (const each of lost) {
    const { address, isRelay } = each.evidence;
    const decider = each.fate?.state === 'blocked' ? each.fate.decider : null;
    const key = JSON.stringify([each.code, address, isRelay, decider]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) =>
    group[0] === undefined ? [] : [findingOf(group[0], group)],
  );
}

function findingOf({ code, evidence: one, fate }: Lost, group: readonly Lost[]): Finding {
  const sum = (count: (evidence: PassageEvidence) => number): number =>
    group.reduce((total, { evidence }) => total + count(evidence), 0);
  const places = [...new Set(group.flatMap(({ evidence }) => evidence.places))];
  const beside = one.beside.filter((each) => !places.includes(each));
  const [arrived, answered] = [sum((each) => each.arrived), sum((each) => each.answered)];
  const evidence = { ...one, places, beside, arrived, answered };
  const options = { targets: [...new Set(group.flatMap(({ targets }) => targets))] };
  switch (code) {
    case 'HOST_DOES_NOT_ANSWER':
      return finding(code, { ...evidence, isLetIn: fate?.state === 'open' }, options);
    case 'DROPPED_AT_HOST': {
      const { rule, chain, table } = fate?.state === 'blocked' ? fate.decider : nobody;
      return finding(code, { ...evidence, rule, chain, table }, options);
    }
    default:
      return finding(code, evidence, options);
  }
}

const nobody = { rule: null, chain: 'unknown', table: 'unknown' };

/** Sent to, and nothing at all came back. Of a stream that was accepted something did. */
function isSilent(facts: TargetFacts): boolean {
  const { target, connect } = facts;
  if (connect.state === 'not-tried' || hasAnswered(facts)) return false;
  if (target.transport !== 'udp' && connect.state === 'done') return false;
  const failure = firstFailure(facts);
  return failure !== null && isTimeout(failure);
}

/** What was sent to a relay address did not come in, and what the relay sent did get here: so this network is open for it. */
function isRelayShut({ allocate, inbound, outbound }: TargetFacts): boolean {
  return allocate.state === 'done' && isTimedOut(inbound) && outbound.state === 'done';
}

function isTimedOut(step: TargetFacts['inbound']): boolean {
  return step.state === 'failed' && isTimeout(step.failure);
}

const relayPlace = 'the relay ports';

/** The capture, asked for one place at a time. */
class ServerView {
  readonly #capture: WitnessCapture;
  readonly #question: WitnessQuestion;

  constructor(capture: WitnessCapture, question: WitnessQuestion) {
    this.#capture = capture;
    this.#question = question;
  }

  listener(facts: TargetFacts): Part | null {
    const { target } = facts;
    if (facts.connect.state === 'not-tried') return null;
    const flows = this.#flowsTo(target.transport === 'udp' ? 'udp' : 'tcp', [target.port], target.address);
    const passage = {
      ...passageOf(`${listenerName(target)} of ${target.host}`, flows),
      cameBack: hasAnswered(facts),
    };
    if (!isSilent(facts)) return { passage };
    // Whoever is known to work does not answer either: it ends in this network.
    const { endsHereFor } = outwardOf(facts, this.#question.observations);
    if (flows.some(({ isRefused }) => isRefused) || endsHereFor.length > 0) return { passage };
    const evidence = this.#evidence(
      listenerOf(target),
      { places: [listenerName(target)], isRelay: false },
      passage,
    );
    return this.#judged(evidence, flows, { passage, targets: [target.url], port: target.port });
  }

  relay(facts: TargetFacts): Part | null {
    const { target, allocate, inbound } = facts;
    if (allocate.state !== 'done' || inbound.state === 'not-tried') return null;
    const { relayed } = allocate.value;
    // Behind a NAT that the server does not know, what is sent to its relay address goes anywhere.
    if (!sameAddress(relayed.address, target.address)) return null;
    const silent = silentPorts(facts);
    const flows = this.#flowsTo('udp', silent.length > 0 ? silent : [relayed.port], relayed.address);
    const what = `${relayPlace} of ${target.host}`;
    const passage = { ...passageOf(what, flows), cameBack: inbound.state === 'done' };
    const [port] = silent;
    if (port === undefined) return { passage };
    const places = silent.map((each) => `UDP ${each}`);
    const evidence = this.#evidence(allocatorOf(facts), { places, isRelay: true }, passage);
    return this.#judged({ ...evidence, answered: 0 }, flows, { passage, targets: [target.url], port });
  }

  #judged(
    evidence: PassageEvidence,
    flows: readonly WitnessFlow[],
    {
      passage,
      targets,
      port,
    }: { readonly passage: Passage; readonly targets: string[]; readonly port: number },
  ): Part {
    const { arrived, answered } = evidence;
    const lost = (code: Lost['code'], fate: PacketFate | null = null): Part => ({
      passage,
      found: { code, evidence, fate, targets },
    });
    if (arrived === 0) {
      const because = this.#whyNotKnown(evidence);
      return because === null
        ? lost('LOST_BEFORE_HOST')
        : { passage, because: `${passage.what}: ${because}` };
    }
    if (answered > 0) {
      return lost(flows.some(({ answerTtl }) => answerTtl === 1) ? 'ANSWER_TTL_ONE' : 'ANSWER_LOST');
    }
    const fate = this.#fate(flows, port);
    return lost(fate?.state === 'blocked' ? 'DROPPED_AT_HOST' : 'HOST_DOES_NOT_ANSWER', fate);
  }

  /** Why it cannot be told that nothing arrived. */
  #whyNotKnown({ address, transport }: PassageEvidence): string | null {
    const { cutShort, clients, flows } = this.#capture;
    if (cutShort !== null) return `the capture on the server is not whole (${cutShort})`;
    if (!clients.some((each) => familyOf(each) === familyOf(address))) {
      return `no IPv${familyOf(address)} address of this machine is known there`;
    }
    if (!this.#isOfServer(address)) return `whether ${address} leads to that server is not known`;
    const protocol = transport === 'udp' ? 'udp' : 'tcp';
    const mapped = this.#mappedElsewhere();
    if (mapped !== null) return `its packets come from ${mapped}, which was not watched`;
    // A router that forwards to another port would show as packets to a port that nobody was sent to.
    const strange = flows.find((flow) => flow.transport === protocol && !this.#isExpected(flow));
    return strange === undefined
      ? null
      : `packets of this machine arrive at port ${strange.host.port}, to which something forwards them`;
  }

  #isOfServer(address: string): boolean {
    const { host, flows } = this.#capture;
    const known = [...this.#question.addresses, ...(host === null ? [] : [host])];
    if (known.some((each) => sameAddress(each, address))) return true;
    // Something else that was sent to the same address did arrive.
    const others = this.#question.observations.targets.filter((each) =>
      sameAddress(each.target.address, address),
    );
    return others.some(({ target }) =>
      flows.some(
        (flow) =>
          flow.host.port === target.port &&
          (flow.transport === 'udp') === (target.transport === 'udp') &&
          flow.arrived.packets > 0,
      ),
    );
  }

  /** An address of this client that another listener saw and the capture did not watch. */
  #mappedElsewhere(): string | null {
    const { clients } = this.#capture;
    for (const { binding } of this.#question.observations.targets) {
      if (binding.state !== 'done') continue;
      const { address } = binding.value.mapped;
      if (!clients.some((each) => sameAddress(each, address))) return address;
    }
    return null;
  }

  #isExpected({ transport, host, arrived }: WitnessFlow): boolean {
    if (arrived.packets === 0) return true;
    const { targets } = this.#question.observations;
    if (targets.some(({ target }) => target.port === host.port)) return true;
    // Relay ports of the probe and of its calls, none of which is below the registered ones (RFC 8656 §7.2).
    return transport === 'udp' && host.port >= 1024;
  }

  #flowsTo(transport: 'udp' | 'tcp', ports: readonly number[], address: string): WitnessFlow[] {
    return this.#capture.flows.filter(
      (flow) =>
        flow.transport === transport &&
        ports.includes(flow.host.port) &&
        familyOf(flow.host.address) === familyOf(address),
    );
  }

  #fate(flows: readonly WitnessFlow[], port: number): PacketFate | null {
    const { firewall } = this.#question;
    const [flow] = flows;
    if (firewall?.rules.state !== 'seen' || flow === undefined) return null;
    const family = familyOf(flow.host.address);
    const [device, destinations] = [firewall.devices[family], firewall.addresses];
    const packet = { family, protocol: flow.transport, port, device, destinations, state: 'new' } as const;
    return packetFate(firewall.rules.value, packet);
  }

  #evidence(
    listener: ListenerEvidence,
    where: Pick<PassageEvidence, 'places' | 'isRelay'>,
    { arrived, answered }: Passage,
  ): PassageEvidence {
    const family = familyOf(listener.address);
    const { clients } = this.#capture;
    const client = clients.find((each) => familyOf(each) === family) ?? clients[0] ?? '';
    const seenBy = this.#question.witness.server;
    return { ...listener, ...where, seenBy, client, arrived, answered, beside: this.#beside(listener) };
  }

  /** Other listeners of the same address at which packets of this client arrived. */
  #beside({ address, port, transport }: ListenerEvidence): string[] {
    const others = this.#question.observations.targets
      .map(({ target }) => target)
      .filter((each) => sameAddress(each.address, address))
      .filter((each) => each.port !== port || (each.transport === 'udp') !== (transport === 'udp'));
    const arriving = others.filter((each) =>
      this.#flowsTo(each.transport === 'udp' ? 'udp' : 'tcp', [each.port], address).some(
        ({ arrived }) => arrived.packets > 0,
      ),
    );
    return [...new Set(arriving.map(listenerName))];
  }
}

function passageOf(what: string, flows: readonly WitnessFlow[]): Omit<Passage, 'cameBack'> {
  const sum = (count: (flow: WitnessFlow) => number): number =>
    flows.reduce((total, flow) => total + count(flow), 0);
  return {
    what,
    arrived: sum(({ arrived }) => arrived.packets),
    answered: sum(({ answered }) => answered.packets),
  };
}

/** Relay ports at which what was sent first did not come in, though what the relay sends gets here. */
function silentPorts(facts: TargetFacts): number[] {
  const { allocate, ports } = facts;
  const own = isRelayShut(facts) && allocate.state === 'done' ? [allocate.value.relayed.port] : [];
  const sampled =
    ports?.state === 'done' && ports.value.from === 'here' && facts.outbound.state === 'done'
      ? ports.value.samples.flatMap(({ relayed, answered }) => (answered === false ? [relayed.port] : []))
      : [];
  return [...new Set([...own, ...sampled])];
}
