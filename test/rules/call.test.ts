import { describe, expect, it } from 'vitest';
import type { CheckId, Outcome } from '../../src/model/check.ts';
import type { CallFacts, Failure, TargetFacts } from '../../src/model/observations.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { judgeCall, worstOf } from '../../src/rules/call.ts';
import {
  audioFacts,
  bothWays,
  callFacts,
  closed,
  criteriaWith,
  done,
  failed,
  garbage,
  healthyFacts,
  noConnection,
  notTried,
  observationsOf,
  ownFault,
  refusal,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';

const { credential } = observationsOf([]);
const ids = ['call-connects', 'call-uses-relay', 'call-audio', 'call-quality'] as const satisfies CheckId[];

function judged(
  call: TargetFacts['call'],
  criteria: Partial<Criteria> = {},
  plannedMs: number | null = 3000,
): Record<(typeof ids)[number], Outcome> {
  const context = { criteria: criteriaWith(criteria), credential, plannedMs };
  return judgeCall(healthyFacts(targetOf(), { call }), context);
}

function said(outcome: Outcome): string {
  if (outcome.status === 'failed') {
    return outcome.findings.map(({ code, severity }) => `${code} ${severity}`).join(', ');
  }
  return outcome.status;
}

function saidOf(
  facts: CallFacts,
  criteria: Partial<Criteria> = {},
  plannedMs: number | null = 3000,
): string[] {
  const outcomes = judged(done(facts), criteria, plannedMs);
  return ids.map((id) => said(outcomes[id]));
}

function endedBy(failure: Failure, overrides: Partial<CallFacts> = {}): CallFacts {
  const lost = [{ atMs: 1200, failure }];
  return callFacts({ relay: { ...callFacts().relay, lost }, ...overrides });
}

describe('a call that was not made', () => {
  it.each<[string, TargetFacts['call'], string, string]>([
    ['not wanted', notTried('--no-call'), 'skipped', '--no-call'],
    ['not possible', notTried('there was no allocation'), 'unknown', 'there was no allocation'],
    [
      'our own fault',
      failed(ownFault),
      'unknown',
      'the call could not be made: the process of the call froze',
    ],
  ])('%s', (_what, call, status, because) => {
    for (const outcome of Object.values(judged(call))) expect(outcome).toEqual({ status, because });
  });
});

describe('call-connects', () => {
  const neither = { relayed: [null, { address: '203.0.113.10', port: 49170 }] };
  it.each<[string, CallFacts, string]>([
    ['it did', callFacts(), 'passed'],
    ['ICE found no way', noConnection(null), 'CALL_FAILED error'],
    ['the server fell silent', noConnection(silence), 'SERVER_STOPPED error'],
    ['the connection was closed', noConnection(closed), 'SERVER_STOPPED error'],
    ['the port is gone', noConnection(refusal), 'SERVER_STOPPED error'],
    ['its own relay address is denied', noConnection(stunError(403)), 'OWN_RELAY_DENIED error'],
    // No allocation, so no permission was asked for: another 403.
    ['the second allocation is forbidden', noConnection(stunError(403), neither), 'CALL_FAILED error'],
    [
      'the second allocation is beyond the quota',
      noConnection(stunError(486), neither),
      'QUOTA_REACHED error',
    ],
    [
      'the second allocation gets no port',
      noConnection(stunError(508), neither),
      'RELAY_CAPACITY_EXHAUSTED error',
    ],
    ['an odd answer', noConnection(garbage), 'CALL_FAILED error'],
  ])('%s', (_what, facts, expected) => {
    const [connects, ...rest] = saidOf(facts);
    expect(connects).toBe(expected);
    if (facts.connectMs === null) expect(rest).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('tells how long it took', () => {
    expect(judged(done(callFacts({ connectMs: 1234 })))['call-connects']).toEqual({
      status: 'passed',
      detail: '1.2 s',
    });
  });
});

describe('call-uses-relay', () => {
  const relay = { local: 'relay', remote: 'relay', relayed: true };
  const host = { local: 'host', remote: 'relay', relayed: false };
  it.each([
    ['both ends', [relay, relay], 'passed'],
    ['one end went around it', [relay, host], 'CALL_NOT_RELAYED error'],
    ['only one end is known, and went around it', [host], 'CALL_NOT_RELAYED error'],
    ['only one end is known', [relay], 'unknown'],
    ['neither is known', [], 'unknown'],
  ])('%s', (_what, pairs, expected) => {
    expect(saidOf(callFacts({ pairs }))[1]).toBe(expected);
  });
});

describe('call-audio', () => {
  const none = { received: 0, lossRatio: 1, lastReceivedMs: null, mos: null };
  const short = { sent: 50, received: 50, lastReceivedMs: 990 };

  it.each<[string, CallFacts, string]>([
    ['both ways to the end', callFacts(), 'passed'],
    ['neither way', callFacts({ audio: bothWays(none) }), 'AUDIO_SILENT error'],
    [
      'one way',
      callFacts({ audio: [audioFacts(), audioFacts({ ...none, direction: 'callee-to-caller' })] }),
      'AUDIO_ONE_WAY error',
    ],
    [
      'ends in the middle',
      callFacts({ audio: bothWays({ lastReceivedMs: 1200 }) }),
      'AUDIO_INTERRUPTED error',
    ],
    [
      'ends in the middle in one direction',
      callFacts({ audio: [audioFacts(), audioFacts({ lastReceivedMs: 1200 })] }),
      'AUDIO_INTERRUPTED error',
    ],
    ['the last packets under way', callFacts({ audio: bothWays({ lastReceivedMs: 2650 }) }), 'passed'],
    [
      'a long way',
      callFacts({
        audio: bothWays({ lastReceivedMs: 2300, delayMs: { min: 300, p50: 400, p95: 500, max: 600 } }),
      }),
      'passed',
    ],
    // The call was broken off: all that was sent arrived, and it was a third of what should have been.
    ['cut short', callFacts({ audio: bothWays(short) }), 'AUDIO_INTERRUPTED error'],
    [
      'cut short by a server that is gone',
      endedBy(silence, { audio: bothWays(short) }),
      'SERVER_STOPPED error',
    ],
    ['cut short by a restart', endedBy(stunError(437), { audio: bothWays(short) }), 'SERVER_STOPPED error'],
    ['cut short by a refusal', endedBy(stunError(403), { audio: bothWays(short) }), 'REQUEST_FAILED error'],
    // The release after the call went unconfirmed; the audio has nothing to do with that.
    ['to the end, and then no release', endedBy(silence), 'passed'],
    ['nothing was sent', callFacts({ audio: bothWays({ sent: 0, ...none }) }), 'unknown'],
    ['nothing was measured', callFacts({ audio: [] }), 'unknown'],
    ['nothing was sent, as the server went', endedBy(closed, { audio: [] }), 'SERVER_STOPPED error'],
  ])('%s', (_what, facts, expected) => {
    const outcomes = saidOf(facts);
    expect(outcomes[2]).toBe(expected);
    if (expected !== 'passed') expect(outcomes[3]).toBe('unknown');
  });

  it('is measured against what was sent when the planned length is not known', () => {
    expect(saidOf(callFacts({ audio: bothWays(short) }), {}, null)[2]).toBe('passed');
  });

  it('tells how much of the call was heard', () => {
    const outcome = judged(done(callFacts({ audio: bothWays(short) })))['call-audio'];
    expect(outcome).toMatchObject({ findings: [{ evidence: { lastMs: 990, durationMs: 3000 } }] });
  });
});

describe('call-quality', () => {
  it.each<[string, Parameters<typeof audioFacts>[0], Partial<Criteria>, string]>([
    ['good', {}, {}, 'passed'],
    ['at our limits', { lossRatio: 0.03, jitterMs: 50, rttMs: 300, mos: 3.6 }, {}, 'passed'],
    ['loss beyond what is usual', { lossRatio: 0.031 }, {}, 'LOSS_HIGH warning'],
    ['jitter beyond what is usual', { jitterMs: 51 }, {}, 'JITTER_HIGH warning'],
    ['a round trip beyond what is usual', { rttMs: 301 }, {}, 'RTT_HIGH warning'],
    ['a MOS below what is usual', { mos: 3.5 }, {}, 'MOS_LOW warning'],
    ['loss beyond the limit', { lossRatio: 0.011 }, { maxLossRatio: 0.01 }, 'LOSS_HIGH error'],
    ['jitter beyond the limit', { jitterMs: 31 }, { maxJitterMs: 30 }, 'JITTER_HIGH error'],
    ['a round trip beyond the limit', { rttMs: 101 }, { maxRttMs: 100 }, 'RTT_HIGH error'],
    ['a MOS below the limit', { mos: 4.1 }, { minMos: 4.2 }, 'MOS_LOW error'],
    ['a limit that is wider than ours', { lossRatio: 0.05 }, { maxLossRatio: 0.1 }, 'passed'],
    ['several at once', { lossRatio: 0.1, mos: 2 }, { minMos: 4 }, 'LOSS_HIGH warning, MOS_LOW error'],
    // A limit for which nothing was measured is not met.
    ['no round trip, and a limit for it', { rttMs: null }, { maxRttMs: 100 }, 'unknown'],
    ['no MOS, and a limit for it', { mos: null }, { minMos: 4 }, 'unknown'],
    ['no round trip, and no limit', { rttMs: null }, {}, 'passed'],
  ])('%s', (_what, audio, criteria, expected) => {
    expect(saidOf(callFacts({ audio: bothWays(audio) }), criteria)[3]).toBe(expected);
  });

  it('is that of the worse direction, figure by figure', () => {
    const audio = [
      audioFacts({ lossRatio: 0.02, jitterMs: 1, rttMs: 50, mos: 4.1 }),
      audioFacts({ lossRatio: 0.01, jitterMs: 9, rttMs: null, mos: 4.3 }),
    ];
    expect(worstOf(audio)).toEqual({ lossRatio: 0.02, jitterMs: 9, rttMs: 50, mos: 4.1 });
    expect(saidOf(callFacts({ audio }), { maxJitterMs: 5 })[3]).toBe('JITTER_HIGH error');
  });

  it('tells the MOS', () => {
    expect(judged(done(callFacts()))['call-quality']).toEqual({ status: 'passed', detail: 'MOS 4.4' });
  });
});
