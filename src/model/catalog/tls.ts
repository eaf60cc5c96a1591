import { entry, listenerName, serverName, type ListenerEvidence, exampleTls } from './entry.ts';

const servedChain =
  '/etc/turnserver.conf:  cert=…/fullchain.pem  and  pkey=…/privkey.pem  (readable by the user turnserver)';
const reload = 'then:  sudo systemctl kill -s USR2 coturn   (reloads certificates, drops no call)';

interface CertificateEvidence extends ListenerEvidence {
  readonly subject: string;
  readonly issuer: string;
}

const exampleCertificate = { ...exampleTls, subject: 'CN=turn.example.com', issuer: 'CN=R11' };

export const tlsCatalog = {
  TLS_HANDSHAKE_FAILED: entry<ListenerEvidence & { seen: string }>({
    severity: 'error',
    example: { ...exampleTls, seen: 'the connection was closed without an answer' },
    title: (e) => `TLS on port ${e.port} fails`,
    cause: (e) =>
      `${serverName(e)} accepts the connection, but no TLS session comes about: ${e.seen}. coturn drops TLS connections like this when it could not read its certificate or key at its start.`,
    proof: (e) => `The handshake with ${e.address}:${e.port} ended with: ${e.seen}.`,
    fix: (e) => [
      'on the server:  sudo journalctl -u coturn | grep -iE "cert|key|tls"',
      servedChain,
      `see it from here:  openssl s_client -connect ${e.address}:${e.port} -servername ${e.host}`,
    ],
    explanation:
      'TCP connects, the TLS handshake does not complete. No browser gets a relay over turns: from it.',
    confusedWith: [
      'A plain TURN listener on that port: it closes the connection, or answers with an error that is not TLS.',
    ],
    references: ['RFC 8446 §6.2', 'RFC 7443'],
  }),
  TLS_CERT_EXPIRED: entry<CertificateEvidence & { notAfter: string; serial: string }>({
    severity: 'error',
    example: { ...exampleCertificate, notAfter: '2026-05-01T00:00:00.000Z', serial: '04A1' },
    title: (e) => `The certificate of ${e.host} has expired`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate that ended on ${e.notAfter.slice(0, 10)}; no browser accepts it.`,
    proof: (e) => `Served: ${e.subject}, serial ${e.serial}, valid until ${e.notAfter}.`,
    fix: (e) => [
      'on the server:  sudo certbot renew',
      reload,
      `see it from here:  openssl s_client -connect ${e.address}:${e.port} -servername ${e.host} </dev/null | openssl x509 -noout -dates`,
    ],
    explanation:
      'The certificate that the listener serves is past its end. Read from the TLS handshake itself.',
    confusedWith: [
      'A certificate that was renewed on disk while the server still serves the old one: reload it.',
    ],
    references: ['RFC 5280 §4.1.2.5'],
  }),
  TLS_CERT_EXPIRES_SOON: entry<CertificateEvidence & { notAfter: string; daysLeft: number }>({
    severity: 'warning',
    example: { ...exampleCertificate, notAfter: '2026-05-01T00:00:00.000Z', daysLeft: 5 },
    title: (e) => `The certificate of ${e.host} ends in ${e.daysLeft} ${e.daysLeft === 1 ? 'day' : 'days'}`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate that ends on ${e.notAfter.slice(0, 10)}. Renewal by certbot happens 30 days before the end, so renewal or the reload after it does not work.`,
    proof: (e) => `Served: ${e.subject}, valid until ${e.notAfter}.`,
    fix: () => ['on the server:  sudo certbot renew --dry-run; systemctl list-timers certbot.timer', reload],
    explanation: 'Less than 14 days are left. An automatic renewal should have replaced it by now.',
    confusedWith: ['Certificates with a lifetime of a few days: these are renewed late by design.'],
    references: ['RFC 5280 §4.1.2.5'],
  }),
  TLS_NAME_MISMATCH: entry<CertificateEvidence & { servername: string; names: readonly string[] }>({
    severity: 'error',
    example: { ...exampleCertificate, servername: 'turn.example.com', names: ['DNS:www.example.com'] },
    title: (e) => `The certificate is not for ${e.servername}`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate for ${e.names.length === 0 ? e.subject : e.names.join(', ')}; clients that ask for ${e.servername} refuse it.`,
    proof: (e) =>
      `Asked for ${e.servername}; the certificate names ${e.names.join(', ') || `${e.subject} only`}.`,
    fix: (e) => [
      `use a name of the certificate in the URL that clients get, or`,
      `on the server:  sudo certbot certonly --standalone -d ${e.servername}`,
      reload,
    ],
    explanation: 'None of the subject alternative names is the name (or address) that the client asked for.',
    confusedWith: ['A probe by IP address: give --servername NAME, as clients use the name.'],
    references: ['RFC 9525 §6'],
  }),
  TLS_CHAIN_INCOMPLETE: entry<CertificateEvidence>({
    severity: 'error',
    example: exampleCertificate,
    title: () => 'The certificate chain is incomplete',
    cause: (e) =>
      `${listenerName(e)} serves the certificate of ${e.subject} without the intermediate of its issuer ${e.issuer}. Some browsers find that by themselves; phones and native apps do not.`,
    proof: (e) =>
      `The chain ends at ${e.subject}, whose issuer ${e.issuer} was not sent and is no known root.`,
    fix: () => [servedChain, reload],
    explanation: 'The leaf was sent without its intermediate, so that no path to a root can be built.',
    confusedWith: ['TLS_UNTRUSTED: a private CA whose root this machine does not know. Give it with --ca.'],
    references: ['RFC 8446 §4.4.2'],
  }),
  TLS_UNTRUSTED: entry<CertificateEvidence & { reason: string }>({
    severity: 'error',
    example: { ...exampleCertificate, issuer: 'CN=turn.example.com', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    title: (e) => `The certificate of ${e.host} is not trusted`,
    cause: (e) =>
      `${listenerName(e)} serves a certificate issued by ${e.issuer === e.subject ? 'itself' : e.issuer}; no client trusts that by default (${e.reason}).`,
    proof: (e) => `Served: ${e.subject}, issued by ${e.issuer}; verification ended with ${e.reason}.`,
    fix: (e) => [
      `on the server:  sudo certbot certonly --standalone -d ${e.host}`,
      reload,
      'with a CA of your own:  rtc-ops probe --ca ca.pem …',
    ],
    explanation: "The chain does not end at a root that Node.js' trust store, or --ca, has.",
    confusedWith: ['TLS_CHAIN_INCOMPLETE: the root is known, the link to it was not sent.'],
    references: ['RFC 5280 §6'],
  }),
} as const;
