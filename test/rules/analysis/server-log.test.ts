import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readServerLog } from '../../../src/evidence/server-log.ts';
import { wordsOf } from '../../../src/model/finding.ts';
import type { ServerLogFacts } from '../../../src/model/server-log-facts.ts';
import { judgeServerLog as rules } from '../../../src/rules/analysis/server-log.ts';
import { serverLogServiceCatalog } from '../../../src/model/catalog/server-log-service.ts';
import { serverLogSessionCatalog } from '../../../src/model/catalog/server-log-session.ts';
import { loggedByCoturn, ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeServerLog = provoked.watch(rules);

const nowMs = Date.UTC(2026, 10, 21, 13);

async function factsOf(lines: readonly string[]): Promise<ServerLogFacts> {
  return readServerLog(streamSource(Readable.from([Buffer.from(lines.join('\n'))]), 'x.log'), 'x.log', nowMs);
}

function session(id: number, user: string, ...texts: readonly string[]): string[] {
  return texts.map(
    (text) => `5: : session ${String(id).padStart(18, '0')}: ${text.replaceAll('USER', user)}`,
  );
}

const closed =
  'closed (2nd stage), user <USER> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: allocation timeout';
const allocation = [
  'new, realm=<r>, username=<USER>, lifetime=600',
  'peer 203.0.113.9 lifetime updated: 300',
];
const usage = (rp: number, sp: number): string =>
  `peer usage: realm=<r>, username=<USER>, rp=${rp}, rb=0, sp=${sp}, sb=0`;
const gone = 'delete: realm=<r>, username=<USER>';
const released = 'refreshed, realm=<r>, username=<USER>, lifetime=0';

// What cannot be provoked on every machine, or not by this version: lines as coturn's sources (4.5 to 4.17), systemd and the kernel write them.
it('names credentials that were refused for a reason that nothing tells', async () => {
  const refusal = 'realm <r> user <USER>: incoming packet ALLOCATE processed, error 401: Unauthorized';
  const { findings } = judgeServerLog(
    await factsOf(
      session(
        1,
        // Whether that has ended by then, a log whose times count from the start does not tell.
        '1795000000:alice',
        'realm <r> user <>: incoming packet ALLOCATE processed, error 401: Unauthorized',
        refusal,
        closed,
      ),
    ),
  );
  expect(findings.map(({ code }) => code)).toContain('LOG_CREDENTIALS_REFUSED');
});

describe('a line of the log', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'LOG_SERVER_CRASHED',
      'error',
      'Nov 21 12:50:15 host systemd[1]: coturn.service: Main process exited, code=killed, status=11/SEGV',
      /ended by itself/,
    ],
    [
      'LOG_SERVER_CRASHED',
      'error',
      'Nov 21 12:50:15 host kernel: Out of memory: Killed process 4711 (turnserver) total-vm:1kB',
      /ended by itself/,
    ],
    [
      'LOG_CONFIG_NOT_READ',
      'error',
      '0: : WARNING: Cannot find config file: /etc/x.conf. Default and command-line settings will be used.',
      /\/etc\/x\.conf/,
    ],
    ['LOG_BIND_FAILED', 'error', '0: : Trying to bind fd 16 to <192.0.2.1:443>: errno=13', /below 1024/],
    [
      'LOG_BIND_FAILED',
      'error',
      '0: (7): ERROR: Fatal final failure: cannot bind DTLS/UDP listener socket to addr 192.0.2.1:3478. Error: Address already in use',
      /Another program/,
    ],
    [
      'LOG_CERTIFICATE_MISSING',
      'error',
      '0: : WARNING: cannot find private key file: /etc/k.pem (1)',
      /\/etc\/k\.pem/,
    ],
    [
      'LOG_CERTIFICATE_MISSING',
      'error',
      '0: : WARNING: cannot start TLS and DTLS listeners because private key file is not set properly',
      /turns:/,
    ],
    [
      'LOG_DATABASE_UNREACHABLE',
      'error',
      '0: : ERROR: Cannot open PostgreSQL DB connection: <x>, runtime error',
      /PostgreSQL/,
    ],
    [
      'LOG_ADDRESS_MALFORMED',
      'error',
      '0: : ERROR: -X : Wrong address format: turn.example.org',
      /turn\.example\.org/,
    ],
    ['LOG_OPTION_UNKNOWN', 'warning', '0: : WARNING: Bad configuration format: fingerprin', /fingerprin/],
    ['LOG_REALM_EMPTY', 'warning', '0: : Default realm: ', /empty realm/],
    ['LOG_REALM_WRONG', 'error', '0: : ERROR: check_stun_auth: wrong realm: example.com', /example\.com/],
    [
      'LOG_CONNTRACK_FULL',
      'error',
      'Nov 21 12:50:15 host kernel: nf_conntrack: nf_conntrack: table full, dropping packet',
      /no room/,
    ],
    [
      'LOG_NETWORK_UNREACHABLE',
      'warning',
      '0: (7): ERROR: udp_send: network error: address unreachable from 192.0.2.1:55088 to 10.9.9.9:3481',
      /10\.9\.9\.9/,
    ],
    [
      'LOG_CLIENTS_LIMITED',
      'warning',
      '2026-08-04T10:11:12.345+0000 INFO 401 rate-limit exceeded from 198.51.100.7, suppressing responses for this window',
      /198\.51\.100\.7/,
    ],
  ])('is %s (%s): %s', async (code, severity, line, cause) => {
    const { findings } = judgeServerLog(await factsOf([line]));
    expect(findings).toMatchObject([{ code, severity, evidence: { count: 1 } }]);
    const [first] = findings;
    expect(first && wordsOf(first).cause).toMatch(cause);
  });
});

