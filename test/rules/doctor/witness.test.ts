import { describe, expect, it } from 'vitest';
import type { FirewallFacts } from '../../../src/model/firewall-facts.ts';
import { nativeRootCatalog } from '../../../src/model/catalog/native-root.ts';
import { witnessCatalog } from '../../../src/model/catalog/server-witness.ts';
import { wordsOf, type Finding } from '../../../src/model/finding.ts';
import type { Observations, TargetFacts } from '../../../src/model/observations.ts';
import type { FilterRule } from '../../../src/model/packet-filter.ts';
import type { WitnessCapture, WitnessFlow, WitnessTrace } from '../../../src/model/witness-facts.ts';
import { judgeWitness as witnessRule, type WitnessJudgement } from '../../../src/rules/doctor/witness.ts';
import {
  clientAddress,
  deadFacts,
  done,
  failed,
  healthyFacts,
  observationsOf,
  peer,
  refusal,
  relayed,
  serverAddress,
  silence,
  threeTargets,
} from '../../support/facts.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeWitness = provoked.watch(witnessRule);

const [udp, tcp, tls] = threeTargets();

function flow(
  transport: 'udp' | 'tcp',
  port: number,
  [arrived, answered]: readonly [number, number],
  more: Partial<WitnessFlow> = {},
): WitnessFlow {
  const count = (packets: number) => ({ packets, bytes: 32 * packets });
  return {
    transport,
    client: { address: clientAddress, port: 40_000 },
    host: { address: serverAddress, port },
    arrived: count(arrived),
    answered: count(answered),
    answerTtl: answered > 0 ? 64 : null,
    isRefused: false,
    ...more,
  };
}

const answeredTcp = flow('tcp', 3478, [1, 1]);

function dropping(rule: FilterRule): FirewallFacts {
  const base = { hook: 'input', type: 'filter', priority: 0, policy: 'accept' } as const;
  const chain = { name: 'input', base, rules: [rule] };
  const table = { name: 'inet filter', tool: 'nft', families: [4, 6], chains: [chain] } as const;
  return {
    rules: { state: 'seen', value: [table] },
    sockets: { state: 'seen', value: [] },
    devices: { 4: 'eth0', 6: 'eth0' },
    addresses: [serverAddress],
    outside: null,
  };
}

function dropPort(first: number, last = first): FirewallFacts {
  const matches = [
    { kind: 'protocol', names: ['udp'], negated: false },
    { kind: 'port', end: 'destination', spans: [{ first, last }], negated: false },
  ] as const;
  return dropping({ text: `udp dport ${first} drop`, matches, action: { kind: 'drop' } });
}

interface Seen {
  readonly flows: readonly WitnessFlow[];
  readonly capture?: Partial<WitnessCapture>;
  readonly firewall?: FirewallFacts;
  readonly addresses?: readonly string[];
}

function judge(
  observations: Observations,
  { flows, capture, firewall, addresses = [] }: Seen,
): WitnessJudgement {
  const value = {
    clients: [clientAddress],
    host: serverAddress,
    packets: 9,
    cutShort: null,
    flows,
    ...capture,
  };
  return judgeWitness({
    observations,
    witness: { server: 'admin@turn.example.com', capture: { state: 'seen', value }, trace: null },
    firewall: firewall ?? null,
    addresses,
  });
}

const codes = ({ findings }: WitnessJudgement): string[] => findings.map(({ code }) => code);
const evidenceOf = ({ findings }: WitnessJudgement): Finding['evidence'] | undefined => findings[0]?.evidence;

const silentUdp = observationsOf([deadFacts(udp, 'binding', silence), healthyFacts(tcp)]);

