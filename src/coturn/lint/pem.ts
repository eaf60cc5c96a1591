import { X509Certificate, createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { reasonOf } from '../../model/error.ts';
import type { PemCertificate, PemFacts } from '../../model/host-facts.ts';

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** What a PEM text holds: its certificates in their order, and the public half of its first key. Never throws. */
export function pemFacts(text: string): PemFacts {
  const blocks = [...text.matchAll(block)].map(([whole, label = '']) => ({ whole, label }));
  const isEncrypted = blocks.some(
    ({ whole, label }) => /ENCRYPTED/.test(label) || /Proc-Type:.*ENCRYPTED/.test(whole),
  );
  try {
    const certificates = blocks
      .filter(({ label }) => /^(?:TRUSTED |X509 )?CERTIFICATE$/.test(label))
      .map(({ whole }) => certificateOf(new X509Certificate(whole)));
    const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
    const keyFingerprint =
      key === undefined || isEncrypted ? null : fingerprint(createPublicKey(createPrivateKey(key.whole)));
    return { error: null, certificates, keyFingerprint, isEncrypted };
  } catch (error) {
    const reason = `it cannot be read as PEM (${reasonOf(error)})`;
    return { error: reason, certificates: [], keyFingerprint: null, isEncrypted };
  }
}

function certificateOf(certificate: X509Certificate): PemCertificate {
  const notAfter = Date.parse(certificate.validTo);
  return {
    subject: certificate.subject,
    notAfter: Number.isNaN(notAfter) ? certificate.validTo : new Date(notAfter).toISOString(),
    selfIssued: certificate.subject === certificate.issuer,
    namesIssuerUrl: certificate.infoAccess?.includes('CA Issuers - URI') === true,
    keyFingerprint: fingerprint(certificate.publicKey),
  };
}

function fingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
