import { isIP } from 'node:net';
import { z } from 'zod';
import type { Asked } from '../model/asked.ts';
import type { NatFacts, Observations, TargetFacts } from '../model/observations.ts';
import { RtcOpsError } from '../model/error.ts';
import { schemaVersion, type ReportCriteria } from '../model/report.ts';
import { isHost, parseTurnUri } from '../model/turn-uri.ts';

/**
 * What of a saved report is read: the facts, and what was asked of them. Checks, findings and the verdict follow from
 * these and are judged anew. Rules may trust what passes: an address is one, a date is one. Keys that are not known here
 * are left out, so that `__proto__` is one like any other.
 */

const address = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');
const date = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a date and time (ISO 8601)');
const duration = z.number().nonnegative();
const count = z.number().nonnegative();
const ratio = z.number().min(0).max(1);
const endpoint = z.object({ address, port: z.int().min(0).max(65535) });
const transport = z.enum(['udp', 'tcp', 'tls']);
const host = z.string().refine(isHost, 'must be a host name or an IP address');

// No probe makes as many; a list without an end could exhaust what goes through it.
const mostItems = 10_000;

function list<T extends z.ZodType>(item: T, most = mostItems) {
  return z.array(item).max(most);
}

const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('timeout'), afterMs: duration, sent: count }),
  z.object({ kind: z.literal('system'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('closed'), bytesReceived: count }),
  z.object({ kind: z.literal('stun-error'), code: z.number(), reason: z.string() }),
  z.object({ kind: z.literal('malformed'), detail: z.string(), preview: z.string() }),
  z.object({ kind: z.literal('integrity'), detail: z.string() }),
  z.object({ kind: z.literal('tls'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('internal'), detail: z.string() }),
]);

function attempt<T extends z.ZodType>(value: T) {
  const times = { atMs: duration, durationMs: duration };
  return z.discriminatedUnion('state', [
    z.object({ state: z.literal('done'), ...times, value }),
    z.object({ state: z.literal('failed'), ...times, failure }),
    z.object({ state: z.literal('not-tried'), because: z.string() }),
  ]);
}

const certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  names: list(z.string()),
  notBefore: date,
  notAfter: date,
  serial: z.string(),
  selfIssued: z.boolean(),
  issuerUrl: z.string().nullable(),
});

const tls = z.object({
  protocol: z.string(),
  cipher: z.string(),
  alpn: z.string().nullable(),
  servername: z.string(),
  chainError: z.string().nullable(),
  nameError: z.string().nullable(),
  chain: list(certificate, 100),
});

const binding = z.object({
  mapped: endpoint,
  software: z.string().nullable(),
  rttMs: duration.nullable(),
  sent: count,
});

const challenge = z.discriminatedUnion('granted', [
  z.object({
    granted: z.literal(false),
    code: z.number(),
    realm: z.string().nullable(),
    nonce: z.boolean(),
  }),
  z.object({ granted: z.literal(true), relayed: endpoint }),
]);

const allocation = z.object({
  relayed: endpoint,
  mapped: endpoint.nullable(),
  lifetimeSeconds: z.number(),
  rttMs: duration.nullable(),
});

const gathering = z.object({
  candidates: list(
    z.object({
      type: z.enum(['host', 'srflx', 'prflx', 'relay']),
      // An IP address, or a name of mDNS (RFC 8828 §5.2).
      address: z.string(),
      port: z.number(),
      protocol: z.string(),
      atMs: duration,
    }),
  ),
  complete: z.boolean(),
  stunUntried: z.string().nullable(),
  relayFailure: failure.nullable(),
  attempts: count,
  durationMs: duration,
});

const distribution = z.object({ min: z.number(), p50: z.number(), p95: z.number(), max: z.number() });

const audio = z.object({
  direction: z.enum(['caller-to-callee', 'callee-to-caller']),
  sent: count,
  received: count,
  lossRatio: ratio,
  duplicates: count,
  reordered: count,
  jitterMs: duration,
  jitterMeanMs: duration,
  jitterMaxMs: duration,
  delayVariationMs: distribution.nullable(),
  delayMs: distribution.nullable(),
  rttMs: duration.nullable(),
  mos: z.number().nullable(),
  lastReceivedMs: z.number().nullable(),
});

const call = z.object({
  transport,
  connectMs: duration.nullable(),
  connectError: z.string().nullable(),
  lostHandshake: z.boolean(),
  attempts: count,
  endedBecause: z
    .object({
      kind: z.enum(['relay-lost', 'server-silent', 'connection-ended']),
      detail: z.string(),
      atMs: duration,
    })
    .nullable(),
  pacing: z.object({ due: count, skipped: count }).nullable(),
  longestStallMs: duration,
  pairs: list(z.object({ local: z.string(), remote: z.string(), relayed: z.boolean() })),
  audio: list(audio, 2),
  dataChannel: z.object({ sent: count, received: count, rttMs: duration.nullable() }).nullable(),
  relay: z.object({
    relayed: list(endpoint.nullable(), 2),
    allocateMs: duration.nullable(),
    lost: list(z.object({ atMs: duration, failure })),
    released: z.boolean(),
  }),
});

const lifetime = z.object({ lifetimeSeconds: z.number() });
const seenFrom = z.object({ seenFrom: endpoint });

