import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Certificate } from 'node:tls';
import type { CertificateFacts } from '../model/observations.ts';
import { isHost } from '../model/turn-uri.ts';

// A chain of a public CA has at most four. A server may send any number, and each one stands in the report.
const longestChain = 10;

/** The certificates as the server sent them: its own order, nothing added from a trust store, ten at most. */
export function chainOf(leaf: X509Certificate | undefined): CertificateFacts[] {
  const chain: CertificateFacts[] = [];
  // Of a certificate that came from a peer, `issuerCertificate` is the next one that was sent, its issuer or not.
  for (let next = leaf; next !== undefined && chain.length < longestChain; next = next.issuerCertificate) {
    chain.push(certificateFacts(next));
  }
  return chain;
}

/**
 * Why a certificate is not that of `servername`, an IP literal or a host name; null when it is. Only subjectAltName
 * counts: a common name means nothing to browsers (RFC 9525 §2).
 */
export function nameErrorOf(leaf: X509Certificate | undefined, servername: string): string | null {
  if (leaf === undefined) return 'there is no certificate';
  // Node throws for a name with a NUL in it. A certificate is never for what is no name.
  if (!isHost(servername)) return 'what it should name is no host name';
  const found = isIP(servername)
    ? leaf.checkIP(servername)
    : leaf.checkHost(servername, { subject: 'never', partialWildcards: false });
  if (found !== undefined) return null;
  return `it names ${namesOf(leaf).join(', ') || 'nothing'}, not ${servername}`;
}

function certificateFacts(certificate: X509Certificate): CertificateFacts {
  const { subject, issuer, infoAccess } = certificate.toLegacyObject();
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: namesOf(certificate),
    notBefore: timeOf(certificate.validFrom),
    notAfter: timeOf(certificate.validTo),
    serial: certificate.serialNumber,
    selfIssued: certificate.subject === certificate.issuer,
    issuerUrl: infoAccess?.['CA Issuers - URI']?.[0] ?? null,
  };
}

/** `DNS:a.example`, `IP Address:192.0.2.1`; Node quotes and escapes a name that holds a comma. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  return subjectAltName?.split(', ') ?? [];
}

/** OpenSSL's text for a time, as ISO 8601; as it is where the certificate holds none. */
function timeOf(text: string): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : new Date(at).toISOString();
}

/** The common name where there is one; else the whole distinguished name. */
function nameOf(name: Certificate | undefined): string {
  if (name === undefined) return '';
  if (name.CN !== undefined) return `CN=${[name.CN].flat().join('+')}`;
  return Object.entries(name)
    .map(([key, value]) => `${key}=${[value].flat().join('+')}`)
    .join(', ');
}
