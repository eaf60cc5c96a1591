import { describe, expect, it } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import type { Verdict } from '../../src/model/report.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { judge } from '../../src/rules/judgement.ts';
import {
  bothWays,
  callFacts,
  certificate,
  criteriaWith,
  deadFacts,
  done,
  failed,
  healthyFacts,
  intermediate,
  noConnection,
  noCallAsked,
  notTried,
  observationsOf,
  ownFault,
  refusal,
  relayed,
  silence,
  stunError,
  systemError,
  targetOf,
  threeTargets,
  tlsFacts,
  unallocatedFacts,
} from '../support/facts.ts';

const [udp, tcp, tls] = threeTargets();
const six = targetOf('udp', { address: '2001:db8::10' });
const other = targetOf('udp', { host: 'b.example', address: '203.0.113.11' });
const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });
/** Nothing passes the relay in either direction: a firewall, here or there. */
const relayUnknown = { inbound: lost, outbound: lost, reply: lost };
const expired = {
  tls: done(
    tlsFacts({
      chain: [{ ...certificate, notAfter: '2026-05-01T00:00:00.000Z' }, intermediate],
      chainError: 'CERT_HAS_EXPIRED',
    }),
  ),
};
const noCredentials = notTried('no credentials were given');
const anonymous = { challenge: done({ granted: true as const, relayed }) };
const slow = done(callFacts({ audio: bothWays({ rttMs: 400 }) }));

interface Case {
  readonly what: string;
  readonly targets: readonly TargetFacts[];
  readonly criteria?: Partial<Criteria>;
  readonly verdict: Verdict;
  readonly exitCode: 0 | 1;
  readonly headline: string;
}

