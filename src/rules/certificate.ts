import { timeLeft } from '../model/catalog/tls.ts';
import type { Outcome } from '../model/check.ts';
import { describeFailure } from '../model/failure.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { CertificateFacts, Target, TargetFacts, TlsFacts } from '../model/observations.ts';
import { handshakeFailed, wasClosed } from './failure-kind.ts';
import { listenerOf } from './listener-evidence.ts';
import { failed, passed, skipped, unknown } from './outcome.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
// certbot renews 30 days before the end; with 14 left, its timer has failed many times. A certificate that lives
// for less than 30 days as a whole is renewed at about a third of its life; a quarter is late.
const soonDays = 14;
const shortLifeDays = 30;

/** `tls-certificate`: chain, name and dates, as a client would judge them. */
export function judgeCertificate(facts: TargetFacts, now: Date): Outcome {
  const { target, tls } = facts;
  if (target.transport !== 'tls') return skipped('no TLS on this transport');
  if (tls.state === 'not-tried') return unknown(tls.because);
  if (tls.state === 'failed') {
    if (!handshakeFailed(facts)) return unknown('the listener did not answer');
    const answeredPlainly = tls.failure.kind === 'tls' && plainAnswers.has(tls.failure.code);
    const seen = describeFailure(tls.failure);
    const closed = wasClosed(tls.failure);
    return failed('TLS_HANDSHAKE_FAILED', { ...listenerOf(target), seen, closed, answeredPlainly }, target);
  }
  return judgeShown(tls.value, target, now);
}

/** What a client would say to the certificate that a listener shows. */
export function judgeShown(tls: TlsFacts, target: Target, now: Date): Outcome {
  const [leaf] = tls.chain;
  if (leaf === undefined) return unknown('the server showed no certificate');
  const findings = certificateFindings(tls, leaf, target, now);
  if (findings.length > 0) return { status: 'failed', findings };
  const left = leftOf(now, leaf.notAfter);
  return passed(Number.isNaN(left.daysLeft) ? undefined : timeLeft(left));
}

/** OpenSSL's codes for an answer that is no TLS record. */
const plainAnswers: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
]);

function certificateFindings(facts: TlsFacts, leaf: CertificateFacts, target: Target, now: Date): Finding[] {
  const options = { targets: [target.url] };
  const evidence = { ...listenerOf(target), subject: leaf.subject, issuer: leaf.issuer };
  const findings: Finding[] = [];
  if (Date.parse(leaf.notAfter) < now.getTime()) {
    const expired = { ...evidence, notAfter: leaf.notAfter, serial: leaf.serial };
    findings.push(finding('TLS_CERT_EXPIRED', expired, options));
  } else if (facts.chainError !== null) {
    findings.push(
      isIncomplete(facts)
        ? finding('TLS_CHAIN_INCOMPLETE', evidence, options)
        : finding('TLS_UNTRUSTED', { ...evidence, reason: facts.chainError }, options),
    );
  }
  if (facts.nameError !== null) {
    const mismatch = { ...evidence, servername: facts.servername, names: leaf.names };
    findings.push(finding('TLS_NAME_MISMATCH', mismatch, options));
  }
  const left = leftOf(now, leaf.notAfter);
  const lifeDays = daysBetween(new Date(leaf.notBefore), leaf.notAfter);
  const limit = lifeDays < shortLifeDays ? Math.floor(lifeDays / 4) : soonDays;
  if (findings.length === 0 && left.daysLeft < limit) {
    const soon = { ...evidence, notAfter: leaf.notAfter, ...left };
    findings.push(finding('TLS_CERT_EXPIRES_SOON', soon, options));
  }
  return findings;
}

/**
 * OpenSSL says that the leaf's issuer is missing, and the server sent the leaf alone. A leaf of a private CA looks
 * the same from here, but for the address of the issuer's certificate, which public CAs put into each.
 */
function isIncomplete({ chainError, chain }: TlsFacts): boolean {
  const missing =
    chainError === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || chainError === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  const [leaf] = chain;
  return missing && chain.length === 1 && leaf?.selfIssued === false && leaf.issuerUrl !== null;
}

function leftOf(now: Date, notAfter: string): { daysLeft: number; hoursLeft: number } {
  const hoursLeft = Math.floor((Date.parse(notAfter) - now.getTime()) / hourMs);
  return { daysLeft: daysBetween(now, notAfter), hoursLeft };
}

function daysBetween(from: Date, to: string): number {
  return Math.floor((Date.parse(to) - from.getTime()) / dayMs);
}
