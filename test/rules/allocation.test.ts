import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import { wordsOf } from '../../src/model/finding.ts';
import type { ChallengeFacts, CredentialFacts, TargetFacts } from '../../src/model/observations.ts';
import {
  judgeAllocate,
  judgeChallenge,
  judgeChannel,
  judgeRefresh,
  judgeRelease,
  refusedAllocation,
} from '../../src/rules/allocation.ts';
import {
  closed,
  deadFacts,
  done,
  failed,
  garbage,
  healthyFacts,
  notTried,
  now,
  nowSeconds,
  refusal,
  relayed,
  silence,
  stunError,
  targetOf,
  unallocatedFacts,
} from '../support/facts.ts';

const udp = targetOf();
const answers = healthyFacts(udp).binding;

function said(outcome: Outcome): string {
  if (outcome.status === 'failed') return outcome.findings.map(({ code }) => code).join(' ');
  return outcome.status;
}

describe('turn-challenge', () => {
  const answered = (code: number, realm: string | null = 'example.com', nonce = true) =>
    done({ granted: false as const, code, realm, nonce });
  const behind300 = (answer: ChallengeFacts): Partial<TargetFacts> => ({
    challenge: answered(300, null, false),
    alternate: done({ server: { address: '203.0.113.11', port: 3478 }, answer }),
  });

  it.each<[string, Partial<TargetFacts>, string]>([
    ['401 with realm and nonce', {}, 'passed'],
    ['401 without a realm', { challenge: answered(401, null) }, 'NOT_A_TURN_SERVER'],
    ['401 without a nonce', { challenge: answered(401, 'example.com', false) }, 'NOT_A_TURN_SERVER'],
    ['granted', { challenge: done({ granted: true, relayed }) }, 'ANONYMOUS_RELAY'],
    ['redirected', { challenge: answered(300, null, false) }, 'unknown'],
    [
      'redirected to one that refuses',
      behind300({ granted: false, code: 401, realm: 'x', nonce: true }),
      'passed',
    ],
    ['redirected to one that gives', behind300({ granted: true, relayed }), 'ANONYMOUS_RELAY'],
    [
      'redirected to one that is full',
      behind300({ granted: false, code: 486, realm: null, nonce: false }),
      'unknown',
    ],
    [
      'redirected to silence',
      { challenge: answered(300, null, false), alternate: failed(silence) },
      'unknown',
    ],
    // Refused, but not for the want of credentials: with room left, it might have been granted.
    ['full', { challenge: answered(486, null, false) }, 'unknown'],
    ['out of ports', { challenge: answered(508, null, false) }, 'unknown'],
    ['drained', { challenge: answered(403, null, false) }, 'unknown'],
    ['400: a STUN server that does not know Allocate', { challenge: answered(400) }, 'NOT_A_TURN_SERVER'],
    ['an error without a code', { challenge: answered(0) }, 'NOT_A_TURN_SERVER'],
    [
      'silence, while Binding is answered',
      { challenge: failed(silence), recheck: answers },
      'NOT_A_TURN_SERVER',
    ],
    [
      'closed, while Binding is answered',
      { challenge: failed(closed), recheck: answers },
      'NOT_A_TURN_SERVER',
    ],
    ['refused: it was restarted', { challenge: failed(refusal), recheck: answers }, 'SERVER_STOPPED'],
    [
      'silence, and Binding no more',
      { challenge: failed(silence), recheck: failed(silence) },
      'SERVER_STOPPED',
    ],
    ['an answer that is no STUN', { challenge: failed(garbage) }, 'REQUEST_FAILED'],
    ['not tried', { challenge: notTried('why') }, 'unknown'],
  ])('%s', (_what, overrides, expected) => {
    expect(said(judgeChallenge(healthyFacts(udp, overrides)))).toBe(expected);
  });

  it('is unknown at a listener that never answered', () => {
    expect(judgeChallenge(deadFacts(udp, 'binding', silence))).toEqual({
      status: 'unknown',
      because: 'the listener did not answer',
    });
  });
});

