import { describe, expect, it } from 'vitest';
import { finding, type Finding, type FindingCode, type FindingOptions } from '../../src/model/finding.ts';
import { findingList } from '../../src/rules/finding-list.ts';
import { listenerOf } from '../../src/rules/listener-evidence.ts';
import { targetOf, threeTargets } from '../support/facts.ts';

const [udp, tcp, tls] = threeTargets();
const other = targetOf('udp', { host: 'b.example', address: '203.0.113.11' });
const seen = 'no answer within 5 s';

function at(target: typeof udp, options: FindingOptions = {}): FindingOptions {
  return { targets: [target.url], ...options };
}

function told(...findings: readonly Finding[]): string[] {
  return findingList(findings).map(
    ({ code, targets, causedBy }) => `${code} ${targets.length}${causedBy === null ? '' : ` < ${causedBy}`}`,
  );
}

const stopped = (target: typeof udp): Finding =>
  finding('SERVER_STOPPED', { ...listenerOf(target), step: 'a Refresh', seen }, at(target));
const interrupted = (target: typeof udp): Finding =>
  finding('AUDIO_INTERRUPTED', { ...listenerOf(target), lastMs: 1200, durationMs: 3000 }, at(target));
const refusedTcp = (target: typeof udp): Finding =>
  finding('TCP_REFUSED', { ...listenerOf(target), answering: [] }, at(target));
const loss = (target: typeof udp, measured: number, options: FindingOptions = {}): Finding =>
  finding('LOSS_HIGH', { ...listenerOf(target), measured, limit: 0.03 }, at(target, options));
const mos = (target: typeof udp, measured: number, options: FindingOptions = {}): Finding =>
  finding('MOS_LOW', { ...listenerOf(target), measured, limit: 3.6 }, at(target, options));

describe('one fault at several listeners', () => {
  it('is one finding with all of them', () => {
    expect(told(interrupted(udp), interrupted(tcp), interrupted(tls))).toEqual(['AUDIO_INTERRUPTED 3']);
  });

  it('is several where each is to be mended by itself', () => {
    expect(told(refusedTcp(tcp), refusedTcp(tls))).toEqual(['TCP_REFUSED 1', 'TCP_REFUSED 1']);
  });

  it('is several at several servers, and at several names of one server', () => {
    expect(told(interrupted(udp), interrupted(other))).toEqual([
      'AUDIO_INTERRUPTED 1',
      'AUDIO_INTERRUPTED 1',
    ]);
    const alias = targetOf('udp', { host: 'alias.example' });
    expect(told(interrupted(udp), interrupted(alias))).toHaveLength(2);
  });

  it('is told with the worst of what was measured, and as bad as the worst', () => {
    const [worst] = findingList([loss(udp, 0.05), loss(tcp, 0.2, { severity: 'warning' }), loss(tls, 0.07)]);
    expect(worst).toMatchObject({ severity: 'error', evidence: { measured: 0.07, transport: 'tls' } });
    const [lowest] = findingList([mos(udp, 3.1), mos(tcp, 2.2)]);
    expect(lowest).toMatchObject({ evidence: { measured: 2.2 } });
    const [bad] = findingList([loss(udp, 0.05, { severity: 'warning' }), loss(tcp, 0.04)]);
    expect(bad).toMatchObject({ severity: 'error', evidence: { measured: 0.04 } });
  });

  it('keeps certificates apart, and refusals of another kind', () => {
    const certificate = (serial: string): Finding =>
      finding('TLS_CERT_EXPIRED', {
        ...listenerOf(tls),
        subject: 'CN=a',
        issuer: 'CN=b',
        notAfter: '2026-05-01T00:00:00.000Z',
        serial,
      });
    expect(told(certificate('01'), certificate('01'), certificate('02'))).toHaveLength(2);
    const refused = (code: number): Finding =>
      finding('ALLOCATION_REFUSED', { ...listenerOf(udp), code, name: '' });
    expect(told(refused(442), refused(403), refused(442))).toHaveLength(2);
  });
});

describe('the order', () => {
  it('is errors, then warnings, then notes; then what concerns most', () => {
    const note = finding(
      'VANTAGE_TOO_CLOSE',
      { host: udp.host, address: udp.address, vantage: 'same-host', provenBy: null },
      at(udp),
    );
    const warning = mos(udp, 3.1, { severity: 'warning' });
    expect(told(note, warning, refusedTcp(tls), interrupted(udp), interrupted(tcp))).toEqual([
      'AUDIO_INTERRUPTED 2',
      'TCP_REFUSED 1',
      'MOS_LOW 1',
      'VANTAGE_TOO_CLOSE 1',
    ]);
  });

  it('is root causes before their effects, however many these are', () => {
    expect(told(interrupted(tcp), interrupted(tls), stopped(udp))).toEqual([
      'SERVER_STOPPED 1',
      'AUDIO_INTERRUPTED 2 < SERVER_STOPPED',
    ]);
  });
});

