import { configEntry, exampleFile, exampleLine, inFile, replaced } from './config-place.ts';
import type { LineEvidence, PlaceEvidence } from './config-place.ts';
import { listed } from './entry.ts';

interface PathEvidence extends LineEvidence {
  readonly path: string;
}

const exampleCert: PathEvidence = {
  ...exampleLine('cert=/etc/turn/fullchain.pem'),
  path: '/etc/turn/fullchain.pem',
};
const exampleKey: PathEvidence = {
  ...exampleLine('pkey=/etc/turn/privkey.pem'),
  path: '/etc/turn/privkey.pem',
};

/** The TLS listener as a configuration gives it, and the files that it names. */
export const configTlsCatalog = {
  TLS_NOT_CONFIGURED: configEntry<PlaceEvidence & { missing: readonly string[] }>({
    severity: 'warning',
    example: { ...exampleFile, missing: ['cert', 'pkey'] },
    title: (e) =>
      `There is no TLS listener: ${listed(e.missing)} ${e.missing.length === 1 ? 'is' : 'are'} missing`,
    cause: () =>
      'coturn warns and starts without TLS. turns: URLs reach nothing, and users behind strict firewalls get no relay.',
    proof: (e) => `${e.file} has neither no-tls nor both cert and pkey.`,
    fix: (e) => [
      ...e.missing.map((name) => inFile({ ...e, line: null }, `${name}=${examplePaths[name] ?? 'PATH'}`)),
      'or say that none is wanted: no-tls and no-dtls',
    ],
    explanation:
      'TLS is on by default, but only with a certificate and its key. Without them coturn goes on without a TLS listener.',
    confusedWith: [
      'TLS_FILE_MISSING, TLS_FILE_UNREADABLE: there they are named, and coturn cannot read them.',
      'A proxy in front that ends TLS: then coturn needs none.',
    ],
    references: ['RFC 7065', 'coturn README.turnserver'],
  }),
  TLS_FILE_MISSING: configEntry<PathEvidence>({
    severity: 'error',
    example: exampleCert,
    title: (e) => `The file of ${e.option} is not there`,
    cause: (e) => `There is no ${e.path} on this machine. coturn warns and starts without TLS.`,
    proof: (e) => `Looked for ${e.path}.`,
    fix: (e) => [`on the server:  sudo ls -lL ${e.path}`, 'correct the path, or put the file there'],
    explanation:
      'Certificate and key are read once, at the start. When one is missing there is no TLS listener at all.',
    confusedWith: ['TLS_FILE_UNREADABLE: there it exists, and the user of the service may not read it.'],
  }),
  TLS_FILE_UNREADABLE: configEntry<PathEvidence & { user: string; at: string; because: string }>({
    severity: 'error',
    example: {
      ...exampleKey,
      user: 'turnserver',
      at: '/etc/letsencrypt/live',
      because: 'its mode is 0700 and root owns it',
    },
    title: (e) => `coturn may not read the file of ${e.option}`,
    cause: (e) =>
      `The user ${e.user} is stopped at ${e.at}: ${e.because}. coturn warns and starts without TLS.`,
    proof: (e) => `The modes and owners of ${e.path} and of every directory above it.`,
    fix: (e) => [
      `on the server:  sudo install -d -o ${e.user} -g ${e.user} -m 700 /etc/turn`,
      `on the server:  sudo install -o ${e.user} -g ${e.user} -m 400 ${e.path} /etc/turn/`,
      inFile(e, `${e.option}=/etc/turn/${e.path.split('/').at(-1) ?? ''}`),
      'and have the renewal of the certificate do the same',
    ],
    explanation:
      'coturn runs as a user of its own, which has to pass every directory above the file. Those of certbot are for root alone.',
    confusedWith: [
      'TLS_FILE_MISSING: the message of coturn is the same.',
      'TLS_FILE_INVALID: there it is read, and is of no use.',
      'CONFIG_UNREADABLE: there it is the configuration itself.',
    ],
  }),
  TLS_FILE_INVALID: configEntry<PathEvidence & { because: string }>({
    severity: 'error',
    example: { ...exampleCert, because: 'there is no certificate in it' },
    title: (e) => `The file of ${e.option} is of no use`,
    cause: (e) => `${e.path}: ${e.because}.`,
    proof: (e) => `Read ${e.path}.`,
    fix: (e) => [
      `on the server:  sudo head -n 1 ${e.path}`,
      'the file has to be PEM text: cert the chain, pkey its key',
    ],
    explanation: 'coturn reads PEM: blocks between BEGIN and END lines.',
    confusedWith: ['TLS_KEY_MISMATCH: there both are sound, and do not belong together.'],
  }),
  TLS_FILE_LEAF_ONLY: configEntry<PathEvidence>({
    severity: 'error',
    example: { ...exampleCert, path: '/etc/turn/cert.pem' },
    title: () => 'The certificate stands without its chain',
    cause: (e) =>
      `${e.path} holds one certificate, and it was issued by an intermediate authority. Clients that do not have that one refuse the connection.`,
    proof: (e) => `${e.path} has one certificate, not self-issued, with the address of its issuer in it.`,
    fix: (e) =>
      e.path.endsWith('/cert.pem')
        ? [inFile(e, `cert=${e.path.replace(/cert\.pem$/, 'fullchain.pem')}`)]
        : replaced(e, 'name a file with the whole chain: the certificate, then that of its issuer'),
    explanation:
      'A server sends its certificate and those that link it to a root. Browsers may fetch what is missing, apps do not.',
    confusedWith: ['TLS_CHAIN_INCOMPLETE: the same, seen from outside on a server that runs.'],
    references: ['RFC 8446 §4.4.2'],
  }),
  TLS_FILE_EXPIRED: configEntry<PathEvidence & { notAfter: string; daysLeft: number }>({
    severity: 'error',
    example: { ...exampleCert, notAfter: '2026-05-01T00:00:00.000Z', daysLeft: -3 },
    title: (e) =>
      e.daysLeft < 0 ? 'The certificate has expired' : `The certificate ends in ${e.daysLeft} days`,
    cause: (e) =>
      `${e.path} is good until ${e.notAfter}. After that no client accepts turns: from this server.`,
    proof: (e) => `Read ${e.path}.`,
    fix: () => ['on the server:  sudo certbot renew', 'on the server:  sudo systemctl kill -s USR2 coturn'],
    explanation:
      'coturn serves an expired certificate without a word. It reads a new one at SIGUSR2, or at its next start.',
    confusedWith: [
      'TLS_CERT_EXPIRED: there it is the one that is served, which may be older than the file.',
      'TLS_CERT_NOT_RELOADED: there the file is good.',
    ],
    references: ['RFC 5280 §4.1.2.5'],
  }),
  TLS_KEY_MISMATCH: configEntry<PathEvidence & { certificate: string }>({
    severity: 'error',
    example: { ...exampleKey, certificate: '/etc/turn/fullchain.pem' },
    title: () => 'The key is not that of the certificate',
    cause: (e) =>
      `${e.path} does not belong to the first certificate of ${e.certificate}. No TLS handshake succeeds.`,
    proof: (e) => `The public keys of ${e.path} and ${e.certificate} differ.`,
    fix: () => [
      'name the key that was made with the certificate (certbot: privkey.pem beside fullchain.pem)',
    ],
    explanation:
      'A certificate is of use only with its own key. A chain file with the authority first looks the same.',
    confusedWith: [
      'TLS_FILE_INVALID: there one of the two cannot be read as what it should be.',
      'TLS_HANDSHAKE_FAILED: what clients see of it.',
    ],
  }),
  LEGACY_TLS: configEntry<LineEvidence & { versions: readonly string[] }>({
    severity: 'warning',
    example: { ...exampleLine('tlsv1'), versions: ['TLS 1.0'], replacement: '' },
    title: (e) => `${listed(e.versions)} ${e.versions.length === 1 ? 'is' : 'are'} offered`,
    cause: () => 'Both have been deprecated since 2021, and no client of today needs them.',
    fix: (e) => replaced(e, 'add no-tlsv1 and no-tlsv1_1'),
    explanation:
      'TLS 1.0 and 1.1 use MD5 and SHA-1 (RFC 8996). Before 4.7 coturn offers them unless no-tlsv1 and no-tlsv1_1 stand in the file, as far as its OpenSSL lets it; from 4.7 on it does so only if asked.',
    references: ['RFC 8996'],
  }),
  TLS_NO_PROTOCOL: configEntry<LineEvidence & { version: string; left: string | null }>({
    severity: 'error',
    example: { ...exampleLine('no-tlsv1_2'), version: '4.6.1', left: null, replacement: '' },
    title: (e) =>
      e.left === null ? 'Without TLS 1.2 there is no TLS left' : `Without TLS 1.2 there is ${e.left} alone`,
    cause: (e) =>
      e.left === null
        ? `coturn ${e.version} speaks TLS 1.2 at most. With no-tlsv1_2 every handshake fails.`
        : 'Clients that do not speak it yet get no connection, and DTLS 1.2 is gone as well.',
    fix: (e) => replaced(e, 'delete the line'),
    explanation: 'TLS 1.2 is sound and what most clients use. Before 4.7 the option leaves nothing newer.',
    confusedWith: [
      'LEGACY_TLS: there too much is offered, and not too little.',
      'TLS_HANDSHAKE_FAILED: what clients see of it.',
    ],
    references: ['RFC 9325 §3.1.1'],
  }),
} as const;

const examplePaths: Readonly<Record<string, string>> = {
  cert: '/etc/turn/fullchain.pem',
  pkey: '/etc/turn/privkey.pem',
};
