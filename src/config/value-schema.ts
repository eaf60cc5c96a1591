import { isIP } from 'node:net';
import { z } from 'zod';
import { RtcOpsError } from '../model/error.ts';
import { resolvePublicStun } from '../model/public-stun.ts';
import { isHost, parseTurnUri, type TurnUri } from '../model/turn-uri.ts';
import { normalAddress, parseAddressPair, parseNetwork } from './address.ts';
import { closest } from './suggestion.ts';

/** A map that knows all its keys. Of unknown ones it says, a line each, what they may be. */
export function map<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
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

export const address = parsed((text) => (isIP(text) ? normalAddress(text) : null), 'an IP address');

export const addressPair = parsed(
  parseAddressPair,
  'PUBLIC or PUBLIC/PRIVATE, two IP addresses of one family such as 203.0.113.10/172.16.0.10',
);

export const network = parsed(parseNetwork, 'an IP address or a network such as 10.0.0.0/8');

export const hostName = z.string().refine(isHost, { error: 'must be a host name or an IP address' });

export const port = z.int().min(1).max(65_535);

export const portOrOff = z.union([port, z.literal('off')], { error: 'must be a port (1 to 65535) or off' });

export const portRange = parsed((text) => {
  const match = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(text);
  const range = { min: Number(match?.[1]), max: Number(match?.[2]) };
  // Ports below 1024 need rights that coturn gives up after it has opened its listeners.
  return range.min >= 1024 && range.max <= 65_535 && range.min <= range.max ? range : null;
}, 'two ports from 1024 to 65535, the lower one first, such as 49152-65535');

/** What coturn would misread at the ends of a value is refused where it is written (see coturn/serialise.ts). */
export const text = z.string().regex(/^[^\p{C}\s"](?:[^\p{C}"]*[^\p{C}\s"])?$/u, {
  error: 'must be text without quotes, line breaks, and blanks around it',
});

// STUN_MAX_REALM_SIZE of coturn; RFC 8489 §14.9 allows a few more bytes, in characters that are not ASCII.
export const realm = text.refine((value) => Buffer.byteLength(value) <= 127, {
  error: 'must be 127 bytes at most',
});

/** A part of a connection string of coturn: blanks and quotes would end it. */
export const word = z.string().regex(/^[^\p{C}\s"'\\=]+$/u, {
  error: 'must be text without blanks, quotes, = and \\',
});

export const remotePath = text.refine((value) => value.startsWith('/'), {
  error: 'must be an absolute path: it is that of a file on the TURN server',
});

export const localPath = z.string().min(1);

export const logTarget = text.refine(
  (value) => value === 'syslog' || value === 'stdout' || value.startsWith('/'),
  { error: 'must be syslog, stdout, or the absolute path of a file on the TURN server' },
);

export const variableName = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, { error: 'must be the name of an environment variable' });

export const secretSource = z.union([map({ file: localPath }), map({ env: variableName })], {
  error: 'must be { file: PATH } or { env: NAME }: secrets do not stand in this file',
});

// coturn splits a user from the password at the first colon.
export const userName = z.string().regex(/^[^\p{C}\s":;#=]{1,128}$/u, {
  error: 'must be a name of at most 128 characters without blanks, quotes and any of : ; # =',
});

export const stunUri = parsed(
  stunUriOf,
  'the URI of a STUN server over UDP, such as stun:stun.example.org:3478, or google, cloudflare, openrelay',
);

function stunUriOf(value: string): TurnUri | null {
  try {
    const uri = parseTurnUri(resolvePublicStun(value));
    return uri.scheme === 'stun' && uri.transport === 'udp' ? uri : null;
  } catch (error) {
    if (error instanceof RtcOpsError) return null;
    throw error;
  }
}

export const webUrl = z.url({ protocol: /^https$/, error: 'must be a URL that begins with https://' });

export const email = z.email({ error: 'must be an e-mail address' });

// coturn reads quotas with atoi and rates with atol; beyond this it would take another number in silence.
export const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