describe('turn-allocate', () => {
  const secret: CredentialFacts = {
    source: 'secret',
    username: `${nowSeconds + 3600}:x`,
    expiresAt: nowSeconds + 3600,
  };
  const given = (username: string): CredentialFacts => ({ source: 'given', username, expiresAt: null });
  const judged = (overrides: Partial<TargetFacts>, credential: CredentialFacts = secret): Outcome =>
    judgeAllocate(healthyFacts(udp, overrides), credential, now);
  const refusedWith = (code: number): Partial<TargetFacts> => ({ allocate: failed(stunError(code)) });

  it.each<[string, Partial<TargetFacts>, string]>([
    ['granted', {}, 'passed'],
    ['401', refusedWith(401), 'CREDENTIAL_SECRET_MISMATCH'],
    ['486', refusedWith(486), 'QUOTA_REACHED'],
    ['508', refusedWith(508), 'RELAY_CAPACITY_EXHAUSTED'],
    ['442', refusedWith(442), 'ALLOCATION_REFUSED'],
    ['437', refusedWith(437), 'ALLOCATION_REFUSED'],
    ['a code of no RFC', refusedWith(699), 'ALLOCATION_REFUSED'],
    ['no code', refusedWith(0), 'ALLOCATION_REFUSED'],
    ['silence', { allocate: failed(silence), recheck: failed(silence) }, 'SERVER_STOPPED'],
    ['silence to this alone', { allocate: failed(silence), recheck: answers }, 'REQUEST_FAILED'],
    ['not tried', { allocate: notTried('no credentials were given') }, 'unknown'],
    // The anonymous one may live on for a second over the same connection: no fault of its own.
    [
      '437 after an anonymous one',
      { ...refusedWith(437), challenge: done({ granted: true, relayed }) },
      'unknown',
    ],
    // Said once, at turn-challenge.
    [
      '400, as to the anonymous one',
      { ...refusedWith(400), challenge: done({ granted: false, code: 400, realm: null, nonce: false }) },
      'unknown',
    ],
  ])('%s', (_what, overrides, expected) => {
    expect(said(judged(overrides))).toBe(expected);
  });

  it('does not say that nobody gets a relay where this probe has just got one', () => {
    const words = (granted?: number): string => {
      const outcome = refusedAllocation(healthyFacts(udp), secret, 508, granted);
      const [first] = outcome.status === 'failed' ? outcome.findings : [];
      return first === undefined ? '' : wordsOf(first).cause;
    };
    expect(words()).toContain('Whoever comes next gets no relay');
    expect(words(1)).toMatch(/granted 1 allocation to this probe/);
    expect(words(1)).not.toContain('Whoever comes next');
  });

  it('warns of a family that is not relayed, as clients ask for none', () => {
    expect(judged(refusedWith(440))).toMatchObject({
      findings: [{ code: 'ALLOCATION_REFUSED', severity: 'warning' }],
    });
  });

  it.each<[string, TargetFacts['allocate'], string]>([
    ['silence', failed(silence), 'ALTERNATE_UNREACHABLE'],
    ['no STUN', failed(garbage), 'ALTERNATE_UNREACHABLE'],
    ['401', failed(stunError(401)), 'CREDENTIAL_SECRET_MISMATCH'],
    ['another redirection', failed(stunError(300)), 'ALLOCATION_REFUSED'],
  ])('behind 300 Try-Alternate: %s', (_what, allocate, expected) => {
    const redirects = [{ address: '203.0.113.11', port: 3478 }];
    const outcome = judgeAllocate(unallocatedFacts(udp, allocate, { redirects }), secret, now);
    expect(said(outcome)).toBe(expected);
    if (expected === 'CREDENTIAL_SECRET_MISMATCH') {
      expect(outcome).toMatchObject({ findings: [{ evidence: { address: '203.0.113.11' } }] });
    }
  });

  it.each<[string, CredentialFacts, string]>([
    ['in time, from the secret', secret, 'CREDENTIAL_SECRET_MISMATCH'],
    ['no time in it', given('alice'), 'CREDENTIAL_SECRET_MISMATCH'],
    ['ended a second ago', given(`${nowSeconds - 1}:x`), 'CREDENTIAL_EXPIRED'],
    ['ended, the time alone', given(`${nowSeconds - 1}`), 'CREDENTIAL_EXPIRED'],
    // coturn reads the time behind the name too.
    ['ended, the time behind the name', given('x:1700000000'), 'CREDENTIAL_EXPIRED'],
    ['in time, behind the name', given(`x:${nowSeconds + 60}`), 'CREDENTIAL_SECRET_MISMATCH'],
    ['milliseconds behind the name', given(`x:${nowSeconds}000`), 'CREDENTIAL_FORMAT'],
    ['microseconds', given(`${nowSeconds}000000:x`), 'CREDENTIAL_FORMAT'],
    // It can be a static user as well.
    ['a small number alone', given('3600'), 'CREDENTIAL_SECRET_MISMATCH'],
    // coturn takes it up to and in the second that it names.
    ['ends now', given(`${nowSeconds}:x`), 'CREDENTIAL_SECRET_MISMATCH'],
    ['milliseconds', given(`${(nowSeconds + 60) * 1000}:x`), 'CREDENTIAL_FORMAT'],
    ['a lifetime of a day', given('86400:x'), 'CREDENTIAL_FORMAT'],
    ['a lifetime of a year', given('31536000:x'), 'CREDENTIAL_FORMAT'],
    ['beyond 32 bits', given('900000000000000:x'), 'CREDENTIAL_FORMAT'],
    ['no credentials', { source: 'none' }, 'unknown'],
  ])('a credential that is refused: %s', (_what, credential, expected) => {
    expect(said(judged(refusedWith(401), credential))).toBe(expected);
  });

  it('says of a small number alone both that it can be', () => {
    const outcome = judged(refusedWith(401), given('3600'));
    const [first] = outcome.status === 'failed' ? outcome.findings : [];
    const cause = first === undefined ? '' : wordsOf(first).cause;
    expect(cause).toMatch(
      /if it is a static user, .*; if .* time-limited credential, the number is a lifetime/,
    );
    expect(cause).not.toContain('another secret');
  });

  it('names the time that would be right', () => {
    const evidence = (expiresAt: number): unknown => {
      const outcome = judged(refusedWith(401), given(`${expiresAt}:x`));
      return outcome.status === 'failed' ? outcome.findings[0]?.evidence : null;
    };
    expect(evidence((nowSeconds + 60) * 1000)).toMatchObject({ right: `${nowSeconds + 60}` });
    expect(evidence(86_400)).toMatchObject({
      mistake: '86400 is a lifetime, not the time of its end',
      right: `the time of its end, for example ${nowSeconds + 86_400}`,
    });
    expect(evidence(9e14)).toMatchObject({ mistake: 'The time in it is beyond any calendar' });
    expect(evidence(nowSeconds - 60)).toMatchObject({ expiredAt: '2026-06-01T11:59:00.000Z' });
  });
});

