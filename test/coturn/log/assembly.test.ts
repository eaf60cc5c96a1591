import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogAssembly } from '../../../src/coturn/log/assembly.ts';
import type { ServerLogFacts } from '../../../src/model/server-log-facts.ts';

const nowMs = Date.UTC(2026, 10, 21, 13);

function factsOf(lines: readonly string[]): ServerLogFacts {
  const assembly = new LogAssembly(nowMs);
  for (const text of lines) assembly.push({ text, isCut: false });
  return assembly.finish('x.log', null);
}

const who = 'realm=<r>, username=<1795266352:alice>';
const named = 'realm <r> user <1795266352:alice>';

/** What coturn 4.6.1 writes of a session, by its parts. */
function session(id: number, ...parts: readonly string[]): string[] {
  const prefix = `0: : session ${String(id).padStart(18, '0')}:`;
  const texts: Record<string, readonly string[]> = {
    challenge: ['realm <r> user <>: incoming packet message processed, error 401: Unauthorized'],
    allocate: [`new, ${who}, lifetime=600`, `${named}: incoming packet ALLOCATE processed, success`],
    permit: [
      'peer 203.0.113.9 lifetime updated: 300',
      `${named}: incoming packet CREATE_PERMISSION processed, success`,
    ],
    release: [`refreshed, ${who}, lifetime=0`, `${named}: incoming packet REFRESH processed, success`],
    sent: [`usage: ${who}, rp=34, rb=1, sp=4, sb=1`, `peer usage: ${who}, rp=0, rb=0, sp=30, sb=3000`],
    both: [
      `peer usage: ${who}, rp=20, rb=2000, sp=30, sb=3000`,
      `peer usage: ${who}, rp=1, rb=100, sp=0, sb=0`,
    ],
    timeout: [
      `closed (2nd stage), user <1795266352:alice> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: allocation timeout`,
      `delete: ${who}`,
      'peer 203.0.113.9 deleted',
    ],
    quota: [
      `${named}: incoming packet ALLOCATE processed, error 486: Allocation Quota Reached`,
      `${named}: incoming packet message processed, error 486: Allocation Quota Reached`,
    ],
    nothing: [
      `${named}: incoming packet REFRESH processed, error 437: Invalid allocation`,
      `${named}: incoming packet message processed, error 437: Invalid allocation`,
    ],
    mismatched: [
      `${named}: incoming packet ALLOCATE processed, error 437: Mismatched allocation`,
      `${named}: incoming packet message processed, error 437: Mismatched allocation`,
    ],
    portTaken: [
      `${named}: incoming packet message processed, error 437: Mismatched allocation: wrong transaction ID`,
    ],
    wrongNonce: [`${named}: incoming packet message processed, error 438: Wrong nonce`],
    refused: [`${named}: incoming packet message processed, error 401: Unauthorized`],
    end: [
      `closed (2nd stage), user <> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: x`,
    ],
  };
  return parts.flatMap((part) => (texts[part] ?? []).map((text) => `${prefix} ${text}`));
}

function groupsOf(facts: ServerLogFacts): Record<string, number> {
  return Object.fromEntries(Object.entries(facts.sessions.groups).map(([name, { count }]) => [name, count]));
}

