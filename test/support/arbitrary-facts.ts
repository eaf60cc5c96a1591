import fc from 'fast-check';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type {
  Attempt,
  AudioFacts,
  CallEnd,
  CallFacts,
  Failure,
  GatheringFacts,
  NameFacts,
  NatFacts,
  Observations,
  Target,
  TargetFacts,
  TlsFacts,
} from '../../src/model/observations.ts';
import { requirements, type Criteria } from '../../src/rules/criteria.ts';
import { certificate, healthyFacts, intermediate, now, nowSeconds, targetOf, tlsFacts } from './facts.ts';

/**
 * Facts in every combination, also those that no probe can make: each step is done, failed in any way, or not tried,
 * whatever the others are.
 */

const addresses = [
  '203.0.113.10',
  '203.0.113.11',
  '198.51.100.20',
  '172.16.0.10',
  '100.64.0.1',
  '127.0.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '198.18.0.1',
  '2001:db8::10',
  'fd00::10',
  'fe80::10',
  '::1',
];

const address = fc.constantFrom(...addresses);
const endpoint: fc.Arbitrary<Endpoint> = fc.record({ address, port: fc.constantFrom(3478, 49160, 49161) });

const failure: fc.Arbitrary<Failure> = fc.oneof(
  fc.record({
    kind: fc.constant('timeout' as const),
    afterMs: fc.constant(5000),
    sent: fc.constantFrom(1, 5),
  }),
  fc.record({
    kind: fc.constant('system' as const),
    code: fc.constantFrom(
      'ECONNREFUSED',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ECONNRESET',
      'EPERM',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EODD',
    ),
    message: fc.constant('it failed'),
  }),
  fc.record({ kind: fc.constant('closed' as const), bytesReceived: fc.constantFrom(0, 1, 40) }),
  fc.record({
    kind: fc.constant('stun-error' as const),
    code: fc.constantFrom(0, 300, 400, 401, 403, 437, 438, 440, 442, 486, 500, 508, 699),
    reason: fc.constantFrom('', 'A Reason'),
  }),
  fc.record({
    kind: fc.constant('malformed' as const),
    detail: fc.constant('not a STUN answer'),
    preview: fc.constant('"HTTP/1.1"'),
  }),
  fc.record({ kind: fc.constant('integrity' as const), detail: fc.constant('a wrong FINGERPRINT') }),
  fc.record({
    kind: fc.constant('tls' as const),
    code: fc.constantFrom('ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'),
    message: fc.constant('handshake failure'),
  }),
  fc.record({ kind: fc.constant('internal' as const), detail: fc.constant('the process froze') }),
);

/** Mostly done: else hardly any combination would get as far as its last step. */
function attempt<T>(value: fc.Arbitrary<T>, doneWeight = 6): fc.Arbitrary<Attempt<T>> {
  const times = { atMs: fc.constantFrom(0, 100, 3000), durationMs: fc.constantFrom(0.4, 12, 5000) };
  return fc.oneof(
    { weight: doneWeight, arbitrary: fc.record({ state: fc.constant('done' as const), ...times, value }) },
    { weight: 1, arbitrary: fc.record({ state: fc.constant('failed' as const), ...times, failure }) },
    {
      weight: 1,
      arbitrary: fc.record({
        state: fc.constant('not-tried' as const),
        because: fc.constantFrom(
          'no call was asked for',
          'no credentials were given',
          'it was not asked for',
        ),
      }),
    },
  );
}

/** A step that failed, in any way. */
export const arbitraryFailedStep: fc.Arbitrary<Attempt<never>> = failure.map((each) => ({
  state: 'failed',
  atMs: 100,
  durationMs: 5000,
  failure: each,
}));

