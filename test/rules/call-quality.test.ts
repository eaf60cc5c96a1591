import { describe, expect, it } from 'vitest';
import type { CallFacts } from '../../src/model/observations.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { worstOf } from '../../src/rules/call-quality.ts';
import { audioFacts, bothWays, callFacts, done } from '../support/facts.ts';
import { judged, saidOf } from '../support/judged-call.ts';

describe('call-quality', () => {
  it.each<[string, Parameters<typeof audioFacts>[0], Partial<Criteria>, string]>([
    ['good', {}, {}, 'passed'],
    ['at our limits', { lossRatio: 0.03, jitterMaxMs: 50, rttMs: 300, mos: 3.6 }, {}, 'passed'],
    ['loss beyond what is usual', { lossRatio: 0.031 }, {}, 'LOSS_HIGH warning'],
    ['jitter beyond what is usual', { jitterMaxMs: 51 }, {}, 'JITTER_HIGH warning'],
    ['a round trip beyond what is usual', { rttMs: 301 }, {}, 'RTT_HIGH warning'],
    ['a MOS below what is usual', { mos: 3.5 }, {}, 'MOS_LOW warning'],
    ['loss beyond the limit', { lossRatio: 0.011 }, { maxLossRatio: 0.01 }, 'LOSS_HIGH error'],
    ['jitter beyond the limit', { jitterMaxMs: 31 }, { maxJitterMs: 30 }, 'JITTER_HIGH error'],
    ['a round trip beyond the limit', { rttMs: 101 }, { maxRttMs: 100 }, 'RTT_HIGH error'],
    ['a MOS below the limit', { mos: 4.1 }, { minMos: 4.2 }, 'MOS_LOW error'],
    ['a limit that is wider than ours', { lossRatio: 0.05 }, { maxLossRatio: 0.1 }, 'passed'],
    ['several at once', { lossRatio: 0.1, mos: 2.9 }, { minMos: 4 }, 'LOSS_HIGH warning, MOS_LOW error'],
    ['just usable', { lossRatio: 0.1, mos: 2.58 }, {}, 'LOSS_HIGH warning, MOS_LOW warning'],
    ['not to be understood', { lossRatio: 0.5, mos: 1.6 }, {}, 'AUDIO_UNUSABLE error'],
    [
      'and a limit that is missed',
      { lossRatio: 0.5, mos: 1.6 },
      { maxLossRatio: 0.1 },
      'AUDIO_UNUSABLE error, LOSS_HIGH error',
    ],
    [
      'not to be understood, as the user allows',
      { lossRatio: 0.5, mos: 1.6 },
      { minMos: 1.5 },
      'LOSS_HIGH warning',
    ],
    // A limit for which nothing was measured is not met.
    ['no round trip, and a limit for it', { rttMs: null }, { maxRttMs: 100 }, 'unknown'],
    ['no MOS, and a limit for it', { mos: null }, { minMos: 4 }, 'unknown'],
    ['no round trip, and no limit', { rttMs: null }, {}, 'passed'],
  ])('%s', (_what, audio, criteria, expected) => {
    expect(saidOf(callFacts({ audio: bothWays(audio) }), criteria)[3]).toBe(expected);
  });

  it('is that of the worse direction, figure by figure', () => {
    const audio = [
      audioFacts({ lossRatio: 0.02, jitterMaxMs: 1, rttMs: 50, mos: 4.1 }),
      audioFacts({ lossRatio: 0.01, jitterMaxMs: 9, rttMs: null, mos: 4.3 }),
    ];
    expect(worstOf(audio)).toEqual({ lossRatio: 0.02, jitterMs: 9, rttMs: 50, mos: 4.1 });
    expect(saidOf(callFacts({ audio }), { maxJitterMs: 5 })[3]).toBe('JITTER_HIGH error');
  });

  it.each<[string, Partial<CallFacts>, string]>([
    ['a burst in the middle', {}, 'JITTER_HIGH warning'],
    // While this process stood still, packets waited for it.
    ['a stall', { longestStallMs: 400 }, 'unknown'],
  ])('knows the jitter of %s', (_what, overrides, expected) => {
    const burst = { jitterMs: 1, jitterMaxMs: 70 };
    expect(saidOf(callFacts({ audio: bothWays(burst), ...overrides }))[3]).toBe(expected);
  });

  it.each([
    [{ lossRatio: 0.3, mos: 1.9 }, 'AUDIO_UNUSABLE error'],
    // Delay alone made it so, and that may be the stall's.
    [{ mos: 1.9 }, 'unknown'],
  ])('knows after a stall whether audio that nobody understands was lost: %j', (audio, expected) => {
    expect(saidOf(callFacts({ audio: bothWays(audio), longestStallMs: 400 }))[3]).toBe(expected);
  });

  it.each([
    [400, 'LOSS_HIGH warning'],
    [1400, 'unknown'],
  ])('holds losses against the server after a stall of %i ms: %s', (longestStallMs, expected) => {
    const facts = callFacts({ audio: bothWays({ lossRatio: 0.05, mos: 3.4 }), longestStallMs });
    expect(saidOf(facts)[3]).toBe(expected);
  });

  it('tells the MOS', () => {
    expect(judged(done(callFacts()))['call-quality']).toEqual({ status: 'passed', detail: 'MOS 4.4' });
  });
});
