import { describe, expect, it } from 'vitest';
import type { CheckId, Outcome } from '../../src/model/check.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { PeerFacts, TargetFacts } from '../../src/model/observations.ts';
import { judgePermission, judgeRelay, judgeRelayAddress } from '../../src/rules/relay.ts';
import {
  clientAddress,
  done,
  failed,
  healthyFacts,
  mapped,
  notTried,
  ownFault,
  peer,
  serverAddress,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';

const publicRelay: Endpoint = { address: serverAddress, port: 49160 };
const privateRelay: Endpoint = { address: '172.16.0.10', port: 49160 };
const otherRelay: Endpoint = { address: '198.51.100.7', port: 49160 };
const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });

/** `1` passed, `0` nothing arrived, for inbound, outbound and reply; the relay sends from `from`. */
function withRelay(bits: string, relayed = publicRelay, from = relayed): Partial<TargetFacts> {
  const [inbound, outbound, reply] = bits.split('').map((bit) => bit === '1');
  return {
    allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: 24 }),
    inbound: inbound ? done({ seenFrom: peer }) : lost,
    outbound: outbound ? done({ peer, from }) : lost,
    reply: reply ? done({ seenFrom: peer }) : lost,
  };
}

function facts(overrides: Partial<TargetFacts>, address = serverAddress): TargetFacts {
  return healthyFacts(targetOf('udp', { address }), overrides);
}

function said(outcome: Outcome): string {
  if (outcome.status === 'failed') return outcome.findings.map(({ code }) => code).join(' ');
  return outcome.status;
}

function saidOfRelay(of: TargetFacts): string[] {
  const outcomes = judgeRelay(of);
  const ids = ['relay-inbound', 'relay-outbound', 'relay-reply'] as const satisfies readonly CheckId[];
  return ids.map((id) => said(outcomes[id]));
}

