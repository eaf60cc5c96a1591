import type {
  AdminPort,
  AdminService,
  AuditFacts,
  DtlsFacts,
  ListenerAuditFacts,
  PeerAnswer,
  ServerAuditFacts,
  UserAuditFacts,
} from '../../src/model/audit.ts';
import { tlsOffers, type TlsAnswer, type TlsOfferFacts, type TlsOfferId } from '../../src/model/tls-offer.ts';
import { certificate, done, notTried, targetOf, tlsFacts } from './facts.ts';

/** What differs from a server that is in order: at the server, or in what a user gets behind its one port. */
export type ServerChanges = Partial<ServerAuditFacts & UserAuditFacts>;

/** What an audit of a server that is in order sees. */
export function soundServer(changes: ServerChanges = {}): ServerAuditFacts {
  const { host, address } = targetOf('udp');
  const { through, peers, tcpRelay, quota, ...ofServer } = changes;
  const ofUser = { through, peers, tcpRelay, quota };
  return {
    host,
    address,
    isHere: false,
    listeners: [soundListener('udp'), soundListener('tls')],
    users: [soundUser(Object.fromEntries(Object.entries(ofUser).filter(([, value]) => value !== undefined)))],
    dtls: done([dtlsSilence(3478), dtlsSilence(5349)]),
    admin: done([adminPort('command line', 5766)]),
    ...ofServer,
  };
}

/** What a user gets behind a port that is in order. */
export function soundUser(changes: Partial<UserAuditFacts> = {}): UserAuditFacts {
  return {
    through: targetOf('udp').url,
    peers: { 4: done(refused(['127.0.0.1', '10.0.0.1'])), 6: done(refused(['::1'])) },
    tcpRelay: done({ refusedWith: 442 }),
    quota: done({ tried: 13, granted: 12, refusedWith: 486, other: { refusedWith: null } }),
    ...changes,
  };
}

/** Good for two months on the day of these tests. */
export const validCertificate = {
  ...certificate,
  notBefore: '2026-10-22T00:00:00.000Z',
  notAfter: '2027-01-20T00:00:00.000Z',
};

export function soundListener(
  transport: 'udp' | 'tcp' | 'tls',
  changes: Partial<ListenerAuditFacts> = {},
): ListenerAuditFacts {
  const isTls = transport === 'tls';
  const none = notTried('the listener does not speak TLS');
  return {
    target: targetOf(transport),
    challenge: done({ granted: false, code: 401, realm: 'example.org', nonce: true }),
    alternate: null,
    software: done({ name: null }),
    amplification:
      transport === 'udp'
        ? done([{ request: 'Binding', requestBytes: 20, answerBytes: 32 }])
        : notTried('the sender of a TCP connection cannot be forged'),
    tls: isTls ? done(tlsFacts({ chain: [validCertificate] })) : none,
    tlsOffers: isTls ? done(tlsAnswers()) : none,
    web: isTls ? done(adminPort('web admin', 5349, { state: 'open' })) : none,
    ...changes,
  };
}

/** A port for the operator that is closed, but for `changes`. */
export function adminPort(what: AdminService, port: number, changes: Partial<AdminPort> = {}): AdminPort {
  return { what, port, state: 'refused', banner: '', isCoturn: false, ...changes };
}

/** A UDP port that speaks no DTLS. */
export function dtlsSilence(port: number): DtlsFacts {
  return { port, offers: [{ version: 'DTLS 1.2', answer: 'silent', requestBytes: 135, answerBytes: 0 }] };
}

/** What a listener that is in order makes of each offer, but for `changes`. */
export function tlsAnswers(changes: Partial<Record<TlsOfferId, TlsAnswer>> = {}): TlsOfferFacts[] {
  const sound: Partial<Record<TlsOfferId, TlsAnswer>> = {
    today: { kind: 'accepted', version: 0x0304, suite: 0x1301, dhBits: null },
    dhe: { kind: 'accepted', version: 0x0303, suite: 0x9e, dhBits: 2066 },
  };
  const ids = Object.keys(tlsOffers) as TlsOfferId[];
  return [...ids, 'today' as const].map((offer) => ({
    offer,
    answer: changes[offer] ?? sound[offer] ?? { kind: 'refused', alert: 40 },
  }));
}

const kinds = [
  ['loopback', /^127\.|^::1$|127\.0\.0\.1$/],
  ['metadata', /169\.254\.169\.254$/],
  ['link-local', /^169\.254|^fe80/],
  ['multicast', /^22|^ff/],
] as const;

/** Answers for addresses of which those in `allowed` got a permission. */
export function refused(addresses: readonly string[], allowed: readonly string[] = []): PeerAnswer[] {
  return addresses.map((address) => ({
    address,
    kind: kinds.find(([, pattern]) => pattern.test(address))?.[0] ?? 'private',
    embeds: /^::ffff:(.*)$/.exec(address)?.[1] ?? null,
    refusedWith: allowed.includes(address) ? null : 403,
    unanswered: null,
  }));
}

export function auditFacts(
  servers: readonly ServerAuditFacts[],
  changes: Partial<AuditFacts> = {},
): AuditFacts {
  return {
    startedAt: '2026-11-21T12:00:00.000Z',
    durationMs: 400,
    username: '1795262400:alice',
    credentialSource: 'given',
    names: [{ host: 'turn.example.com', failure: null }],
    servers,
    ...changes,
  };
}
