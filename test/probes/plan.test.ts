import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/model/observations.ts';
import { serversOf, targetsOf, urisOf } from '../../src/probes/plan.ts';
import { targetOf } from '../support/facts.ts';

describe('urisOf', () => {
  it('takes a bare host for every transport on the standard ports', () => {
    expect(urisOf('turn.example.com')).toEqual([
      { scheme: 'turn', host: 'turn.example.com', port: 3478, transport: 'udp' },
      { scheme: 'turn', host: 'turn.example.com', port: 3478, transport: 'tcp' },
      { scheme: 'turns', host: 'turn.example.com', port: 5349, transport: 'tls' },
    ]);
  });

  it.each(['2001:db8::1', '[2001:db8::1]'])('takes %s for an IPv6 address', (text) => {
    expect(urisOf(text).map(({ host }) => host)).toEqual(Array(3).fill('2001:db8::1'));
  });

  it('takes a URI for itself', () => {
    expect(urisOf('turns:turn.example.com:443')).toEqual([
      { scheme: 'turns', host: 'turn.example.com', port: 443, transport: 'tls' },
    ]);
  });

  it.each([
    ['https://turn.example.com/x?y', 'Write turn:turn.example.com'],
    ['turn.example.com:3478', 'Write turn:turn.example.com:3478, or turns:'],
    ['', 'or just HOST'],
  ])('refuses %j and says what would be right', (text, hint) => {
    expect(() => urisOf(text)).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining(hint) }),
    );
  });
});

describe('targetsOf', () => {
  const addresses = (host: string): string[] =>
    host === 'two' ? ['192.0.2.1', '2001:db8::1'] : ['192.0.2.1'];
  const all = { transports: null, families: null };

  it('makes every address of every transport a target of its own', () => {
    const targets = targetsOf(urisOf('two'), addresses, all);
    expect(targets.map(({ transport, family }) => `${transport}${family}`)).toEqual([
      ...['udp4', 'udp6', 'tcp4', 'tcp6', 'tls4', 'tls6'],
    ]);
  });

  it('leaves out what is not asked for', () => {
    const targets = targetsOf(urisOf('two'), addresses, { transports: ['udp', 'tls'], families: [6] });
    expect(targets.map(({ transport, family }) => `${transport}${family}`)).toEqual(['udp6', 'tls6']);
  });

  it('probes nothing twice', () => {
    expect(targetsOf([...urisOf('one'), ...urisOf('turn:one')], addresses, all)).toHaveLength(3);
  });
});

it('takes targets that share a name or an address for one server', () => {
  const of = (host: string, address: string): Target => targetOf('udp', { host, address });
  const a4 = of('a.example', '192.0.2.1');
  const a6 = of('a.example', '2001:db8::1');
  const alias = of('alias.example', '2001:db8::1');
  const b = of('b.example', '192.0.2.2');
  const servers = serversOf([a4, b, alias, a6]);
  expect(servers.map((server) => new Set(server))).toEqual([new Set([b]), new Set([a4, alias, a6])]);
});
