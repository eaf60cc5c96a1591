import { describe, expect, it } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import { judge } from '../../src/rules/judgement.ts';
import type { Criteria, Requirement } from '../../src/rules/criteria.ts';
import { requiredChecks } from '../../src/rules/requirement.ts';
import {
  callFacts,
  criteriaWith,
  deadFacts,
  done,
  failed,
  healthyFacts,
  mapped,
  nameFacts,
  noCallAsked,
  notTried,
  observationsOf,
  ownFault,
  relayed,
  systemError,
  targetOf,
  threeTargets,
  unallocatedFacts,
  type TargetOptions,
} from '../support/facts.ts';

const [udp, tcp, tls] = threeTargets();
const six: TargetOptions = { address: '2001:db8::10' };
const noCall = failed(ownFault);

/** A listener that nothing from here reaches: not known, not wrong. */
function unreachable(...[transport, options]: Parameters<typeof targetOf>): TargetFacts {
  return deadFacts(targetOf(transport, options), 'connect', systemError('ENETUNREACH'));
}

function judged(facts: readonly TargetFacts[], require: readonly Requirement[] | null) {
  return judge(observationsOf(facts), criteriaWith({ require }));
}

describe('without --require', () => {
  it('everything that a listener offers must be known', () => {
    expect(judged([healthyFacts(udp), healthyFacts(tls)], null)).toMatchObject({
      verdict: 'healthy',
      open: [],
    });
    const callUnknown = healthyFacts(tcp, { call: noCall });
    const { verdict, exitCode, open } = judged([healthyFacts(udp), callUnknown], null);
    expect({ verdict, exitCode }).toEqual({ verdict: 'unknown', exitCode: 1 });
    expect(open).toEqual(['the call could not be made: the process of the call froze']);
  });

  it('every address must be known', () => {
    const { verdict, open } = judged([healthyFacts(udp), unreachable('udp', six)], null);
    expect(verdict).toBe('unknown');
    expect(open).toHaveLength(1);
    expect(open[0]).toContain('--family 4 leaves IPv6 out');
  });

  it('host and srflx candidates are not needed', () => {
    const required = requiredChecks(udp, criteriaWith());
    expect(required.has('candidates-relay')).toBe(true);
    expect(required.has('candidates-host')).toBe(false);
    expect(required.has('candidates-srflx')).toBe(false);
  });

  it('a host of which nothing was tested is not passed over', () => {
    const facts = observationsOf([healthyFacts(udp)], {
      names: [nameFacts('turn.example.com', ['203.0.113.10']), nameFacts('b.example', ['203.0.113.11'])],
    });
    const { verdict, exitCode, open } = judge(facts, criteriaWith());
    expect({ verdict, exitCode }).toEqual({ verdict: 'unknown', exitCode: 1 });
    expect(open).toEqual([
      'nothing of b.example was tested: none of its addresses and transports was asked for',
    ]);
  });
});

