import type { Asked } from '../../src/model/asked.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type {
  Attempt,
  AudioFacts,
  CallFacts,
  CertificateFacts,
  Failure,
  GatheringFacts,
  IdentityFacts,
  NameFacts,
  Observations,
  OutsideFacts,
  PortSampleFacts,
  Target,
  TargetFacts,
  TlsFacts,
} from '../../src/model/observations.ts';
import { formatTurnUri, type TransportKind, type TurnScheme } from '../../src/model/turn-uri.ts';
import type { Criteria } from '../../src/rules/criteria.ts';

/**
 * Facts as a probe would record them: a client behind NAT, and turn.example.com with everything in order. A test says
 * what is different.
 */

export const serverAddress = '203.0.113.10';
/** The client as servers see it. */
export const clientAddress = '198.51.100.20';
export const relayed: Endpoint = { address: serverAddress, port: 49160 };
export const mapped: Endpoint = { address: clientAddress, port: 40000 };
/** The second socket of the probe, as the relay sees it. */
export const peer: Endpoint = { address: clientAddress, port: 40001 };
export const now = new Date('2026-06-01T12:00:00.000Z');
export const nowSeconds = now.getTime() / 1000;

export function done<T>(value: T, durationMs = 10): Attempt<T> & { readonly state: 'done' } {
  return { state: 'done', atMs: 100, durationMs, value };
}

export function failed(failure: Failure): Attempt<never> {
  return { state: 'failed', atMs: 100, durationMs: 10, failure };
}

export function notTried(because: string): Attempt<never> {
  return { state: 'not-tried', because };
}

/** As with --no-call. */
export const noCallAsked = notTried('no call was asked for');

