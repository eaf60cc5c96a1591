import { describe, expect, it } from 'vitest';
import type { AuditCheckId, AuditFacts, DtlsFacts, DtlsOffer } from '../../src/model/audit.ts';
import { judgeAudit as rules } from '../../src/rules/audit.ts';
import {
  adminPort,
  auditFacts,
  refused,
  soundListener,
  soundServer,
  soundUser,
  tlsAnswers,
  validCertificate,
  type ServerChanges,
} from '../support/audit-facts.ts';
import { done, failed, notTried, tlsFacts } from '../support/facts.ts';
import { seenCatalog } from '../../src/model/catalog/audit.ts';
import { auditCatalog } from '../../src/model/catalog/audit-listener.ts';
import { ProvokedFindings } from '../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeAudit = provoked.watch(rules);

const now = new Date('2026-11-21T12:00:00Z');
const judged = (facts: AuditFacts, failOn: 'error' | 'warning' = 'error') =>
  judgeAudit(facts, { failOn, now });

/** The one check of one server, with what it found. */
function checkOf(id: AuditCheckId, changes: ServerChanges, of: Partial<AuditFacts> = {}) {
  const report = judged(auditFacts([soundServer(changes)], of));
  const check = report.servers[0]?.checks.find((each) => each.id === id);
  return { ...check, evidence: report.findings.map(({ evidence }) => evidence) };
}

const answerOf = (address: string) => ({
  kind: 'loopback' as const,
  address,
  embeds: null,
  refusedWith: null,
});
const refusedWith = (code: number) => failed({ kind: 'stun-error', code, reason: '' });
const accepted = { kind: 'accepted', version: 0x0303, suite: 0x0a, dhBits: null } as const;
const coturnPage = { state: 'open', banner: 'HTTP/1.0 200 OK', isCoturn: true } as const;
const silent = { kind: 'silent' } as const;
const quota = (
  ended: number | null,
  other: { refusedWith: number | null } | null,
  granted = 20,
): ServerChanges => ({ quota: done({ tried: granted + 1, granted, refusedWith: ended, other }) });
/** What a UDP port made of each offer. */
const dtlsOffers = (...offers: readonly Partial<DtlsOffer>[]): DtlsFacts => ({
  port: 5349,
  offers: offers.map((offer) => ({
    ...({ version: 'DTLS 1.2', answer: 'silent', requestBytes: 135, answerBytes: 48 } as const),
    ...offer,
  })),
});
const silence = failed({ kind: 'timeout', afterMs: 5000, sent: 4 });

