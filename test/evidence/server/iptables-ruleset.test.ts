import { describe, expect, it } from 'vitest';
import { parseIptablesSave } from '../../../src/evidence/server/iptables-ruleset.ts';
import type { FilterRule } from '../../../src/model/packet-filter.ts';

function save(...rules: readonly string[]): string {
  return `# Generated\n*filter\n:INPUT DROP [3:240]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n${rules.join('\n')}\nCOMMIT\n`;
}

function parsed(line: string): Omit<FilterRule, 'text'> {
  const [table] = parseIptablesSave(save(line), 'iptables');
  const { matches, action } = table?.chains[0]?.rules[0] ?? { matches: [], action: { kind: 'none' } };
  return { matches, action };
}

const no = { negated: false };

describe('parseIptablesSave', () => {
  it('reads tables, chains and policies', () => {
    const [table] = parseIptablesSave(save('-A own -j RETURN'), 'ip6tables');
    expect(table).toMatchObject({ name: 'ip6 filter', tool: 'ip6tables', families: [6] });
    expect(table?.chains.map(({ name, base }) => [name, base?.hook, base?.policy])).toEqual([
      ['INPUT', 'input', 'drop'],
      ['OUTPUT', 'output', 'accept'],
      ['own', undefined, undefined],
    ]);
    expect(
      parseIptablesSave('*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n', 'iptables')[0]?.chains[0]?.base,
    ).toEqual({ hook: 'prerouting', type: 'nat', priority: -100, policy: 'accept' });
  });

  it('reads conditions with what negates them', () => {
    expect(parsed('-A INPUT ! -s 10.0.0.0/8 -i eth+ -p udp -m udp --dport 3478 -j ACCEPT')).toEqual({
      matches: [
        { kind: 'address', end: 'source', networks: ['10.0.0.0/8'], negated: true },
        { kind: 'interface', end: 'in', names: ['eth*'], ...no },
        { kind: 'protocol', names: ['udp'], ...no },
        { kind: 'port', end: 'destination', spans: [{ first: 3478, last: 3478 }], ...no },
      ],
      action: { kind: 'accept' },
    });
  });

  it('reads several ports, states, flags and comments with blanks', () => {
    const line =
      '-A INPUT -p tcp -m multiport --dports 80,443,49152:65535 -m conntrack --ctstate NEW,UNTRACKED -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m comment --comment "a -j DROP \\" b" -j own';
    expect(parsed(line)).toEqual({
      matches: [
        { kind: 'protocol', names: ['tcp'], ...no },
        {
          kind: 'port',
          end: 'destination',
          spans: [
            { first: 80, last: 80 },
            { first: 443, last: 443 },
            { first: 49_152, last: 65_535 },
          ],
          ...no,
        },
        { kind: 'state', states: ['new', 'untracked'], ...no },
        { kind: 'tcp-flags', mask: ['fin', 'syn', 'rst', 'ack'], flags: ['syn'], ...no },
      ],
      action: { kind: 'jump', chain: 'own' },
    });
  });

  it.each([
    ['-j REJECT --reject-with icmp-port-unreachable', { kind: 'drop' }],
    ['-j LOG --log-prefix "[UFW BLOCK] "', { kind: 'none' }],
    ['-g own', { kind: 'goto', chain: 'own' }],
    ['-j DNAT --to-destination 172.17.0.2:3478', { kind: 'redirect', to: '172.17.0.2:3478' }],
    ['-j CT --notrack', { kind: 'untrack' }],
    ['-j CT --helper sip', { kind: 'none' }],
    ['-j NFQUEUE --queue-num 1', { kind: 'unknown', what: 'the target NFQUEUE' }],
  ])('reads what %s does', (text, action) => {
    expect(parsed(`-A INPUT ${text}`).action).toEqual(action);
  });

  it('does not pretend to know a match that it does not', () => {
    for (const text of [
      '-m limit --limit 3/min',
      '-m set --match-set bad src',
      '-m recent --rcheck --name x --rsource',
    ])
      expect(parsed(`-A INPUT ${text} -j DROP`).matches).toContainEqual(
        expect.objectContaining({ kind: 'unknown' }),
      );
  });
});