describe('a session', () => {
  it.each<[string, string[], string[]]>([
    [
      'was used both ways and freed',
      ['challenge', 'allocate', 'permit', 'both', 'release', 'timeout'],
      ['both-ways', 'released'],
    ],
    ['asked to refresh nothing, as a probe does', ['challenge', 'nothing', 'end'], []],
    ['was refused for its five-tuple', ['challenge', 'mismatched', 'end'], ['refused-437']],
    [
      'came from a port in use',
      ['challenge', 'allocate', 'portTaken', 'end'],
      ['port-reused', 'connection-lost'],
    ],
    [
      'was refused for a nonce of another session, and had no allocation',
      ['wrongNonce', 'nothing', 'end'],
      [],
    ],
    ['ran out', ['challenge', 'allocate', 'permit', 'both', 'timeout'], ['both-ways', 'expired']],
    ['got nothing back', ['allocate', 'permit', 'sent', 'release', 'timeout'], ['sent-only', 'released']],
    ['was refused', ['challenge', 'quota', 'end'], ['refused-486']],
    [
      'was refused its credentials',
      ['challenge', 'refused', 'end'],
      ['credentials-refused', 'credentials-unclear'],
    ],
    ['did not answer the challenge', ['challenge', 'end'], ['challenge-unanswered']],
    ['may still answer the challenge', ['challenge'], []],
  ])('%s', (_what, parts, groups) => {
    expect(Object.keys(groupsOf(factsOf(session(1, ...parts))))).toEqual(groups);
  });

  it.each<[string, string[], string[]]>([
    ['holds one that is alive', ['challenge', 'allocate'], ['client-moved']],
    ['holds one, and has sent', ['challenge', 'allocate', 'sent'], ['client-moved', 'sent-only']],
    ['freed it', ['challenge', 'allocate', 'release'], []],
    ['lost it with its end', ['challenge', 'allocate', 'timeout'], ['expired']],
    ['has none', ['challenge', 'refused'], ['credentials-refused', 'credentials-unclear']],
  ])('that begins in the middle was moved where its user %s', (_what, before, groups) => {
    const log = [...session(1, ...before), ...session(2, 'wrongNonce', 'nothing', 'end')];
    expect(Object.keys(groupsOf(factsOf(log))).toSorted()).toEqual(groups.toSorted());
  });

  it('that a probe began is not moved, whatever its user holds', () => {
    const log = [...session(1, 'challenge', 'allocate'), ...session(2, 'challenge', 'nothing', 'end')];
    expect(groupsOf(factsOf(log))).toEqual({});
  });

  it('is not one that moved where it is a probe of rtc-ops, of which 4.18 logs no challenge', () => {
    const log = [...session(1, 'challenge', 'allocate'), ...session(2, 'nothing', 'end')];
    const moved = (user: string): string[] =>
      Object.keys(groupsOf(factsOf(log.map((line) => line.replaceAll('alice', user)))));
    expect(moved('alice')).toContain('client-moved');
    expect(moved('rtc-ops-probe')).not.toContain('client-moved');
  });

  it('was not moved where the allocation of its user has run out by then', () => {
    const later = (line: string): string => line.replace(/^\d+: /, '700: ');
    const log = [...session(1, 'allocate'), ...session(2, 'wrongNonce', 'nothing', 'end').map(later)];
    expect(groupsOf(factsOf(log))).toEqual({});
  });

  it('is one record: life, peers, bytes, end', () => {
    const [record] = factsOf([
      '0: : IPv4. Local relay addr: 10.0.0.1:52004',
      ...session(1, 'allocate', 'permit', 'both', 'release', 'timeout'),
    ]).sessions.last;
    expect(record).toMatchObject({
      user: '1795266352:alice',
      realm: 'r',
      client: '1.2.3.4:5',
      server: '10.0.0.1:3478',
      relay: '10.0.0.1:52004',
      lifetimeS: 0,
      refreshes: 1,
      peers: ['203.0.113.9'],
      peerUsage: { receivedPackets: 21, receivedBytes: 2100, sentPackets: 30, sentBytes: 3000 },
      closed: 'allocation timeout',
      errors: [],
    });
  });

  it('counts a refusal once that coturn tells twice', () => {
    const [record] = factsOf(session(1, 'challenge', 'quota', 'quota', 'end')).sessions.last;
    expect(record?.errors).toEqual([
      { method: 'message', code: 401, count: 1 },
      { method: 'ALLOCATE', code: 486, count: 2 },
    ]);
  });

  it('ends with the server, and its number begins anew', () => {
    const facts = factsOf([
      ...session(1, 'allocate'),
      'Version Coturn-4.6.1',
      ...session(1, 'allocate', 'release', 'timeout'),
    ]);
    expect(groupsOf(facts)).toEqual({ 'server-stopped': 1, released: 1 });
    expect(facts.sessions).toMatchObject({ total: 2, allocated: 2, open: 0 });
  });
});

describe('credentials that were refused', () => {
  const refusedAt = (time: string, user: string, why: string | null = null): Record<string, number> =>
    groupsOf(
      factsOf([
        ...(why === null ? [] : [`${time}: ERROR: check_stun_auth: ${why}`]),
        `${time}: session 000000000000000001: realm <r> user <${user}>: incoming packet message processed, error 401: Unauthorized`,
      ]),
    );
  const time = '2026-11-21T12:50:15+0000';
  const second = Date.UTC(2026, 10, 21, 12, 50, 15) / 1000;

  it.each<[string, string, string | null, string]>([
    [time, `${second - 60}:alice`, null, 'credentials-expired'],
    [time, `${second + 60}:alice`, null, 'credentials-wrong'],
    [time, `${(second + 60) * 1000}:alice`, null, 'credentials-malformed'],
    [time, '86400:alice', null, 'credentials-malformed'],
    [time, 'alice', 'Cannot find credentials of user <alice>', 'credentials-unknown-user'],
    [time, 'alice', 'user alice credentials are incorrect', 'credentials-wrong'],
    // Without a zone an hour means nothing, and a day does.
    [time.slice(0, 19), `${second - 3600}:alice`, null, 'credentials-unclear'],
    [time.slice(0, 19), `${second - 86_400}:alice`, null, 'credentials-expired'],
    ['17', `${second - 60}:alice`, null, 'credentials-unclear'],
  ])('at %s of %s (%s): %s', (at, user, why, group) => {
    expect(refusedAt(at, user, why)).toEqual({ 'credentials-refused': 1, [group]: 1 });
  });
});