const cases: readonly Case[] = [
  {
    what: 'everything in order',
    targets: [healthyFacts(udp), healthyFacts(tcp), healthyFacts(tls)],
    verdict: 'healthy',
    exitCode: 0,
    headline: 'audio flows through the relay over udp, tcp and tls',
  },
  {
    what: 'in order, and no call was wanted',
    targets: [healthyFacts(udp, { call: noCallAsked })],
    verdict: 'healthy',
    exitCode: 0,
    headline: 'the relay works over udp; no call was made',
  },
  {
    what: 'in order, and the call is known over one transport of those that are required',
    targets: [healthyFacts(udp), healthyFacts(tcp, { call: failed(ownFault) })],
    criteria: { require: ['udp', 'tcp'] },
    verdict: 'healthy',
    exitCode: 0,
    headline: 'audio flows through the relay over udp',
  },
  {
    what: 'in order, and the call is not required and not known',
    targets: [healthyFacts(udp, { call: failed(ownFault) })],
    criteria: { require: ['relay'] },
    verdict: 'healthy',
    exitCode: 0,
    headline: 'the relay works over udp; of the call not all is known',
  },
  {
    what: 'STUN that is in order',
    targets: [
      healthyFacts(targetOf('udp', { scheme: 'stun' })),
      healthyFacts(targetOf('tls', { scheme: 'stuns' })),
    ],
    verdict: 'healthy',
    exitCode: 0,
    headline: 'STUN answers over udp and tls',
  },
  {
    what: 'STUN that is in order, beside a relay that is not required and not known',
    targets: [healthyFacts(targetOf('udp', { scheme: 'stun' })), unallocatedFacts(udp, noCredentials)],
    criteria: { require: ['udp'] },
    verdict: 'healthy',
    exitCode: 0,
    headline: 'STUN answers over udp; the relay was not required',
  },
  {
    what: 'a listener in order, and no more is required',
    targets: [unallocatedFacts(udp, noCredentials)],
    criteria: { require: ['srflx'] },
    verdict: 'unknown',
    exitCode: 1,
    headline: 'no credentials were given',
  },
  {
    what: 'all that is required works, more is not known, and another listener is broken',
    targets: [healthyFacts(udp, relayUnknown), healthyFacts(tls, expired)],
    criteria: { require: ['srflx'] },
    verdict: 'degraded',
    exitCode: 1,
    headline: 'what was required works, but the certificate of turn.example.com has expired',
  },
  {
    what: 'what is required does not work, and more is not known',
    targets: [unallocatedFacts(udp, noCredentials), healthyFacts(tls, { ...expired, ...relayUnknown })],
    criteria: { require: ['tls'] },
    verdict: 'broken',
    exitCode: 1,
    headline: 'clients refuse the certificate of this server',
  },
  {
    what: 'a relay that is open to anyone, beside listeners that serve',
    targets: [healthyFacts(udp), healthyFacts(tcp, anonymous)],
    verdict: 'broken',
    exitCode: 1,
    headline: 'anyone can relay traffic through this server',
  },
  {
    what: 'a warning',
    targets: [healthyFacts(udp, { call: slow })],
    verdict: 'degraded',
    exitCode: 0,
    headline: 'works, but the round trip is 400 ms',
  },
  {
    what: 'a warning, with --fail-on warning',
    targets: [healthyFacts(udp, { call: slow })],
    criteria: { failOn: 'warning' },
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works, but the round trip is 400 ms',
  },
  {
    what: 'a warning, and something required is not known',
    targets: [healthyFacts(udp, { call: slow }), healthyFacts(tcp, { call: failed(ownFault) })],
    verdict: 'unknown',
    exitCode: 1,
    headline: 'the call could not be made: the process of the call froze',
  },
  {
    what: 'a limit that was missed: users are served all the same',
    targets: [healthyFacts(udp, { call: slow })],
    criteria: { maxRttMs: 300 },
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works, but the round trip is 400 ms',
  },
  {
    what: 'one transport of three is dead',
    targets: [healthyFacts(udp), healthyFacts(tcp), deadFacts(tls, 'connect', refusal)],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works over udp and tcp, not over tls',
  },
  {
    what: 'one transport is dead, and one is not known',
    targets: [healthyFacts(udp), healthyFacts(tcp, relayUnknown), deadFacts(tls, 'connect', refusal)],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works over udp, not over tls; 1 of 3 not known',
  },
  {
    what: 'one family is dead',
    targets: [healthyFacts(udp), deadFacts(six, 'binding', refusal)],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works over IPv4, not over IPv6',
  },
  {
    what: 'one host is dead',
    targets: [healthyFacts(udp), deadFacts(other, 'binding', refusal)],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works at turn.example.com, not at b.example',
  },
  {
    what: 'some here and some there are dead',
    targets: [
      healthyFacts(udp),
      deadFacts(tcp, 'connect', refusal),
      healthyFacts(targetOf('tcp', { host: 'b.example', address: '203.0.113.11' })),
      deadFacts(other, 'binding', refusal),
    ],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works at 2 of 4 listeners, not at 2',
  },
  {
    what: 'nothing serves',
    targets: [deadFacts(udp, 'binding', silence), deadFacts(tcp, 'connect', silence)],
    verdict: 'broken',
    exitCode: 1,
    headline: 'nothing of this server answers',
  },
  {
    what: 'nothing of several servers serves',
    targets: [deadFacts(udp, 'binding', silence), deadFacts(other, 'binding', refusal)],
    verdict: 'broken',
    exitCode: 1,
    headline: 'none of 2 servers serves: turn.example.com (203.0.113.10) does not answer',
  },
  {
    what: 'one address is dead, and nothing from here reaches the other',
    targets: [deadFacts(udp, 'binding', refusal), deadFacts(six, 'connect', systemError('ENETUNREACH'))],
    verdict: 'broken',
    exitCode: 1,
    headline: 'what was tested of this server refuses',
  },
  {
    what: 'a listener that answers may serve, for all that is known, though another fails',
    targets: [healthyFacts(udp, relayUnknown), healthyFacts(tls, expired)],
    verdict: 'unknown',
    exitCode: 1,
    headline:
      'no packet passed the relay in either direction: a firewall, of the server or of this network, drops UDP to and from the relay ports',
  },
  {
    what: 'without credentials, an error elsewhere does not make the relay broken',
    targets: [unallocatedFacts(udp, noCredentials), unallocatedFacts(tls, noCredentials, expired)],
    verdict: 'unknown',
    exitCode: 1,
    headline: 'no credentials were given',
  },
  {
    what: 'an open relay serves, and everyone',
    targets: [
      healthyFacts(udp, { challenge: done({ granted: true, relayed }) }),
      healthyFacts(tcp, { challenge: done({ granted: true, relayed }) }),
    ],
    verdict: 'broken',
    exitCode: 1,
    headline: 'anyone can relay traffic through this server',
  },
  {
    what: 'users whose peers are not relayed are served',
    targets: [healthyFacts(udp, { call: done(noConnection(stunError(403))) })],
    verdict: 'degraded',
    exitCode: 1,
    headline: 'works, but turn.example.com denies its own relay address as a peer',
  },
  {
    what: 'the relay cannot be tried from here, and the server denies its own relay address too',
    targets: [
      healthyFacts(udp, {
        permission: failed(stunError(403)),
        inbound: notTried('there was no permission'),
        outbound: notTried('there was no permission'),
        reply: notTried('there was no permission'),
        channel: notTried('there was no permission'),
        allocate: done({
          relayed,
          mapped: { address: '192.168.1.20', port: 4 },
          lifetimeSeconds: 600,
          rttMs: 1,
        }),
        call: done(noConnection(stunError(403))),
      }),
    ],
    verdict: 'unknown',
    exitCode: 1,
    headline: 'the server denies 192.168.1.20 as a peer, so the relay cannot be tried from here (and 1 more)',
  },
  {
    what: 'nothing at all was tested',
    targets: [],
    verdict: 'unknown',
    exitCode: 1,
    headline: 'nothing was tested',
  },
];

