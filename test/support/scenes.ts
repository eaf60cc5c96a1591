import type { Observations, TargetFacts } from '../../src/model/observations.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import {
  bothWays,
  callFacts,
  certificate,
  closed,
  deadFacts,
  done,
  failed,
  healthyFacts,
  intermediate,
  mapped,
  noCallAsked,
  noConnection,
  notTried,
  observationsOf,
  peer,
  refusal,
  silence,
  stunError,
  systemError,
  targetOf,
  threeTargets,
  tlsFacts,
  unallocatedFacts,
} from './facts.ts';
import { cone, natFacts } from './nat-facts.ts';

/** What a report has to show: servers as they are met, with several things at once. */
export interface Scene {
  readonly facts: Observations;
  readonly criteria?: Partial<Criteria>;
}

const [udp, tcp, tls] = threeTargets();
const all = [udp, tcp, tls];
const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });

function calls(overrides: Parameters<typeof callFacts>[0]): Partial<TargetFacts> {
  return { call: done(callFacts(overrides)) };
}

/** Behind NAT, and external-ip is not set. */
const privateRelay: Partial<TargetFacts> = {
  allocate: done({
    relayed: { address: '172.16.0.10', port: 49341 },
    mapped,
    lifetimeSeconds: 600,
    rttMs: 24,
  }),
  inbound: lost,
  outbound: lost,
  reply: lost,
  call: done(
    noConnection(stunError(403), {
      relayed: [
        { address: '172.16.0.10', port: 49342 },
        { address: '172.16.0.10', port: 49343 },
      ],
    }),
  ),
};

const six = threeTargets({ address: '2001:db8:85a3::8a2e:370:7334' });

/** One of many servers: most are in order, some are silent, one lets its certificate expire. */
function oneOfMany(index: number): TargetFacts[] {
  const own = threeTargets({ host: `turn${index}.example.com`, address: `203.0.113.${index}` });
  if (index % 12 === 5) return own.map((target) => deadFacts(target, 'connect', silence));
  return own.map((target) =>
    healthyFacts(
      target,
      index === 9 && target.transport === 'tls'
        ? { tls: done(tlsFacts({ chainError: 'SELF_SIGNED_CERT_IN_CHAIN' })) }
        : {},
    ),
  );
}