describe('the three ways through a relay tell one fault from another', () => {
  const stateful = 'RELAY_PORTS_STATEFUL_ONLY';
  const blocked = 'RELAY_PORTS_BLOCKED';
  const unknown = ['unknown', 'unknown', 'unknown'];

  it.each<[string, Partial<TargetFacts>, readonly string[]]>([
    ['in order', withRelay('111'), ['passed', 'passed', 'passed']],
    ['relay ports blocked', withRelay('010'), [blocked, 'passed', blocked]],
    ['relay ports take replies only', withRelay('011'), [stateful, 'passed', 'passed']],
    ['the same, behind a symmetric NAT', withRelay('001'), [stateful, 'unknown', 'passed']],
    ['the server cannot send', withRelay('101'), ['passed', 'RELAY_OUTBOUND_BLOCKED', 'passed']],
    ['a loss at the end', withRelay('110'), ['passed', 'passed', 'unknown']],
    ['the client lets nothing out but to port 3478', withRelay('000'), unknown],
    // Nothing says which of both: a firewall, or an external-ip that is wrong.
    ['another public relay address, and nothing passes', withRelay('000', otherRelay), unknown],
    [
      'a wrong external-ip',
      withRelay('010', otherRelay, { address: serverAddress, port: 49160 }),
      ['RELAY_ADDRESS_MISMATCH', 'RELAY_ADDRESS_MISMATCH', 'RELAY_ADDRESS_MISMATCH'],
    ],
    // Seen from inside the server's network: its NAT has not translated anything.
    ['from a private source', withRelay('010', publicRelay, privateRelay), unknown],
    [
      'from another port: a NAT that translates ports',
      withRelay('010', publicRelay, { ...publicRelay, port: 1024 }),
      unknown,
    ],
    [
      'from a private source, and in order inbound',
      withRelay('111', publicRelay, privateRelay),
      ['passed', 'unknown', 'passed'],
    ],
    [
      'a private relay address',
      withRelay('000', privateRelay),
      ['RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE'],
    ],
    [
      'a private relay address, whose packets come from the public one',
      withRelay('010', privateRelay, publicRelay),
      ['RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE'],
    ],
  ])('%s', (_what, overrides, expected) => {
    expect(saidOfRelay(facts(overrides))).toEqual(expected);
  });

  const here = '192.168.1.20';
  const seenAs = (address: string, source: string | null = here) => ({
    server: { address: serverAddress, port: 3478 },
    source,
    mapped: { address, port: 40001 },
  });
  it.each<[string, PeerFacts, string]>([
    [
      'as it is known',
      { source: here, mappings: [seenAs(clientAddress)], permitted: [clientAddress] },
      blocked,
    ],
    ['unknown', { source: here, mappings: [], permitted: [clientAddress] }, 'unknown'],
    ['denied', { source: here, mappings: [seenAs('198.51.100.21')], permitted: [clientAddress] }, 'unknown'],
    [
      'one of several of a NAT',
      {
        source: here,
        mappings: [seenAs(clientAddress), seenAs('198.51.100.21')],
        permitted: [clientAddress, '198.51.100.21'],
      },
      'unknown',
    ],
    // A tunnel, or another uplink: how that looks to the relay nobody has told.
    [
      'another one',
      { source: '10.8.0.2', mappings: [seenAs(clientAddress)], permitted: [clientAddress] },
      'unknown',
    ],
    [
      'another one of this machine, which the relay takes',
      { source: '10.8.0.2', mappings: [seenAs(clientAddress)], permitted: [clientAddress, '10.8.0.2'] },
      blocked,
    ],
    [
      'no way there',
      { source: null, mappings: [seenAs(clientAddress)], permitted: [clientAddress] },
      'unknown',
    ],
  ])(
    'blames a firewall only when the relay would take packets of the peer: its address is %s',
    (_what, seen, expected) => {
      const [inbound, outbound, reply] = saidOfRelay(facts({ ...withRelay('010'), peer: done(seen) }));
      expect([inbound, outbound, reply]).toEqual([expected, 'passed', expected]);
      const untried = facts({ ...withRelay('010'), peer: failed(silence) });
      expect(saidOfRelay(untried)).toEqual(['unknown', 'passed', 'unknown']);
    },
  );

  it('does not say that a server denies what it only gave no permission for', () => {
    const seen = { source: here, mappings: [seenAs('198.51.100.21')], permitted: [clientAddress] };
    const because =
      'the server gave no permission for 198.51.100.21, from which this client sends to the relay';
    const outcomes = judgeRelay(facts({ ...withRelay('010'), peer: done(seen) }));
    expect(outcomes['relay-inbound']).toEqual({ status: 'unknown', because });
  });

  it.each(['channel', 'refresh', 'release'] as const)(
    'blames no firewall when the server stopped in the middle (at %s)',
    (step) => {
      for (const bits of ['000', '010', '100', '110']) {
        const stopped = facts({ ...withRelay(bits), [step]: failed(silence) });
        expect(saidOfRelay(stopped).filter((each) => each !== 'passed' && each !== 'unknown')).toEqual([]);
      }
      // An error response is an answer.
      const refused = facts({ ...withRelay('010'), [step]: failed(stunError(437)) });
      expect(saidOfRelay(refused)).toContain(blocked);
    },
  );

  it('is unknown where it was not tried, for the reason of that', () => {
    const never = notTried('there was no permission');
    const outcomes = judgeRelay(facts({ inbound: never, outbound: never, reply: never }));
    for (const outcome of Object.values(outcomes)) {
      expect(outcome).toEqual({ status: 'unknown', because: 'there was no permission' });
    }
    const half = judgeRelay(facts({ ...withRelay('000'), outbound: never, reply: never }));
    expect(half['relay-inbound']).toMatchObject({
      because: expect.stringContaining('could not be tried') as string,
    });
  });

  it('says so when the server denies this client as a peer', () => {
    const never = notTried('there was no permission');
    const denied = facts({
      permission: failed(stunError(403)),
      inbound: never,
      outbound: never,
      reply: never,
    });
    for (const outcome of Object.values(judgeRelay(denied))) {
      expect(outcome).toEqual({
        status: 'unknown',
        because: 'the server denies 198.51.100.20 as a peer, so the relay cannot be tried from here',
      });
    }
  });

  it('says where the packets of the relay come from, as that is the right address', () => {
    const outcome = judgeRelay(facts(withRelay('010', otherRelay, { address: '203.0.113.12', port: 1 })));
    expect(outcome['relay-inbound']).toMatchObject({ findings: [{ evidence: { from: '203.0.113.12' } }] });
  });

  it('names the server that 300 Try-Alternate led to', () => {
    const redirects = [{ address: '203.0.113.11', port: 3478 }];
    const relayed = { address: '203.0.113.11', port: 49160 };
    const there = facts({ ...withRelay('010', relayed), redirects });
    expect(judgeRelay(there)['relay-inbound']).toMatchObject({
      findings: [{ code: blocked, evidence: { address: '203.0.113.11' } }],
    });
    // Its relay address is its own, though not that of the server that was asked.
    const silent = judgeRelay(facts({ ...withRelay('000', relayed), redirects }))['relay-inbound'];
    expect(silent).toMatchObject({
      status: 'unknown',
      because: expect.not.stringContaining('external-ip') as string,
    });
  });
});

