import type { ConfigFindingCode } from '../../src/model/config-finding.ts';
import type {
  AuditFindingCode,
  ClientNetworkFindingCode,
  FindingCode,
  FirewallFindingCode,
  IceServersFindingCode,
  MachineFindingCode,
  RecordingFindingCode,
  WitnessFindingCode,
} from '../../src/model/finding.ts';
import type {
  CertificateFacts,
  Failure,
  NatFacts,
  Observations,
  TargetFacts,
} from '../../src/model/observations.ts';
import type { Verdict } from '../../src/model/report.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import {
  bothWays,
  callFacts,
  certificate,
  clientAddress,
  closed,
  criteriaWith,
  deadFacts,
  done,
  failed,
  garbage,
  gatheringFacts,
  healthyFacts,
  identity,
  mapped,
  noConnection,
  notTried,
  nowSeconds,
  observationsOf,
  outsideFacts,
  peer,
  portSample,
  refusal,
  serverAddress,
  silence,
  stunError,
  systemError,
  targetOf,
  threeTargets,
  tlsFacts,
  unallocatedFacts,
} from './facts.ts';
import { cone, natFacts, other } from './nat-facts.ts';

/** One thing that is wrong, as a probe sees it, and what is to be said about it. */
export interface Fault {
  readonly facts: Observations;
  readonly criteria?: Criteria;
  readonly verdict: Verdict;
  readonly headline: string;
  /** What else is found besides the fault itself: its effects, and notes. Nothing by default. */
  readonly beside?: readonly FindingCode[];
}

const [udp, tcp, tls] = threeTargets();
const noPermission = notTried('there was no permission');

function oneTarget(overrides: Partial<TargetFacts>, target = udp): Observations {
  return observationsOf([healthyFacts(target, overrides)]);
}

function withCertificate(overrides: Partial<CertificateFacts>, chainError: string | null): Observations {
  const leaf = { ...certificate, ...overrides };
  return oneTarget({ tls: done(tlsFacts({ chain: [leaf], chainError })) }, tls);
}

function oneNat(facts: NatFacts): Observations {
  return observationsOf([healthyFacts(udp)], { nat: [facts] });
}

function refusedWith(code: number): TargetFacts {
  return unallocatedFacts(udp, failed(stunError(code)));
}

function withCredential(source: 'secret' | 'given', expiresAt: number | null): Observations {
  const username = expiresAt === null ? 'alice' : `${expiresAt}:alice`;
  return observationsOf([refusedWith(401)], { credential: { source, username, expiresAt } });
}

/** The relay bits: what is false failed by silence. */
function relay(
  inbound: boolean,
  outbound: boolean,
  reply: boolean,
  relayed = { address: serverAddress, port: 49160 },
): Partial<TargetFacts> {
  const lost = failed({ kind: 'timeout', afterMs: 1000, sent: 5 });
  return {
    allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: 24 }),
    inbound: inbound ? done({ seenFrom: peer }) : lost,
    outbound: outbound ? done({ peer, from: relayed }) : lost,
    reply: reply ? done({ seenFrom: peer }) : lost,
  };
}

function callWith(overrides: Parameters<typeof callFacts>[0]): Observations {
  return oneTarget({ call: done(callFacts(overrides)) });
}

function lostCall(failure: Failure | null): Observations {
  return oneTarget({ call: done(noConnection(failure)) });
}

const silentAfterAllocate: Partial<TargetFacts> = {
  refresh: failed(silence),
  release: failed(silence),
  recheck: failed(silence),
  gathering: notTried('the server no longer answered'),
  call: notTried('the server no longer answered'),
};

const elsewhere = { scheme: 'stun', host: 'stun.example.net', address: '192.0.2.30' } as const;
const control = targetOf('udp', elsewhere);
const controlTcp = targetOf('tcp', elsewhere);

const nothing = 'users who need the relay will hear nothing';

/** What a server can show; a configuration file shows the others. */
type ServerFindingCode = Exclude<
  FindingCode,
  | AuditFindingCode
  | ClientNetworkFindingCode
  | ConfigFindingCode
  | FirewallFindingCode
  | IceServersFindingCode
  | MachineFindingCode
  | RecordingFindingCode
  | WitnessFindingCode
