import { describe, expect, it } from 'vitest';
import type { FilterRule, FilterTable } from '../../../src/model/packet-filter.ts';
import { parseIptablesSave } from '../../../src/evidence/server/iptables-ruleset.ts';
import { parseNftRuleset } from '../../../src/evidence/server/nft-ruleset.ts';

const listing = `table inet filter { # handle 1
	chain input { # handle 1
		type filter hook input priority filter; policy drop;
		tcp dport 22 accept # handle 7
	}
}
`;

/** A table with one chain, and in it these expressions, one rule each. */
function ruleset(expressions: readonly object[][], ...more: readonly object[]): string {
  return JSON.stringify({
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      { table: { family: 'inet', name: 'filter', handle: 1 } },
      {
        chain: {
          ...{ family: 'inet', table: 'filter', name: 'input', handle: 1 },
          ...{ type: 'filter', hook: 'input', prio: -5, policy: 'drop' },
        },
      },
      ...more,
      ...expressions.map((expr, index) => ({
        rule: { family: 'inet', table: 'filter', chain: 'input', handle: 7 + index, expr },
      })),
    ],
  });
}

function match(left: object, right: unknown, op = '=='): object {
  return { match: { op, left, right } };
}

const dport = { payload: { protocol: 'udp', field: 'dport' } };

function parsed(expr: readonly object[], ...more: readonly object[]): Omit<FilterRule, 'text'>[] {
  const [table] = parseNftRuleset(ruleset([[...expr]], ...more), listing);
  return (table?.chains[0]?.rules ?? []).map(({ matches, action }) => ({ matches, action }));
}

const no = { negated: false };
const udp = { kind: 'protocol', names: ['udp'], ...no };