describe('sessions', () => {
  it('that were used both ways are no fault', async () => {
    const facts = await factsOf(session(1, 'a', ...allocation, usage(50, 50), released, closed, gone));
    expect(judgeServerLog(facts)).toMatchObject({ findings: [], isTelling: true });
  });

  it.each<[string, number, number, string]>([
    ['one, and none that was answered', 1, 0, 'error'],
    ['more than were answered', 3, 1, 'warning'],
    ['fewer than were answered', 1, 5, 'info'],
  ])('that got nothing back: %s', async (_what, silent, answered, severity) => {
    const lines = [
      ...Array.from({ length: silent }, (_, id) =>
        session(id, 'a', ...allocation, usage(0, 50), released, closed, gone),
      ),
      ...Array.from({ length: answered }, (_, id) =>
        session(id + 100, 'b', ...allocation, usage(9, 50), released, closed, gone),
      ),
    ].flat();
    const { findings } = judgeServerLog(await factsOf(lines));
    expect(findings).toMatchObject([
      { code: 'LOG_PEERS_SILENT', severity, causedBy: null, evidence: { count: silent, bothWays: answered } },
    ]);
  });

  it('that sent a few checks in vain are no one-way calls', async () => {
    const facts = await factsOf(session(1, 'a', ...allocation, usage(0, 4), released, closed, gone));
    expect(judgeServerLog(facts).findings).toEqual([]);
  });

  it('that carried nothing are told, and no fault', async () => {
    const facts = await factsOf(session(1, 'a', ...allocation, usage(0, 0), released, closed, gone));
    expect(judgeServerLog(facts).findings).toMatchObject([{ code: 'LOG_RELAYS_UNUSED', severity: 'info' }]);
  });

  it.each<[number, string]>([
    [1, 'info'],
    [6, 'warning'],
  ])('that ran out, %d of them', async (count, severity) => {
    const lines = Array.from({ length: count }, (_, id) =>
      session(id, 'a', ...allocation, usage(9, 9), closed, gone),
    ).flat();
    expect(judgeServerLog(await factsOf(lines)).findings).toMatchObject([
      { code: 'LOG_ALLOCATIONS_EXPIRED', severity },
    ]);
  });

  it.each<[string, string, string]>([
    [
      'LOG_REFRESH_TOO_LATE',
      'error',
      'realm <r> user <USER>: incoming packet REFRESH processed, error 437: Invalid allocation',
    ],
    [
      'LOG_NONCE_NOT_RENEWED',
      'error',
      'realm <r> user <USER>: incoming packet message processed, error 438: Stale nonce',
    ],
    [
      'LOG_PEER_FAMILY',
      'warning',
      'realm <r> user <USER>: incoming packet CREATE_PERMISSION processed, error 443: Peer Address Family Mismatch',
    ],
  ])('%s', async (code, severity, text) => {
    const facts = await factsOf(session(1, 'a', ...allocation, text));
    expect(judgeServerLog(facts).findings).toMatchObject([{ code, severity }]);
  });

  const mismatch =
    'realm <r> user <USER>: incoming packet message processed, error 437: Mismatched allocation: wrong transaction ID';
  const moved = [
    'realm <r> user <USER>: incoming packet message processed, error 438: Wrong nonce',
    'realm <r> user <USER>: incoming packet REFRESH processed, error 437: Invalid allocation',
  ];

  it.each<[string, string, string[], number, string]>([
    ['LOG_PORT_REUSED', 'alone', session(1, 'a', ...allocation, mismatch), 0, 'warning'],
    ['LOG_PORT_REUSED', 'among many', session(1, 'a', ...allocation, mismatch), 10, 'info'],
    [
      'LOG_CLIENT_MOVED',
      'alone',
      [...session(1, 'a', ...allocation), ...session(2, 'a', ...moved)],
      0,
      'warning',
    ],
    [
      'LOG_CLIENT_MOVED',
      'among many',
      [...session(1, 'a', ...allocation), ...session(2, 'a', ...moved)],
      10,
      'info',
    ],
  ])('%s, %s', async (code, _, lines, others, severity) => {
    const more = Array.from({ length: others }, (_each, id) => session(10 + id, 'b', ...allocation)).flat();
    const facts = await factsOf([...lines, ...more]);
    expect(judgeServerLog(facts).findings).toMatchObject([{ code, severity, evidence: { count: 1 } }]);
  });

  it('a stale nonce that was renewed is normal', async () => {
    const facts = await factsOf(
      session(
        1,
        'a',
        ...allocation,
        'realm <r> user <USER>: incoming packet message processed, error 438: Stale nonce',
        'realm <r> user <USER>: incoming packet REFRESH processed, success',
      ),
    );
    expect(judgeServerLog(facts).findings).toEqual([]);
  });

  it('that a restart ended', async () => {
    const facts = await factsOf([
      'Version Coturn-4.6.1',
      ...session(1, 'a', ...allocation),
      'Version Coturn-4.6.1',
    ]);
    expect(judgeServerLog(facts).findings).toMatchObject([
      { code: 'LOG_SERVER_RESTARTED', evidence: { count: 2, broken: 1 } },
    ]);
  });

  it('that are a flood of attempts', async () => {
    const lines = Array.from({ length: 2000 }, (_, id) => [
      `${Math.floor(id / 100)}: : session ${String(id).padStart(18, '0')}: realm <r> user <>: incoming packet message processed, error 401: `,
      `${Math.floor(id / 100)}: : session ${String(id).padStart(18, '0')}: ${closed.replace('USER', '')}`,
    ]).flat();
    expect(judgeServerLog(await factsOf(lines)).findings).toMatchObject([
      { code: 'LOG_FLOODED', severity: 'warning', evidence: { count: 2000, perSecond: 105 } },
      { code: 'LOG_CHALLENGE_UNANSWERED' },
    ]);
  });
});

describe('what cannot be judged', () => {
  it.each<[string, string[], RegExp]>([
    ['a log without sessions', ['0: : Relay ports initialization done'], /verbose/],
    ['what is no log', ['hello', 'world'], /no line of coturn/],
    ['a log without a time of day', session(1, 'a', ...allocation), /new-log-timestamp/],
    ['a session that does not end', session(1, 'a', ...allocation), /open where it ends/],
  ])('%s', async (_what, lines, note) => {
    const { notJudged } = judgeServerLog(await factsOf(lines));
    expect(notJudged.join('\n')).toMatch(note);
  });
});

it('provokes every finding that there is of this kind, but for those of server-log.integration.test.ts', () => {
  const missing = provoked.missing(Object.keys({ ...serverLogServiceCatalog, ...serverLogSessionCatalog }));
  expect(missing).toEqual(loggedByCoturn);
});