describe('an effect names its cause', () => {
  const quota = (target: typeof udp): Finding =>
    finding('QUOTA_REACHED', { ...listenerOf(target), username: 'x' }, at(target));
  const noRelay = (target: typeof udp): Finding =>
    finding('NO_RELAY_CANDIDATE', { ...listenerOf(target), seen }, at(target));
  const relayed = { relayed: '172.16.0.10:1', relayedAddress: '172.16.0.10' };
  const privateAddress = finding(
    'RELAY_ADDRESS_PRIVATE',
    { ...listenerOf(udp), ...relayed, scope: 'a private address', publicAddress: null },
    at(udp),
  );
  const ownDenied = finding('OWN_RELAY_DENIED', { ...listenerOf(udp), ...relayed }, at(udp));

  const handshake = (target: typeof udp, closed = true): Finding =>
    finding(
      'TLS_HANDSHAKE_FAILED',
      { ...listenerOf(target), seen: 'closed', closed, answeredPlainly: false },
      at(target),
    );
  const noTurn = (target: typeof udp, closed: boolean): Finding =>
    finding(
      'NOT_A_TURN_SERVER',
      { ...listenerOf(target), seen, closed, kind: 'TURN', answersStun: false },
      at(target),
    );

  const rtt = (measured: number, target = udp): Finding =>
    finding('RTT_HIGH', { ...listenerOf(target), measured, limit: 1, by: 'rtcp' }, at(target));
  const jitter = (target: typeof udp): Finding =>
    finding('JITTER_HIGH', { ...listenerOf(target), measured: 80, limit: 50 }, at(target));
  const denied = finding('PEER_DENIED', { ...listenerOf(udp), peer: '198.51.100.20' }, at(udp));
  const both = finding(
    'MOS_LOW',
    { ...listenerOf(udp), measured: 2.2, limit: 3.6 },
    { targets: [udp.url, tcp.url] },
  );

  it.each<[string, readonly Finding[], FindingCode | null]>([
    ['a call that broke off, as the server stopped', [stopped(udp), interrupted(tcp)], 'SERVER_STOPPED'],
    ['a handshake that broke off, as the server stopped', [stopped(udp), handshake(tls)], 'SERVER_STOPPED'],
    ['a connection that ended, as the server stopped', [stopped(udp), noTurn(tcp, true)], 'SERVER_STOPPED'],
    // HTTP that answers, or a TLS alert, was there before the server stopped.
    ['not an answer that is no STUN', [stopped(udp), noTurn(tcp, false)], null],
    ['not a TLS alert', [stopped(udp), handshake(tls, false)], null],
    ['not as another server stopped', [stopped(other), interrupted(tcp)], null],
    ['no relay candidate, as the quota is reached', [quota(udp), noRelay(udp)], 'QUOTA_REACHED'],
    ['not as it is reached over another transport', [quota(tcp), noRelay(udp)], null],
    ['a denied relay address, as it is private', [privateAddress, ownDenied], 'RELAY_ADDRESS_PRIVATE'],
    ['a low MOS, as packets get lost', [loss(udp, 0.2), mos(udp, 2.2)], 'LOSS_HIGH'],
    ['a low MOS, as packets come late', [rtt(700), mos(udp, 2.2)], 'RTT_HIGH'],
    // A limit that was set below what can be heard explains nothing.
    ['a low MOS, but not by a round trip of 5 ms', [rtt(5), mos(udp, 4.4)], null],
    ['a low MOS, but not by one packet in a thousand', [loss(udp, 0.001), mos(udp, 4.3)], null],
    ['a denied relay address, but not as another address is denied', [denied, ownDenied], null],
    ['a low MOS, but not over a transport that loses nothing', [loss(tcp, 0.2), both], null],
    // TCP sends again what the path loses, and all that follows waits.
    ['a low MOS over TCP too, as the path loses packets', [loss(udp, 0.2), both], 'LOSS_HIGH'],
    ['a long round trip over TCP, as the path loses packets', [loss(udp, 0.2), rtt(700, tcp)], 'LOSS_HIGH'],
    ['jitter over TLS, as the path loses packets', [loss(udp, 0.2), jitter(tls)], 'LOSS_HIGH'],
    ['a long round trip, but not over UDP', [loss(udp, 0.2), rtt(700)], null],
    ['jitter, but not as another server is lossy', [loss(other, 0.2), jitter(tls)], null],
    // An error that hid below a warning would not be seen.
    [
      'but no error as an effect of a warning',
      [loss(udp, 0.2, { severity: 'warning' }), mos(udp, 2.2)],
      null,
    ],
  ])('%s', (_what, findings, causedBy) => {
    const list = findingList(findings);
    const effect = list.find(({ code }) => code === findings[1]?.code);
    expect(effect?.causedBy).toBe(causedBy);
    expect(list.find(({ code }) => code === findings[0]?.code)?.causedBy).toBeNull();
  });

  it('given with it, and keeps it only where the cause is told and holds for all', () => {
    const caused = finding(
      'TCP_REFUSED',
      { ...listenerOf(tcp), answering: [] },
      at(tcp, { causedBy: 'SERVER_STOPPED' }),
    );
    expect(told(caused, stopped(udp))).toEqual(['SERVER_STOPPED 1', 'TCP_REFUSED 1 < SERVER_STOPPED']);
    expect(told(caused)).toEqual(['TCP_REFUSED 1']);
    expect(told(caused, refusedTcp(tcp), stopped(udp))).toEqual(['TCP_REFUSED 1', 'SERVER_STOPPED 1']);
  });
});

it('a fix is one text, a step a line', () => {
  const [only] = findingList([refusedTcp(tcp)]);
  expect(only?.fix.split('\n')).toEqual([
    'on the server:  sudo ss -lntp | grep turnserver',
    'if turnserver is listed, a firewall rejects in its name; its rules:',
    'on the server:  sudo ufw status verbose',
    'on the server:  sudo nft list ruleset',
    'if it is not listed for that port, it needs:',
    '/etc/turnserver.conf:  listening-port=3478',
    'without no-tcp',
    'on the server:  sudo systemctl restart coturn',
  ]);
});
