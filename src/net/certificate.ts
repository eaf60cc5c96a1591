import type { Certificate, DetailedPeerCertificate } from 'node:tls';
import type { CertificateFacts } from '../model/observations.ts';

// A chain of a public CA has at most four; a loop through a cross-signed root must end somewhere.
const longestChain = 10;

/** The certificates from the leaf up, as far as the server's answer and the trust store show them. */
export function chainOf(leaf: DetailedPeerCertificate): CertificateFacts[] {
  const chain: CertificateFacts[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined && chain.length < longestChain) {
    chain.push(certificateFacts(certificate));
    // Node gives a self-signed certificate itself as its issuer.
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer?.fingerprint256 === certificate.fingerprint256 ? undefined : issuer;
  }
  return chain;
}

function certificateFacts(certificate: DetailedPeerCertificate): CertificateFacts {
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    names: certificate.subjectaltname?.split(', ') ?? [],
    notBefore: new Date(certificate.valid_from).toISOString(),
    notAfter: new Date(certificate.valid_to).toISOString(),
    serial: certificate.serialNumber,
    selfIssued: nameOf(certificate.subject) === nameOf(certificate.issuer),
  };
}

/** The common name where there is one; else the whole distinguished name. */
function nameOf(name: Certificate | undefined): string {
  if (name === undefined) return '';
  if (name.CN !== undefined) return `CN=${[name.CN].flat().join('+')}`;
  return Object.entries(name)
    .map(([key, value]) => `${key}=${[value].flat().join('+')}`)
    .join(', ');
}