>;

/** Each code of the catalog that a server can show, and the facts that make it. */
export const faults: Readonly<Record<ServerFindingCode, Fault>> = {
  DNS_NOT_FOUND: {
    facts: observationsOf([], {
      names: [{ host: 'turn.example.com', isControl: false, lookup: failed(systemError('ENOTFOUND')) }],
    }),
    verdict: 'broken',
    headline: 'clients cannot find this server',
  },
  SERVER_UNREACHABLE: {
    facts: observationsOf([
      deadFacts(udp, 'binding', silence),
      deadFacts(tcp, 'connect', silence),
      deadFacts(tls, 'connect', silence),
    ]),
    verdict: 'broken',
    headline: 'nothing of this server answers',
  },
  NOTHING_LISTENS: {
    facts: observationsOf([
      deadFacts(udp, 'binding', refusal),
      deadFacts(tcp, 'connect', refusal),
      deadFacts(tls, 'connect', refusal),
    ]),
    verdict: 'broken',
    headline: 'what was tested of this server refuses',
  },
  LISTENER_SILENT: {
    facts: observationsOf([
      deadFacts(udp, 'binding', silence),
      deadFacts(tcp, 'binding', silence),
      deadFacts(tls, 'tls', silence),
    ]),
    verdict: 'broken',
    headline: 'nothing of this server answers',
  },
  UDP_BLOCKED: {
    facts: observationsOf([deadFacts(udp, 'binding', silence), healthyFacts(tcp), healthyFacts(tls)]),
    verdict: 'degraded',
    headline: 'works over tcp and tls, not over udp',
  },
  PORT_BLOCKED: {
    facts: observationsOf([healthyFacts(udp), healthyFacts(tcp), deadFacts(tls, 'connect', silence)]),
    verdict: 'degraded',
    headline: 'works over udp and tcp, not over tls',
  },
  TCP_REFUSED: {
    facts: observationsOf([healthyFacts(udp), healthyFacts(tcp), deadFacts(tls, 'connect', refusal)]),
    verdict: 'degraded',
    headline: 'works over udp and tcp, not over tls',
  },
  UDP_REFUSED: {
    facts: observationsOf([deadFacts(udp, 'binding', refusal), healthyFacts(tcp), healthyFacts(tls)]),
    verdict: 'degraded',
    headline: 'works over tcp and tls, not over udp',
  },
  NOT_A_TURN_SERVER: {
    facts: observationsOf([deadFacts(tcp, 'binding', garbage)]),
    verdict: 'broken',
    headline: 'what answers there is no such server',
  },
  BINDING_UNANSWERED: {
    facts: oneTarget({ binding: failed(silence), recheck: failed(silence) }),
    verdict: 'degraded',
    headline: 'works, but UDP 3478 of turn.example.com serves TURN, but not STUN Binding',
  },
  SERVER_STOPPED: {
    facts: oneTarget(silentAfterAllocate),
    verdict: 'broken',
    headline: 'the server stopped while it was tested',
  },
  TLS_HANDSHAKE_FAILED: {
    facts: observationsOf([deadFacts(tls, 'tls', closed)]),
    verdict: 'broken',
    headline: 'no client gets a TLS session with this server',
  },
  TLS_CERT_EXPIRED: {
    facts: withCertificate({ notAfter: '2026-05-31T00:00:00.000Z' }, 'CERT_HAS_EXPIRED'),
    verdict: 'broken',
    headline: 'clients refuse the certificate of this server',
  },
  TLS_CERT_EXPIRES_SOON: {
    facts: withCertificate({ notAfter: '2026-06-07T00:00:00.000Z' }, null),
    verdict: 'degraded',
    headline: 'works, but the certificate of turn.example.com ends in 5 days',
  },
  TLS_NAME_MISMATCH: {
    facts: oneTarget(
      {
        tls: done(
          tlsFacts({
            nameError: 'it names DNS:www.example.com, not turn.example.com',
            chain: [{ ...certificate, names: ['DNS:www.example.com'] }],
          }),
        ),
      },
      tls,
    ),
    verdict: 'broken',
    headline: 'clients refuse the certificate of this server',
  },
  TLS_CHAIN_INCOMPLETE: {
    facts: withCertificate({}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    verdict: 'broken',
    headline: 'many clients refuse the certificate of this server',
  },
  TLS_UNTRUSTED: {
    facts: withCertificate({ issuer: certificate.subject, selfIssued: true }, 'DEPTH_ZERO_SELF_SIGNED_CERT'),
    verdict: 'broken',
    headline: 'clients refuse the certificate of this server',
  },
  ANONYMOUS_RELAY: {
    facts: oneTarget({
      challenge: done({ granted: true, relayed: { address: serverAddress, port: 49150 } }),
    }),
    verdict: 'broken',
    headline: 'anyone can relay traffic through this server',
  },
  CREDENTIAL_EXPIRED: {
    facts: withCredential('given', nowSeconds - 60),
    verdict: 'broken',
    headline: 'the server refuses these credentials',
  },
  CREDENTIAL_FORMAT: {
    facts: withCredential('given', (nowSeconds + 3600) * 1000),
    verdict: 'broken',
    headline: 'the server refuses these credentials',
  },
  CREDENTIAL_SECRET_MISMATCH: {
    facts: withCredential('secret', nowSeconds + 3600),
    verdict: 'broken',
    headline: 'the server refuses these credentials',
  },
  ALLOCATION_REFUSED: {
    facts: observationsOf([refusedWith(442)]),
    verdict: 'broken',
    headline: 'clients get no relay from this server',
  },
  QUOTA_REACHED: {
    facts: observationsOf([refusedWith(486)]),
    verdict: 'broken',
    headline: 'new calls get no relay',
  },
  QUOTA_TOO_SMALL: {
    facts: oneTarget({ call: done(noConnection(stunError(486))) }),
    verdict: 'unknown',
    headline: 'the quota allows 1 allocation at once; a call needs 2',
  },
  RELAY_CAPACITY_EXHAUSTED: {
    facts: observationsOf([refusedWith(508)]),
    verdict: 'broken',
    headline: 'new calls get no relay',
  },
  RELAY_ADDRESS_PRIVATE: {
    facts: oneTarget(relay(false, false, false, { address: '172.16.0.10', port: 49341 })),
    verdict: 'broken',
    headline: nothing,
  },
  RELAY_ADDRESS_MISMATCH: {
    facts: oneTarget({
      ...relay(false, false, false, { address: '198.51.100.7', port: 49341 }),
      outbound: done({ peer, from: { address: serverAddress, port: 49341 } }),
    }),
    verdict: 'broken',
    headline: nothing,
  },
  RELAY_PORTS_BLOCKED: {
    facts: oneTarget(relay(false, true, false)),
    verdict: 'broken',
    headline: nothing,
  },
  RELAY_PORTS_STATEFUL_ONLY: {
    facts: oneTarget(relay(false, true, true)),
    verdict: 'degraded',
    headline: 'works, but the relay ports of turn.example.com take replies only',
  },
  RELAY_OUTBOUND_BLOCKED: {
    facts: oneTarget(relay(true, false, true)),
    verdict: 'broken',
    headline: nothing,
  },
  DENY_LIST_BLOCKS_ALL: {
    facts: oneTarget({
      permission: failed(stunError(403)),
      publicPeers: done({ allowed: [], denied: ['1.1.1.1', '8.8.8.8', '9.9.9.9'] }),
      inbound: noPermission,
      outbound: noPermission,
      reply: noPermission,
      channel: noPermission,
    }),
    verdict: 'broken',
    headline: 'the server relays to nobody',
  },
  PEER_DENIED: {
    facts: oneTarget({
      permission: failed(stunError(403)),
      inbound: noPermission,
      outbound: noPermission,
      reply: noPermission,
      channel: noPermission,
    }),
    verdict: 'broken',
    headline: 'the server lets no relay traffic through to this client',
  },
  OWN_RELAY_DENIED: {
    facts: lostCall(stunError(403)),
    verdict: 'degraded',
    headline: 'works, but turn.example.com denies its own relay address as a peer',
  },
  REQUEST_FAILED: {
    facts: oneTarget({ channel: failed(stunError(400)) }),
    verdict: 'broken',
    headline: 'the server does not do its part',
  },
  ALLOCATION_NOT_FREED: {
    facts: oneTarget({ release: done({ lifetimeSeconds: 600 }) }),
    verdict: 'degraded',
    headline: 'works, but turn.example.com does not free an allocation',
  },
  ALTERNATE_UNREACHABLE: {
    facts: observationsOf([
      unallocatedFacts(udp, failed(silence), {
        challenge: done({ granted: false, code: 300, realm: null, nonce: false }),
        redirects: [{ address: '203.0.113.11', port: 3478 }],
      }),
    ]),
    verdict: 'broken',
    headline: 'clients get no relay from this server',
  },
  RELAY_PORTS_PARTLY_BLOCKED: {
    facts: oneTarget({ ports: done(portSample([49160, 49170], [49300, 49301])) }),
    verdict: 'degraded',
    headline: 'works, but some relay ports of turn.example.com are blocked',
  },
  CONNECTION_UNANSWERED: {
    facts: observationsOf([
      healthyFacts(tls, {
        connect: done({
          local: { address: '192.168.1.20', port: 50000 },
          firstTry: { kind: 'timeout', afterMs: 5000, sent: 1 },
        }),
      }),
    ]),
    verdict: 'degraded',
    headline: 'works, but TLS 5349 of turn.example.com served one connection of two',
  },
  TWO_SERVERS_ANSWER: {
    facts: oneTarget({
      identities: done({ answers: [identity(), identity({ realm: 'old.example.com', signed: 401 })] }),
    }),
    verdict: 'degraded',
    headline: 'works, but two servers answer on UDP 3478 of turn.example.com',
  },
  REPLY_TTL_ONE: {
    facts: observationsOf([
      deadFacts(udp, 'binding', silence),
      healthyFacts(tcp, {
        binding: done({ mapped, software: 'Coturn-4.17.0', rttMs: 12, sent: 1 }),
      }),
    ]),
    verdict: 'degraded',
    headline: 'works over tcp, not over udp',
    beside: ['UDP_BLOCKED'],
  },
  OUTSIDE_PEER_SILENT: {
    facts: oneTarget({
      outside: done(outsideFacts({ direct: failed(silence), echo: failed(silence) })),
    }),
    verdict: 'degraded',
    headline: 'works, but the outside peer udp://peer.example.net:3479 proves nothing',
  },
  VANTAGE_TOO_CLOSE: {
    facts: observationsOf([healthyFacts(udp)], {
      interfaces: [{ interface: 'eth0', address: serverAddress, prefixLength: 24 }],
    }),
    verdict: 'healthy',
    headline: 'audio flows through the relay over udp',
  },
  NO_HOST_CANDIDATE: {
    facts: oneTarget({
      gathering: done(
        gatheringFacts({ candidates: gatheringFacts().candidates.filter(({ type }) => type !== 'host') }),
      ),
    }),
    verdict: 'degraded',
    headline: 'works, but ICE finds no address on this machine',
  },
  NO_SRFLX_CANDIDATE: {
    facts: oneTarget({
      gathering: done(
        gatheringFacts({ candidates: gatheringFacts().candidates.filter(({ type }) => type !== 'srflx') }),
      ),
    }),
    verdict: 'degraded',
    headline: 'works, but ICE learns no public address from turn.example.com',
  },
  NO_RELAY_CANDIDATE: {
    facts: oneTarget({
      gathering: done(
        gatheringFacts({
          candidates: gatheringFacts().candidates.filter(({ type }) => type !== 'relay'),
          relayFailure: stunError(486),
        }),
      ),
    }),
    verdict: 'broken',
    headline: 'ICE gets no relay from this server',
  },
  CALL_FAILED: {
    facts: lostCall(null),
    verdict: 'broken',
    headline: 'calls through the relay do not connect',
  },
  CALL_NOT_RELAYED: {
    facts: callWith({
      pairs: [
        { local: 'host', remote: 'relay', relayed: false },
        { local: 'relay', remote: 'host', relayed: false },
      ],
    }),
    verdict: 'broken',
    headline: 'the call did not use the relay',
  },
  AUDIO_SILENT: {
    facts: callWith({ audio: bothWays({ received: 0, lossRatio: 1, lastReceivedMs: null, mos: null }) }),
    verdict: 'broken',
    headline: 'calls through the relay are silent',
  },
  AUDIO_ONE_WAY: {
    facts: callWith({
      audio: bothWays().map((direction, index) =>
        index === 0
          ? direction
          : { ...direction, received: 0, lossRatio: 1, lastReceivedMs: null, mos: null },
      ),
    }),
    verdict: 'broken',
    headline: 'calls through the relay are heard on one side only',
  },
  AUDIO_INTERRUPTED: {
    facts: callWith({ audio: bothWays({ received: 60, lossRatio: 0.6, lastReceivedMs: 1200 }) }),
    verdict: 'broken',
    headline: 'calls through the relay break off',
  },
  AUDIO_UNUSABLE: {
    facts: callWith({ audio: bothWays({ received: 47, lossRatio: 0.69, mos: 1.4 }) }),
    verdict: 'broken',
    headline: 'calls through the relay cannot be understood',
  },
  LOSS_HIGH: {
    facts: callWith({ audio: bothWays({ received: 142, lossRatio: 0.053 }) }),
    verdict: 'degraded',
    headline: 'works, but 5.3 % of the audio is lost',
  },
  JITTER_HIGH: {
    facts: callWith({ audio: bothWays({ jitterMaxMs: 64.2 }) }),
    verdict: 'degraded',
    headline: 'works, but the jitter is 64 ms',
  },
  RTT_HIGH: {
    facts: oneTarget({}),
    criteria: criteriaWith({ maxRttMs: 30 }),
    verdict: 'degraded',
    headline: 'works, but the round trip is 42 ms',
  },
  MOS_LOW: {
    facts: callWith({ audio: bothWays({ mos: 3.1 }) }),
    verdict: 'degraded',
    headline: 'works, but the audio quality is low (MOS 3.1)',
  },
  UDP_BLOCKED_HERE: {
    facts: observationsOf([deadFacts(udp, 'binding', silence), healthyFacts(tcp)], {
      controls: [deadFacts(control, 'binding', silence)],
    }),
    verdict: 'unknown',
    headline:
      'UDP does not leave this network: UDP 3478 of stun.example.net, known to work, does not answer either',
  },
  ONLY_TLS_443_LEAVES: {
    facts: observationsOf(
      [
        deadFacts(udp, 'binding', silence),
        deadFacts(tcp, 'connect', silence),
        healthyFacts(targetOf('tls', { port: 443 })),
      ],
      {
        controls: [deadFacts(control, 'binding', silence), deadFacts(controlTcp, 'connect', silence)],
      },
    ),
    verdict: 'unknown',
    headline:
      'UDP does not leave this network: UDP 3478 of stun.example.net, known to work, does not answer either (and 1 more)',
  },
  NAT_SYMMETRIC: {
    facts: oneNat(
      natFacts({ mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' }),
    ),
    verdict: 'healthy',
    headline: 'audio flows through the relay over udp',
  },
  CGNAT: {
    facts: oneNat(
      natFacts(cone, {
        binding: done({
          local: { address: '100.72.3.9', port: 50_000 },
          mapped: { address: clientAddress, port: 40_000 },
          xored: true,
          other,
        }),
      }),
    ),
    verdict: 'healthy',
    headline: 'audio flows through the relay over udp',
  },
};

/** The same server, tested from where only STUN is asked for. */
export const stunTarget = targetOf('udp', { scheme: 'stun', host: 'stun.example.com' });

export const faultCodes = Object.keys(faults) as ServerFindingCode[];