describe('a listener that is silent', () => {
  it('is lost before the host where nothing of it arrived there', () => {
    const judged = judge(silentUdp, { flows: [answeredTcp] });
    expect(codes(judged)).toEqual(['LOST_BEFORE_HOST']);
    expect(evidenceOf(judged)).toMatchObject({ places: ['UDP 3478'], beside: ['TCP 3478'], arrived: 0 });
    expect(judged.passages).toContainEqual({
      what: 'UDP 3478 of turn.example.com',
      arrived: 0,
      answered: 0,
      cameBack: false,
    });
  });

  it('is dropped by the host where it arrived and a rule of it says so', () => {
    const judged = judge(silentUdp, {
      flows: [answeredTcp, flow('udp', 3478, [5, 0])],
      firewall: dropPort(3478),
    });
    expect(codes(judged)).toEqual(['DROPPED_AT_HOST']);
    expect(evidenceOf(judged)).toMatchObject({
      rule: 'udp dport 3478 drop',
      table: 'inet filter',
      arrived: 5,
    });
  });

  it.each([
    ['the rules let it in', dropPort(9), true],
    ['the rules are not known', undefined, false],
  ])('is not answered where it arrived and %s', (_, firewall, isLetIn) => {
    const flows = [flow('udp', 3478, [5, 0])];
    const judged = judge(silentUdp, { flows, ...(firewall === undefined ? {} : { firewall }) });
    expect(codes(judged)).toEqual(['HOST_DOES_NOT_ANSWER']);
    expect(evidenceOf(judged)).toMatchObject({ isLetIn });
  });

  it('is answered, and the answer lost, where it left the host', () => {
    expect(codes(judge(silentUdp, { flows: [flow('udp', 3478, [5, 5])] }))).toEqual(['ANSWER_LOST']);
  });

  it('is answered with a TTL that no router passes on', () => {
    const flows = [flow('udp', 3478, [5, 5], { answerTtl: 1 })];
    expect(codes(judge(silentUdp, { flows }))).toEqual(['ANSWER_TTL_ONE']);
  });

  it('is one finding with the others to which the same happens', () => {
    const all = observationsOf(
      [udp, tcp, tls].map((target) =>
        deadFacts(target, target.transport === 'udp' ? 'binding' : 'connect', silence),
      ),
    );
    const judged = judge(all, { flows: [] });
    expect(judged.findings).toHaveLength(1);
    expect(evidenceOf(judged)).toMatchObject({ places: ['UDP 3478', 'TCP 3478', 'TLS 5349'], beside: [] });
    const [found] = judged.findings as [Finding];
    expect(wordsOf(found).fix[0]).toContain('allow UDP 3478, TCP 3478 and TCP 5349 from anywhere');
  });

  it('says nothing of a stream that was accepted, or of what ends in this network', () => {
    const accepted = observationsOf([deadFacts(tcp, 'binding', silence)]);
    expect(codes(judge(accepted, { flows: [answeredTcp] }))).toEqual([]);
    const control = deadFacts({ ...udp, host: 'stun.example.net', address: '192.0.2.7' }, 'binding', silence);
    expect(codes(judge({ ...silentUdp, controls: [control] }, { flows: [answeredTcp] }))).toEqual([]);
  });

  it('says nothing of one that is refused', () => {
    const refused = observationsOf([deadFacts(udp, 'binding', refusal), healthyFacts(tcp)]);
    expect(codes(judge(refused, { flows: [flow('udp', 3478, [1, 0], { isRefused: true })] }))).toEqual([]);
  });
});

describe('the name that clients dial', () => {
  const all = observationsOf(
    [udp, tcp].map((target) =>
      deadFacts(target, target.transport === 'udp' ? 'binding' : 'connect', silence),
    ),
  );
  const socket = (address: string) =>
    ({ protocol: 'udp', address, port: 3478, program: 'turnserver', pid: null }) as const;
  const machine = (addresses: readonly string[], sockets: readonly string[]): FirewallFacts => ({
    ...dropPort(9),
    addresses,
    sockets: { state: 'seen', value: sockets.map(socket) },
  });

  it('leads elsewhere where the server has no such address and got nothing', () => {
    const seen = { flows: [], capture: { host: '203.0.113.77' }, firewall: machine(['203.0.113.77'], []) };
    const judged = judge(all, seen);
    expect(codes(judged)).toEqual(['NAME_LEADS_ELSEWHERE']);
    expect(evidenceOf(judged)).toMatchObject({ address: serverAddress, own: ['203.0.113.77'] });
  });

  it.each([
    ['the server stands behind a NAT', { flows: [], firewall: machine(['10.0.0.5'], []) }],
    ['something did arrive', { flows: [flow('tcp', 3478, [1, 0])], firewall: machine(['203.0.113.77'], []) }],
    [
      'the capture is not whole',
      { flows: [], capture: { cutShort: 'full' }, firewall: machine(['203.0.113.77'], []) },
    ],
  ])('is not said to lead elsewhere where %s', (_, seen) => {
    expect(codes(judge(all, { capture: { host: '203.0.113.77' }, ...seen }))).not.toContain(
      'NAME_LEADS_ELSEWHERE',
    );
  });

  it('leads to an address of the server on which coturn does not listen', () => {
    const seen = { flows: [], firewall: machine([serverAddress, '203.0.113.77'], ['203.0.113.77']) };
    expect(codes(judge(all, seen))).toContain('ADDRESS_NOT_SERVED');
    const everywhere = { flows: [], firewall: machine([serverAddress], ['0.0.0.0']) };
    expect(codes(judge(all, everywhere))).not.toContain('ADDRESS_NOT_SERVED');
  });
});

