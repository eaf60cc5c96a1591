import { z } from 'zod';
import { isIP } from 'node:net';
import { isHost } from '../model/turn-uri.ts';
import { normalAddress, parseAddressPair, parseNetwork } from './address.ts';
import { closest } from './suggestion.ts';

/** A map that knows all its keys. Of unknown ones it says, a line each, what they may be. */
function map<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, Object.keys(shape))).join('\n')
        : null,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = closest(key, known);
  return meant === null
    ? `there is no such key; there are ${known.join(', ')}`
    : `there is no such key; did you mean ${meant}?`;
}

/** A text that `parse` understands; `what` completes "must be …". */
function parsed<T>(parse: (text: string) => T | null, what: string): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: `must be ${what}` });
    return z.NEVER;
  });
}

const address = parsed((text) => (isIP(text) ? normalAddress(text) : null), 'an IP address');

const addressPair = parsed(
  parseAddressPair,
  'PUBLIC or PUBLIC/PRIVATE, two IP addresses of one family such as 203.0.113.10/172.16.0.10',
);

const network = parsed(parseNetwork, 'an IP address or a network such as 10.0.0.0/8');

const port = z.int().min(1).max(65_535);

const portOrOff = z.union([port, z.literal('off')], { error: 'must be a port (1 to 65535) or off' });

const portRange = parsed((text) => {
  const match = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(text);
  const range = { min: Number(match?.[1]), max: Number(match?.[2]) };
  // Ports below 1024 need rights that coturn gives up after it has opened its listeners.
  return range.min >= 1024 && range.max <= 65_535 && range.min <= range.max ? range : null;
}, 'two ports from 1024 to 65535, the lower one first, such as 49152-65535');

/** What coturn would misread at the ends of a value is refused where it is written (see coturn/serialise.ts). */
const text = z.string().regex(/^[^\p{C}\s"](?:[^\p{C}"]*[^\p{C}\s"])?$/u, {
  error: 'must be text without quotes, line breaks, and blanks around it',
});

// STUN_MAX_REALM_SIZE of coturn; RFC 8489 §14.9 allows a few more bytes, in characters that are not ASCII.
const realm = text.refine((value) => Buffer.byteLength(value) <= 127, { error: 'must be 127 bytes at most' });

const remotePath = text.refine((value) => value.startsWith('/'), {
  error: 'must be an absolute path: it is that of a file on the TURN server',
});

const logTarget = text.refine((value) => value === 'syslog' || value === 'stdout' || value.startsWith('/'), {
  error: 'must be syslog, stdout, or the absolute path of a file on the TURN server',
});

const secretSource = z.union(
  [
    map({ file: z.string().min(1) }),
    map({
      env: z.string().regex(/^[A-Za-z_]\w*$/, { error: 'must be the name of an environment variable' }),
    }),
  ],
  { error: 'must be { file: PATH } or { env: NAME }: secrets do not stand in this file' },
);

const host = z.union(
  [
    z.string().transform((name) => ({ name, addresses: undefined })),
    map({ name: z.string(), addresses: z.array(addressPair).min(1).optional() }),
  ],
  { error: 'must be a name, or { name: …, addresses: […] }' },
);

const hosts = z.array(
  host.refine(({ name }) => isHost(name), { error: 'must be a host name or an IP address' }),
);

// coturn reads quotas with atoi and rates with atol; beyond this it would take another number in silence.
const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** `rtc-ops.yaml` as it is written. What belongs together is checked in constraints.ts. */
export const configSchema = map({
  profile: z.enum(['turn', 'stun-only']).default('turn'),
  realm,
  hosts: hosts.default([]),
  listen: map({
    addresses: z.array(address).default([]),
    udp: portOrOff.default(3478),
    tcp: portOrOff.default(3478),
    tls: portOrOff.optional(),
  }).prefault({}),
  relay: map({
    addresses: z.array(address).default([]),
    ports: portRange.prefault('49152-65535'),
  }).prefault({}),
  auth: map({
    method: z.literal('rest').default('rest'),
    secret: z.union([secretSource, z.array(secretSource).min(1)], {
      error: 'must be { file: PATH } or { env: NAME }, or a list of them',
    }),
  }).optional(),
  tls: z
    .union([z.literal('off'), map({ cert: remotePath, key: remotePath })], {
      error: 'must be off, or { cert: PATH, key: PATH }',
    })
    .default('off'),
  quotas: map({
    userQuota: count.optional(),
    totalQuota: count.optional(),
    maxBps: count.optional(),
    bpsCapacity: count.optional(),
  }).prefault({}),
  peers: map({ allow: z.array(network).default([]), deny: z.array(network).default([]) }).prefault({}),
  logging: map({
    to: logTarget.default('syslog'),
    verbose: z.boolean().default(false),
  }).prefault({}),
});

export type ConfigInput = z.output<typeof configSchema>;