describe('what coturn repeats of its configuration', () => {
  it.each([
    ['CONFIG ERROR: Bad configuration format: static-auth-secret s3cr3t', 'option-unknown'],
    ['Bad configuration format: user alice:s3cr3t', 'option-unknown'],
    ['Cannot open PostgreSQL DB connection: <host=db user=turn password=s3cr3t>, runtime error', 'database'],
    ['Cannot open MongoDB DB connection: <mongodb://turn:s3cr3t@db/x>, runtime error', 'database'],
  ] as const)('is told without its secrets: %s', (line, kind) => {
    const facts = factsOf([`0: : ${line}`]);
    expect(facts.notices[kind]?.count).toBe(1);
    expect(JSON.stringify(facts)).not.toContain('s3cr3t');
  });
});

describe('hostile lines', () => {
  const wrong = '0: : ERROR: check_stun_auth: wrong username: x>';
  const answer =
    '0: : session 000000000000000001: realm <r> user <>: incoming packet message processed, error 400: Bad Request';

  it('behind a name with a line break are not believed, up to the answer to it', () => {
    const facts = factsOf([wrong, ...session(7, 'allocate', 'sent'), answer, ...session(8, 'allocate')]);
    expect(facts.lines.unbelieved).toBe(4);
    expect(facts.sessions.allocated).toBe(1);
    expect(facts.sessions.last.map(({ id }) => id)).toContain('000000000000000008');
  });

  it('cannot be more than coturn writes of a name', () => {
    const facts = factsOf([wrong, ...Array.from({ length: 20 }, (_, id) => session(id, 'allocate')).flat()]);
    expect(facts.lines.unbelieved).toBeGreaterThan(5);
    expect(facts.lines.unbelieved).toBeLessThan(12);
  });

  it('cannot fake a start', () => {
    expect(factsOf([wrong, 'Version Coturn-4.6.1', answer]).notices.start).toBeUndefined();
  });

  it('with control characters are counted', () => {
    expect(factsOf(['0: : \u001b[2Jx']).lines).toMatchObject({ total: 1, control: 1, other: 1 });
  });

  it('fill no memory: sessions, users, peers and denied peers are bounded', () => {
    const assembly = new LogAssembly(nowMs);
    const push = (text: string): void => assembly.push({ text, isCut: false });
    for (let id = 0; id < 200_010; id++) for (const line of session(id, 'challenge')) push(line);
    for (let n = 0; n < 2000; n++)
      push(`0: : ERROR: A peer IP 10.1.${n >> 8}.${n & 255} denied in the range: x`);
    for (let n = 0; n < 40; n++)
      push(`0: : session 000000000000200009: peer 10.2.3.${n} lifetime updated: 300`);
    const facts = assembly.finish('x', null);
    expect(facts.sessions.dropped).toBe(10);
    expect(facts.deniedPeers).toHaveLength(50);
    expect(facts.sessions.last).toHaveLength(500);
    expect(facts.sessions.last.at(-1)?.peers).toHaveLength(16);
  }, 30_000);
});

describe('the log of a coturn 4.18.0', () => {
  it('has its sessions, which stand behind what is said of them', () => {
    const log = readFileSync(new URL('recorded/coturn-4.18.0.log', import.meta.url), 'utf8');
    const facts = factsOf(log.split('\n'));
    const { tellsSessions, sessions } = facts;
    expect(tellsSessions).toBe(true);
    expect(sessions).toMatchObject({ total: 3, allocated: 2, allocatedOverTls: 1 });
    expect(sessions.last).toMatchObject([
      {
        id: '001000000000000001',
        transport: 'tls',
        user: '1795380792:alice',
        client: '127.0.0.1:56012',
        relay: '127.0.0.1:53092',
        lifetimeS: 0,
        peers: ['127.0.0.1'],
        peerUsage: { receivedPackets: 2, receivedBytes: 32, sentPackets: 1, sentBytes: 16 },
        closed: 'TLS/TCP connection closed by client (callback)',
      },
      { id: '001000000000000013', transport: 'tls', errors: [{ code: 401 }, { code: 486 }] },
      { id: '000000000000000021', relay: '127.0.0.1:52191', closed: 'allocation timeout' },
    ]);
    expect(Object.keys(sessions.groups)).toContain('refused-486');
    const before = log
      .replaceAll(/INFO (?:allocation )?(.*) \(session (\d+)\)$/gm, 'INFO session $2: $1')
      .replaceAll(/INFO (socket closed .*) \((\S+) socket, session (\d+)\)$/gm, 'INFO session $3: $2 $1');
    expect(before).not.toContain('(session');
    expect(factsOf(before.split('\n'))).toEqual(facts);
  });
});
