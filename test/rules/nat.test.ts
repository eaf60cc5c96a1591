import { describe, expect, it } from 'vitest';
import type { CheckId, Outcome } from '../../src/model/check.ts';
import type { InterfaceAddress, NatFacts } from '../../src/model/observations.ts';
import type { NatBehaviour } from '../../src/model/report.ts';
import { judge } from '../../src/rules/judgement.ts';
import { judgeNat } from '../../src/rules/nat.ts';
import {
  clientAddress,
  criteriaWith,
  deadFacts,
  done,
  failed,
  healthyFacts,
  notTried,
  observationsOf,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';
import {
  cone,
  fromElsewhere,
  local,
  natFacts,
  other,
  publicLocal,
  seenAs,
  server,
} from '../support/nat-facts.ts';

const home: InterfaceAddress = { interface: 'eth0', address: '192.168.1.20', prefixLength: 24 };
const open: InterfaceAddress = { interface: 'eth0', address: clientAddress, prefixLength: 24 };

function outcome(facts: NatFacts, id: CheckId, interfaces = [home]): Outcome | undefined {
  return new Map<CheckId, Outcome>(judgeNat(facts, interfaces).outcomes).get(id);
}

function unknownOf(facts: NatFacts, id: CheckId, interfaces = [home]): string {
  const found = outcome(facts, id, interfaces);
  expect(found?.status, id).toBe('unknown');
  return found?.status === 'unknown' ? found.because : '';
}

const behaviours: readonly NatBehaviour[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];
const withAny = 'direct calls work with any peer that can send UDP';
const butSymmetric =
  'direct calls work with any peer but those behind a symmetric NAT; with these the relay is needed';
const fewOnly = 'direct calls work with peers whose NAT filters by address or not at all';

describe('every kind of NAT', () => {
  const kinds = behaviours.flatMap((mapping) =>
    behaviours.flatMap((filtering) => [true, false].map((hairpin) => ({ mapping, filtering, hairpin }))),
  );

  it.each(kinds)('$mapping mapping, $filtering filtering, hairpin $hairpin', (kind) => {
    const { report, outcomes, findings } = judgeNat(natFacts(kind), [home]);
    const { mapping, filtering, hairpin } = kind;
    const hides = [mapping, filtering].every((each) => each !== 'endpoint-independent');
    expect(report).toMatchObject({
      present: true,
      mapping,
      filtering,
      hairpin: hairpin ? true : hides ? null : false,
      mapped: `${clientAddress}:40000`,
    });
    expect(outcomes.get('nat-mapping')).toEqual({ status: 'passed', detail: mapping });
    expect(outcomes.get('nat-filtering')).toEqual({ status: 'passed', detail: filtering });
    expect(outcomes.has('nat-lifetime')).toBe(false);
    expect(findings.map(({ code }) => code)).toEqual(
      mapping === 'endpoint-independent' ? [] : ['NAT_SYMMETRIC'],
    );
    const isCone = mapping === 'endpoint-independent';
    const means = !isCone ? fewOnly : filtering === 'address-and-port-dependent' ? butSymmetric : withAny;
    expect(report.summary).toContain(`your NAT: ${mapping} mapping, ${filtering} filtering; ${means}`);
  });
});

describe('no NAT', () => {
  it.each([
    ['endpoint-independent', `no NAT and no filter; ${withAny}`],
    ['address-dependent', `(a symmetric UDP firewall); ${withAny}`],
    ['address-and-port-dependent', `(a symmetric UDP firewall); ${butSymmetric}`],
  ] as const)('with %s filtering', (filtering, summary) => {
    const { report, outcomes } = judgeNat(natFacts({ mapping: 'none', filtering }), [open]);
    expect(report).toMatchObject({ present: false, mapping: null, filtering, hairpin: null });
    expect(report.summary).toContain(summary);
    expect(outcomes.get('nat-mapping')).toEqual({ status: 'passed', detail: 'no NAT' });
    expect(outcomes.get('nat-hairpin')).toEqual({ status: 'skipped', because: 'there is no NAT' });
  });

  it('is not known when a server names the own address in a form that NATs rewrite', () => {
    const binding = done({ local: publicLocal, mapped: publicLocal, xored: false, other });
    const facts = natFacts({ mapping: 'none', filtering: 'endpoint-independent' }, { binding });
    expect(judgeNat(facts, [open]).report.present).toBeNull();
    expect(unknownOf(facts, 'nat-mapping', [open])).toContain('MAPPED-ADDRESS alone');
  });

  it.each<[string, string, string, InterfaceAddress]>([
    [
      'the same machine',
      '127.0.0.1',
      '127.0.0.1',
      { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
    ],
    ['the same network', '192.168.1.5', local.address, home],
    ['the same public network', '198.51.100.7', clientAddress, open],
    ['another private network', '10.9.9.9', local.address, home],
    ['a network that routes private addresses', server.address, local.address, home],
  ])('is not known of a server in %s', (_, address, own, mine) => {
    const here = { address: own, port: 50_000 };
    const facts = natFacts(
      { mapping: 'none', filtering: 'endpoint-independent' },
      {
        server: { address, port: 3478 },
        binding: done({ local: here, mapped: here, xored: true, other: null }),
        mappings: [],
      },
    );
    const { report } = judgeNat(facts, [mine]);
    expect(report).toMatchObject({ present: null, mapping: null, filtering: null, hairpin: null });
    for (const id of ['nat-mapping', 'nat-filtering', 'nat-hairpin'] as const) {
      expect(unknownOf(facts, id, [mine])).toContain('what lies towards the Internet is not seen');
    }
  });

  it('is one when the port was kept, but not the address', () => {
    const binding = done({ local, mapped: { ...publicLocal, port: local.port }, xored: true, other: null });
    const facts = natFacts(cone, { binding, mappings: [] });
    expect(judgeNat(facts, [home]).report.present).toBe(true);
    expect(unknownOf(facts, 'nat-mapping')).toContain('names no other of its own (no OTHER-ADDRESS');
  });
});

describe('a mapping', () => {
  const bound = { local, mapped: seenAs('endpoint-independent', server), xored: true };

  it('is not known from one address', () => {
    const facts = natFacts(cone, {
      binding: done({ ...bound, other: { ...server, port: 3479 } }),
      mappings: [{ to: { ...server, port: 3479 }, answer: done({ mapped: bound.mapped }) }],
    });
    expect(unknownOf(facts, 'nat-mapping')).toContain('has one: its OTHER-ADDRESS is 203.0.113.10:3479');
    expect(judgeNat(facts, [home]).report.summary).toContain('whether calls need the relay is not known');
  });

  it('that differs between two ports of one address is known to be symmetric all the same', () => {
    const facts = natFacts(cone, {
      binding: done({ ...bound, other: { ...server, port: 3479 } }),
      mappings: [{ to: { ...server, port: 3479 }, answer: done({ mapped: { ...bound.mapped, port: 1 } }) }],
    });
    expect(judgeNat(facts, [home]).report.mapping).toBe('address-and-port-dependent');
  });

  it('is not known when nothing comes from the other address', () => {
    const silent = natFacts().mappings.map(({ to }) => ({ to, answer: failed(silence) }));
    const facts = natFacts(cone, { mappings: silent });
    expect(unknownOf(facts, 'nat-mapping')).toMatch(/nothing came from there: no answer within 5 s/);
  });

  it('that differs between two servers depends on the destination, by address or port', () => {
    const to = { address: '192.0.2.9', port: 3478 };
    const facts = natFacts(cone, {
      binding: done({ ...bound, other: null }),
      mappings: [{ to, answer: done({ mapped: { ...bound.mapped, port: 1 } }) }],
    });
    expect(judgeNat(facts, [home]).report.mapping).toBe('destination-dependent');
    expect(outcome(facts, 'nat-mapping')).toMatchObject({ detail: 'address- or port-dependent' });
  });

  it('is not compared with what a server on this side of the NAT saw', () => {
    const inside = { to: { address: '192.168.1.5', port: 3478 }, answer: done({ mapped: local }) };
    const facts = natFacts(cone, { binding: done({ ...bound, other: null }), mappings: [inside] });
    expect(judgeNat(facts, [home])).toMatchObject({ report: { present: true, mapping: null }, findings: [] });
  });

  it('that keeps the port says so: with two clients on one port it could differ', () => {
    const mapped = { address: clientAddress, port: local.port };
    const mappings = natFacts().mappings.map(({ to }) => ({ to, answer: done({ mapped }) }));
    const facts = natFacts(cone, { binding: done({ ...bound, mapped, other }), mappings });
    expect(outcome(facts, 'nat-mapping')).toMatchObject({
      detail: 'endpoint-independent, and the port is kept',
    });
  });
});

describe('filtering', () => {
  const lost = failed(silence);

  it.each<[string, Partial<NatFacts>, RegExp]>([
    [
      'nothing shows that the server answers from there',
      { control: { addressAndPort: lost, port: lost } },
      /not known whether it sends from there: no answer/,
    ],
    [
      'the server refuses CHANGE-REQUEST',
      { filtering: { addressAndPort: failed(stunError(420)), port: failed(stunError(420)) } },
      /does not do what a CHANGE-REQUEST asks: error 420/,
    ],
    [
      'the server ignores CHANGE-REQUEST',
      { filtering: { addressAndPort: done({ from: server }), port: done({ from: server }) } },
      /answers a CHANGE-REQUEST from where it was sent to/,
    ],
    [
      'the server ignores the control',
      { control: { addressAndPort: done({ from: server }), port: done({ from: server }) } },
      /answers a CHANGE-REQUEST from where it was sent to/,
    ],
    [
      'it was not tried',
      { filtering: { addressAndPort: notTried('a reason'), port: notTried('a reason') } },
      /^a reason$/,
    ],
    [
      'the other port is not known',
      { filtering: { addressAndPort: lost, port: notTried('a reason') } },
      /not endpoint-independent; more is not known: a reason/,
    ],
  ])('is not known when %s', (_, overrides, because) => {
    const facts = natFacts(cone, overrides);
    expect(unknownOf(facts, 'nat-filtering')).toMatch(because);
    expect(judgeNat(facts, [home]).report).toMatchObject({
      mapping: 'endpoint-independent',
      filtering: null,
    });
    expect(judgeNat(facts, [home]).report.summary).toContain('the relay may be needed');
  });

  it('is known by the other port alone when that is kept out', () => {
    const facts = natFacts(cone, {
      filtering: { addressAndPort: notTried('only one address'), port: lost },
      control: { ...fromElsewhere, addressAndPort: notTried('only one address') },
    });
    expect(judgeNat(facts, [home]).report.filtering).toBe('address-and-port-dependent');
  });

  it('without NAT is not known either, and is not called open', () => {
    const facts = natFacts(
      { mapping: 'none', filtering: 'address-and-port-dependent' },
      { control: { addressAndPort: lost, port: lost } },
    );
    expect(judgeNat(facts, [open]).report.summary).toBe(
      'no NAT; whether a firewall lets in what was not asked for is not known',
    );
  });
});

describe('hairpinning', () => {
  it('with the inner source address is told as such', () => {
    const mapped = { address: clientAddress, port: 40_002 };
    const facts = natFacts(cone, { hairpin: done({ from: local, mapped }) });
    expect(outcome(facts, 'nat-hairpin')).toMatchObject({ detail: 'works, with the inner source address' });
  });

  it('is not known where UDP does not leave to other ports', () => {
    const mappings = natFacts().mappings.map((each) =>
      each.to.port === server.port ? each : { to: each.to, answer: failed(silence) },
    );
    expect(unknownOf(natFacts(cone, { mappings }), 'nat-hairpin')).toContain('UDP to other ports');
  });
});

describe('the lifetime of a binding', () => {
  it.each([
    [{ aliveMs: 30_000, goneMs: 60_000 }, 'more than 30 s, less than 60 s'],
    [{ aliveMs: 60_000, goneMs: null }, '60 s or more'],
  ])('%j', (value, detail) => {
    const facts = natFacts(cone, { lifetime: done(value) });
    expect(outcome(facts, 'nat-lifetime')).toEqual({ status: 'passed', detail });
    expect(judgeNat(facts, [home]).report.lifetime).toEqual(value);
  });

  it('is not known when the server does not send to a RESPONSE-PORT', () => {
    const facts = natFacts(cone, { lifetime: failed(stunError(420)) });
    expect(unknownOf(facts, 'nat-lifetime')).toMatch(/RESPONSE-PORT of a fresh binding: error 420/);
    expect(unknownOf(natFacts(cone, { lifetime: notTried('a reason') }), 'nat-lifetime')).toBe('a reason');
  });
});

describe('a carrier-grade NAT', () => {
  const codes = (facts: NatFacts, interfaces: readonly InterfaceAddress[] = [home]): string[] =>
    judgeNat(facts, interfaces).findings.map(({ code }) => code);
  const inner = { address: '100.72.3.9', port: 50_000 };
  const within = natFacts(cone, {
    binding: done({ local: inner, mapped: seenAs('endpoint-independent', server), xored: true, other }),
  });

  it('is seen at the own address, and at the mapped one', () => {
    expect(codes(within)).toEqual(['CGNAT']);
    const binding = done({ local, mapped: { address: '100.64.0.1', port: 7 }, xored: true, other: null });
    expect(codes(natFacts(cone, { binding, mappings: [] }))).toEqual(['CGNAT']);
  });

  it('is not what Tailscale, or a server in such a network, looks like', () => {
    expect(codes(within, [{ interface: 'tailscale0', address: inner.address, prefixLength: 32 }])).toEqual(
      [],
    );
    expect(codes({ ...within, server: { address: '100.64.9.9', port: 3478 }, mappings: [] })).toEqual([]);
  });
});

describe('in a report', () => {
  it('no answer is unknown, and not required: the verdict is that of the server', () => {
    const binding = failed(silence);
    const none = notTried('the server did not answer');
    const neither = { addressAndPort: none, port: none };
    const nat = natFacts(cone, {
      binding,
      mappings: [],
      filtering: neither,
      control: neither,
      hairpin: none,
    });
    const healthy = judge(observationsOf([healthyFacts()], { nat: [nat] }), criteriaWith());
    expect({ verdict: healthy.verdict, open: healthy.open }).toEqual({ verdict: 'healthy', open: [] });
    const checks = healthy.checks.filter(({ id }) => id.startsWith('nat-'));
    expect(checks.map(({ id, status, subject }) => ({ id, status, subject }))).toEqual([
      { id: 'nat-mapping', status: 'unknown', subject: 'IPv4' },
      { id: 'nat-filtering', status: 'unknown', subject: 'IPv4' },
      { id: 'nat-hairpin', status: 'unknown', subject: 'IPv4' },
    ]);
    const dead = judge(
      observationsOf([deadFacts(targetOf(), 'binding', silence)], { nat: [nat] }),
      criteriaWith(),
    );
    expect(dead.nat?.[0]?.summary).toContain('203.0.113.10 did not answer Binding over UDP');
  });

  it('is null when it was not asked for', () => {
    const judged = judge(observationsOf([healthyFacts()]), criteriaWith());
    expect(judged.nat).toBeNull();
    expect(judged.checks.some(({ id }) => id.startsWith('nat-'))).toBe(false);
  });

  it('a symmetric NAT leaves a healthy server healthy', () => {
    const nat = natFacts({ mapping: 'address-and-port-dependent', filtering: 'endpoint-independent' });
    const judged = judge(
      observationsOf([healthyFacts()], { nat: [nat] }),
      criteriaWith({ failOn: 'warning' }),
    );
    expect({ verdict: judged.verdict, exitCode: judged.exitCode }).toEqual({
      verdict: 'healthy',
      exitCode: 0,
    });
  });
});