const audio = (direction: AudioFacts['direction']): fc.Arbitrary<AudioFacts> =>
  fc.record({
    direction: fc.constant(direction),
    sent: fc.constantFrom(0, 40, 150),
    received: fc.constantFrom(0, 40, 150),
    lossRatio: fc.constantFrom(0, 0, 0.02, 0.5, 1),
    duplicates: fc.constant(0),
    reordered: fc.constant(0),
    jitterMs: fc.constant(0.5),
    jitterMeanMs: fc.constant(0.4),
    jitterMaxMs: fc.constantFrom(0.5, 80),
    delayVariationMs: fc.constantFrom(
      null,
      { min: 0, p50: 1, p95: 3, max: 90 },
      { min: 0, p50: 9, p95: 80, max: 90 },
    ),
    delayMs: fc.constantFrom(null, { min: 1, p50: 1, p95: 2, max: 3 }),
    rttMs: fc.constantFrom(null, 20, 400),
    mos: fc.constantFrom(null, 4.4, 2.1),
    lastReceivedMs: fc.constantFrom(null, 800, 3000),
  });

const callEnds: readonly CallEnd[] = (['relay-lost', 'server-silent', 'connection-ended'] as const).map(
  (kind) => ({
    kind,
    detail: 'in its own words',
    atMs: 900,
  }),
);

