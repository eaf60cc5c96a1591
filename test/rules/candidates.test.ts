import { describe, expect, it } from 'vitest';
import type { CandidateFacts, GatheringFacts } from '../../src/model/observations.ts';
import { judgeCandidates } from '../../src/rules/candidates.ts';
import {
  done,
  failed,
  gatheringFacts,
  healthyFacts,
  notTried,
  ownFault,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';

type Type = CandidateFacts['type'];

function without(...types: readonly Type[]): GatheringFacts['candidates'] {
  return gatheringFacts().candidates.filter(({ type }) => !types.includes(type));
}

function saidOf(overrides: Partial<GatheringFacts>, transport: 'udp' | 'tcp' = 'udp'): string[] {
  const facts = healthyFacts(targetOf(transport), { gathering: done(gatheringFacts(overrides)) });
  return Object.values(judgeCandidates(facts)).map((outcome) =>
    outcome.status === 'failed' ? outcome.findings.map(({ code }) => code).join(' ') : outcome.status,
  );
}

describe('the candidates of ICE: host, srflx, relay', () => {
  it.each<[string, Partial<GatheringFacts>, readonly string[]]>([
    ['all there', {}, ['passed', 'passed', 'passed']],
    ['no host', { candidates: without('host') }, ['NO_HOST_CANDIDATE', 'passed', 'passed']],
    ['no srflx', { candidates: without('srflx') }, ['passed', 'NO_SRFLX_CANDIDATE', 'passed']],
    [
      'no relay, as the server refused it',
      { candidates: without('relay'), relayFailure: stunError(486) },
      ['passed', 'passed', 'NO_RELAY_CANDIDATE'],
    ],
    // The server gave the allocation: what lost the candidate is no part of it.
    [
      'no relay for an allocation that is there',
      { candidates: without('relay'), attempts: 2 },
      ['passed', 'passed', 'unknown'],
    ],
    [
      'no srflx, as the server could not be asked from here',
      { candidates: without('srflx'), stunUntried: 'why' },
      ['passed', 'unknown', 'passed'],
    ],
    // What had not come when the deadline cut it may have been on its way.
    ['none, cut short', { candidates: [], complete: false }, ['unknown', 'unknown', 'unknown']],
    [
      'no srflx for want of a NAT',
      {
        candidates: [
          ...without('srflx', 'host'),
          { type: 'host', address: '198.51.100.20', port: 4, protocol: 'udp', atMs: 1 },
        ],
      },
      ['passed', 'passed', 'passed'],
    ],
    [
      'a host candidate that hides its address',
      {
        candidates: [
          ...without('srflx', 'host'),
          { type: 'host', address: '5f7f0c4e.local', port: 4, protocol: 'udp', atMs: 1 },
        ],
      },
      ['passed', 'NO_SRFLX_CANDIDATE', 'passed'],
    ],
  ])('%s', (_what, overrides, expected) => {
    expect(saidOf(overrides)).toEqual(expected);
  });

  it('learn no mapped address over a stream', () => {
    expect(saidOf({ candidates: without('srflx') }, 'tcp')).toEqual(['passed', 'skipped', 'passed']);
  });

  it('cannot be expected without Binding', () => {
    const facts = healthyFacts(targetOf(), {
      binding: failed(silence),
      gathering: done(gatheringFacts({ candidates: without('srflx') })),
    });
    expect(judgeCandidates(facts)['candidates-srflx']).toEqual({
      status: 'unknown',
      because: 'the server did not answer Binding',
    });
  });

  it('are unknown when nothing was gathered', () => {
    const untried = judgeCandidates(healthyFacts(targetOf(), { gathering: notTried('why') }));
    const ours = judgeCandidates(healthyFacts(targetOf(), { gathering: failed(ownFault) }));
    for (const id of ['candidates-host', 'candidates-srflx', 'candidates-relay'] as const) {
      expect(untried[id]).toEqual({ status: 'unknown', because: 'why' });
      expect(ours[id]).toEqual({ status: 'unknown', because: 'the process of the call froze' });
    }
  });
});
