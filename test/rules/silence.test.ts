import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import type { Failure, TargetFacts } from '../../src/model/observations.ts';
import { judgeSilence } from '../../src/rules/silence.ts';
import {
  closed,
  deadFacts,
  done,
  failed,
  garbage,
  healthyFacts,
  mapped,
  notTried,
  ownFault,
  refusal,
  relayed,
  silence,
  stunError,
  systemError,
  targetOf,
} from '../support/facts.ts';

const udp = targetOf('udp');

/** `answered`, the findings, or why it is not known. */
function said(outcome: Outcome | null): string {
  if (outcome === null) return 'answered';
  if (outcome.status === 'failed') return outcome.findings.map(({ code }) => code).join(' ');
  return outcome.status === 'passed' ? 'passed' : `${outcome.status}: ${outcome.because}`;
}

describe('a request after the listener had answered', () => {
  const unanswered = (failure: Failure, recheck: TargetFacts['recheck']): string => {
    const facts = healthyFacts(udp, { refresh: failed(failure), recheck });
    return said(judgeSilence(facts.refresh, 'a Refresh', facts));
  };
  const answers = healthyFacts(udp).binding;
  const cutOff = expect.stringMatching(/^unknown: this machine lost its network in the middle: /) as string;

  it.each<[string, Failure, TargetFacts['recheck'], string]>([
    ['silence, and a new connection is not answered', silence, failed(silence), 'SERVER_STOPPED'],
    ['closed, and a new connection is refused', closed, failed(refusal), 'SERVER_STOPPED'],
    ['silence, while a new connection is answered', silence, answers, 'REQUEST_FAILED'],
    ['silence, and nothing more is known', silence, notTried('nothing went silent'), 'REQUEST_FAILED'],
    // Started again in the meantime: at that moment nothing had the port.
    ['refused, while a new connection is answered', refusal, answers, 'SERVER_STOPPED'],
    ['an answer that is no STUN', garbage, failed(silence), 'REQUEST_FAILED'],
    [
      'our own fault',
      ownFault,
      failed(silence),
      'unknown: rtc-ops itself failed: the process of the call froze',
    ],
    ['a network that is gone here', systemError('ENETDOWN'), answers, cutOff],
    ['silence, and a network that is gone here by then', silence, failed(systemError('ENETUNREACH')), cutOff],
    ['an error response', stunError(437), notTried('nothing went silent'), 'answered'],
  ])('%s', (_what, failure, recheck, expected) => {
    expect(unanswered(failure, recheck)).toEqual(expected);
  });

  it('that never answers Binding is not called stopped for that', () => {
    const facts = healthyFacts(udp, {
      binding: failed(silence),
      refresh: failed(silence),
      recheck: failed(silence),
    });
    expect(said(judgeSilence(facts.refresh, 'a Refresh', facts))).toBe('REQUEST_FAILED');
  });

  it('names the server that 300 Try-Alternate led to', () => {
    const facts = healthyFacts(udp, {
      refresh: failed(silence),
      redirects: [{ address: '203.0.113.11', port: 3479 }],
    });
    const outcome = judgeSilence(facts.refresh, 'a Refresh', facts);
    expect(outcome).toMatchObject({ findings: [{ evidence: { address: '203.0.113.11', port: 3479 } }] });
  });

  it('is not judged twice when the listener never answered', () => {
    const facts = deadFacts(udp, 'binding', garbage);
    expect(said(judgeSilence(facts.challenge, 'an Allocate', facts))).toBe(
      'unknown: the listener did not answer',
    );
    expect(judgeSilence(done(1), 'an Allocate', facts)).toBeNull();
  });
});

describe('a request without an answer', () => {
  const refresh = failed(silence);
  const recheck = done({ mapped, software: null, rttMs: 3, sent: 1 });
  const judged = (overrides: Partial<TargetFacts>): Outcome | null => {
    const facts = healthyFacts(udp, { refresh, recheck, ...overrides });
    return judgeSilence(facts.refresh, 'a Refresh', facts);
  };

  it('is the fault of a server that answers all others at once', () => {
    expect(said(judged({}))).toBe('REQUEST_FAILED');
  });

  it.each<[string, Partial<TargetFacts>]>([
    ['the Binding', { binding: done({ mapped, software: null, rttMs: null, sent: 2 }) }],
    ['the Allocate', { allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: null }) }],
    ['the Binding after it', { recheck: done({ mapped, software: null, rttMs: null, sent: 3 }) }],
  ])('is not, where %s had to be repeated as well', (_what, overrides) => {
    expect(said(judged(overrides))).toMatch(/^unknown: .*packets are lost on the way$/);
  });
});