describe('--require', () => {
  it.each<[string, readonly TargetFacts[], readonly Requirement[], string]>([
    ['a transport that works', [healthyFacts(udp)], ['udp'], 'healthy'],
    ['a transport that was not tested', [healthyFacts(udp)], ['udp', 'tls'], 'unknown'],
    ['a transport, whatever the others are', [healthyFacts(udp), unreachable('tcp')], ['udp'], 'healthy'],
    // One address of a host is enough; the other one is not known, and not required.
    [
      'a transport that works at one address',
      [healthyFacts(udp), unreachable('udp', six)],
      ['udp'],
      'healthy',
    ],
    [
      'a transport that is known at no address',
      [unreachable('udp'), unreachable('udp', six)],
      ['udp'],
      'unknown',
    ],
    // Each host is a service of its own.
    [
      'a transport that works at one host of two',
      [healthyFacts(udp), unreachable('udp', { host: 'b.example', address: '203.0.113.11' })],
      ['udp'],
      'unknown',
    ],
    ['a transport, and the call is not known', [healthyFacts(udp, { call: noCall })], ['udp'], 'healthy'],
    ['the call, and it is not known', [healthyFacts(udp, { call: noCall })], ['call'], 'unknown'],
    [
      'the call, over any transport',
      [healthyFacts(udp, { call: noCall }), healthyFacts(tcp)],
      ['call'],
      'healthy',
    ],
    [
      'the call over UDP, and it is known over TCP alone',
      [healthyFacts(udp, { call: noCall }), healthyFacts(tcp)],
      ['call', 'udp'],
      'unknown',
    ],
    ['the call, with --no-call', [healthyFacts(udp, { call: noCallAsked })], ['call'], 'unknown'],
    [
      'the relay, and there are no credentials',
      [unallocatedFacts(udp, notTried('no credentials were given'))],
      ['relay'],
      'unknown',
    ],
    [
      'srflx, and there are no credentials',
      [unallocatedFacts(udp, notTried('no credentials were given'))],
      ['srflx'],
      'unknown',
    ],
    ['srflx', [healthyFacts(udp, { call: noCall })], ['srflx'], 'healthy'],
    ['srflx over TCP', [healthyFacts(tcp)], ['srflx'], 'unknown'],
    ['srflx of a stun: URI', [healthyFacts(targetOf('udp', { scheme: 'stun' }))], ['srflx'], 'healthy'],
    ['UDP of a stun: URI', [healthyFacts(targetOf('udp', { scheme: 'stun' }))], ['udp'], 'healthy'],
    ['the relay of a stun: URI', [healthyFacts(targetOf('udp', { scheme: 'stun' }))], ['relay'], 'unknown'],
    [
      'the relay over UDP of a stun: URI',
      [healthyFacts(targetOf('udp', { scheme: 'stun' }))],
      ['relay', 'udp'],
      'unknown',
    ],
    // What is wrong is wrong, required or not.
    [
      'a transport that works, while another is dead',
      [healthyFacts(udp), deadFacts(tls, 'connect', systemError('ECONNREFUSED'))],
      ['udp'],
      'degraded',
    ],
  ])('%s', (_what, facts, require, verdict) => {
    const result = judged(facts, require);
    expect(result.verdict).toBe(verdict);
    expect(result.exitCode).toBe(verdict === 'healthy' ? 0 : 1);
    expect(result.open.length > 0).toBe(verdict === 'unknown');
  });

  it.each<[string, Partial<Criteria>, TargetFacts, string]>([
    [
      'loss, and the call is not known',
      { maxLossRatio: 0.01 },
      healthyFacts(udp, { call: noCall }),
      'unknown',
    ],
    [
      'jitter, and the call is not known',
      { maxJitterMs: 30 },
      healthyFacts(udp, { call: noCall }),
      'unknown',
    ],
    ['MOS, and the call is not known', { minMos: 4 }, healthyFacts(udp, { call: noCall }), 'unknown'],
    ['loss, and it was measured', { maxLossRatio: 0.01 }, healthyFacts(udp), 'healthy'],
    [
      'the round trip, and the call is not known',
      { maxRttMs: 100 },
      healthyFacts(udp, { call: noCall }),
      'healthy',
    ],
    [
      'the round trip, and each request had to be repeated',
      { maxRttMs: 100 },
      healthyFacts(udp, {
        call: noCall,
        binding: done({ mapped, software: null, rttMs: null, sent: 2 }),
        allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: null }),
      }),
      'unknown',
    ],
  ])('needs what has a limit: %s', (_what, limits, facts, verdict) => {
    for (const require of [['udp'], ['srflx']] as const) {
      const result = judge(observationsOf([facts]), criteriaWith({ require, ...limits }));
      expect(result.verdict).toBe(verdict);
      expect(result.exitCode).toBe(verdict === 'healthy' ? 0 : 1);
    }
  });

  it('is met by a check that warns', () => {
    const late = healthyFacts(udp, {
      call: done(callFacts({ audio: callFacts().audio.map((each) => ({ ...each, jitterMaxMs: 60 })) })),
    });
    expect(judged([late], ['call'])).toMatchObject({ verdict: 'degraded', exitCode: 0, open: [] });
  });

  it('says what was required and not tested', () => {
    expect(judged([healthyFacts(udp)], ['tls', 'call']).open).toEqual([
      'tls with call is required, and nothing of turn.example.com was tested for it',
    ]);
    expect(judged([healthyFacts(tcp)], ['srflx']).open).toEqual([
      'srflx is required, and nothing of turn.example.com was tested for it',
    ]);
  });

  it('marks the checks that it names', () => {
    const idsOf = (require: readonly Requirement[]): string[] => [
      ...requiredChecks(udp, criteriaWith({ require })),
    ];
    expect(idsOf(['udp'])).toEqual(['listener-answers', 'tls-certificate', 'stun-binding', 'turn-allocate']);
    expect(idsOf(['tcp'])).toEqual([]);
    expect(idsOf(['srflx'])).toEqual(['candidates-srflx']);
    expect(idsOf(['call'])).toEqual(['call-connects', 'call-uses-relay', 'call-audio', 'call-quality']);
    expect(idsOf(['relay', 'udp'])).toContain('relay-inbound');
    expect(idsOf(['relay', 'tls'])).toEqual([]);
  });
});

it('what was left out is not met', () => {
  const listener = healthyFacts(targetOf(), { call: noCallAsked });
  const facts = observationsOf([listener]);
  const { verdict, open } = judge(facts, criteriaWith({ require: ['relay', 'call'], minMos: 4 }));
  expect(verdict).toBe('unknown');
  expect(open).toContain('whether audio flows both ways was not tried: --no-call');
});
