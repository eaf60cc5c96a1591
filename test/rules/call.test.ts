import { describe, expect, it } from 'vitest';
import type { CallFacts, Failure, TargetFacts } from '../../src/model/observations.ts';
import { judgeCall } from '../../src/rules/call.ts';
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
  noCallAsked,
  notTried,
  ownFault,
  refusal,
  silence,
  stunError,
  targetOf,
  unallocatedFacts,
} from '../support/facts.ts';
import { credential, judged, said, saidOf } from '../support/judged-call.ts';

function endedBy(failure: Failure, overrides: Partial<CallFacts> = {}): CallFacts {
  const lost = [{ atMs: 1200, failure }];
  return callFacts({ relay: { ...callFacts().relay, lost }, ...overrides });
}

describe('a call that was not made', () => {
  it('because none was asked for is skipped', () => {
    for (const outcome of Object.values(judged(noCallAsked, {}, null))) {
      expect(outcome).toEqual({ status: 'skipped', because: '--no-call' });
    }
  });

  it('where none could have been made is unknown, asked for or not', () => {
    const none = notTried('there was no allocation');
    const facts = unallocatedFacts(targetOf(), failed(stunError(486)), { call: none });
    for (const plannedMs of [null, 3000]) {
      const outcomes = judgeCall(facts, { criteria: criteriaWith(), credential, plannedMs });
      expect(outcomes['call-connects']).toEqual({ status: 'unknown', because: 'there was no allocation' });
    }
  });

  it.each<[string, TargetFacts['call'], string, string]>([
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
  const loopback = {
    relayed: [
      { address: '127.0.0.1', port: 49170 },
      { address: '127.0.0.1', port: 49171 },
    ],
  };
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
      'QUOTA_TOO_SMALL warning',
    ],
    [
      'the second allocation gets no port',
      noConnection(stunError(508), neither),
      'RELAY_CAPACITY_EXHAUSTED error',
    ],
    // Lets nobody to the services of its own host: that is no fault.
    ['a loopback address is denied', noConnection(stunError(403), loopback), 'unknown'],
    ['an odd answer', noConnection(garbage), 'CALL_FAILED error'],
    ['ICE found no way across a stall', { ...noConnection(null), longestStallMs: 1500 }, 'unknown'],
    [
      'it was closed while this machine slept',
      { ...noConnection(closed), longestStallMs: 75_000 },
      'unknown',
    ],
    ['it was closed', noConnection(closed), 'SERVER_STOPPED error'],
    ['an answer came, stall or not', { ...noConnection(garbage), longestStallMs: 1500 }, 'CALL_FAILED error'],
  ])('%s', (_what, facts, expected) => {
    const [connects, ...rest] = saidOf(facts);
    expect(connects).toBe(expected);
    if (facts.connectMs === null) expect(rest).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it.each<[string, Failure, 'udp' | 'tcp', string]>([
    ['closed, while a new connection is answered', closed, 'tcp', 'REQUEST_FAILED error'],
    ['refused, while a new connection is answered', refusal, 'tcp', 'REQUEST_FAILED error'],
    // The port was gone for a moment: no firewall limits the connections of UDP.
    ['the port was gone for a moment', refusal, 'udp', 'SERVER_STOPPED error'],
  ])('%s', (_what, failure, transport, expected) => {
    const recheck = healthyFacts(targetOf(transport)).binding;
    const facts = { ...healthyFacts(targetOf(transport)), call: done(noConnection(failure)), recheck };
    const outcome = judgeCall(facts, { criteria: criteriaWith(), credential, plannedMs: 3000 });
    expect(said(outcome['call-connects'])).toBe(expected);
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
  const cutShort = callFacts({
    audio: bothWays(short),
    endedBecause: { kind: 'connection-ended', detail: 'the connection of the caller is failed', atMs: 1200 },
  });

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
    // max-bps of coturn: two thirds are dropped, and at the end of a second all.
    ['starved to the end', callFacts({ audio: bothWays({ received: 50, lastReceivedMs: 2300 }) }), 'passed'],
    [
      'starved, and then nothing',
      callFacts({ audio: bothWays({ received: 20, lastReceivedMs: 900 }) }),
      'AUDIO_INTERRUPTED error',
    ],
    // The call was broken off: all that was sent arrived, and it was a third of what should have been.
    ['cut short', cutShort, 'AUDIO_INTERRUPTED error'],
    ['cut short for no reason but our own', callFacts({ audio: bothWays(short) }), 'unknown'],
    [
      'cut short in one direction for no reason but our own',
      callFacts({ audio: [audioFacts(), audioFacts(short)] }),
      'unknown',
    ],
    // Nobody listened when the answer may have come.
    [
      'cut short by silence across a stall',
      endedBy(silence, { audio: bothWays(short), longestStallMs: 1500 }),
      'unknown',
    ],
    [
      'cut short by the server, after a stall',
      endedBy(closed, { audio: bothWays(short), longestStallMs: 1500 }),
      'SERVER_STOPPED error',
    ],
    [
      'cut short by the server, after a sleep that outlasts any mapping',
      endedBy(stunError(437), { audio: bothWays(short), longestStallMs: 900_000 }),
      'unknown',
    ],
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
    const facts = callFacts({ audio: bothWays(short), pacing: null });
    expect(saidOf(facts, {}, null)[2]).toBe('passed');
  });

  it('tells how much could not be sent, and why', () => {
    const stalled = callFacts({
      audio: bothWays(short),
      pacing: { due: 150, skipped: 100 },
      longestStallMs: 2300,
    });
    expect(judged(done(stalled))['call-audio']).toEqual({
      status: 'unknown',
      because:
        'only 50 of 150 packets were sent: this machine did not run the call for 2.3 s, busy, stopped or asleep',
    });
  });

  it('tells how much of the call was heard', () => {
    const outcome = judged(done(cutShort))['call-audio'];
    expect(outcome).toMatchObject({ findings: [{ evidence: { lastMs: 990, durationMs: 3000 } }] });
  });
});

it('blames no server that still answers others for a request of the call that was lost', () => {
  const facts = healthyFacts(targetOf(), {
    call: done(noConnection(silence)),
    recheck: done({ mapped: { address: '198.51.100.20', port: 40000 }, software: null, rttMs: 3, sent: 1 }),
  });
  const context = { criteria: criteriaWith(), credential, plannedMs: 3000 };
  expect(said(judgeCall(facts, context)['call-connects'])).toBe('unknown');
});
