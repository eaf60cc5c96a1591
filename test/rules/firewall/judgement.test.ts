import { describe, expect, it } from 'vitest';
import type { FirewallFacts, ListeningSocket, ReachedPort } from '../../../src/model/firewall-facts.ts';
import { judgeFirewall as rules, type FirewallJudgement } from '../../../src/rules/firewall/judgement.ts';
import { usualOpenings } from '../../support/openings.ts';
import { firewallCatalog } from '../../../src/model/catalog/firewall.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeFirewall = provoked.watch(rules);

/** What an outside peer found at these relay ports, over IPv4. */
function reach(ports: Readonly<Record<number, ReachedPort['state']>>): Partial<FirewallFacts> {
  const tried = Object.entries(ports).map(([port, state]) => ({ port: Number(port), state }));
  const families = [{ family: 4 as const, seenFrom: '203.0.113.10', ports: tried }];
  return { outside: { state: 'seen', value: { url: 'udp://192.0.2.1:3479', families } } };
}

const eight = Object.fromEntries(
  Array.from({ length: 8 }, (_, index) => [50_000 + index, 'arrived' as const]),
);

/** Of the relay ports. */
function outsideOf({ openings }: FirewallJudgement): unknown {
  return openings.at(-1)?.checks.find(({ id }) => id === 'firewall-outside');
}

function socket(
  protocol: 'udp' | 'tcp',
  port: number,
  address: string,
  program: string | null = 'turnserver',
): ListeningSocket {
  return { protocol, port, address, program, pid: null };
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
  outside: null,
};

function judge(facts: Partial<FirewallFacts>, addresses: readonly string[] = []): FirewallJudgement {
  return judgeFirewall({
    openings: usualOpenings,
    host: 'turn.example.org',
    addresses,
    publicAddresses: [],
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

  it('passes from outside where enough ports were reached, and fails where one was not', () => {
    expect(outsideOf(judge(reach(eight)))).toMatchObject({
      status: 'passed',
      detail: '8 of 8 ports that were tried',
    });
    expect(judge(reach(eight)).notes).toEqual([
      'From outside IPv6 was not tried: udp://192.0.2.1:3479 does not answer over it.',
    ]);
    const report = judge(reach({ ...eight, 60_000: 'silent' }));
    expect(outsideOf(report)).toMatchObject({ status: 'failed' });
    expect(report.findings).toMatchObject([
      { code: 'FIREWALL_BLOCKS_OUTSIDE', evidence: { silent: [60_000], ports: '49152-65535' } },
    ]);
  });

  it('does not blame a firewall in front for what this machine drops', () => {
    const chain = { name: 'input', rules: [] };
    const base = { hook: 'input', type: 'filter', priority: 0, policy: 'drop' } as const;
    const table = {
      name: 'inet filter',
      tool: 'nft',
      families: [4, 6],
      chains: [{ ...chain, base }],
    } as const;
    const report = judge({ ...reach({ 50_000: 'silent' }), rules: { state: 'seen', value: [table] } });
    expect(outsideOf(report)).toMatchObject({ status: 'failed' });
    expect(report.findings.map(({ code }) => code)).not.toContain('FIREWALL_BLOCKS_OUTSIDE');
  });

  it('tells relay ports that only answers pass from those that nothing passes', () => {
    const established = { kind: 'state', states: ['established', 'related'], negated: false } as const;
    const answers = { text: 'ct state established,related accept', matches: [established] } as const;
    const base = { hook: 'input', type: 'filter', priority: 0, policy: 'drop' } as const;
    const chains = [{ name: 'input', base, rules: [{ ...answers, action: { kind: 'accept' } }] }] as const;
    const table = { name: 'inet filter', tool: 'nft', families: [4, 6], chains } as const;
    const codes = judge({ rules: { state: 'seen', value: [table] } }).findings.map(({ code }) => code);
    expect(codes).toContain('FIREWALL_RELAY_STATEFUL_ONLY');
    expect(codes).not.toContain('FIREWALL_BLOCKS_RELAY');
  });

  it.each([
    ['a few ports only', reach({ 50_000: 'arrived' }), 'too few ports were tried: 1 of 16384'],
    [
      'a peer that is not known to have sent',
      reach({ 50_000: 'unasked' }),
      'is not known to have sent anything',
    ],
    [
      'no peer',
      { outside: { state: 'unknown', because: 'it does not answer' } as const },
      'it does not answer',
    ],
  ])('is unknown from outside, and no success, with %s', (_, facts, because) => {
    const report = judge(facts);
    expect(outsideOf(report)).toMatchObject({ status: 'unknown', because: expect.stringContaining(because) });
    expect([report.verdict, report.exitCode]).toEqual(['unknown', 1]);
  });

  it('is unknown from outside where clients are sent to another address than the one that was reached', () => {
    const facts = { ...good, ...reach(eight) };
    const report = judgeFirewall({
      ...{ openings: usualOpenings, host: 'a', addresses: [], facts },
      publicAddresses: ['198.51.100.1'],
    });
    expect(outsideOf(report)).toMatchObject({ status: 'unknown' });
  });

  it('says what a peer cannot try, without a verdict of it', () => {
    const report = judge(reach({ ...eight, 3478: 'busy' }));
    const skipped = report.openings.flatMap(({ checks }) =>
      checks.filter(({ status }) => status === 'skipped'),
    );
    expect(skipped.map(({ because }) => because)).toEqual([
      'coturn, or another program, has the port',
      'an rtc-ops peer sends UDP alone',
      'an rtc-ops peer sends UDP alone',
    ]);
    expect(report.verdict).toBe('healthy');
  });
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys(firewallCatalog))).toEqual([]);
});
