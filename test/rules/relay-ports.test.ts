import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/check.ts';
import type { PortSampleFacts, TargetFacts } from '../../src/model/observations.ts';
import { failed as failedOutcome, passed, unknown } from '../../src/rules/outcome.ts';
import { judge } from '../../src/rules/judgement.ts';
import { amongPorts, judgePorts, judgePortsBeside } from '../../src/rules/relay-ports.ts';
import {
  clientAddress,
  criteriaWith,
  done,
  failed,
  healthyFacts,
  notTried,
  observationsOf,
  portSample,
  serverAddress,
  silence,
  stunError,
  targetOf,
} from '../support/facts.ts';

const tenPorts = Array.from({ length: 10 }, (_, index) => 49160 + 20 * index);

function judged(
  ports: TargetFacts['ports'],
  inbound: Outcome = passed(),
  overrides: Partial<TargetFacts> = {},
) {
  return judgePorts(healthyFacts(targetOf(), { ...overrides, ports }), inbound);
}

function of(sample: PortSampleFacts, inbound?: Outcome, overrides?: Partial<TargetFacts>) {
  return judged(done(sample), inbound, overrides);
}

describe('relay-ports', () => {
  it('is no check where it was not asked for', () => {
    expect(judged(null)).toBeNull();
  });

  it('passes when all answer, and says which', () => {
    expect(of(portSample(tenPorts))).toEqual({ status: 'passed', detail: '10 ports, 49160 to 49340' });
    // A range of four ports is known when four are.
    expect(of(portSample([49163, 49160, 49161, 49162]))?.status).toBe('passed');
  });

  it('names the ports that do not answer, and the range that does', () => {
    const outcome = of(portSample([49160, 49170], [49300, 49301]));
    expect(outcome).toMatchObject({
      findings: [
        {
          code: 'RELAY_PORTS_PARTLY_BLOCKED',
          evidence: { sampled: 4, silent: [49300, 49301], answering: [49160, 49170] },
        },
      ],
    });
  });

  it('does not take what is lost here and there for a range that is closed', () => {
    const odd = tenPorts.filter((_, index) => index % 3 === 1);
    const outcome = of(
      portSample(
        tenPorts.filter((port) => !odd.includes(port)),
        odd,
      ),
    );
    expect(outcome).toMatchObject({
      status: 'unknown',
      because: expect.stringMatching(/^3 of 10 ports, here and there/),
    });
    const hole = tenPorts.slice(4, 6);
    const rest = tenPorts.filter((port) => !hole.includes(port));
    expect(of(portSample(rest, hole))?.status).toBe('failed');
  });

  it('says so when these are too few', () => {
    expect(of(portSample([49160, 49390]))).toEqual({
      status: 'unknown',
      because: '2 ports from 49160 to 49390 were tried, of 231 or more: too few to say',
    });
  });

  it('says how many could be had when the server gave no more', () => {
    const stopped = stunError(486);
    expect(of(portSample(tenPorts, [], { wanted: 40, stopped }))).toEqual({
      status: 'unknown',
      because:
        'only 10 ports from 49160 to 49340 could be tried, of 40 that were wanted: error 486 Allocation Quota Reached',
    });
    expect(of(portSample([], [], { wanted: 40, stopped }))).toMatchObject({
      because: 'no relay port could be tried, of 40 that were wanted: error 486 Allocation Quota Reached',
    });
    // What did not answer is known nevertheless.
    expect(of(portSample([49160], [49161], { wanted: 40, stopped }))?.status).toBe('failed');
  });

  it('tells the fault of the first relay port when none answers', () => {
    const target = targetOf();
    const evidence = {
      host: 'a',
      address: 'b',
      port: 1,
      transport: 'udp' as const,
      relayed: 'c',
      relayedAddress: 'd',
    };
    const blocked = failedOutcome('RELAY_PORTS_BLOCKED', evidence, target);
    expect(of(portSample([], tenPorts), blocked)).toBe(blocked);
    expect(of(portSample([], tenPorts), unknown('why'))).toEqual(unknown('why'));
  });

  it('takes the first relay port for one of those that are blocked', () => {
    const evidence = { host: 'a', address: 'b', port: 1, transport: 'udp' as const };
    const relay = { ...evidence, relayed: 'c', relayedAddress: 'd' };
    const blocked = failedOutcome('RELAY_PORTS_BLOCKED', relay, targetOf());
    const partly = of(portSample([49160], [49300]));
    expect(amongPorts(blocked, partly)).toBe(partly);
    expect(amongPorts(blocked, null)).toBe(blocked);
    expect(amongPorts(blocked, passed())).toBe(blocked);
    const denied = failedOutcome('PEER_DENIED', { ...evidence, peer: 'x' }, targetOf());
    expect(amongPorts(denied, partly)).toBe(denied);
  });

  it('counts for every listener of the server, and for no other server', () => {
    const sampled = healthyFacts(targetOf(), { ports: done(portSample([49160], [49300])) });
    const [tcp, other] = [targetOf('tcp'), targetOf('tcp', { address: '203.0.113.11' })];
    const beside = (target: typeof tcp) => judgePortsBeside(healthyFacts(target), [sampled], passed());
    expect(beside(tcp)).toMatchObject({
      findings: [{ code: 'RELAY_PORTS_PARTLY_BLOCKED', targets: [tcp.url] }],
    });
    expect(beside(other)).toBeNull();
  });

  it('leaves no listener with a fault of the whole range', () => {
    // Its own port takes nothing, and what the relay sends arrives.
    const unlucky = healthyFacts(targetOf('tcp'), { inbound: failed(silence), reply: failed(silence) });
    const sampled = healthyFacts(targetOf(), { ports: done(portSample(tenPorts, [49400])) });
    const codes = (facts: readonly TargetFacts[]): string[] =>
      judge(observationsOf(facts), criteriaWith()).findings.map(({ code }) => code);
    expect(codes([healthyFacts(targetOf()), unlucky])).toEqual(['RELAY_PORTS_BLOCKED']);
    expect(codes([sampled, unlucky])).toEqual(['RELAY_PORTS_PARTLY_BLOCKED']);
  });

  it('blames no port when nothing of this client gets to any', () => {
    const none = { inbound: failed(silence) };
    expect(of(portSample([], tenPorts), passed(), none)?.status).toBe('unknown');
    expect(of(portSample([], tenPorts, { from: 'outside' }), passed(), none)?.status).toBe('failed');
  });

  describe('of a client with several public addresses', () => {
    const [one, other] = [clientAddress, '198.51.100.21'];
    const seenAs = (address: string) => ({
      server: { address: serverAddress, port: 3478 },
      source: '192.168.1.20',
      mapped: { address, port: 40001 },
    });
    const seenAt = (mappings: readonly string[], inboundFrom: string, permitted = [one]) => ({
      peer: done({ source: '192.168.1.20', mappings: mappings.map(seenAs), permitted }),
      inbound: done({ seenFrom: { address: inboundFrom, port: 1 } }),
    });

    it.each<[string, Partial<TargetFacts>, string]>([
      ['one address', seenAt([one], one), 'failed'],
      ['one address, and no STUN server', seenAt([], one), 'failed'],
      ['two addresses by STUN', seenAt([one, other], one, [one, other]), 'unknown'],
      ['two addresses by STUN and the relay', seenAt([other], one, [one, other]), 'unknown'],
      ['two addresses by Allocate and the relay', seenAt([], other, [one, other]), 'unknown'],
      [
        'another address at another server',
        {
          ...seenAt([], one),
          allocate: done({
            relayed: { address: serverAddress, port: 4 },
            mapped: { address: '10.0.0.1', port: 4 },
            lifetimeSeconds: 600,
            rttMs: 1,
          }),
          redirects: [{ address: '203.0.113.99', port: 3478 }],
        },
        'failed',
      ],
    ])('%s', (_what, overrides, expected) => {
      expect(statusOf(portSample(tenPorts, [49400]), overrides)).toBe(expected);
      // What an outside peer sends comes from its own.
      const outside = portSample(tenPorts, [49400], { from: 'outside' });
      expect(statusOf(outside, overrides)).toBe('failed');
    });

    const statusOf = (sample: PortSampleFacts, overrides: Partial<TargetFacts>) =>
      judged(done(sample), passed(), overrides)?.status;

    it('says why', () => {
      expect(judged(done(portSample(tenPorts, [49400])), passed(), seenAt([one, other], one))).toMatchObject({
        because: expect.stringMatching(
          /^of 11 ports 1 took nothing, but .* several public addresses/,
        ) as string,
      });
    });

    it('counts at the other listeners as well', () => {
      const ports = done(portSample(tenPorts, [49400]));
      const sampled = healthyFacts(targetOf(), { ports, ...seenAt([one, other], one) });
      expect(judgePortsBeside(healthyFacts(targetOf('tcp')), [sampled], passed())?.status).toBe('unknown');
    });
  });

  it('blames no port to which nothing shows that the outside peer had sent', () => {
    const sample = portSample(tenPorts, [], { from: 'outside' });
    const untold = { relayed: { address: serverAddress, port: 49400 }, answered: null };
    expect(of({ ...sample, samples: [...sample.samples, untold] })).toEqual({
      status: 'unknown',
      because:
        'of 11 ports 1 had nothing from the outside peer, which did not say that it was asked: a loss on the way, its limit, or a firewall',
    });
    expect(of({ ...sample, samples: [untold] })?.status).toBe('unknown');
    const silent = portSample(tenPorts, [49390], { from: 'outside' });
    expect(of({ ...silent, samples: [...silent.samples, untold] })).toMatchObject({
      findings: [{ evidence: { sampled: 11, silent: [49390] } }],
    });
  });

  it('is unknown where it could not be tried', () => {
    expect(judged(notTried('there was no permission'))).toEqual(unknown('there was no permission'));
    expect(judged(failed(silence))?.status).toBe('unknown');
  });
});
