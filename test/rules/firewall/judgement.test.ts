import { describe, expect, it } from 'vitest';
import type { FirewallFacts, ListeningSocket } from '../../../src/model/firewall-facts.ts';
import { judgeFirewall, type FirewallJudgement } from '../../../src/rules/firewall/judgement.ts';
import { usualOpenings } from '../../support/openings.ts';

function socket(
  protocol: 'udp' | 'tcp',
  port: number,
  address: string,
  program: string | null = 'turnserver',
): ListeningSocket {
  return { protocol, port, address, program };
}

const listening = (['0.0.0.0', '::'] as const).flatMap((address) => [
  socket('udp', 3478, address),
  socket('tcp', 3478, address),
  socket('tcp', 5349, address),
]);

const good: FirewallFacts = {
  rules: { state: 'seen', value: [] },
  sockets: { state: 'seen', value: listening },
  devices: { 4: 'eth0', 6: 'eth0' },
  addresses: ['203.0.113.10', '2001:db8::10'],
};

function judge(facts: Partial<FirewallFacts>, addresses: readonly string[] = []): FirewallJudgement {
  return judgeFirewall({
    openings: usualOpenings,
    host: 'turn.example.org',
    addresses,
    facts: { ...good, ...facts },
  });
}

function withTls(...sockets: readonly ListeningSocket[]): Partial<FirewallFacts> {
  const others = listening.filter(({ port }) => port !== 5349);
  return { sockets: { state: 'seen', value: [...others, ...sockets] } };
}

/** Of TLS on 5349. */
function listenerOf({ openings }: FirewallJudgement): { status: string; because: string | null } {
  const checks = openings.find(({ ports }) => ports.first === 5349)?.checks ?? [];
  const { status, because } = checks.find(({ id }) => id === 'firewall-listener') ?? {
    status: 'none',
    because: null,
  };
  return { status, because };
}

describe('judgeFirewall', () => {
  it('is healthy where everything is let in and listened to', () => {
    expect(judge({})).toMatchObject({ verdict: 'healthy', exitCode: 0, manager: 'none', findings: [] });
    expect(
      judge({})
        .openings.at(-1)
        ?.checks.map(({ id }) => id),
    ).toEqual(['firewall-rules']);
  });

  it('is unknown, and no success, where the rules cannot be read', () => {
    const report = judge({ rules: { state: 'unknown', because: 'reading the rules needs root' } });
    expect(report).toMatchObject({ verdict: 'unknown', exitCode: 1, manager: null });
    expect(report.openings[0]?.checks[0]).toMatchObject({
      status: 'unknown',
      because: 'reading the rules needs root',
    });
  });

  it.each([
    ['nothing', [], 'LISTENER_MISSING'],
    ['loopback alone', [socket('tcp', 5349, '127.0.0.1')], 'LISTENER_ELSEWHERE'],
    ['UDP in place of TCP', [socket('udp', 5349, '0.0.0.0')], 'LISTENER_MISSING'],
    ['one family of two', [socket('tcp', 5349, '0.0.0.0')], 'LISTENER_ELSEWHERE'],
    [
      'another program',
      [socket('tcp', 5349, '0.0.0.0', 'nginx'), socket('tcp', 5349, '::', 'nginx')],
      'LISTENER_OTHER_PROGRAM',
    ],
  ])('names what listens: %s', (_, sockets, code) => {
    const report = judge(withTls(...sockets));
    expect(report).toMatchObject({ verdict: 'broken', exitCode: 1 });
    expect(report.findings.map((each) => each.code)).toEqual([code]);
  });

  it('does not know whether a socket on :: takes IPv4, nor whose a nameless one is', () => {
    expect(listenerOf(judge(withTls(socket('tcp', 5349, '::'))))).toEqual({
      status: 'unknown',
      because: 'it listens on :: alone, and whether that takes IPv4 too is not to be seen',
    });
    const hidden = ['0.0.0.0', '::'].map((address) => socket('tcp', 5349, address, null));
    expect(listenerOf(judge(withTls(...hidden)))).toMatchObject({ status: 'unknown' });
  });

  it('wants every address of the config, and any of the machine without one', () => {
    const one = [socket('tcp', 5349, '203.0.113.10'), socket('tcp', 5349, '2001:db8::10')];
    expect(listenerOf(judge(withTls(...one))).status).toBe('passed');
    expect(listenerOf(judge(withTls(...one), ['203.0.113.10'])).status).toBe('passed');
    expect(listenerOf(judge(withTls(...one), ['203.0.113.10', '203.0.113.11'])).status).toBe('failed');
  });

  it('asks for no family that the machine does not have', () => {
    const report = judge({ ...withTls(socket('tcp', 5349, '0.0.0.0')), addresses: ['203.0.113.10'] });
    expect(report.verdict).toBe('healthy');
    expect(report.openings.map(({ families }) => families)).toEqual([[4], [4], [4], [4]]);
  });
});