export const scenes = {
  healthy: { facts: observationsOf(all.map((target) => healthyFacts(target))) },
  degraded: {
    facts: observationsOf([
      healthyFacts(udp, calls({ audio: bothWays({ lossRatio: 0.047, received: 143, mos: 3.4 }) })),
      healthyFacts(tcp),
      healthyFacts(tls, {
        tls: done(
          tlsFacts({
            chain: [{ ...certificate, notAfter: '2026-05-31T00:00:00.000Z' }, intermediate],
            chainError: 'CERT_HAS_EXPIRED',
          }),
        ),
      }),
    ]),
    criteria: { maxLossRatio: 0.01, minMos: 4 },
  },
  broken: { facts: observationsOf(all.map((target) => healthyFacts(target, privateRelay))) },
  unknown: {
    facts: observationsOf(
      all.map((target) => unallocatedFacts(target, notTried('no credentials were given'))),
      { credential: { source: 'none' } },
    ),
  },
  'unknown-firewall': {
    facts: observationsOf([
      healthyFacts(udp, { inbound: lost, outbound: lost, reply: lost }),
      deadFacts(tcp, 'connect', silence),
      deadFacts(tls, 'connect', silence),
    ]),
  },
  'refused-credential': {
    facts: observationsOf(all.map((target) => unallocatedFacts(target, failed(stunError(401))))),
  },
  'server-stopped': {
    facts: observationsOf([
      healthyFacts(
        udp,
        calls({
          audio: bothWays({ sent: 62, received: 60, lossRatio: 0.03, lastReceivedMs: 1200 }),
          relay: { ...callFacts().relay, lost: [{ atMs: 1420, failure: refusal }], released: false },
        }),
      ),
      healthyFacts(
        tcp,
        calls({
          audio: bothWays({ received: 58, lossRatio: 0.6, lastReceivedMs: 1180 }),
        }),
      ),
      deadFacts(tls, 'connect', refusal, {
        connect: { state: 'failed', atMs: 2000, durationMs: 1, failure: refusal },
      }),
    ]),
  },
  'dual-stack': {
    facts: observationsOf([
      ...all.map((target) => healthyFacts(target, { call: noCallAsked })),
      ...six.map((target) => deadFacts(target, 'connect', systemError('ENETUNREACH'))),
    ]),
    criteria: { require: ['udp', 'relay'] },
  },
  'ipv6-call': {
    facts: observationsOf(
      six.map((target) =>
        healthyFacts(target, {
          allocate: done({
            relayed: { address: '2001:db8:85a3::8a2e:370:7334', port: 49160 },
            mapped: { address: '2001:db8:1::20', port: 50000 },
            lifetimeSeconds: 600,
            rttMs: 1204,
          }),
          outbound: done({ peer, from: { address: '2001:db8:85a3::8a2e:370:7334', port: 49160 } }),
        }),
      ),
      { interfaces: [{ interface: 'eth0', address: '2001:db8:1::20', prefixLength: 64 }] },
    ),
  },
  stun: {
    facts: observationsOf([
      healthyFacts(targetOf('udp', { scheme: 'stun', host: 'stun.example.com' })),
      deadFacts(targetOf('tls', { scheme: 'stuns', host: 'stun.example.com' }), 'tls', closed),
    ]),
  },
  'same-host': {
    facts: observationsOf(
      threeTargets({ host: '203.0.113.10' }).map((target) => healthyFacts(target)),
      { interfaces: [{ interface: 'eth0', address: '203.0.113.10', prefixLength: 24 }] },
    ),
  },
  'stun-without-turn': {
    facts: observationsOf(
      all.map((target) =>
        unallocatedFacts(target, notTried('the server did not answer the Allocate request'), {
          challenge: failed(silence),
          recheck: healthyFacts(target).binding,
        }),
      ),
    ),
  },
  // A client within the private network of the server, which denies private peers.
  'denied-here': {
    facts: observationsOf(
      all.map((target) =>
        healthyFacts(target, {
          permission: failed(stunError(403)),
          inbound: notTried('there was no permission'),
          outbound: notTried('there was no permission'),
          reply: notTried('there was no permission'),
          channel: notTried('there was no permission'),
          allocate: done({
            relayed: { address: '203.0.113.10', port: 49160 },
            mapped: { address: '192.168.1.20', port: 50000 },
            lifetimeSeconds: 600,
            rttMs: 3,
          }),
          call: done(noConnection(stunError(403))),
        }),
      ),
    ),
  },
  redirected: {
    facts: observationsOf([
      healthyFacts(udp, {
        challenge: done({ granted: false, code: 300, realm: null, nonce: false }),
        redirects: [{ address: '203.0.113.11', port: 3478 }],
        allocate: done({
          relayed: { address: '203.0.113.11', port: 49160 },
          mapped,
          lifetimeSeconds: 600,
          rttMs: 31,
        }),
        outbound: done({ peer, from: { address: '203.0.113.11', port: 49160 } }),
      }),
    ]),
  },
  'two-names': {
    facts: observationsOf([healthyFacts(udp, { call: noCallAsked })], {
      names: [
        { host: 'turn.example.com', isControl: false, lookup: done({ addresses: ['203.0.113.10'] }) },
        { host: 'b.example', isControl: false, lookup: failed(systemError('ENOTFOUND')) },
        { host: 'c.example', isControl: false, lookup: failed(systemError('EAI_AGAIN')) },
      ],
    }),
    criteria: { require: ['udp', 'tls'] },
  },
  'many-unknown': {
    facts: observationsOf(
      Array.from({ length: 6 }, (_, index) =>
        threeTargets({ host: `turn${index}.example.com`, address: `203.0.113.${index}` }).map((target) =>
          unallocatedFacts(target, notTried('no credentials were given')),
        ),
      ).flat(),
    ),
  },
  nat: {
    facts: observationsOf([healthyFacts(udp)], {
      nat: [
        natFacts(cone, { lifetime: done({ aliveMs: 30_000, goneMs: 60_000 }) }),
        natFacts(cone, {
          family: 6,
          server: { address: '2001:db8::10', port: 3478 },
          binding: failed({ kind: 'timeout', afterMs: 1800, sent: 8 }),
        }),
      ],
    }),
  },
  'nat-symmetric': {
    facts: observationsOf([healthyFacts(udp)], {
      nat: [
        natFacts(
          { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' },
          { control: { addressAndPort: lost, port: lost } },
        ),
      ],
    }),
  },
  many: {
    facts: observationsOf(Array.from({ length: 60 }, (_, index) => oneOfMany(index + 1)).flat()),
  },
} as const satisfies Record<string, Scene>;

export type SceneName = keyof typeof scenes;
