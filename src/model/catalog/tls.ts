import { isIP } from 'node:net';
import { formatEndpoint } from '../endpoint.ts';
import {
  exampleTls,
  grepConfig,
  here,
  listenerKeys,
  inConfig,
  listenerName,
  onServer,
  restart,
  serverName,
  type EndEvidence,
  type ListenerEvidence,
  fault,
} from './entry.ts';
import { server } from '../subject.ts';

const servedChain = [
  grepConfig('cert|pkey'),
  'cert= must name fullchain.pem, pkey= its key, and the user turnserver must be able to read both',
];
// SIGUSR2 makes coturn read its certificate again and ends no call (measured on 4.6.1).
const reload = onServer('sudo systemctl kill -s USR2 coturn');

interface CertificateEvidence extends ListenerEvidence {
  readonly subject: string;
  readonly issuer: string;
}

const exampleCertificate = { ...exampleTls, subject: 'CN=turn.example.com', issuer: 'CN=R11' };

/** How to see the handshake oneself. SNI carries names only (RFC 6066 §3). */
function openssl(e: ListenerEvidence, rest = ''): string {
  const name = isIP(e.host) ? '-noservername' : `-servername ${e.host}`;
  return here(`openssl s_client -connect ${formatEndpoint(e)} ${name} </dev/null${rest}`);
}

/** A new certificate, where certbot can get one: for names, not for addresses. */
function newCertificate(name: string): readonly string[] {
  return isIP(name)
    ? ['a public CA certifies names: give clients a URL with the name of the server']
    : [onServer(`sudo certbot certonly --standalone -d ${name}`), reload];
}

/** What OpenSSL's codes mean; X509_V_ERR_… of x509_vfy.h. */
const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its chain ends at a root that clients do not know',
  UNABLE_TO_GET_ISSUER_CERT: 'its chain does not end at a root that clients know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its chain does not end at a root that clients know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its chain does not end at a root that clients know',
  CERT_HAS_EXPIRED: 'a certificate of its chain has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet, or the clock of this machine is behind',
  CERT_REVOKED: 'it was revoked',
};