describe('that nothing arrived is not told', () => {
  it.each([
    [
      'the capture ended early',
      { flows: [], capture: { cutShort: 'it was full' } },
      /not whole \(it was full\)/,
    ],
    [
      'the address may be of another server',
      { flows: [], capture: { host: '10.0.0.1' } },
      /whether 203.0.113.10/,
    ],
    [
      'something forwards to another port',
      { flows: [flow('udp', 700, [3, 3])] },
      /arrive at port 700, to which something forwards/,
    ],
    [
      'the client was not watched in that family',
      { flows: [], capture: { clients: ['2001:db8::20'] } },
      /no IPv4 address of this machine/,
    ],
    [
      'the client has another address there',
      { flows: [answeredTcp], capture: { clients: ['198.51.100.99'] } },
      /its packets come from 198.51.100.20/,
    ],
  ] as const)('where %s', (_, seen, because) => {
    const judged = judge(silentUdp, seen);
    expect(codes(judged)).toEqual([]);
    expect(judged.notExamined.map((each) => each.because).join('; ')).toMatch(because);
  });

  it('but is where the server is known by that address behind a NAT', () => {
    const seen = { flows: [], capture: { host: '10.0.0.1' }, addresses: [serverAddress] };
    expect(codes(judge(silentUdp, seen))).toEqual(['LOST_BEFORE_HOST']);
  });
});

describe('the relay ports', () => {
  const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });
  const shut: Partial<TargetFacts> = { inbound: lost, reply: lost };
  const blocked = observationsOf([healthyFacts(udp, shut)]);
  const listener = flow('udp', 3478, [9, 9]);
  const out = flow('udp', relayed.port, [0, 1]);

  it('are closed before the host', () => {
    const judged = judge(blocked, { flows: [listener, out] });
    expect(codes(judged)).toEqual(['LOST_BEFORE_HOST']);
    expect(evidenceOf(judged)).toMatchObject({ isRelay: true, places: ['UDP 49160'] });
  });

  it('are closed by a rule of the host', () => {
    const flows = [listener, flow('udp', relayed.port, [10, 1])];
    expect(codes(judge(blocked, { flows, firewall: dropPort(49_152, 65_535) }))).toEqual(['DROPPED_AT_HOST']);
  });

  it('say nothing where the relay cannot send here either: it may be this network', () => {
    const mute = observationsOf([healthyFacts(udp, { ...shut, outbound: lost })]);
    expect(codes(judge(mute, { flows: [listener] }))).toEqual([]);
  });

  it('say nothing where the relay address is not that of the server', () => {
    const address = { address: '10.0.0.1', port: 49_160 };
    const allocate = done({ relayed: address, mapped: peer, lifetimeSeconds: 600, rttMs: 1 });
    expect(
      codes(judge(observationsOf([healthyFacts(udp, { ...shut, allocate })]), { flows: [listener] })),
    ).toEqual([]);
  });
});