describe('turn-refresh, turn-channel and turn-release', () => {
  it.each<[string, Outcome, string]>([
    ['a Refresh', judgeRefresh(healthyFacts(udp)), 'passed'],
    [
      'a Refresh to 0 s',
      judgeRefresh(healthyFacts(udp, { refresh: done({ lifetimeSeconds: 0 }) })),
      'REQUEST_FAILED',
    ],
    [
      'a Refresh, 437',
      judgeRefresh(healthyFacts(udp, { refresh: failed(stunError(437)) })),
      'REQUEST_FAILED',
    ],
    ['a ChannelBind', judgeChannel(healthyFacts(udp)), 'passed'],
    [
      'a ChannelBind, 400',
      judgeChannel(healthyFacts(udp, { channel: failed(stunError(400)) })),
      'REQUEST_FAILED',
    ],
    ['a ChannelBind, not tried', judgeChannel(healthyFacts(udp, { channel: notTried('why') })), 'unknown'],
    ['a release', judgeRelease(healthyFacts(udp)), 'passed'],
    [
      'a release, unconfirmed',
      judgeRelease(healthyFacts(udp, { release: done({ lifetimeSeconds: 600 }) })),
      'ALLOCATION_NOT_FREED',
    ],
    [
      'a release, 437',
      judgeRelease(healthyFacts(udp, { release: failed(stunError(437)) })),
      'REQUEST_FAILED',
    ],
    [
      'a release, and the server is gone',
      judgeRelease(healthyFacts(udp, { release: failed(silence), recheck: failed(silence) })),
      'SERVER_STOPPED',
    ],
  ])('%s', (_what, outcome, expected) => {
    expect(said(outcome)).toBe(expected);
  });

  it('a release that fails is a warning: it costs the server, not the caller', () => {
    const refused = judgeRelease(healthyFacts(udp, { release: failed(stunError(437)) }));
    const silent = judgeRelease(healthyFacts(udp, { release: failed(silence), recheck: answers }));
    for (const outcome of [refused, silent]) {
      expect(outcome).toMatchObject({ findings: [{ code: 'REQUEST_FAILED', severity: 'warning' }] });
    }
  });

  it('tell the request and its answer', () => {
    const evidenceOf = (outcome: Outcome): unknown =>
      outcome.status === 'failed' ? outcome.findings[0]?.evidence : null;
    expect(evidenceOf(judgeChannel(healthyFacts(udp, { channel: failed(stunError(400)) })))).toMatchObject({
      step: 'a ChannelBind',
      seen: 'error 400 Bad Request',
    });
    expect(evidenceOf(judgeRelease(healthyFacts(udp, { release: failed(stunError(437)) })))).toMatchObject({
      step: 'a Refresh with lifetime 0',
      seen: 'error 437 Allocation Mismatch',
    });
    expect(
      evidenceOf(judgeRefresh(healthyFacts(udp, { refresh: done({ lifetimeSeconds: 0 }) }))),
    ).toMatchObject({
      step: 'a Refresh',
      seen: 'a lifetime of 0 s, which ends the allocation',
    });
    expect(judgeRefresh(healthyFacts(udp))).toEqual({ status: 'passed', detail: '600 s' });
  });

  it('a channel is not known where the server denies this client as a peer', () => {
    const denied = healthyFacts(udp, {
      permission: failed(stunError(403)),
      channel: notTried('no permission'),
    });
    expect(judgeChannel(denied)).toMatchObject({
      because: expect.stringContaining('denies 198.51.100.20') as string,
    });
  });
});