export const silence: Failure = { kind: 'timeout', afterMs: 5000, sent: 5 };
export const refusal: Failure = { kind: 'system', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' };
export const closed: Failure = { kind: 'closed', bytesReceived: 0 };
export const garbage: Failure = {
  kind: 'malformed',
  detail: 'not a STUN answer',
  preview: '"HTTP/1.1 400 Bad Request"',
};
export const ownFault: Failure = { kind: 'internal', detail: 'the process of the call froze' };

export function systemError(code: string): Failure {
  return { kind: 'system', code, message: `connect ${code}` };
}

export function stunError(code: number): Failure {
  // coturn sends no reason phrase from 4.10 on.
  return { kind: 'stun-error', code, reason: '' };
}

export interface TargetOptions {
  readonly scheme?: TurnScheme;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
}

export function targetOf(transport: TransportKind = 'udp', options: TargetOptions = {}): Target {
  const { scheme = transport === 'tls' ? 'turns' : 'turn', host = 'turn.example.com' } = options;
  const { address = serverAddress, port = transport === 'tls' ? 5349 : 3478 } = options;
  const url = formatTurnUri({ scheme, host, port, transport });
  return { url, scheme, host, address, family: address.includes(':') ? 6 : 4, port, transport };
}

export const certificate: CertificateFacts = {
  subject: 'CN=turn.example.com',
  issuer: 'CN=R11',
  names: ['DNS:turn.example.com'],
  notBefore: '2026-05-04T00:00:00.000Z',
  notAfter: '2026-08-02T00:00:00.000Z',
  serial: '04A1',
  selfIssued: false,
  issuerUrl: 'http://r11.i.lencr.org/',
};

export const intermediate: CertificateFacts = {
  ...certificate,
  subject: 'CN=R11',
  issuer: 'CN=ISRG Root X1',
  names: [],
};

export function tlsFacts(overrides: Partial<TlsFacts> = {}): TlsFacts {
  return {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    alpn: null,
    servername: 'turn.example.com',
    chainError: null,
    nameError: null,
    chain: [certificate, intermediate],
    ...overrides,
  };
}

export function audioFacts(overrides: Partial<AudioFacts> = {}): AudioFacts {
  return {
    direction: 'caller-to-callee',
    sent: 150,
    received: 150,
    lossRatio: 0,
    duplicates: 0,
    reordered: 0,
    jitterMs: 0.4,
    jitterMeanMs: 0.3,
    jitterMaxMs: 0.6,
    delayVariationMs: { min: 0, p50: 0.4, p95: 1.4, max: 6 },
    delayMs: { min: 20, p50: 21, p95: 24, max: 30 },
    rttMs: 42,
    mos: 4.4,
    lastReceivedMs: 3001,
    ...overrides,
  };
}

/** The same in both directions. */
export function bothWays(overrides: Partial<AudioFacts> = {}): AudioFacts[] {
  return [audioFacts(overrides), audioFacts({ ...overrides, direction: 'callee-to-caller' })];
}

export function callFacts(overrides: Partial<CallFacts> = {}): CallFacts {
  const pair = { local: 'relay', remote: 'relay', relayed: true };
  return {
    transport: 'udp',
    connectMs: 182,
    connectError: null,
    lostHandshake: false,
    attempts: 1,
    pairs: [pair, pair],
    audio: bothWays(),
    dataChannel: { sent: 15, received: 15, rttMs: 41 },
    endedBecause: null,
    pacing: { due: 150, skipped: 0 },
    longestStallMs: 4,
    relay: {
      relayed: [
        { address: serverAddress, port: 49170 },
        { address: serverAddress, port: 49171 },
      ],
      allocateMs: 30,
      lost: [],
      released: true,
    },
    ...overrides,
  };
}

/** A call that did not connect, and what had ended its allocations, if anything had. */
export function noConnection(lost: Failure | null, overrides: Partial<CallFacts['relay']> = {}): CallFacts {
  return callFacts({
    connectMs: null,
    connectError: lost === null ? 'not connected in time' : 'the server ended an allocation',
    pairs: [],
    audio: [],
    dataChannel: null,
    pacing: null,
    relay: {
      ...callFacts().relay,
      lost: lost === null ? [] : [{ atMs: 500, failure: lost }],
      ...overrides,
    },
  });
}

export function gatheringFacts(overrides: Partial<GatheringFacts> = {}): GatheringFacts {
  const candidate = { port: 50000, protocol: 'udp', atMs: 2 } as const;
  return {
    candidates: [
      { ...candidate, type: 'host', address: '192.168.1.20' },
      { ...candidate, type: 'srflx', address: clientAddress, atMs: 25 },
      { ...candidate, type: 'relay', address: serverAddress, atMs: 48 },
    ],
    complete: true,
    durationMs: 50,
    stunUntried: null,
    relayFailure: null,
    attempts: 1,
    ...overrides,
  };
}

/** What one source port gets from a server in order. */
export function identity(overrides: Partial<IdentityFacts> = {}): IdentityFacts {
  return { code: 401, realm: 'example.com', software: 'Coturn-4.6.1', signed: 437, ...overrides };
}

export const outsideEndpoint: Endpoint = { address: '192.0.2.50', port: 3479 };

/** An outside peer to and from which the relay works. */
export function outsideFacts(overrides: Partial<OutsideFacts> = {}): OutsideFacts {
  return {
    url: 'udp://peer.example.net:3479',
    peer: outsideEndpoint,
    direct: done({ mapped: peer }),
    permission: done({ peer: outsideEndpoint.address }),
    echo: done({ seenFrom: relayed }),
    inbound: done({ from: { ...outsideEndpoint, port: 40123 } }),
    arrival: notTried('the echo came back'),
    ...overrides,
  };
}

export function portSample(
  answering: readonly number[],
  silent: readonly number[] = [],
  overrides: Partial<PortSampleFacts> = {},
): PortSampleFacts {
  const sample = (answered: boolean) => (port: number) => ({ relayed: { ...relayed, port }, answered });
  const samples = [...answering.map(sample(true)), ...silent.map(sample(false))];
  return { wanted: samples.length, from: 'here', samples, stopped: null, ...overrides };
}

const noRelayWanted = notTried('a stun: URI asks for no relay');

/** One listener with everything in order, but for `overrides`. */
export function healthyFacts(target: Target = targetOf(), overrides: Partial<TargetFacts> = {}): TargetFacts {
  const { transport } = target;
  const here = { address: '192.168.1.20', port: 50000 };
  const facts: TargetFacts = {
    target,
    connect: done({ local: here }, 12),
    tls: transport === 'tls' ? done(tlsFacts(), 20) : notTried('no TLS on this transport'),
    binding: done({ mapped, software: 'Coturn-4.6.1', rttMs: 12.4, sent: 1 }, 12.4),
    challenge: done({ granted: false, code: 401, realm: 'example.com', nonce: true }),
    allocate: done({ relayed, mapped, lifetimeSeconds: 600, rttMs: 24.2 }, 24.2),
    alternate: notTried('there was no redirection'),
    identities: done({ answers: Array.from({ length: 16 }, () => identity()) }),
    redirects: [],
    permission: done({ peer: clientAddress }),
    publicPeers: notTried('an own address is allowed as a peer'),
    channel: done({ peer: mapped, channel: 0x4000 }),
    peer: done({
      source: here.address,
      mappings: [{ server: { address: target.address, port: 3478 }, source: here.address, mapped: peer }],
      permitted: [clientAddress],
    }),
    inbound: done({ seenFrom: peer }),
    outbound: done({ peer, from: relayed }),
    reply: done({ seenFrom: peer }),
    outside: null,
    ports: null,
    refresh: done({ lifetimeSeconds: 600 }),
    release: done({ lifetimeSeconds: 0 }),
    recheck: notTried('nothing went silent'),
    gathering: done(gatheringFacts()),
    call: done(callFacts({ transport })),
  };
  const stunOnly: Partial<TargetFacts> = {
    challenge: noRelayWanted,
    identities: noRelayWanted,
    peer: noRelayWanted,
    allocate: noRelayWanted,
    permission: noRelayWanted,
    publicPeers: noRelayWanted,
    channel: noRelayWanted,
    inbound: noRelayWanted,
    outbound: noRelayWanted,
    reply: noRelayWanted,
    refresh: noRelayWanted,
    release: noRelayWanted,
    gathering: noRelayWanted,
    call: noRelayWanted,
  };
  const isStun = target.scheme === 'stun' || target.scheme === 'stuns';
  return { ...facts, ...(isStun ? stunOnly : {}), ...overrides };
}

/** A listener at which every step from `connect`, `tls` or `binding` on came to nothing. */
export function deadFacts(
  target: Target,
  step: 'connect' | 'tls' | 'binding',
  failure: Failure,
  overrides: Partial<TargetFacts> = {},
): TargetFacts {
  const healthy = healthyFacts(target);
  const later = notTried('the listener did not answer');
  const unanswered = failed(failure);
  const behind = { permission: later, channel: later, refresh: later, release: later };
  return {
    ...healthy,
    connect: step === 'connect' ? unanswered : healthy.connect,
    tls: step === 'tls' ? unanswered : step === 'connect' && target.transport === 'tls' ? later : healthy.tls,
    binding: step === 'binding' ? unanswered : later,
    challenge: step === 'binding' ? unanswered : later,
    identities: later,
    peer: later,
    allocate: later,
    ...behind,
    inbound: later,
    outbound: later,
    reply: later,
    gathering: later,
    call: later,
    ...overrides,
  };
}

/** A listener that answered, and gave no allocation. */
export function unallocatedFacts(
  target: Target,
  allocate: TargetFacts['allocate'],
  overrides: Partial<TargetFacts> = {},
): TargetFacts {
  const later = notTried(allocate.state === 'not-tried' ? allocate.because : 'there was no allocation');
  const steps = {
    permission: later,
    channel: later,
    peer: later,
    inbound: later,
    outbound: later,
    reply: later,
  };
  const after = { refresh: later, release: later, gathering: later, call: later };
  return healthyFacts(target, { allocate, ...steps, ...after, ...overrides });
}

/** The three listeners that a bare host stands for. */
export function threeTargets(options: TargetOptions = {}): [Target, Target, Target] {
  return [targetOf('udp', options), targetOf('tcp', options), targetOf('tls', options)];
}

export function observationsOf(
  targets: readonly TargetFacts[],
  overrides: Partial<Observations> = {},
): Observations {
  const hosts = new Map<string, Set<string>>();
  for (const { target } of targets) {
    hosts.set(target.host, (hosts.get(target.host) ?? new Set()).add(target.address));
  }
  return {
    startedAt: now.toISOString(),
    durationMs: 3412,
    asked: askedFor(targets, overrides),
    interfaces: [
      { interface: 'lo', address: '127.0.0.1', prefixLength: 8 },
      { interface: 'eth0', address: '192.168.1.20', prefixLength: 24 },
    ],
    credential: {
      source: 'secret',
      username: `${nowSeconds + 3600}:rtc-ops-probe`,
      expiresAt: nowSeconds + 3600,
    },
    names: [...hosts].map(([host, addresses]) => nameFacts(host, [...addresses])),
    targets,
    controls: [],
    nat: null,
    ...overrides,
  };
}

/** What has to be asked for to get such facts. */
function askedFor(targets: readonly TargetFacts[], { nat, controls = [] }: Partial<Observations>): Asked {
  return {
    callDurationMs: targets.some(({ call }) => call === noCallAsked) ? null : 3000,
    peer: targets.some(({ outside }) => outside !== null) ? 'udp://peer.example.net:3479' : null,
    ports: targets.some(({ ports }) => ports !== null) ? 24 : null,
    nat: nat ? { lifetimeMs: nat.some(({ lifetime }) => lifetime !== null) ? 60_000 : null } : null,
    controls: controls.map(({ target }) => target.url),
  };
}

export function nameFacts(host: string, addresses: readonly string[]): NameFacts {
  return { host, isControl: false, lookup: done({ addresses }, 3) };
}

export function criteriaWith(overrides: Partial<Criteria> = {}): Criteria {
  return {
    require: null,
    maxRttMs: null,
    maxLossRatio: null,
    maxJitterMs: null,
    minMos: null,
    failOn: 'error',
    now,
    ...overrides,
  };
}