describe('without a capture', () => {
  const lacking = (because: string) => ({ state: 'unknown', because }) as const;
  const nothing: WitnessTrace = {
    lacks: 'root',
    log: lacking('no'),
    tracked: lacking('no'),
    untaken: lacking('no'),
  };
  const seen = <T>(value: T) => ({ state: 'seen', value }) as const;

  function open(observations: Observations, trace: Partial<WitnessTrace> | null) {
    const capture = lacking('only root may capture on a');
    const witness = { server: 'a', capture, trace: trace === null ? null : { ...nothing, ...trace } };
    const { findings, notExamined } = judgeWitness({ witness, firewall: null, addresses: [], observations });
    expect(findings).toEqual([]);
    return notExamined;
  }
  const told = (observations: Observations, trace: Partial<WitnessTrace>): string[] =>
    open(observations, trace)
      .slice(1)
      .map(({ because }) => because);

  it('says why there is none, and what would make one, where it would tell something', () => {
    const because = 'where on the way packets get lost: only root may capture on a';
    expect(open(silentUdp, null)).toEqual([{ because, how: null }]);
    expect(open(silentUdp, {})).toEqual([{ because, how: 'log in as root, or add --sudo' }]);
    expect(open(silentUdp, { lacks: 'program' })[0]?.how).toContain('apt-get install tcpdump');
    expect(open(observationsOf([healthyFacts(udp)]), {})).toEqual([]);
  });

  const atTcp = { listener: { port: 3478, isUdp: false }, relayPort: 40_000, fromPeers: 0 };

  it.each([
    ['this client elsewhere', [atTcp], 0, 'the log of coturn has this client at TCP 3478, and not there'],
    ['sessions that could be of this client', [atTcp], 1, null],
    ['nothing of this client', [], 0, null],
    [
      'this client there',
      [{ ...atTcp, listener: { port: 3478, isUdp: true } }],
      0,
      'coturn got requests of this client there, by its log, and no answer came back',
    ],
  ])('tells what the log proves that has %s', (_, sessions, unnamed, text) => {
    const expected = text === null ? [] : [`UDP 3478 of turn.example.com: ${text}`];
    expect(told(silentUdp, { log: seen({ sessions, unnamed }) })).toEqual(expected);
  });

  it('tells nothing by the log of a listener that was asked for a Binding alone, which is not logged', () => {
    const facts = { ...deadFacts(udp, 'binding', silence), challenge: { state: 'not-tried', because: '' } };
    const log = seen({ sessions: [atTcp], unnamed: 0 });
    expect(told(observationsOf([facts as TargetFacts, healthyFacts(tcp)]), { log })).toEqual([]);
  });

  it('tells what coturn got at relay ports at which nothing came in', () => {
    const shut = observationsOf([healthyFacts(udp, { inbound: failed(silence), reply: failed(silence) })]);
    const session = { listener: null, relayPort: relayed.port, fromPeers: 0 };
    const place = 'the relay ports of turn.example.com';
    expect(told(shut, { log: seen({ sessions: [session], unnamed: 9 }) })).toEqual([
      `${place}: coturn got nothing there, by its log`,
    ]);
    expect(told(shut, { log: seen({ sessions: [{ ...session, fromPeers: 2 }], unnamed: 0 }) })).toEqual([
      `${place}: coturn got 2 packets there, by its log`,
    ]);
    const others = [atTcp, { ...session, relayPort: relayed.port + 1 }, { ...session, fromPeers: null }];
    expect(told(shut, { log: seen({ sessions: others, unnamed: 0 }) })).toEqual([]);
  });

  it('tells what the connection table has of this port and protocol', () => {
    const entry = (transport: 'udp' | 'tcp', hostPort: number, isAnswered: boolean) => ({
      transport,
      hostPort,
      isAnswered,
    });
    const passed = 'UDP 3478 of turn.example.com: its firewall let packets of this client in, by its';
    expect(told(silentUdp, { tracked: seen([entry('udp', 3478, false)]) })).toEqual([
      `${passed} connection table, and it did not answer them`,
    ]);
    expect(told(silentUdp, { tracked: seen([entry('udp', 3478, true)]) })).toEqual([
      `${passed} connection table, and it answered them`,
    ]);
    const elsewhere = [entry('tcp', 3478, true), entry('udp', 53, false)];
    expect(told(silentUdp, { tracked: seen(elsewhere) })).toEqual([]);
  });

  it('tells of packets that coturn leaves lying', () => {
    const untaken = seen([
      { port: 3478, dropped: 3, waiting: 2304 },
      { port: 53, dropped: 9, waiting: 9 },
    ]);
    expect(told(silentUdp, { untaken })).toEqual([
      'UDP 3478 of turn.example.com: 2304 bytes wait there that coturn does not take, and the kernel dropped 3 packets there that coturn did not take',
    ]);
  });
});

describe('the TTL of what a relay sends on', () => {
  const relayFlow = (answerTtl: number, more: Partial<WitnessFlow> = {}): WitnessFlow =>
    flow('udp', relayed.port, [2, 2], { answerTtl, ...more });
  const heard = observationsOf([healthyFacts(udp)]);
  const unheard = observationsOf([healthyFacts(udp, { outbound: failed(silence), reply: failed(silence) })]);

  it('is a fault where it gets nowhere, and a doubt where it gets to near peers', () => {
    const [lost] = judge(unheard, { flows: [relayFlow(64), relayFlow(1)] }).findings;
    expect(lost).toMatchObject({
      code: 'RELAY_TTL_LOW',
      severity: 'error',
      evidence: { ttl: 1, isLost: true, client: clientAddress },
    });
    const [near] = judge(heard, { flows: [relayFlow(19)] }).findings;
    expect(near).toMatchObject({ code: 'RELAY_TTL_LOW', severity: 'warning', evidence: { ttl: 19 } });
  });

  it('is none where it is enough, is that of another port, or comes from a stream', () => {
    expect(codes(judge(heard, { flows: [relayFlow(20)] }))).toEqual([]);
    const other = { host: { address: serverAddress, port: relayed.port + 1 } };
    expect(codes(judge(heard, { flows: [relayFlow(1, other)] }))).toEqual([]);
    expect(codes(judge(observationsOf([healthyFacts(tcp)]), { flows: [relayFlow(1)] }))).toEqual([]);
  });
});

it('provokes every finding that there is of this kind', () => {
  // What a certificate is to apps is a question of its own, and has its own test.
  expect(provoked.missing(Object.keys(witnessCatalog))).toEqual(Object.keys(nativeRootCatalog));
});
