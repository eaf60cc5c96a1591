import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import { wordsOf } from '../../src/model/finding.ts';
import type { FindingWords } from '../../src/model/finding-words.ts';
import type { Failure, Target, TargetFacts } from '../../src/model/observations.ts';
import { judgeBinding, judgeListener } from '../../src/rules/listener.ts';
import {
  closed,
  deadFacts,
  done,
  failed,
  garbage,
  healthyFacts,
  mapped,
  notTried,
  observationsOf,
  ownFault,
  refusal,
  relayed,
  serverAddress,
  silence,
  stunError,
  systemError,
  targetOf,
  threeTargets,
} from '../support/facts.ts';

const [udp, tcp, tls] = threeTargets();
const { interfaces } = observationsOf([]);

/** What is said of the first listener, with the others beside it. */
function listener(facts: TargetFacts, ...others: readonly TargetFacts[]): Outcome {
  return judgeListener({ facts, all: [...others, facts], controls: [], interfaces });
}

function evidenceOf(outcome: Outcome): unknown {
  return outcome.status === 'failed' ? outcome.findings[0]?.evidence : null;
}

function wordsOfFirst(outcome: Outcome): FindingWords {
  const [first] = outcome.status === 'failed' ? outcome.findings : [];
  if (first === undefined) throw new Error(`no finding: ${outcome.status}`);
  return wordsOf(first);
}

function said(outcome: Outcome): string {
  if (outcome.status === 'failed') return outcome.findings.map(({ code }) => code).join(' ');
  return outcome.status === 'passed' ? 'passed' : `${outcome.status}: ${outcome.because}`;
}

type Step = 'connect' | 'tls' | 'binding';