const identities = z.object({
  answers: list(
    z.object({
      code: z.number().nullable(),
      realm: z.string().nullable(),
      software: z.string().nullable(),
      signed: z.number().nullable(),
    }),
  ),
});

const peer = z.object({
  source: address.nullable(),
  mappings: list(z.object({ server: endpoint, source: address.nullable(), mapped: endpoint })),
  permitted: list(address),
});

const outside = z.object({
  url: z.string(),
  peer: endpoint,
  direct: attempt(z.object({ mapped: endpoint })),
  permission: attempt(z.object({ peer: address })),
  echo: attempt(seenFrom),
  inbound: attempt(z.object({ from: endpoint })),
  arrival: attempt(z.object({ seenFrom: endpoint.nullable() })),
});

const ports = z.object({
  wanted: count,
  from: z.enum(['here', 'outside']),
  samples: list(z.object({ relayed: endpoint, answered: z.boolean().nullable() }), 500),
  stopped: failure.nullable(),
});

const targetObservations = z.object({
  connect: attempt(z.object({ local: endpoint, firstTry: failure.optional() })),
  tls: attempt(tls),
  binding: attempt(binding),
  challenge: attempt(challenge),
  alternate: attempt(z.object({ server: endpoint, answer: challenge })),
  identities: attempt(identities),
  allocate: attempt(allocation),
  redirects: list(endpoint),
  permission: attempt(z.object({ peer: address })),
  publicPeers: attempt(z.object({ allowed: list(address), denied: list(address) })),
  channel: attempt(z.object({ peer: endpoint, channel: z.number() })),
  peer: attempt(peer),
  inbound: attempt(seenFrom),
  outbound: attempt(z.object({ peer: endpoint, from: endpoint })),
  reply: attempt(seenFrom),
  outside: attempt(outside).nullable(),
  ports: attempt(ports).nullable(),
  refresh: attempt(lifetime),
  release: attempt(lifetime),
  recheck: attempt(binding),
  gathering: attempt(gathering),
  call: attempt(call),
}) satisfies z.ZodType<Omit<TargetFacts, 'target'>>;

function isTurnUri(text: string): boolean {
  try {
    parseTurnUri(text);
    return true;
  } catch (error) {
    if (!(error instanceof RtcOpsError)) throw error;
    return false;
  }
}

const uri = z.string().refine(isTurnUri, 'must be a TURN or STUN URI');

const target = z.object({
  url: uri,
  scheme: z.enum(['stun', 'stuns', 'turn', 'turns']),
  host,
  address,
  family: z.literal([4, 6]),
  port: z.int().min(0).max(65535),
  transport,
}) satisfies z.ZodType<TargetFacts['target']>;

const from = z.object({ from: endpoint });
const changedOrigin = z.object({ addressAndPort: attempt(from), port: attempt(from) });

const nat = z.object({
  url: z.string(),
  host,
  family: z.literal([4, 6]),
  server: endpoint,
  binding: attempt(
    z.object({ local: endpoint, mapped: endpoint, xored: z.boolean(), other: endpoint.nullable() }),
  ),
  mappings: list(z.object({ to: endpoint, answer: attempt(z.object({ mapped: endpoint })) })),
  filtering: changedOrigin,
  control: changedOrigin,
  hairpin: attempt(z.object({ from: endpoint, mapped: endpoint })),
  lifetime: attempt(z.object({ aliveMs: duration, goneMs: duration.nullable() })).nullable(),
}) satisfies z.ZodType<NatFacts>;

const asked = z.object({
  callDurationMs: duration.nullable(),
  peer: z.string().nullable(),
  ports: count.nullable(),
  nat: z.object({ lifetimeMs: duration.nullable() }).nullable(),
  controls: list(uri),
}) satisfies z.ZodType<Asked>;

const observations = z.object({
  /** Reports did not always have it: see `askedBefore`. */
  asked: asked.optional(),
  interfaces: list(z.object({ interface: z.string(), address, prefixLength: z.int().min(0).max(128) })),
  credential: z.discriminatedUnion('source', [
    z.object({ source: z.literal('none') }),
    z.object({
      source: z.enum(['secret', 'given']),
      username: z.string(),
      expiresAt: z.number().nullable(),
    }),
  ]),
  names: list(
    z.object({
      host,
      isControl: z.boolean(),
      lookup: attempt(z.object({ addresses: list(z.string()) })),
    }),
  ),
  callDurationMs: duration.nullable(),
  controls: list(targetObservations.extend({ target: target })),
  nat: list(nat).nullable(),
}) satisfies z.ZodType<
  Omit<Observations, 'startedAt' | 'durationMs' | 'targets' | 'asked'> & { asked?: Asked | undefined }
>;

const criteria = z.object({
  require: list(z.string()).nullable(),
  maxRttMs: duration.nullable(),
  maxLossRatio: ratio.nullable(),
  maxJitterMs: duration.nullable(),
  minMos: z.number().nullable(),
  failOn: z.enum(['error', 'warning']),
  now: date,
}) satisfies z.ZodType<ReportCriteria>;

/** What is looked at first, so that a report of another command or version is told as such. */
export const reportHead = z.object({
  schemaVersion: z.number(),
  tool: z.object({ name: z.string() }),
  command: z.string(),
});

export const reportSchema = z.object({
  schemaVersion: z.literal(schemaVersion),
  startedAt: date,
  durationMs: duration,
  criteria,
  targets: list(target.extend({ observations: targetObservations })),
  observations,
});