describe('relay-address', () => {
  it.each<[string, string, string, string, string]>([
    ['public', serverAddress, serverAddress, '000', 'passed'],
    ['another public one', serverAddress, '198.51.100.7', '000', 'passed'],
    ['private, of a public server', serverAddress, '172.16.0.10', '000', 'RELAY_ADDRESS_PRIVATE'],
    // The probe may stand in the same private network; users do not.
    ['private, and reached', serverAddress, '172.16.0.10', '111', 'RELAY_ADDRESS_PRIVATE'],
    ['of carrier-grade NAT', serverAddress, '100.64.0.1', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['loopback', serverAddress, '127.0.0.1', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['none', serverAddress, '0.0.0.0', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['of a benchmark', serverAddress, '198.18.0.1', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['private, of that private server', '172.16.0.10', '172.16.0.10', '000', 'passed'],
    ['private, of a server beside it, and reached', '172.16.0.11', '172.16.0.10', '111', 'passed'],
    [
      'private, of a server beside it, and dead',
      '172.16.0.11',
      '172.16.0.10',
      '000',
      'RELAY_ADDRESS_PRIVATE',
    ],
    ['public, of a private server', '172.16.0.11', serverAddress, '000', 'passed'],
    ['loopback, of this machine', '127.0.0.1', '127.0.0.1', '111', 'passed'],
    ['private, of a loopback server', '127.0.0.1', '10.1.2.3', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['unique local, of a public IPv6 server', '2001:db8::10', 'fd00::10', '000', 'RELAY_ADDRESS_PRIVATE'],
    ['IPv6, spelled otherwise', 'fd00::10', 'fd00:0:0:0:0:0:0:10', '000', 'passed'],
  ])('%s', (_what, server, relay, bits, expected) => {
    const outcome = judgeRelayAddress(facts(withRelay(bits, { address: relay, port: 49160 }), server));
    expect(said(outcome)).toBe(expected);
  });

  it('says for whom it is, where that is not everyone', () => {
    const detail = (address: string): unknown =>
      judgeRelayAddress(facts(withRelay('111', { address, port: 4 }), address));
    expect(detail(serverAddress)).toEqual({ status: 'passed', detail: serverAddress });
    expect(detail('127.0.0.1')).toEqual({ status: 'passed', detail: '127.0.0.1, for this machine only' });
    expect(detail('10.0.0.5')).toEqual({ status: 'passed', detail: '10.0.0.5, for its own network only' });
  });

  it('gives the public address that external-ip needs, where it is known', () => {
    const evidence = (overrides: Partial<TargetFacts>, server = serverAddress): unknown => {
      const outcome = judgeRelayAddress(facts(overrides, server));
      return outcome.status === 'failed' ? outcome.findings[0]?.evidence : null;
    };
    expect(evidence(withRelay('000', privateRelay))).toMatchObject({ publicAddress: serverAddress });
    const source = { address: '203.0.113.12', port: 1 };
    expect(evidence(withRelay('010', privateRelay, source))).toMatchObject({ publicAddress: '203.0.113.12' });
    expect(evidence(withRelay('010', privateRelay))).toMatchObject({ publicAddress: serverAddress });
    expect(evidence(withRelay('000', privateRelay), '127.0.0.1')).toMatchObject({ publicAddress: null });
  });

  it('is unknown without an allocation, for the reason of that', () => {
    const untried = facts({ allocate: notTried('no credentials were given') });
    expect(judgeRelayAddress(untried)).toEqual({ status: 'unknown', because: 'no credentials were given' });
    const refused = facts({ allocate: failed(stunError(401)) });
    expect(judgeRelayAddress(refused)).toEqual({ status: 'unknown', because: 'there was no allocation' });
  });
});

describe('turn-permission', () => {
  const asked = (allowed: string[], peers: string[]): TargetFacts['publicPeers'] =>
    done({ allowed, denied: peers });
  const denied = (own: string, overrides: Partial<TargetFacts> = {}): TargetFacts =>
    facts({
      permission: failed(stunError(403)),
      allocate: done({
        relayed: publicRelay,
        mapped: { address: own, port: 4 },
        lifetimeSeconds: 600,
        rttMs: 1,
      }),
      ...overrides,
    });

  it.each<[string, TargetFacts, string]>([
    ['granted', facts({}), 'passed'],
    ['denied, for a public address', denied(clientAddress), 'PEER_DENIED'],
    ['denied, for a private address, as it should be', denied('192.168.1.20'), 'skipped'],
    [
      'denied, and so is everybody',
      denied('192.168.1.20', { publicPeers: asked([], ['1.1.1.1']) }),
      'DENY_LIST_BLOCKS_ALL',
    ],
    [
      'denied, and others are not',
      denied('192.168.1.20', { publicPeers: asked(['1.1.1.1'], ['8.8.8.8']) }),
      'skipped',
    ],
    // The probe stands behind the same NAT as the server.
    ['denied, for the address of the server itself', denied(serverAddress), 'skipped'],
    ['another error', facts({ permission: failed(stunError(400)) }), 'REQUEST_FAILED'],
    ['our own fault', facts({ permission: failed(ownFault) }), 'unknown'],
    ['not tried', facts({ permission: notTried('why') }), 'unknown'],
    [
      'denied, with the address from Binding',
      denied(clientAddress, {
        allocate: done({ relayed: publicRelay, mapped: null, lifetimeSeconds: 600, rttMs: 1 }),
      }),
      'PEER_DENIED',
    ],
  ])('%s', (_what, of, expected) => {
    expect(said(judgePermission(of))).toBe(expected);
  });
});