const call: fc.Arbitrary<CallFacts> = fc.record({
  transport: fc.constantFrom('udp', 'tcp', 'tls'),
  connectMs: fc.option(fc.constant(180), { freq: 5 }),
  connectError: fc.constantFrom(null, 'not connected in time'),
  lostHandshake: fc.boolean(),
  attempts: fc.constantFrom(1, 2),
  pairs: fc.array(
    fc.constantFrom(
      { local: 'relay', remote: 'relay', relayed: true },
      { local: 'host', remote: 'relay', relayed: false },
    ),
    { maxLength: 2 },
  ),
  audio: fc.oneof(
    { weight: 5, arbitrary: fc.tuple(audio('caller-to-callee'), audio('callee-to-caller')) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
  dataChannel: fc.constant(null),
  endedBecause: fc.constantFrom(null, ...callEnds),
  pacing: fc.constantFrom(null, { due: 150, skipped: 0 }, { due: 150, skipped: 70 }),
  longestStallMs: fc.constantFrom(3, 3, 500, 1400, 90_000),
  relay: fc.record({
    relayed: fc.array(fc.option(endpoint), { minLength: 2, maxLength: 2 }),
    allocateMs: fc.constant(null),
    lost: fc.oneof(fc.constant([]), fc.tuple(fc.record({ atMs: fc.constant(500), failure }))),
    released: fc.boolean(),
  }),
});

const gathering: fc.Arbitrary<GatheringFacts> = fc.record({
  candidates: fc.array(
    fc.record({
      type: fc.constantFrom('host', 'srflx', 'relay', 'prflx'),
      address: fc.oneof(address, fc.constant('5f7f0c4e.local')),
      port: fc.constant(50000),
      protocol: fc.constant('udp'),
      atMs: fc.constant(4),
    }),
    { maxLength: 4 },
  ),
  complete: fc.boolean(),
  durationMs: fc.constant(50),
  stunUntried: fc.constantFrom(null, 'why'),
  relayFailure: fc.option(failure),
  attempts: fc.constantFrom(1, 2),
});

const tls: fc.Arbitrary<TlsFacts> = fc
  .record({
    chainError: fc.constantFrom(
      null,
      'CERT_HAS_EXPIRED',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'AN_UNKNOWN_ERROR',
    ),
    nameError: fc.constantFrom(null, 'it names nothing'),
    chain: fc.constantFrom(
      [certificate, intermediate],
      [certificate],
      [],
      [{ ...certificate, notAfter: '2026-06-04T00:00:00.000Z', names: [] }],
      [{ ...certificate, notAfter: '2026-05-04T00:00:00.000Z' }],
    ),
  })
  .map(tlsFacts);

const target: fc.Arbitrary<Target> = fc
  .record({
    transport: fc.constantFrom('udp', 'tcp', 'tls'),
    stun: fc.boolean(),
    host: fc.constantFrom('turn.example.com', 'b.example', '203.0.113.10', '2001:db8::10'),
    address,
  })
  .map(({ transport, stun, host, address: resolved }) => {
    const scheme = transport === 'tls' ? (stun ? 'stuns' : 'turns') : stun ? 'stun' : 'turn';
    return targetOf(transport, { scheme, host, address: resolved });
  });

const challenge = fc.oneof(
  fc.record({
    granted: fc.constant(false as const),
    code: fc.constantFrom(401, 401, 401, 300, 400, 486, 0),
    realm: fc.constantFrom('example.com', null),
    nonce: fc.boolean(),
  }),
  fc.record({ granted: fc.constant(true as const), relayed: endpoint }),
);

const identity = fc.record({
  code: fc.constantFrom(401, 401, 401, 0, null),
  realm: fc.constantFrom('example.com', 'example.com', 'other.example'),
  software: fc.constantFrom('Coturn-4.6.1', 'Coturn-4.17.0', null),
  signed: fc.constantFrom(437, 437, 401, null),
});

const outside = fc.record({
  url: fc.constant('udp://peer.example.net:3479'),
  peer: endpoint,
  direct: attempt(fc.record({ mapped: endpoint })),
  permission: attempt(fc.record({ peer: address })),
  echo: attempt(fc.record({ seenFrom: endpoint }), 2),
  inbound: attempt(fc.record({ from: endpoint }), 2),
  arrival: attempt(fc.record({ seenFrom: fc.option(endpoint) }), 2),
});

const ports = fc.record({
  wanted: fc.constantFrom(1, 8, 40),
  from: fc.constantFrom('here', 'outside'),
  samples: fc.array(fc.record({ relayed: endpoint, answered: fc.option(fc.boolean()) }), { maxLength: 12 }),
  stopped: fc.option(failure),
});

const wildFacts: fc.Arbitrary<TargetFacts> = fc.record({
  target,
  connect: attempt(fc.record({ local: endpoint })),
  tls: attempt(tls),
  binding: attempt(
    fc.record({
      mapped: endpoint,
      software: fc.constant(null),
      rttMs: fc.constantFrom(0.4, 120, null),
      sent: fc.constant(1),
    }),
  ),
  challenge: attempt(challenge),
  alternate: attempt(fc.record({ server: endpoint, answer: challenge }), 1),
  identities: attempt(fc.record({ answers: fc.array(identity, { maxLength: 4 }) })),
  allocate: attempt(
    fc.record({
      relayed: endpoint,
      mapped: fc.option(endpoint),
      lifetimeSeconds: fc.constant(600),
      rttMs: fc.constantFrom(12, null),
    }),
  ),
  redirects: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(endpoint, { maxLength: 2 })),
  publicPeers: attempt(
    fc.record({ allowed: fc.array(address, { maxLength: 2 }), denied: fc.array(address, { maxLength: 2 }) }),
  ),
  permission: attempt(fc.record({ peer: address })),
  channel: attempt(fc.record({ peer: endpoint, channel: fc.constant(0x4000) })),
  peer: attempt(
    fc.record({
      source: fc.option(address),
      mappings: fc.array(fc.record({ server: endpoint, source: fc.option(address), mapped: endpoint }), {
        maxLength: 2,
      }),
      permitted: fc.array(address, { maxLength: 2 }),
    }),
  ),
  outside: fc.option(attempt(outside)),
  ports: fc.option(attempt(ports)),
  inbound: attempt(fc.record({ seenFrom: endpoint }), 2),
  outbound: attempt(fc.record({ peer: endpoint, from: endpoint }), 2),
  reply: attempt(fc.record({ seenFrom: endpoint }), 2),
  refresh: attempt(fc.record({ lifetimeSeconds: fc.constantFrom(600, 0) })),
  release: attempt(fc.record({ lifetimeSeconds: fc.constantFrom(0, 0, 600) })),
  recheck: attempt(
    fc.record({ mapped: endpoint, software: fc.constant(null), rttMs: fc.constant(4), sent: fc.constant(1) }),
    1,
  ),
  gathering: attempt(gathering),
  call: attempt(call),
});

const steps = [
  'tls',
  'binding',
  'challenge',
  'allocate',
  'permission',
  'channel',
  'alternate',
  'identities',
  'peer',
  'inbound',
  'outbound',
  'reply',
  'outside',
  'ports',
  'refresh',
  'release',
  'recheck',
  'gathering',
  'call',
] as const satisfies readonly (keyof TargetFacts)[];

/** In order, but for a step or two. */
const nearlyHealthyFacts: fc.Arbitrary<TargetFacts> = fc
  .record({
    transport: fc.constantFrom('udp', 'tcp', 'tls'),
    wild: wildFacts,
    changed: fc.subarray([...steps], { maxLength: 2 }),
  })
  .map(({ transport, wild, changed }) =>
    healthyFacts(targetOf(transport), Object.fromEntries(changed.map((step) => [step, wild[step]]))),
  );

export const arbitraryTargetFacts = fc.oneof(wildFacts, nearlyHealthyFacts);

const name: fc.Arbitrary<NameFacts> = fc.record({
  host: fc.constantFrom('turn.example.com', 'b.example', '203.0.113.10'),
  isControl: fc.boolean(),
  lookup: attempt(fc.record({ addresses: fc.array(address, { maxLength: 2 }) })),
});

const changedOrigin = fc.record({
  addressAndPort: attempt(fc.record({ from: endpoint })),
  port: attempt(fc.record({ from: endpoint })),
});

const natFacts: fc.Arbitrary<NatFacts> = fc.record({
  url: fc.constant('turn:turn.example.com:3478'),
  host: fc.constant('turn.example.com'),
  family: fc.constant(4 as const),
  server: fc.constant({ address: '203.0.113.10', port: 3478 }),
  binding: attempt(
    fc.record({
      local: endpoint,
      mapped: endpoint,
      xored: fc.boolean(),
      other: fc.option(endpoint),
    }),
  ),
  mappings: fc.array(fc.record({ to: endpoint, answer: attempt(fc.record({ mapped: endpoint })) }), {
    maxLength: 3,
  }),
  filtering: changedOrigin,
  control: changedOrigin,
  hairpin: attempt(fc.record({ from: endpoint, mapped: endpoint })),
  lifetime: fc.option(
    attempt(fc.record({ aliveMs: fc.constantFrom(0, 30_000), goneMs: fc.option(fc.constant(60_000)) })),
  ),
});

export function observationsWith(targets: fc.Arbitrary<readonly TargetFacts[]>): fc.Arbitrary<Observations> {
  return fc.record({
    startedAt: fc.constant(now.toISOString()),
    durationMs: fc.constant(3412),
    asked: fc.record({
      callDurationMs: fc.constantFrom(null, 3000),
      peer: fc.constantFrom(null, 'udp://peer.example.net:3479'),
      ports: fc.constantFrom(null, 24),
      nat: fc.constantFrom(null, { lifetimeMs: null }, { lifetimeMs: 60_000 }),
      controls: fc.constantFrom([], ['stun:stun.example.net']),
    }),
    interfaces: fc.array(
      fc.record({
        interface: fc.constant('eth0'),
        address,
        prefixLength: fc.constantFrom(0, 24, 32),
      }),
      { maxLength: 2 },
    ),
    credential: fc.oneof(
      fc.constant({ source: 'none' as const }),
      fc.record({
        source: fc.constantFrom('secret', 'given'),
        username: fc.constant('alice'),
        expiresAt: fc.constantFrom(null, 600, nowSeconds - 60, nowSeconds + 60, nowSeconds * 1000, 9e15),
      }),
    ),
    names: fc.array(name, { maxLength: 2 }),
    targets,
    controls: fc.array(arbitraryTargetFacts, { maxLength: 1 }),
    nat: fc.option(fc.array(natFacts, { maxLength: 2 })),
  });
}

export const arbitraryObservations: fc.Arbitrary<Observations> = observationsWith(
  fc.array(arbitraryTargetFacts, { maxLength: 4 }),
);

export const arbitraryCriteria: fc.Arbitrary<Criteria> = fc.record({
  require: fc.option(fc.uniqueArray(fc.constantFrom(...requirements), { minLength: 1 })),
  maxRttMs: fc.option(fc.constant(50)),
  maxLossRatio: fc.option(fc.constant(0.01)),
  maxJitterMs: fc.option(fc.constant(30)),
  minMos: fc.option(fc.constant(4)),
  failOn: fc.constantFrom('error', 'warning'),
  now: fc.constant(now),
});