describe('verdict, headline and exit code', () => {
  it.each(cases)('$what', ({ targets, criteria, verdict, exitCode, headline }) => {
    const judged = judge(observationsOf(targets), criteriaWith(criteria));
    expect({ verdict: judged.verdict, exitCode: judged.exitCode, headline: judged.headline }).toEqual({
      verdict,
      exitCode,
      headline,
    });
  });

  it('a name that does not resolve leaves the other servers working', () => {
    const facts = observationsOf([healthyFacts(udp)]);
    const judged = judge(
      {
        ...facts,
        names: [
          ...facts.names,
          { host: 'b.example', isControl: false, lookup: failed(systemError('ENOTFOUND')) },
        ],
      },
      criteriaWith(),
    );
    expect(judged).toMatchObject({
      verdict: 'degraded',
      exitCode: 1,
      headline: 'works, but the name b.example does not resolve',
    });
  });

  it.each([
    ['a resolver that does not answer', systemError('EAI_AGAIN')],
    ['a deadline', silence],
  ])('%s says nothing about the name', (_what, failure) => {
    const names = [{ host: 'turn.example.com', isControl: false, lookup: failed(failure) }];
    const judged = judge(observationsOf([], { names }), criteriaWith());
    expect(judged).toMatchObject({ verdict: 'unknown', exitCode: 1, findings: [] });
    expect(judged.headline).toMatch(/^turn\.example\.com was not looked up to the end: .*getent ahosts/);
    expect(judged.checks).toMatchObject([{ id: 'dns-resolves', status: 'unknown' }]);
  });

  it('an IP address needs no lookup, and none is claimed', () => {
    const target = targetOf('udp', { host: '203.0.113.10' });
    const { checks } = judge(observationsOf([healthyFacts(target)]), criteriaWith());
    expect(checks).toMatchObject([{ id: 'dns-resolves', status: 'skipped' }]);
  });
});
