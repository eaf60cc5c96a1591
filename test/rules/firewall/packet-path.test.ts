import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterChain, FilterMatch, FilterRule, FilterTable } from '../../../src/model/packet-filter.ts';
import type { Packet } from '../../../src/rules/firewall/packet-match.ts';
import { packetFate } from '../../../src/rules/firewall/packet-path.ts';

const packet: Packet = {
  family: 4,
  protocol: 'udp',
  port: 3478,
  state: 'new',
  device: 'eth0',
  destinations: ['203.0.113.10'],
};

const doubt: FilterMatch = { kind: 'unknown', what: 'limit', negated: false };

function rule(
  kind: 'accept' | 'drop' | 'return' | 'untrack',
  ...matches: readonly FilterMatch[]
): FilterRule {
  return { text: `${kind} ${matches.map((each) => each.kind).join(' ')}`.trim(), matches, action: { kind } };
}

function to(kind: 'jump' | 'goto', chain: string, ...matches: readonly FilterMatch[]): FilterRule {
  return { text: `${kind} ${chain}`, matches, action: { kind, chain } };
}

function base(
  rules: readonly FilterRule[],
  more: Partial<NonNullable<FilterChain['base']>> = {},
): FilterChain {
  return {
    name: 'input',
    base: { hook: 'input', type: 'filter', priority: 0, policy: 'drop', ...more },
    rules,
  };
}

function table(...chains: readonly FilterChain[]): FilterTable {
  return { name: 'inet filter', tool: 'nft', families: [4, 6], chains };
}

function chain(name: string, ...rules: readonly FilterRule[]): FilterChain {
  return { name, base: null, rules };
}

function stateOf(...tables: readonly FilterTable[]): string {
  return packetFate(tables, packet).state;
}

describe('packetFate', () => {
  it('is open without rules, and what the policy says where no rule applies', () => {
    expect(packetFate([], packet)).toEqual({ state: 'open', decider: null, exceptions: [] });
    expect(stateOf(table(base([], { policy: 'accept' })))).toBe('open');
    expect(packetFate([table(base([]))], packet)).toMatchObject({
      state: 'blocked',
      decider: { table: 'inet filter', chain: 'input', rule: null },
    });
  });

  it('needs every chain to accept: a drop in one of them is the end', () => {
    const accepting = table(base([rule('accept')], { priority: -10 }));
    expect(stateOf(accepting, table(base([rule('drop')], { policy: 'accept' })))).toBe('blocked');
    expect(stateOf(table(base([rule('drop')], { hook: 'prerouting' })), accepting)).toBe('blocked');
  });

  it('comes back from a jump, and not from a goto', () => {
    const empty = chain('other', rule('return'));
    expect(stateOf(table(base([to('jump', 'other'), rule('accept')]), empty))).toBe('open');
    expect(stateOf(table(base([to('goto', 'other'), rule('accept')]), empty))).toBe('blocked');
  });

  it('is unknown where a condition cannot be decided and it matters, with the rule', () => {
    expect(packetFate([table(base([rule('accept', doubt)]))], packet)).toEqual({
      state: 'unknown',
      because:
        'whether the rule "accept unknown" in input of inet filter applies cannot be decided here (limit)',
    });
    // Both ways end alike.
    expect(stateOf(table(base([rule('accept', doubt), rule('accept')])))).toBe('open');
    expect(stateOf(table(base([rule('drop', doubt)])))).toBe('blocked');
    // A later chain drops it in any case.
    expect(stateOf(table(base([rule('accept', doubt)])), table(base([], { priority: 1 })))).toBe('blocked');
  });

  it('is unknown where a chain may be left before it decides', () => {
    const other = chain('other', rule('return', doubt), rule('drop'));
    expect(stateOf(table(base([to('jump', 'other'), rule('accept')]), other))).toBe('unknown');
    expect(stateOf(table(base([to('jump', 'other'), rule('drop')]), other))).toBe('blocked');
  });

  it('is unknown where it may be somewhere else by the time it would be dropped', () => {
    const elsewhere: FilterRule = {
      text: 'dnat',
      matches: [doubt],
      action: { kind: 'redirect', to: '172.17.0.2' },
    };
    const nat = table(base([elsewhere], { hook: 'prerouting', type: 'nat', policy: 'accept' }));
    expect(stateOf(nat, table(base([])))).toBe('unknown');
  });

  it('takes a chain that is not there, and a circle of jumps, for no pass', () => {
    expect(stateOf(table(base([to('jump', 'gone'), rule('accept')])))).toBe('unknown');
    const circle = chain('other', to('jump', 'other'));
    expect(stateOf(table(base([to('jump', 'other')]), circle))).toBe('blocked');
  });

  it('follows a packet that is not tracked', () => {
    const raw = table(base([rule('untrack')], { hook: 'prerouting', priority: -300, policy: 'accept' }));
    const fresh: FilterMatch = { kind: 'state', states: ['new'], negated: false };
    expect(stateOf(table(base([rule('accept', fresh)])))).toBe('open');
    expect(stateOf(raw, table(base([rule('accept', fresh)])))).toBe('blocked');
  });

  it('names the rules that treat some senders apart', () => {
    const few: FilterMatch = {
      kind: 'address',
      end: 'source',
      networks: ['192.0.2.0/24'],
      negated: false,
    };
    const fate = packetFate([table(base([rule('drop', few), rule('accept')]))], packet);
    expect(fate).toMatchObject({ state: 'open', exceptions: ['drop address'] });
    expect(stateOf(table(base([rule('accept', few)])))).toBe('blocked');
    expect(stateOf(table(base([rule('accept', { ...few, negated: true })])))).toBe('open');
    const half = { ...few, networks: ['0.0.0.0/1'] };
    expect(stateOf(table(base([rule('accept', half)])))).toBe('unknown');
  });

  it('is never open where every rule that accepts is in doubt, and the policy drops', () => {
    const match = fc.constantFrom<FilterMatch>(doubt, { kind: 'never', negated: false });
    const rules = fc.array(
      fc
        .record({ matches: fc.array(match, { minLength: 1, maxLength: 3 }), accepts: fc.boolean() })
        .map(({ matches, accepts }) => rule(accepts ? 'accept' : 'drop', ...matches)),
    );
    fc.assert(fc.property(rules, (each) => stateOf(table(base(each))) !== 'open'));
  });
});