export const tlsCatalog = {
  TLS_HANDSHAKE_FAILED: fault<ListenerEvidence & EndEvidence & { seen: string; answeredPlainly: boolean }>()({
    severity: 'error',
    subject: server,
    distinctBy: listenerKeys,
    cell: 'no TLS',
    headline: 'no client gets a TLS session with this server',
    // It was about to be reached when the server ended.
    causes: ['SERVER_STOPPED'],
    example: {
      ...exampleTls,
      seen: 'the connection was closed without an answer',
      closed: true,
      answeredPlainly: false,
    },
    title: (e) => `TLS on port ${e.port} of ${e.host} fails`,
    cause: (e) =>
      e.answeredPlainly
        ? `What answers at ${serverName(e)} port ${e.port} does not speak TLS: a listener without TLS, or another service, has that port.`
        : `${serverName(e)} accepts the connection, but no TLS session comes about: ${e.seen}. coturn does this when it could not read its certificate or its key at its start.`,
    proof: (e) => `The handshake with ${formatEndpoint(e)} ended with: ${e.seen}.`,
    fix: (e) =>
      e.answeredPlainly
        ? [onServer(`sudo ss -lntp 'sport = :${e.port}'`), inConfig(`tls-listening-port=${e.port}`), restart]
        : [onServer('sudo journalctl -u coturn | grep -iE "cert|key|tls"'), ...servedChain, openssl(e)],
    explanation:
      'TCP connects, the TLS handshake does not complete. No browser gets a relay over turns: from it.',
    confusedWith: ['LISTENER_SILENT: there nothing at all follows the connection.'],
    references: ['RFC 8446 §6.2', 'RFC 7443'],
  }),
  TLS_CERT_EXPIRED: fault<CertificateEvidence & { notAfter: string; serial: string }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['serial'],
    cell: 'expired',
    headline: 'clients refuse the certificate of this server',
    causes: [],
    example: { ...exampleCertificate, notAfter: '2026-05-01T00:00:00.000Z', serial: '04A1' },
    title: (e) => `The certificate of ${e.host} has expired`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate that ended on ${e.notAfter.slice(0, 10)}; no browser accepts it.`,
    proof: (e) => `Served: ${e.subject}, serial ${e.serial}, valid until ${e.notAfter}.`,
    fix: (e) => [onServer('sudo certbot renew'), reload, openssl(e, ' | openssl x509 -noout -dates')],
    explanation:
      'The certificate that the listener serves is past its end. Read from the TLS handshake itself.',
    confusedWith: [
      'A certificate that was renewed on disk while the server still serves the old one: reload it.',
      'A clock of this machine that is wrong.',
    ],
    references: ['RFC 5280 §4.1.2.5'],
  }),
  TLS_CERT_EXPIRES_SOON: fault<
    CertificateEvidence & { notAfter: string; daysLeft: number; hoursLeft: number }
  >()({
    severity: 'warning',
    subject: server,
    distinctBy: ['subject', 'notAfter'],
    cell: 'ends soon',
    headline: null,
    causes: [],
    example: { ...exampleCertificate, notAfter: '2026-05-01T00:00:00.000Z', daysLeft: 5, hoursLeft: 125 },
    title: (e) => `The certificate of ${e.host} ends in ${timeLeft(e)}`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate that ends on ${e.notAfter.slice(0, 10)}. It should have been renewed by now: the renewal, or the reload after it, does not work.`,
    proof: (e) => `Served: ${e.subject}, valid until ${e.notAfter}.`,
    fix: () => [
      onServer('sudo certbot renew --dry-run'),
      onServer('systemctl list-timers certbot.timer'),
      reload,
    ],
    explanation:
      'Less than 14 days are left, or less than a quarter of the life of a certificate that lives for less than 30. An automatic renewal should have replaced it.',
    confusedWith: ['A certificate that is renewed by hand, on purpose.'],
    references: ['RFC 5280 §4.1.2.5'],
  }),
  TLS_NAME_MISMATCH: fault<CertificateEvidence & { servername: string; names: readonly string[] }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['subject'],
    cell: 'wrong name',
    headline: 'clients refuse the certificate of this server',
    causes: [],
    example: { ...exampleCertificate, servername: 'turn.example.com', names: ['DNS:www.example.com'] },
    title: (e) => `The certificate is not for ${e.servername}`,
    cause: (e) =>
      `${listenerName(e)} of ${serverName(e)} serves a certificate for ${e.names.length === 0 ? e.subject : e.names.join(', ')}; clients whose URL has ${e.servername} refuse it.`,
    proof: (e) =>
      `Asked for ${e.servername}; the certificate names ${e.names.join(', ') || `${e.subject} only`}.`,
    fix: (e) => [
      ...(isIP(e.servername)
        ? ['if clients use a name, probe by that name, or add --servername NAME']
        : ['give clients a URL with a name of the certificate, or get one for this name:']),
      ...newCertificate(e.servername),
    ],
    explanation: 'None of the subject alternative names is the name (or address) that the client asked for.',
    confusedWith: ['A probe by IP address: give --servername NAME, as clients use the name.'],
    references: ['RFC 9525 §6'],
  }),
  TLS_CHAIN_INCOMPLETE: fault<CertificateEvidence>()({
    severity: 'error',
    subject: server,
    distinctBy: ['subject', 'issuer'],
    cell: 'chain',
    headline: 'many clients refuse the certificate of this server',
    causes: [],
    example: exampleCertificate,
    title: (e) => `The certificate chain of ${e.host} is incomplete`,
    cause: (e) =>
      `${listenerName(e)} serves the certificate of ${e.subject} alone, without the intermediate certificate of ${e.issuer}: some browsers fetch it by themselves, phones and native apps do not.`,
    proof: (e) =>
      `The chain ends at ${e.subject}; the certificate of ${e.issuer} was not sent and is not in the trust store.`,
    fix: () => [...servedChain, reload],
    explanation:
      'The leaf was sent without its intermediate, so that no path to a root can be built. The leaf itself says where its issuer is to be had (authority information access), as those of public CAs do.',
    confusedWith: ['TLS_UNTRUSTED: a private CA whose root this machine does not know; give it with --ca.'],
    references: ['RFC 8446 §4.4.2'],
  }),
  TLS_UNTRUSTED: fault<CertificateEvidence & { reason: string }>()({
    severity: 'error',
    subject: server,
    distinctBy: ['subject', 'issuer'],
    cell: 'untrusted',
    headline: 'clients refuse the certificate of this server',
    causes: [],
    example: { ...exampleCertificate, issuer: 'CN=turn.example.com', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    title: (e) => `The certificate of ${e.host} is not trusted`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate that clients refuse: ${reasons[e.reason] ?? `OpenSSL says ${e.reason}`}.`,
    proof: (e) =>
      `Served: ${e.subject}, issued by ${e.issuer === e.subject ? 'itself' : e.issuer}; verification ended with ${e.reason}.`,
    fix: (e) => [
      ...(e.reason === 'CERT_NOT_YET_VALID'
        ? [
            'compare the clocks of both machines first:',
            here('date -u'),
            onServer('date -u'),
            'if they are right, the certificate begins later: serve the one before it, or get a new one:',
          ]
        : []),
      ...newCertificate(e.host),
      'with a CA of your own, give its root to the probe (--ca FILE) and to every client',
      ...(e.issuer === e.subject
        ? []
        : ['with an intermediate CA, cert= must name a file that holds it too']),
    ],
    explanation: "The chain does not end at a root that Node.js' trust store, or --ca, has.",
    confusedWith: ['TLS_CHAIN_INCOMPLETE: the root is known, the link to it was not sent.'],
    references: ['RFC 5280 §6'],
  }),
} as const;

/** `62 days`, `1 day`, `7 hours`, `less than an hour`. */
export function timeLeft({ daysLeft, hoursLeft }: { daysLeft: number; hoursLeft: number }): string {
  if (daysLeft > 0) return daysLeft === 1 ? '1 day' : `${daysLeft} days`;
  if (hoursLeft < 1) return 'less than an hour';
  return hoursLeft === 1 ? '1 hour' : `${hoursLeft} hours`;
}
