import { describe, expect, it } from 'vitest';
import type { InterfaceAddress, OutsideFacts, TargetFacts } from '../../src/model/observations.ts';
import { vantageFindings, vantageOf } from '../../src/rules/vantage.ts';
import {
  done,
  failed,
  healthyFacts,
  mapped,
  observationsOf,
  outsideFacts,
  relayed,
  serverAddress,
  silence,
  targetOf,
} from '../support/facts.ts';

function on(address: string, prefixLength = 24): InterfaceAddress[] {
  return [
    { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
    { interface: 'eth0', address, prefixLength },
  ];
}

function seenAs(address: string): Partial<TargetFacts> {
  return { binding: done({ mapped: { address, port: 4 }, software: null, rttMs: 1, sent: 1 }) };
}

function at(address: string, overrides: Partial<TargetFacts> = {}): TargetFacts {
  return healthyFacts(targetOf('udp', { address }), overrides);
}

describe('the vantage', () => {
  it.each<[string, TargetFacts, readonly InterfaceAddress[], string, string]>([
    [
      'another network, behind NAT',
      at(serverAddress),
      on('192.168.1.20'),
      'off-link',
      '198.51.100.20, behind NAT',
    ],
    ['another network', at(serverAddress), on('198.51.100.20'), 'off-link', '198.51.100.20, without NAT'],
    [
      'the host itself',
      at(serverAddress),
      on(serverAddress),
      'same-host',
      '203.0.113.10 is an address of eth0 here',
    ],
    ['loopback', at('127.0.0.1'), on('192.168.1.20'), 'same-host', '127.0.0.1 is a loopback address'],
    [
      'its link',
      at(serverAddress),
      on('203.0.113.77'),
      'same-network',
      '203.0.113.10 is in the network of eth0 here',
    ],
    // Point-to-point links of cloud machines say nothing about a shared network.
    [
      'a link of one address',
      at(serverAddress),
      on('203.0.113.77', 32),
      'off-link',
      '198.51.100.20, behind NAT',
    ],
    [
      'a link of all addresses',
      at(serverAddress),
      on('10.0.0.1', 0),
      'off-link',
      '198.51.100.20, behind NAT',
    ],
    [
      'behind the NAT of the server',
      at(serverAddress, seenAs(serverAddress)),
      on('192.168.1.20'),
      'same-network',
      'this client and turn.example.com share the public address 203.0.113.10',
    ],
    [
      'unknown',
      at(serverAddress, {
        binding: failed(silence),
        allocate: done({ relayed, mapped: null, lifetimeSeconds: 600, rttMs: 1 }),
      }),
      on('192.168.1.20'),
      'unknown',
      'the server did not tell how it sees this client',
    ],
    [
      'known from Allocate',
      at(serverAddress, {
        binding: failed(silence),
        allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: 1 }),
      }),
      on('192.168.1.20'),
      'off-link',
      '198.51.100.20, behind NAT',
    ],
    [
      'behind a relay of this machine at another address',
      at('198.51.100.77', { allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: 1 }) }),
      on(serverAddress, 32),
      'same-host',
      'the relay address 203.0.113.10 is an address of eth0 here',
    ],
    [
      'behind the NAT of the relay',
      at('198.51.100.77', { ...seenAs(serverAddress) }),
      on('192.168.1.20'),
      'same-network',
      'this client and the relay share the public address 203.0.113.10',
    ],
    [
      'a public server that sees a private address',
      at(serverAddress, seenAs('10.0.0.7')),
      on('10.0.0.7'),
      'same-network',
      'the server sees this client as 10.0.0.7, so no public network is between them',
    ],
    [
      'IPv6 link',
      at('2001:db8::10'),
      on('2001:db8::20', 64),
      'same-network',
      '2001:db8::10 is in the network of eth0 here',
    ],
  ])('%s', (_what, facts, interfaces, kind, because) => {
    const observations = observationsOf([facts], { interfaces });
    expect(vantageOf(observations)).toEqual({ kind, because });
    const close = kind === 'same-host' || kind === 'same-network';
    expect(vantageFindings(observations).map(({ code, severity }) => `${code} ${severity}`)).toEqual(
      close ? ['VANTAGE_TOO_CLOSE info'] : [],
    );
  });

  it('of several servers is that of the nearest, as that proves least', () => {
    const facts = [at(serverAddress), at('127.0.0.1'), at('203.0.113.11')];
    expect(vantageOf(observationsOf(facts)).kind).toBe('same-host');
    expect(vantageFindings(observationsOf(facts))).toHaveLength(1);
  });

  it('says by whom the relay was proven nevertheless', () => {
    const provenBy = (outside: Partial<OutsideFacts>): unknown => {
      const facts = at('127.0.0.1', { outside: done(outsideFacts(outside)) });
      return vantageFindings(observationsOf([facts]))[0]?.evidence;
    };
    expect(provenBy({})).toMatchObject({ provenBy: 'udp://peer.example.net:3479' });
    expect(provenBy({ inbound: failed(silence) })).toMatchObject({ provenBy: null });
  });

  it('of nothing is unknown', () => {
    expect(vantageOf(observationsOf([]))).toEqual({ kind: 'unknown', because: 'no target was examined' });
  });
});
