import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
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
  /** `ec` when absent. */
  readonly keyType?: 'ec' | 'rsa';
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
    keyType: options.keyType ?? 'ec',
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

/**
 * A certificate as public authorities issue them: with the address of its issuer's (RFC 5280 §4.2.2.1), by which one whose
 * chain is incomplete is told from one of a private authority. By openssl, as selfsigned has no such extension.
 */
export async function publicCertificate(
  options: Required<Pick<CertificateOptions, 'commonName' | 'names' | 'issuer'>>,
): Promise<Certificate> {
  const { commonName, names, issuer } = options;
  const directory = await mkdtemp(join(tmpdir(), 'rtc-ops-certificate-'));
  try {
    const file = (name: string): string => join(directory, name);
    await writeFile(file('issuer.pem'), issuer.cert);
    await writeFile(file('issuer.key'), issuer.key, { mode: 0o600 });
    // Without the extensions that the system's own config adds, for which the issuer lacks a key identifier.
    await writeFile(file('openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
    const altNames = names.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');
    await execa('openssl', [
      ...['req', '-x509', '-config', file('openssl.cnf'), '-days', '30', '-nodes'],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=${altNames}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', 'authorityInfoAccess=caIssuers;URI:http://ca.example.com/issuer.cer'],
      ...['-CA', file('issuer.pem'), '-CAkey', file('issuer.key')],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
    ]);
    const [cert, key] = await Promise.all(
      [file('cert.pem'), file('key.pem')].map((path) => readFile(path, 'utf8')),
    );
    return { cert: cert ?? '', key: key ?? '' };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}
