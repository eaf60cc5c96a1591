import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import type { OutsideFacts, TargetFacts } from '../../src/model/observations.ts';
import { outsideFindings } from '../../src/rules/outside.ts';
import { judge } from '../../src/rules/judgement.ts';
import { judgeRelay } from '../../src/rules/relay.ts';
import {
  criteriaWith,
  done,
  failed,
  healthyFacts,
  mapped,
  notTried,
  observationsOf,
  outsideEndpoint,
  outsideFacts,
  relayed,
  serverAddress,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';

const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });
const nothingHere: Partial<TargetFacts> = { inbound: lost, outbound: lost, reply: lost };
const arrivedFrom = (from: typeof relayed | null): Partial<OutsideFacts> => ({
  echo: lost,
  inbound: notTried('no echo came back'),
  arrival: done({ seenFrom: from }),
});

function factsWith(outside: Partial<OutsideFacts>, overrides: Partial<TargetFacts> = {}): TargetFacts {
  return healthyFacts(targetOf('udp'), { ...overrides, outside: done(outsideFacts(outside)) });
}

function said(outcome: Outcome): string {
  return outcome.status === 'failed' ? outcome.findings.map(({ code }) => code).join(' ') : outcome.status;
}

function saidOf(facts: TargetFacts, kind?: 'same-host'): string[] {
  return Object.values(judgeRelay(facts, kind)).map(said);
}

const blocked = 'RELAY_PORTS_BLOCKED';
const passed = ['passed', 'passed', 'passed'];
const unknown = ['unknown', 'unknown', 'unknown'];

describe('an outside peer', () => {
  it.each<[string, TargetFacts, readonly string[]]>([
    ['proves the relay', factsWith({}), passed],
    ['proves it where this client gets nothing through', factsWith({}, nothingHere), passed],
    ['may not send first', factsWith({ inbound: lost }, nothingHere), ['unknown', 'passed', 'passed']],
    [
      'gets everything and is never heard',
      factsWith(arrivedFrom(relayed), nothingHere),
      [blocked, 'passed', blocked],
    ],
    ['gets nothing', factsWith(arrivedFrom(null), nothingHere), unknown],
    // The user asked for that proof.
    ['gets nothing, while this client gets through', factsWith(arrivedFrom(null)), unknown],
    [
      'is silent altogether, and counts for nothing',
      factsWith({ direct: lost, echo: lost, arrival: notTried('silent') }),
      passed,
    ],
    [
      'sees another public address than the relay address',
      factsWith({ echo: done({ seenFrom: { address: '198.51.100.7', port: 49160 } }) }, nothingHere),
      ['RELAY_ADDRESS_MISMATCH', 'RELAY_ADDRESS_MISMATCH', 'RELAY_ADDRESS_MISMATCH'],
    ],
    [
      'hears a private relay through its NAT',
      factsWith(
        { echo: done({ seenFrom: relayed }) },
        {
          ...nothingHere,
          allocate: done({
            relayed: { address: '172.16.0.10', port: 49160 },
            mapped,
            lifetimeSeconds: 600,
            rttMs: 1,
          }),
        },
      ),
      ['RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE', 'RELAY_ADDRESS_PRIVATE'],
    ],
    [
      'sees another port: a NAT that translates ports',
      factsWith({ echo: done({ seenFrom: { address: serverAddress, port: 1024 } }) }, nothingHere),
      unknown,
    ],
  ])('%s', (_what, facts, expected) => {
    expect(saidOf(facts)).toEqual(expected);
  });

  it('is believed before a client that stands too close, and not before one elsewhere', () => {
    const facts = factsWith(arrivedFrom(relayed));
    expect(saidOf(facts, 'same-host')).toEqual([blocked, 'passed', blocked]);
    expect(saidOf(facts)).toEqual(['unknown', 'passed', 'unknown']);
  });

  it('blames no firewall when the server stopped in the middle', () => {
    const facts = factsWith(arrivedFrom(relayed), { ...nothingHere, refresh: failed(silence) });
    expect(saidOf(facts)).toEqual(unknown);
  });

  it.each<[string, Partial<OutsideFacts>, readonly string[]]>([
    ['answers', {}, []],
    ['answers this client alone', arrivedFrom(null), []],
    [
      'answers this client once, and then nobody',
      { ...arrivedFrom(null), arrival: lost },
      ['OUTSIDE_PEER_SILENT'],
    ],
    ['answers the relay alone', { direct: lost }, []],
    ['answers nobody', { direct: lost, echo: lost }, ['OUTSIDE_PEER_SILENT']],
    ['has no permission for another reason', { permission: failed(stunError(400)) }, ['OUTSIDE_PEER_SILENT']],
  ])('that %s', (_what, outside, expected) => {
    const findings = outsideFindings(observationsOf([factsWith(outside)]));
    expect(findings.map(({ code }) => code)).toEqual(expected);
  });

  it.each<[string, TargetFacts['outside'] & object, string]>([
    ['has no address', notTried('the lookup of udp://x:1 failed: why'), 'udp://x:1 failed: why'],
    ['cannot be sent to', failed(silence), 'no answer within'],
    ['gets no permission in time', done(outsideFacts({ permission: lost })), 'gave no permission for it'],
  ])('that %s is told of where the relay works from here', (_what, outside, why) => {
    const facts = healthyFacts(targetOf(), { outside });
    const [finding, ...others] = outsideFindings(observationsOf([facts]));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'OUTSIDE_PEER_SILENT', severity: 'warning' });
    expect(finding?.evidence).toMatchObject({
      url: expect.stringMatching(/^udp:/) as string,
      seen: expect.stringContaining(why) as string,
    });
    const report = judge(observationsOf([facts]), criteriaWith());
    expect(report.verdict).toBe('degraded');
  });

  it('with a public address that the server denies is a finding', () => {
    const address = { ...outsideEndpoint, address: '198.51.100.9' };
    const facts = factsWith({ peer: address, permission: failed(stunError(403)) });
    expect(outsideFindings(observationsOf([facts])).map(({ code }) => code)).toEqual(['PEER_DENIED']);
  });

  it('that was not asked for is not missed', () => {
    expect(outsideFindings(observationsOf([healthyFacts()]))).toEqual([]);
  });
});