describe('a listener that did not answer', () => {
  it.each<[string, Target, Step, Failure, string]>([
    ['UDP, silent', udp, 'binding', silence, 'SERVER_UNREACHABLE'],
    ['TCP, no connection', tcp, 'connect', silence, 'SERVER_UNREACHABLE'],
    ['TCP, prohibited by a firewall', tcp, 'connect', systemError('EHOSTUNREACH'), 'SERVER_UNREACHABLE'],
    ['TCP, accepted and then silent', tcp, 'binding', silence, 'LISTENER_SILENT'],
    ['TLS, accepted and then silent', tls, 'tls', silence, 'LISTENER_SILENT'],
    ['TLS, silent behind the handshake', tls, 'binding', silence, 'LISTENER_SILENT'],
    ['UDP, ICMP port unreachable', udp, 'binding', refusal, 'UDP_REFUSED'],
    ['TCP, refused', tcp, 'connect', refusal, 'TCP_REFUSED'],
    ['TLS, refused', tls, 'connect', refusal, 'TCP_REFUSED'],
    ['UDP, an answer that is no STUN', udp, 'binding', garbage, 'NOT_A_TURN_SERVER'],
    ['TCP, HTTP', tcp, 'binding', garbage, 'NOT_A_TURN_SERVER'],
    ['TCP, closed on a STUN request', tcp, 'binding', closed, 'NOT_A_TURN_SERVER'],
    ['TCP, reset on a STUN request', tcp, 'binding', systemError('ECONNRESET'), 'NOT_A_TURN_SERVER'],
    [
      'a wrong FINGERPRINT',
      udp,
      'binding',
      { kind: 'integrity', detail: 'a response arrived with a wrong FINGERPRINT' },
      'NOT_A_TURN_SERVER',
    ],
    // Judged at tls-certificate, and by it alone.
    ['TLS, closed in the handshake', tls, 'tls', closed, 'unknown: no TLS session came about'],
    [
      'TLS, reset in the handshake',
      tls,
      'tls',
      systemError('ECONNRESET'),
      'unknown: no TLS session came about',
    ],
    [
      'TLS, an alert',
      tls,
      'tls',
      { kind: 'tls', code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', message: 'handshake failure' },
      'unknown: no TLS session came about',
    ],
    [
      'our own fault',
      udp,
      'binding',
      ownFault,
      'unknown: rtc-ops itself failed: the process of the call froze',
    ],
  ])('%s', (_what, target, step, failure, expected) => {
    expect(said(listener(deadFacts(target, step, failure)))).toBe(expected);
  });

  it('is not the fault of a server that nothing from here reaches', () => {
    for (const code of ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPERM', 'EACCES']) {
      const outcome = listener(deadFacts(udp, 'connect', systemError(code)));
      expect(said(outcome)).toMatch(
        new RegExp(`^unknown: nothing from here reaches ${serverAddress}: .*${code}`),
      );
    }
  });

  it('is not blamed on a server with IPv6 when this machine has none', () => {
    const six = targetOf('udp', { address: '2001:db8::10' });
    expect(said(listener(deadFacts(six, 'connect', systemError('ENETUNREACH'))))).toMatch(
      /^unknown: nothing from here reaches 2001:db8::10: .*; --family 4 leaves IPv6 out$/,
    );
    const silent = deadFacts(six, 'binding', silence);
    expect(said(listener(silent))).toBe(
      'unknown: nothing came back from 2001:db8::10, and this machine has no global IPv6 address; --family 4 leaves IPv6 out',
    );
    const withSix = [...interfaces, { interface: 'eth0', address: '2001:db8:1::20', prefixLength: 64 }];
    expect(said(judgeListener({ facts: silent, all: [silent], controls: [], interfaces: withSix }))).toBe(
      'SERVER_UNREACHABLE',
    );
  });

  it('with IPv6 is to blame when something of it came back', () => {
    const six = targetOf('udp', { address: '2001:db8::10' });
    expect(said(listener(deadFacts(six, 'binding', refusal)))).toBe('UDP_REFUSED');
    expect(said(listener(deadFacts(six, 'binding', garbage)))).toBe('NOT_A_TURN_SERVER');
  });

  it('does not advise to leave IPv6 out when that is all there is', () => {
    const literal = targetOf('udp', { host: '2001:db8::10', address: '2001:db8::10' });
    expect(said(listener(deadFacts(literal, 'binding', silence)))).not.toContain('--family');
  });

  it('was not tried, for a reason that is told', () => {
    const never = notTried('it was not asked for');
    const facts = healthyFacts(tcp, { connect: never, binding: never, challenge: never });
    expect(said(listener(facts))).toBe('unknown: it was not asked for');
  });
});

describe('a listener that did not answer, and its neighbours', () => {
  const silentUdp = deadFacts(udp, 'binding', silence);
  const unconnectedTls = deadFacts(tls, 'connect', silence);

  it.each<[string, TargetFacts, readonly TargetFacts[], string, object]>([
    ['UDP, while TCP answers', silentUdp, [healthyFacts(tcp)], 'UDP_BLOCKED', { answering: ['TCP 3478'] }],
    [
      'TLS, while UDP and TCP answer',
      unconnectedTls,
      [healthyFacts(udp), healthyFacts(tcp)],
      'PORT_BLOCKED',
      { answering: ['UDP 3478', 'TCP 3478'] },
    ],
    [
      'TCP that hangs, while UDP answers',
      deadFacts(tcp, 'binding', silence),
      [healthyFacts(udp)],
      'LISTENER_SILENT',
      { answering: ['UDP 3478'] },
    ],
    [
      'UDP, while the host accepts TCP and says nothing',
      silentUdp,
      [deadFacts(tcp, 'binding', silence)],
      'LISTENER_SILENT',
      { answering: [] },
    ],
    [
      'UDP, while TCP hangs and TLS answers',
      silentUdp,
      [deadFacts(tcp, 'binding', silence), healthyFacts(tls)],
      'UDP_BLOCKED',
      { answering: ['TLS 5349'] },
    ],
    [
      'UDP, while TCP is refused',
      silentUdp,
      [deadFacts(tcp, 'connect', refusal)],
      'SERVER_UNREACHABLE',
      { refusing: ['TCP 3478'], elsewhere: [] },
    ],
    [
      'TLS refused, while UDP answers',
      deadFacts(tls, 'connect', refusal),
      [healthyFacts(udp)],
      'TCP_REFUSED',
      { answering: ['UDP 3478'] },
    ],
    [
      'TCP refused, while UDP is silent',
      deadFacts(tcp, 'connect', refusal),
      [silentUdp],
      'TCP_REFUSED',
      { answering: [] },
    ],
    [
      'all refused',
      deadFacts(tcp, 'connect', refusal),
      [deadFacts(udp, 'binding', refusal)],
      'NOTHING_LISTENS',
      { refusing: ['UDP 3478', 'TCP 3478'] },
    ],
  ])('%s', (_what, facts, others, code, evidence) => {
    const outcome = listener(facts, ...others);
    expect(said(outcome)).toBe(code);
    expect(evidenceOf(outcome)).toMatchObject(evidence);
  });

  const prohibited = systemError('EHOSTUNREACH');

  it.each<[string, TargetFacts, readonly TargetFacts[], RegExp, RegExp]>([
    // A firewall that rejects sends what the system of a server sends on whose port nothing listens.
    [
      'all refused',
      deadFacts(tcp, 'connect', refusal),
      [deadFacts(udp, 'binding', refusal)],
      /or a firewall rejects them/,
      /nothing listens there\.|runs at/,
    ],
    [
      'UDP refused while TCP answers',
      deadFacts(udp, 'binding', refusal),
      [healthyFacts(tcp)],
      /TCP 3478 answers, so the server runs: it does not listen there, or a firewall rejects it\.$/,
      /Nothing listens/,
    ],
    [
      'TLS refused alone',
      deadFacts(tls, 'connect', refusal),
      [],
      /nothing listens there, .*, or a firewall rejects it\.$/,
      /Nothing listens/,
    ],
    [
      'nothing but ICMP "host unreachable" or "prohibited"',
      deadFacts(udp, 'binding', prohibited),
      [],
      /^The network itself says that UDP 3478 cannot be reached: a firewall prohibits it, or there is no route/,
      /Nothing came back|drops|does not answer/,
    ],
    [
      'UDP prohibited while TCP answers',
      deadFacts(udp, 'binding', prohibited),
      [healthyFacts(tcp)],
      /the network says that UDP 3478 cannot be reached: .* prohibits UDP/,
      /silent|drops/,
    ],
  ])('words claim no more than was seen: %s', (_what, facts, others, claim, overclaim) => {
    const { title, cause } = wordsOfFirst(listener(facts, ...others));
    expect(cause).toMatch(claim);
    expect(`${title} ${cause}`).not.toMatch(overclaim);
  });

  it('no-stun is one of the causes where only STUN was asked for, and not where TURN was', () => {
    const stun = targetOf('udp', { scheme: 'stun' });
    const silent = wordsOfFirst(listener(deadFacts(stun, 'binding', silence)));
    expect(silent.cause).toContain('no-stun');
    expect(silent.fix.join(' ')).toContain("grep -nE '^(no-stun)'");
    const turn = wordsOfFirst(listener(deadFacts(udp, 'binding', silence)));
    expect(`${turn.cause} ${turn.fix.join(' ')}`).not.toContain('no-stun');
  });

  it.each([closed, systemError('ECONNRESET')])(
    'a connection that is broken off names no culprit: %j',
    (failure) => {
      const { title, cause } = wordsOfFirst(listener(deadFacts(tcp, 'binding', failure)));
      expect(title).toBe('TCP 3478 of turn.example.com breaks off at a STUN request');
      expect(cause).toMatch(/another service has that port, or a firewall or a middlebox/);
      expect(wordsOfFirst(listener(deadFacts(tcp, 'binding', garbage))).title).toMatch(/is no TURN server$/);
    },
  );

  it('a connection on which nothing follows can be a firewall that looks into it', () => {
    const hung = deadFacts(tcp, 'binding', silence);
    for (const outcome of [listener(hung), listener(hung, healthyFacts(udp))]) {
      expect(wordsOfFirst(outcome).cause).toContain('or a firewall drops by content');
    }
  });

  it('a refusal is looked into by what has the port, and then by the firewall', () => {
    const { fix } = wordsOfFirst(listener(deadFacts(udp, 'binding', refusal), healthyFacts(tcp)));
    expect(fix[0]).toContain('ss -lnup | grep turnserver');
    expect(fix.slice(1, 4).join(' ')).toMatch(/firewall rejects.*ufw status.*nft list ruleset/);
  });

  it('counts as answering what answers Allocate without Binding', () => {
    const noStun = healthyFacts(tcp, { binding: failed(silence), recheck: failed(silence) });
    expect(said(listener(silentUdp, noStun))).toBe('UDP_BLOCKED');
  });

  it('is not helped by another server', () => {
    const other = healthyFacts(targetOf('tcp', { host: 'b.example', address: '203.0.113.11' }));
    expect(said(listener(silentUdp, other))).toBe('SERVER_UNREACHABLE');
    expect(evidenceOf(listener(silentUdp, other))).toMatchObject({ elsewhere: [] });
  });

  it('names the other address at which the same name answers', () => {
    const other = healthyFacts(targetOf('udp', { address: '203.0.113.11' }));
    const outcome = listener(silentUdp, other);
    expect(said(outcome)).toBe('SERVER_UNREACHABLE');
    expect(evidenceOf(outcome)).toMatchObject({ elsewhere: ['203.0.113.11'] });
  });

  it('is an effect of a server that had stopped before it was asked', () => {
    const stopped = healthyFacts(udp, { refresh: failed(silence), recheck: failed(silence) });
    const late = { state: 'failed', atMs: 9000, durationMs: 1, failure: refusal } as const;
    const asked = deadFacts(tcp, 'connect', refusal, { connect: late });
    const outcome = listener(asked, stopped);
    expect(outcome).toMatchObject({ findings: [{ code: 'TCP_REFUSED', causedBy: 'SERVER_STOPPED' }] });
    // Refused at a time when the server still answered elsewhere: that is a fault of its own.
    const early = deadFacts(tcp, 'connect', refusal, { connect: { ...late, atMs: 1 } });
    expect(listener(early, stopped)).toMatchObject({ findings: [{ code: 'TCP_REFUSED', causedBy: null }] });
  });
});

describe('a listener that answered', () => {
  it.each<[string, Partial<TargetFacts>]>([
    ['Binding', {}],
    ['Binding, with an error', { binding: failed(stunError(401)), challenge: failed(silence) }],
    ['Allocate alone', { binding: failed(silence) }],
  ])('%s', (_what, overrides) => {
    expect(said(listener(healthyFacts(udp, overrides)))).toBe('passed');
  });

  it('tells the round trip', () => {
    expect(listener(healthyFacts(udp))).toEqual({ status: 'passed', detail: '12 ms' });
  });
});

describe('stun-binding', () => {
  it('passes within the limit of the user, and not beyond it', () => {
    const facts = healthyFacts(udp);
    expect(judgeBinding(facts, null)).toEqual({ status: 'passed', detail: '12 ms' });
    expect(said(judgeBinding(facts, 12.4))).toBe('passed');
    const late = judgeBinding(facts, 12.3);
    expect(late).toMatchObject({
      findings: [{ code: 'RTT_HIGH', severity: 'error', evidence: { by: 'binding' } }],
    });
  });

  it('names secure-stun where Binding is refused with 401, and calls that no silence', () => {
    const stun = targetOf('udp', { scheme: 'stun' });
    const refused = { binding: failed(stunError(401)) };
    const unasked = { ...refused, challenge: notTried('a stun: URL asks for no relay') };
    for (const facts of [healthyFacts(stun, unasked), healthyFacts(udp, refused)]) {
      const { title, cause, proof, fix } = wordsOfFirst(judgeBinding(facts, null));
      expect(cause).toContain('secure-stun');
      expect(fix[0]).toContain("grep -nE '^(secure-stun)'");
      expect(`${title} ${cause} ${proof}`).not.toMatch(
        /answers other requests|no answer|not answer|unanswered/,
      );
    }
  });

  it('is as fast as the fastest answer, and nothing is told of what was asked twice', () => {
    const slow = healthyFacts(udp, { binding: done({ mapped, software: null, rttMs: 80, sent: 1 }) });
    expect(judgeBinding(slow, 30)).toEqual({ status: 'passed', detail: '24 ms' });
    const elsewhere = healthyFacts(udp, { ...slow, redirects: [{ address: '203.0.113.11', port: 3478 }] });
    expect(said(judgeBinding(elsewhere, 30))).toBe('RTT_HIGH');
    const repeated = healthyFacts(udp, {
      binding: done({ mapped, software: null, rttMs: null, sent: 2 }),
      allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: null }),
    });
    expect(judgeBinding(repeated, null)).toEqual({ status: 'passed' });
    expect(said(judgeBinding(repeated, 30))).toMatch(/^unknown: the round trip could not be measured/);
  });

  it.each<[string, Partial<TargetFacts>, number | null, string, string | null]>([
    [
      'no-stun',
      { binding: failed(silence), recheck: failed(silence) },
      null,
      'BINDING_UNANSWERED',
      'warning',
    ],
    ['secure-stun', { binding: failed(stunError(401)) }, null, 'BINDING_UNANSWERED', 'warning'],
    ['an odd answer', { binding: failed(garbage) }, null, 'BINDING_UNANSWERED', 'warning'],
    // What the user has set a limit for must be measured.
    ['no-stun, with a limit', { binding: failed(silence) }, 100, 'BINDING_UNANSWERED', 'error'],
    [
      'once, but over a new connection it was answered',
      { binding: failed(silence), recheck: healthyFacts(udp).binding },
      null,
      'REQUEST_FAILED',
      'warning',
    ],
    [
      'refused, and Allocate is not answered either',
      { binding: failed(stunError(400)), challenge: failed(silence) },
      null,
      'REQUEST_FAILED',
      'error',
    ],
  ])('unanswered: %s', (_what, overrides, limit, code, severity) => {
    const outcome = judgeBinding(healthyFacts(udp, overrides), limit);
    expect(outcome).toMatchObject({ status: 'failed', findings: [{ code, severity }] });
  });

  it('is an error where STUN is all that was asked for', () => {
    const stun = targetOf('udp', { scheme: 'stun' });
    const outcome = judgeBinding(healthyFacts(stun, { binding: failed(stunError(401)) }), null);
    expect(outcome).toMatchObject({ findings: [{ code: 'REQUEST_FAILED', severity: 'error' }] });
  });

  it('is unknown when nothing answered, or rtc-ops itself failed', () => {
    expect(said(judgeBinding(deadFacts(udp, 'binding', silence), null))).toBe(
      'unknown: the listener did not answer',
    );
    const ours = healthyFacts(udp, { binding: failed(ownFault) });
    expect(said(judgeBinding(ours, null))).toMatch(/^unknown: rtc-ops itself failed/);
    const untried = healthyFacts(udp, { binding: notTried('why') });
    expect(said(judgeBinding(untried, null))).toBe('unknown: why');
  });
});