describe('parseNftRuleset', () => {
  it('reads tables, chains, priorities and the text of each rule', () => {
    const [table] = parseNftRuleset(ruleset([[{ accept: null }], [{ drop: null }]]), listing);
    expect(table).toMatchObject({ name: 'inet filter', tool: 'nft', families: [4, 6] });
    expect(table?.chains[0]?.base).toEqual({ hook: 'input', type: 'filter', priority: -5, policy: 'drop' });
    expect(table?.chains[0]?.rules.map(({ text }) => text)).toEqual(['tcp dport 22 accept', 'a rule']);
  });

  it('reads ports as numbers, ranges, sets and comparisons', () => {
    const spans = (right: unknown, op?: string): unknown =>
      parsed([match(dport, right, op), { accept: null }])[0]?.matches[1];
    const port = (...each: readonly [number, number][]): object => ({
      kind: 'port',
      end: 'destination',
      spans: each.map(([first, last]) => ({ first, last })),
      ...no,
    });
    expect(spans(3478)).toEqual(port([3478, 3478]));
    expect(spans({ range: [49_152, 65_535] })).toEqual(port([49_152, 65_535]));
    expect(spans({ set: [3478, { range: [5000, 6000] }] })).toEqual(port([3478, 3478], [5000, 6000]));
    expect(spans(1024, '<')).toEqual(port([0, 1023]));
    expect(spans(3478, '!=')).toEqual({ ...port([3478, 3478]), negated: true });
  });

  it('reads sets by their name, with elements that carry a timeout', () => {
    const set = {
      set: {
        ...{ family: 'inet', table: 'filter', name: 'open', type: 'inet_service' },
        elem: [{ elem: { val: 3478, timeout: 60 } }, { range: [5000, 6000] }],
      },
    };
    expect(parsed([match(dport, '@open'), { accept: null }], set)[0]?.matches).toEqual([
      udp,
      {
        kind: 'port',
        end: 'destination',
        spans: [
          { first: 3478, last: 3478 },
          { first: 5000, last: 6000 },
        ],
        ...no,
      },
    ]);
  });

  it('makes of a map of verdicts one rule for each element', () => {
    const rules = parsed([
      {
        vmap: {
          key: { ct: { key: 'state' } },
          data: {
            set: [
              ['established', { accept: null }],
              ['new', { jump: { target: 'fresh' } }],
            ],
          },
        },
      },
    ]);
    expect(rules).toEqual([
      { matches: [{ kind: 'state', states: ['established'], ...no }], action: { kind: 'accept' } },
      { matches: [{ kind: 'state', states: ['new'], ...no }], action: { kind: 'jump', chain: 'fresh' } },
    ]);
  });

  it('goes on behind what only notes something, and does not pretend to know what it does not', () => {
    const [rule] = parsed([
      { counter: { packets: 0, bytes: 0 } },
      { log: { prefix: 'x' } },
      { limit: { rate: 10, per: 'second' } },
      match({ meta: { key: 'mark' } }, 1),
      match({ concat: [dport] }, { set: [] }),
      { set: { op: 'update', elem: 'x', set: '@meter', stmt: [{ limit: { rate: 1 } }] } },
      { 'something new': {} },
      { accept: null },
    ]);
    expect(rule?.matches.map((each) => each.kind === 'unknown' && each.what)).toEqual([
      'limit',
      'meta mark',
      'a condition',
      'a set that counts',
      'something new',
    ]);
    expect(rule?.action).toEqual({ kind: 'accept' });
  });

  it('holds a translation to the family that it is for', () => {
    expect(parsed([match(dport, 3478), { dnat: { family: 'ip', addr: '172.17.0.2', port: 3478 } }])).toEqual([
      {
        matches: [udp, expect.objectContaining({ kind: 'port' }), { kind: 'family', family: 4, ...no }],
        action: { kind: 'redirect', to: '172.17.0.2 port 3478' },
      },
    ]);
  });

  it('reads several states, as nft lists those of a flag', () => {
    const [rule] = parsed([
      match({ ct: { key: 'state' } }, ['established', 'related'], 'in'),
      { accept: null },
    ]);
    expect(rule?.matches).toEqual([{ kind: 'state', states: ['established', 'related'], ...no }]);
  });

  it('holds a chain of some interfaces to them, with its policy', () => {
    const chain = {
      ...{ family: 'netdev', table: 'early', name: 'in', handle: 1 },
      ...{ type: 'filter', hook: 'ingress', prio: -500, policy: 'drop' },
    };
    const rule = { family: 'netdev', table: 'early', chain: 'in', handle: 2, expr: [{ accept: null }] };
    const json = JSON.stringify({
      nftables: [{ table: { family: 'netdev', name: 'early', handle: 1 } }, { chain }, { rule }],
    });
    const listed = (devices: string): string =>
      `table netdev early { # handle 1\n\tchain in { # handle 1\n\t\ttype filter hook ingress ${devices} priority -500; policy drop;\n\t}\n}\n`;
    const chainOf = (devices: string): unknown => parseNftRuleset(json, listed(devices))[0]?.chains[0];
    const held = (there: object): object => ({
      base: { hook: 'ingress', policy: 'accept' },
      rules: [
        { matches: [there], action: { kind: 'accept' } },
        { matches: [there], action: { kind: 'drop' } },
      ],
    });
    const on = (...names: readonly string[]): object => ({ kind: 'interface', end: 'in', names, ...no });
    expect(chainOf('device "eth0"')).toMatchObject(held(on('eth0')));
    expect(chainOf('devices = { eth0, "eth1" }')).toMatchObject(held(on('eth0', 'eth1')));
    expect(parseNftRuleset(json, '')[0]?.chains[0]).toMatchObject(held({ kind: 'unknown' }));
  });

  it('takes from iptables-save the rules of iptables, and no others', () => {
    const table = { family: 'ip', name: 'filter', handle: 1 };
    const chain = {
      family: 'ip',
      table: 'filter',
      name: 'INPUT',
      type: 'filter',
      hook: 'input',
      prio: 0,
      policy: 'drop',
    };
    const xt = { xt: { type: 'match', name: 'multiport' } };
    const rules = [
      [xt, { accept: null }],
      [match(dport, 3478), { accept: null }],
    ].map((expr, index) => ({
      rule: { family: 'ip', table: 'filter', chain: 'INPUT', handle: index, expr },
    }));
    const json = JSON.stringify({ nftables: [{ table }, { chain }, ...rules] });
    const save = (lines: string): FilterTable[] =>
      parseIptablesSave(`*filter\n:INPUT ACCEPT [0:0]\n${lines}COMMIT\n`, 'iptables');
    const first = '-A INPUT -p udp -m multiport --dports 80,443 -j ACCEPT\n';
    const [full] = parseNftRuleset(json, '', save(`${first}-A INPUT -p udp -j ACCEPT\n`));
    expect(full?.tool).toBe('iptables');
    expect(full?.chains[0]?.base?.policy).toBe('drop');
    expect(full?.chains[0]?.rules.map(({ matches }) => matches.at(-1))).toMatchObject([
      { kind: 'port', spans: [{ first: 80 }, { first: 443 }] },
      { kind: 'port', spans: [{ first: 3478 }] },
    ]);
    // Where it tells of another number of rules, which of them is meant is not known.
    const [other] = parseNftRuleset(json, '', save(first));
    expect(other?.chains[0]?.rules[0]?.matches).toMatchObject([{ kind: 'unknown' }]);
  });
});
