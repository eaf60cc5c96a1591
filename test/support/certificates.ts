import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly commonName: string;
  /** Host names and IP addresses of subjectAltName; none when absent. */
  readonly names?: readonly string[];
  /** Self-signed when absent. */
  readonly issuer?: Certificate;
  /** Whether it may sign others. */
  readonly authority?: boolean;
  /** Days from now. */
  readonly validFrom?: number;
  readonly validUntil?: number;
}

/** Makes a certificate, with whatever is wrong with it. */
export async function certificate(options: CertificateOptions): Promise<Certificate> {
  const { commonName, names = [], issuer, authority = false, validFrom = -1, validUntil = 30 } = options;
  const altNames = names.map((name) =>
    isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
  );
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: inDays(validFrom),
    notAfterDate: inDays(validUntil),
    extensions: [
      { name: 'basicConstraints', cA: authority, critical: true },
      ...(altNames.length > 0 ? [{ name: 'subjectAltName' as const, altNames }] : []),
    ],
    ...(issuer ? { ca: issuer } : {}),
  });
  return { cert, key };
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}