describe('a server that is in order', () => {
  it('passes everything, with exit code 0', () => {
    const report = judged(auditFacts([soundServer()]));
    expect(report.findings).toEqual([]);
    const [server] = report.servers;
    expect(server?.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  it('is judged the same from the same facts', () => {
    const facts = auditFacts([soundServer({ tcpRelay: done({ refusedWith: null }) })]);
    expect(judged(JSON.parse(JSON.stringify(facts)) as AuditFacts)).toEqual(judged(facts));
  });
});

describe('what an attacker gets is found', () => {
  const allowedPeers = (addresses: readonly string[]): ServerChanges => ({
    peers: { 4: done(refused([...addresses, '127.0.0.1'], addresses)), 6: refusedWith(440) },
  });
  it.each<[AuditCheckId, string, ServerChanges]>([
    [
      'anonymous-relay',
      'ANONYMOUS_RELAY',
      {
        listeners: [
          soundListener('tls'),
          soundListener('udp', {
            challenge: done({ granted: true, relayed: { address: '203.0.113.10', port: 49160 } }),
          }),
        ],
      },
    ],
    ['loopback-peers', 'LOOPBACK_PEERS_ALLOWED', allowedPeers(['127.255.255.254'])],
    ['private-peers', 'PRIVATE_PEERS_ALLOWED', allowedPeers(['192.168.0.1'])],
    ['metadata-peers', 'METADATA_PEER_ALLOWED', allowedPeers(['169.254.169.254'])],
    ['multicast-peers', 'MULTICAST_PEERS_ALLOWED', allowedPeers(['224.0.0.1'])],
    [
      'mapped-peers',
      'MAPPED_IPV6_BYPASS',
      {
        peers: { 4: done(refused(['10.0.0.1'])), 6: done(refused(['::ffff:10.0.0.1'], ['::ffff:10.0.0.1'])) },
      },
    ],
    ['tcp-relay', 'TCP_RELAY_ENABLED', { tcpRelay: done({ refusedWith: null }) }],
    [
      'amplification',
      'AMPLIFICATION',
      {
        listeners: [
          soundListener('udp', {
            amplification: done([{ request: 'Binding', requestBytes: 20, answerBytes: 104 }]),
          }),
        ],
      },
    ],
    [
      'version',
      'VERSION_EXPOSED',
      { listeners: [soundListener('udp', { software: done({ name: "Coturn-4.18.0 'x'" }) })] },
    ],
    [
      'tls-versions',
      'LEGACY_TLS',
      { listeners: [soundListener('tls', { tlsOffers: done(tlsAnswers({ 'tls-1.1': accepted })) })] },
    ],
    [
      'tls-ciphers',
      'WEAK_CIPHERS',
      { listeners: [soundListener('tls', { tlsOffers: done(tlsAnswers({ '3des': accepted })) })] },
    ],
    [
      'tls-ciphers',
      'WEAK_CIPHERS',
      {
        listeners: [
          soundListener('tls', { tlsOffers: done(tlsAnswers({ dhe: { ...accepted, dhBits: 1024 } })) }),
        ],
      },
    ],
    [
      'tls-ciphers',
      'NO_FORWARD_SECRECY',
      {
        listeners: [soundListener('tls', { tlsOffers: done(tlsAnswers({ 'rsa-key-exchange': accepted })) })],
      },
    ],
    [
      'amplification',
      'AMPLIFICATION',
      { dtls: done([dtlsOffers({ answer: 'accepted', answerBytes: 3000 })]) },
    ],
    [
      'tls-certificate',
      'TLS_CERT_EXPIRED',
      {
        listeners: [
          soundListener('udp'),
          soundListener('tls', { tls: done(tlsFacts({ chainError: 'CERT_HAS_EXPIRED' })) }),
        ],
      },
    ],
    [
      'tls-certificate',
      'TLS_NAME_MISMATCH',
      {
        listeners: [
          soundListener('tls', {
            tls: done(tlsFacts({ chain: [validCertificate], nameError: 'DNS:www.example.com' })),
          }),
        ],
      },
    ],
    ['dtls', 'DTLS_OFFERED', { dtls: done([dtlsOffers({ answer: 'accepted' })]) }],
    ['dtls', 'DTLS_OFFERED', { dtls: done([dtlsOffers({ answer: 'refused' })]) }],
    ['admin-surfaces', 'ADMIN_EXPOSED', { admin: done([adminPort('Prometheus', 9641, coturnPage)]) }],
    [
      'admin-surfaces',
      'ADMIN_EXPOSED',
      {
        listeners: [soundListener('tls', { web: done(adminPort('web admin', 5349, coturnPage)) })],
      },
    ],
    ['quota', 'NO_QUOTAS', quota(null, null)],
    ['quota', 'NO_QUOTAS', quota(508, { refusedWith: 508 })],
    ['quota', 'NO_QUOTAS', quota(486, { refusedWith: 486 })],
  ])('%s: %s', (id, code, changes) => {
    expect(checkOf(id, changes)).toMatchObject({ status: 'failed', findings: [code] });
  });

  it('with the holes of a version that is told', () => {
    const listeners = [soundListener('udp', { software: done({ name: "Coturn-4.6.1 'Gorst'" }) })];
    const { findings, evidence } = checkOf('version', { listeners });
    expect(findings).toEqual(['VERSION_EXPOSED', 'VERSION_VULNERABLE']);
    const packages = [expect.objectContaining({ packaged: '4.6.1-1', closed: [] }), expect.anything()];
    expect(evidence).toContainEqual(
      expect.objectContaining({ version: '4.6.1', fixedIn: '4.17.0', packages }),
    );
  });

  it('with what a package has closed under its old number', () => {
    const listeners = [
      soundListener('udp', { software: done({ name: "Coturn-4.5.1.1 'dan Eider'" }) }),
    ] as const;
    const report = judged(auditFacts([soundServer({ listeners })]));
    const found = report.findings.find(({ code }) => code === 'VERSION_VULNERABLE');
    expect(found?.cause).toContain(
      '4.5.1.1-1.1+deb10u2 (Debian 10, made in 2021-01) has closed CVE-2020-6061',
    );
  });

  it('with both versions of two servers on one address', () => {
    const names = ["Coturn-4.18.0 'x'", "Coturn-4.6.1 'Gorst'"];
    const listeners = names.map((name) => soundListener('udp', { software: done({ name }) }));
    const { findings, evidence } = checkOf('version', { listeners });
    // Each code once; a finding for each.
    expect(findings).toEqual(['VERSION_EXPOSED', 'VERSION_VULNERABLE']);
    for (const software of names) expect(evidence).toContainEqual(expect.objectContaining({ software }));
  });

  it.each([
    ['alice', null],
    ['1805000000:alice', 112],
  ])('a credential of %s that outlives its call', (username, days) => {
    const { findings, evidence } = checkOf('credential-lifetime', {}, { username });
    expect(findings).toEqual(['CREDENTIAL_LONG_LIVED']);
    expect(evidence[0]).toMatchObject({ username, days });
  });
});

it('closes the IPv6 spellings of an address together with it', () => {
  const form = '::ffff:10.0.0.1';
  const peers = { 4: done(refused(['10.0.0.1'], ['10.0.0.1'])), 6: done(refused([form], [form])) };
  const [found] = judged(auditFacts([soundServer({ peers })])).findings;
  expect(found?.evidence).toMatchObject({ allowed: ['10.0.0.1'], alsoAs: [form] });
  expect(found?.fix).toContain('denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff');
});

it('says of DTLS 1.0 that it is worse than DTLS', () => {
  const both = dtlsOffers({ answer: 'accepted' }, { version: 'DTLS 1.0', answer: 'accepted' });
  for (const [dtls, severity] of [
    [both, 'warning'] as const,
    [dtlsOffers({ answer: 'accepted' }), 'info'] as const,
  ]) {
    expect(judged(auditFacts([soundServer({ dtls: done([dtls]) })])).findings).toMatchObject([
      { code: 'DTLS_OFFERED', severity },
    ]);
  }
});

describe('what two ports of one address give', () => {
  const open = { 4: done(refused(['10.0.0.1', '127.0.0.1'], ['10.0.0.1'])), 6: refusedWith(440) };
  const second = 'turns:turn.example.com:5349';

  it('is found where only the second one is open', () => {
    const changes = { peers: open, tcpRelay: done({ refusedWith: null }), ...quota(null, null) };
    const users = [soundUser(), soundUser({ ...changes, through: second })] as const;
    const report = judged(auditFacts([soundServer({ users })]));
    expect(report.findings.map(({ code, targets }) => [code, targets])).toEqual([
      ['PRIVATE_PEERS_ALLOWED', [second]],
      ['TCP_RELAY_ENABLED', [second]],
      ['NO_QUOTAS', [second]],
    ]);
    expect(report.findings[0]?.proof).toContain(`through ${second}`);
  });

  it('is one finding, with what either allows', () => {
    const also = { 4: done(refused(['192.168.0.1'], ['192.168.0.1'])), 6: refusedWith(440) };
    const users = [soundUser({ peers: open }), soundUser({ peers: also, through: second })] as const;
    const { evidence } = checkOf('private-peers', { users });
    expect(evidence).toMatchObject([{ allowed: ['10.0.0.1', '192.168.0.1'] }]);
  });

  it('is unknown where one of them was not asked', () => {
    const peers = { 4: silence, 6: refusedWith(440) };
    const users = [soundUser(), soundUser({ peers, tcpRelay: silence, through: second })] as const;
    for (const id of ['private-peers', 'tcp-relay'] as const) {
      const check = checkOf(id, { users });
      expect(check).toMatchObject({ status: 'unknown' });
      expect(check.because).toContain(second);
    }
  });

  it('is asked for TCP where there is TCP', () => {
    const users = [soundUser({ tcpRelay: notTried('no listener over TCP') }), soundUser()] as const;
    expect(checkOf('tcp-relay', { users }).status).toBe('passed');
  });
});

describe('what could not be asked is unknown, and never a pass', () => {
  it.each([403, 508])('of a server that came to refuse (%d) what it had allowed', (code) => {
    const control = { kind: 'public' as const, address: '8.8.8.8', embeds: null, unanswered: null };
    const peers = {
      4: done([
        { ...control, refusedWith: null },
        ...refused(['127.0.0.1', '10.0.0.1']),
        { ...control, refusedWith: code },
      ]),
      6: refusedWith(440),
    };
    const check = checkOf('private-peers', { peers });
    expect(check.status).toBe('unknown');
    expect(check.because).toContain(`allowed 8.8.8.8 at first and refused it with ${code}`);
  });

  it('of a TLS listener that refuses what clients offer today as well', () => {
    const none = tlsAnswers({ today: { kind: 'refused', alert: 112 }, dhe: { kind: 'refused', alert: 112 } });
    const listeners = [soundListener('tls', { tlsOffers: done(none) })] as const;
    for (const id of ['tls-versions', 'tls-ciphers'] as const) {
      const check = checkOf(id, { listeners });
      expect(check.status).toBe('unknown');
      expect(check.because).toContain('refuses what clients offer today as well (TLS alert 112)');
    }
  });

  it.each<[AuditCheckId, string, ServerChanges]>([
    ['anonymous-relay', 'no answer', { listeners: [soundListener('udp', { challenge: silence })] }],
    ['loopback-peers', 'an IPv6 relay', { peers: { 4: done(refused(['127.0.0.1'])), 6: silence } }],
    [
      'private-peers',
      'no credentials',
      { peers: { 4: notTried('no credentials were given'), 6: refusedWith(440) } },
    ],
    [
      'loopback-peers',
      'no answer within 5 s; nothing was asked after it',
      {
        peers: {
          4: done([
            ...refused(['127.0.0.1']),
            { ...answerOf('127.0.0.2'), unanswered: 'no answer within 5 s' },
          ]),
          6: refusedWith(440),
        },
      },
    ],
    [
      'mapped-peers',
      'whether 10.0.0.1 is refused is not known',
      { peers: { 4: silence, 6: done(refused(['::ffff:10.0.0.1'], ['::ffff:10.0.0.1'])) } },
    ],
    [
      'anonymous-relay',
      'sends its clients to 203.0.113.11:3478',
      {
        listeners: [
          soundListener('udp', {
            challenge: done({ granted: false, code: 300, realm: null, nonce: false }),
            alternate: { address: '203.0.113.11', port: 3478 },
          }),
        ],
      },
    ],
    ['mapped-peers', 'error 486', { peers: { 4: done(refused(['127.0.0.1'])), 6: refusedWith(486) } }],
    ['loopback-peers', 'neither IPv4 nor IPv6', { peers: { 4: refusedWith(440), 6: refusedWith(440) } }],
    ['tcp-relay', 'no listener over TCP', { tcpRelay: notTried('no listener over TCP or TLS answers') }],
    ['tcp-relay', 'refused with 401', { tcpRelay: done({ refusedWith: 401 }) }],
    [
      'loopback-peers',
      'refused with 508',
      {
        peers: {
          4: done([
            { kind: 'loopback', address: '127.0.0.1', embeds: null, refusedWith: 508, unanswered: null },
          ]),
          6: refusedWith(440),
        },
      },
    ],
    ['admin-surfaces', 'says nothing', { admin: done([adminPort('command line', 5766, { state: 'open' })]) }],
    [
      'admin-surfaces',
      'answers with something else: SSH-2.0',
      { admin: done([adminPort('command line', 5766, { state: 'open', banner: 'SSH-2.0' })]) },
    ],
    [
      'admin-surfaces',
      'asked from the server itself',
      { isHere: true, admin: done([adminPort('command line', 5766, coturnPage)]) },
    ],
    [
      'admin-surfaces',
      'no port of the host answers',
      {
        listeners: [soundListener('udp', { challenge: silence, software: silence })],
        admin: done([adminPort('command line', 5766, { state: 'dropped' })]),
      },
    ],
    ['quota', 'refused with 401', quota(401, { refusedWith: null })],
    ['quota', 'for this user or for all', quota(486, null)],
    ['quota', 'a second user was refused with 401', quota(486, { refusedWith: 401 })],
    ['quota', 'nobody an allocation now', quota(508, null, 0)],
    ['admin-surfaces', 'no way', { admin: notTried('no way there') }],
    ['amplification', 'no answer', { listeners: [soundListener('udp', { amplification: silence })] }],
    ['tls-versions', 'no answer', { listeners: [soundListener('tls', { tlsOffers: silence })] }],
    ...(['tls-versions', 'tls-ciphers'] as const).map((id): [AuditCheckId, string, ServerChanges] => [
      id,
      'none to what clients offer today',
      {
        listeners: [
          soundListener('tls', {
            tlsOffers: done(tlsAnswers({ today: silent, 'tls-1.0': silent, rc4: { kind: 'closed' } })),
          }),
        ],
      },
    ]),
    [
      'tls-ciphers',
      'what came is no TLS',
      {
        listeners: [
          soundListener('tls', {
            tlsOffers: done(tlsAnswers({ null: { kind: 'unclear', because: 'what came is no TLS' } })),
          }),
        ],
      },
    ],
    ['version', 'no answer', { listeners: [soundListener('udp', { software: silence })] }],
    ['tls-certificate', 'no answer', { listeners: [soundListener('tls', { tls: silence })] }],
    [
      'dtls',
      'nor from any other',
      { listeners: [soundListener('udp', { challenge: silence, software: silence })] },
    ],
    ['dtls', 'no answer', { dtls: silence }],
  ])('%s: %s', (id, because, changes) => {
    const check = checkOf(id, changes);
    expect(check.status).toBe('unknown');
    expect(check.because).toContain(because);
    expect(judged(auditFacts([soundServer(changes)])).exitCode).toBe(1);
  });

  it('a name that is not found', () => {
    const report = judged(auditFacts([], { names: [{ host: 'turn.example.com', failure: 'no such name' }] }));
    expect(report.notAudited).toEqual(['turn.example.com: no such name']);
    expect(report.exitCode).toBe(1);
  });

  it('without credentials their lifetime', () => {
    expect(checkOf('credential-lifetime', {}, { username: null }).status).toBe('unknown');
  });
});

describe('what was seen stands, whatever is missing behind it', () => {
  it('peers that were allowed before the server fell silent', () => {
    const [allowed] = refused(['127.0.0.1'], ['127.0.0.1']);
    const cut = { ...answerOf('10.0.0.1'), kind: 'private' as const, unanswered: 'no answer' };
    const peers = { 4: done([...(allowed ? [allowed] : []), cut]), 6: refusedWith(440) };
    expect(checkOf('loopback-peers', { peers })).toMatchObject({ status: 'failed' });
    expect(checkOf('private-peers', { peers })).toMatchObject({ status: 'unknown' });
  });

  it('an IPv6 form that is allowed where the address itself could not be asked', () => {
    const form = '::ffff:10.0.0.1';
    const peers = { 4: silence, 6: done(refused([form], [form])) };
    const { status, evidence } = checkOf('private-peers', { peers });
    expect(status).toBe('failed');
    expect(evidence).toMatchObject([{ allowed: [form] }]);
  });
});

describe('what is no fault', () => {
  it('a web server of somebody else on port 8080, or in front of the TLS listener', () => {
    const page = { state: 'open', banner: 'HTTP/1.1 400 Bad Request' } as const;
    const listeners = [soundListener('tls', { web: done(adminPort('web admin', 443, page)) })];
    const admin = done([adminPort('web admin', 8080, page)]);
    expect(checkOf('admin-surfaces', { listeners, admin }).status).toBe('passed');
  });

  it('an IPv6 form of an address that is allowed plainly: it passes by nothing', () => {
    const form = '::ffff:10.0.0.1';
    const peers = { 4: done(refused(['10.0.0.1'], ['10.0.0.1'])), 6: done(refused([form], [form])) };
    expect(checkOf('mapped-peers', { peers }).status).toBe('passed');
  });

  it('silence about an old TLS of a listener that answers a new one', () => {
    const listeners = [soundListener('tls', { tlsOffers: done(tlsAnswers({ 'tls-1.0': silent })) })];
    expect(checkOf('tls-versions', { listeners }).status).toBe('passed');
  });

  it('a credential that was made for the audit, which says nothing of others', () => {
    expect(checkOf('credential-lifetime', {}, { credentialSource: 'secret' }).status).toBe('skipped');
  });

  it('another server than coturn, of which no holes are known here', () => {
    const listeners = [soundListener('udp', { software: done({ name: 'Pion 2.1' }) })];
    expect(checkOf('version', { listeners })).toMatchObject({ status: 'skipped' });
  });

  it('a relay for a few peers alone, of which it says that it refuses all others', () => {
    const control = { kind: 'public' as const, address: '8.8.8.8', embeds: null, unanswered: null };
    const all = [
      { ...control, refusedWith: 403 },
      ...refused(['10.0.0.1']),
      { ...control, refusedWith: 403 },
    ];
    const report = judged(auditFacts([soundServer({ peers: { 4: done(all), 6: refusedWith(440) } })]));
    const check = report.servers[0]?.checks.find(({ id }) => id === 'private-peers');
    expect(check).toMatchObject({ status: 'passed', note: '1 asked; it refuses 8.8.8.8 as well' });
  });

  it('no IPv6 relay', () => {
    const peers = { 4: done(refused(['127.0.0.1'])), 6: refusedWith(440) };
    expect(checkOf('loopback-peers', { peers }).status).toBe('passed');
    expect(checkOf('mapped-peers', { peers })).toMatchObject({ status: 'skipped' });
  });

  it('private peers of a server that is itself in a private network are a note', () => {
    const peers = { 4: done(refused(['10.0.0.1'], ['10.0.0.1'])), 6: refusedWith(440) };
    const report = judged(auditFacts([soundServer({ address: '192.168.1.10', peers })]), 'warning');
    expect(report.findings).toMatchObject([{ code: 'PRIVATE_PEERS_ALLOWED', severity: 'info' }]);
    expect(report.exitCode).toBe(0);
  });

  it('warnings end with 1 only when they are to', () => {
    const facts = auditFacts([soundServer({ tcpRelay: done({ refusedWith: null }) })]);
    expect(judged(facts).exitCode).toBe(0);
    expect(judged(facts, 'warning').exitCode).toBe(1);
  });
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys({ ...seenCatalog, ...auditCatalog }))).toEqual([]);
});
