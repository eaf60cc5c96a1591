import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../src/model/finding.ts';
import type { CertificateFacts, Failure, TlsFacts } from '../../src/model/observations.ts';
import { judgeCertificate } from '../../src/rules/certificate.ts';
import {
  certificate,
  closed,
  deadFacts,
  done,
  healthyFacts,
  intermediate,
  now,
  refusal,
  silence,
  systemError,
  targetOf,
  tlsFacts,
} from '../support/facts.ts';

const tls = targetOf('tls');

function judged(overrides: Partial<TlsFacts>): ReturnType<typeof judgeCertificate> {
  return judgeCertificate(healthyFacts(tls, { tls: done(tlsFacts(overrides)) }), now);
}

function codesOf(outcome: ReturnType<typeof judgeCertificate>): string[] {
  return outcome.status === 'failed' ? outcome.findings.map(({ code }) => code) : [outcome.status];
}

function leaf(overrides: Partial<CertificateFacts>): Pick<TlsFacts, 'chain'> {
  return { chain: [{ ...certificate, ...overrides }, intermediate] };
}

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(now.getTime() + days * dayMs).toISOString();

describe('tls-certificate', () => {
  it('counts the last day in hours', () => {
    // Lives for three days, so that hours are no reason to worry yet.
    const short = judged(leaf({ notBefore: inDays(-2.5), notAfter: inDays(0.5) }));
    expect(short).toEqual({ status: 'passed', detail: '12 hours' });
    const late = judged(leaf({ notAfter: inDays(0.5) }));
    expect(late).toMatchObject({ findings: [{ evidence: { daysLeft: 0, hoursLeft: 12 } }] });
    expect(judged(leaf({ notBefore: inDays(-3), notAfter: inDays(1.5) }))).toMatchObject({ detail: '1 day' });
  });

  it('that is not valid yet is looked into by the clocks first', () => {
    const outcome = judged({ chainError: 'CERT_NOT_YET_VALID' });
    const [first] = outcome.status === 'failed' ? outcome.findings : [];
    const fix = first === undefined ? [] : wordsOf(first).fix;
    expect(fix.slice(0, 3)).toEqual([
      'compare the clocks of both machines first:',
      'here:  date -u',
      'on the server:  date -u',
    ]);
  });

  it.each<[string, Partial<TlsFacts>, readonly string[]]>([
    ['chain, name and dates in order', {}, ['passed']],
    ['ended', { ...leaf({ notAfter: inDays(-1) }), chainError: 'CERT_HAS_EXPIRED' }, ['TLS_CERT_EXPIRED']],
    ['ends in 13 days', leaf({ notAfter: inDays(13.5) }), ['TLS_CERT_EXPIRES_SOON']],
    ['ends in 14 days', leaf({ notAfter: inDays(14.5) }), ['passed']],
    // Lives for six days: renewed late by design.
    ['short-lived, 2 days left', leaf({ notBefore: inDays(-4), notAfter: inDays(2.5) }), ['passed']],
    [
      'short-lived, hours left',
      leaf({ notBefore: inDays(-5.5), notAfter: inDays(0.5) }),
      ['TLS_CERT_EXPIRES_SOON'],
    ],
    ['another name', { nameError: 'it names DNS:a, not b' }, ['TLS_NAME_MISMATCH']],
    [
      'ended, and another name',
      { ...leaf({ notAfter: inDays(-1) }), chainError: 'CERT_HAS_EXPIRED', nameError: 'it names DNS:a' },
      ['TLS_CERT_EXPIRED', 'TLS_NAME_MISMATCH'],
    ],
    [
      'the leaf alone',
      { chain: [certificate], chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      ['TLS_CHAIN_INCOMPLETE'],
    ],
    [
      'the leaf alone, in the words of another OpenSSL',
      { chain: [certificate], chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
      ['TLS_CHAIN_INCOMPLETE'],
    ],
    // A CA of one's own does not say where its certificate is.
    [
      'the leaf alone, of a private CA',
      { chain: [{ ...certificate, issuerUrl: null }], chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      ['TLS_UNTRUSTED'],
    ],
    ['a root that is not known', { chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }, ['TLS_UNTRUSTED']],
    [
      'self-signed',
      { chain: [{ ...certificate, selfIssued: true }], chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      ['TLS_UNTRUSTED'],
    ],
    [
      'self-signed, in other words',
      { chain: [{ ...certificate, selfIssued: true }], chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      ['TLS_UNTRUSTED'],
    ],
    ['an intermediate that has ended', { chainError: 'CERT_HAS_EXPIRED' }, ['TLS_UNTRUSTED']],
    ['no certificate at all', { chain: [] }, ['unknown']],
  ])('%s', (_what, overrides, expected) => {
    expect(codesOf(judged(overrides))).toEqual(expected);
  });

  it('tells the days that are left, and no number when the date cannot be read', () => {
    expect(judged({})).toEqual({ status: 'passed', detail: '61 days' });
    expect(judged(leaf({ notAfter: 'some day' }))).toEqual({ status: 'passed' });
  });

  it('is skipped where there is no TLS', () => {
    expect(judgeCertificate(healthyFacts(targetOf('tcp')), now)).toMatchObject({ status: 'skipped' });
  });

  it.each<[string, 'connect' | 'tls', Failure, string]>([
    ['closed', 'tls', closed, 'TLS_HANDSHAKE_FAILED'],
    ['reset', 'tls', systemError('ECONNRESET'), 'TLS_HANDSHAKE_FAILED'],
    ['an alert', 'tls', { kind: 'tls', code: 'ERR_SSL_X', message: 'x' }, 'TLS_HANDSHAKE_FAILED'],
    ['silence', 'tls', silence, 'unknown'],
    ['no connection', 'connect', refusal, 'unknown'],
  ])('a handshake that ends with %s', (_what, step, failure, expected) => {
    expect(codesOf(judgeCertificate(deadFacts(tls, step, failure), now))).toEqual([expected]);
  });

  it('tells a listener without TLS from one whose TLS is broken', () => {
    const plain: Failure = {
      kind: 'tls',
      code: 'ERR_SSL_WRONG_VERSION_NUMBER',
      message: 'wrong version number',
    };
    const outcome = judgeCertificate(deadFacts(tls, 'tls', plain), now);
    expect(outcome).toMatchObject({ findings: [{ evidence: { answeredPlainly: true } }] });
    const broken = judgeCertificate(deadFacts(tls, 'tls', closed), now);
    expect(broken).toMatchObject({ findings: [{ evidence: { answeredPlainly: false } }] });
  });
});
