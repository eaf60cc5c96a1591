import { z } from 'zod';
import type { SecretSource } from './secret-source.ts';
import { RtcOpsError } from '../model/error.ts';
import { resolvePublicStun } from '../model/public-stun.ts';
import { isTurn, parseTurnUri, type TurnUri } from '../model/turn-uri.ts';
import * as value from './value-schema.ts';

/** Somebody else's servers, in place of our own. */
export type ProviderConfig =
  | {
      readonly kind: HostedProvider;
      /** What identifies the account, and is no secret: `app`, `accountSid`, … */
      readonly settings: Readonly<Record<string, string>>;
      readonly secret: SecretSource;
      /** The key that `secret` stands under, for messages. */
      readonly secretKey: string;
      /** Another address than that of the provider; null for none. */
      readonly endpoint: string | null;
    }
  | {
      readonly kind: 'static';
      readonly uris: readonly TurnUri[];
      /** Null for servers that need no credential. */
      readonly user: { readonly name: string; readonly password: SecretSource } | null;
    };

export type HostedProvider = 'metered' | 'twilio' | 'xirsys' | 'cloudflare';

// A part of a URL or of a header: nothing in it needs escaping.
const identifier = z
  .string()
  .regex(/^[\w.-]{1,128}$/, { error: 'must be letters, digits and . _ - (128 at most)' });

const endpoint = z
  .string()
  .refine(isEndpoint, { error: 'must be a URL that begins with https:// (or http:// on this machine)' })
  .optional()
  .describe('Another address of the API, such as that of a proxy.');

/** What would send a secret over the network for all to read is none. */
function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isHere);
}

const uri = z.string().transform((text, context) => {
  try {
    return parseTurnUri(resolvePublicStun(text));
  } catch (error) {
    if (!(error instanceof RtcOpsError)) throw error;
    context.addIssue({
      code: 'custom',
      message: 'must be a turn: or stun: URI, google, cloudflare or openrelay',
    });
    return z.NEVER;
  }
});

const hosted = {
  metered: value.map({
    app: identifier.describe('APP of APP.metered.live.'),
    apiKey: value.secretSource.describe('The API key of a credential.'),
    endpoint,
  }),
  twilio: value.map({
    accountSid: identifier.describe('The account, AC….'),
    authToken: value.secretSource.describe('Its auth token.'),
    endpoint,
  }),
  xirsys: value.map({
    ident: identifier.describe('The name of the account.'),
    channel: identifier.describe('The path of the channel.'),
    secret: value.secretSource.describe('The secret of the account.'),
    endpoint,
  }),
  cloudflare: value.map({
    keyId: identifier.describe('The ID of the TURN key.'),
    apiToken: value.secretSource.describe('Its API token.'),
    endpoint,
  }),
};

const secretKeys = {
  metered: 'apiKey',
  twilio: 'authToken',
  xirsys: 'secret',
  cloudflare: 'apiToken',
} as const;

/** `provider` of rtc-ops.yaml. */
export const providerSchema = value
  .map({
    metered: hosted.metered.optional().describe('Metered: an API key.'),
    twilio: hosted.twilio.optional().describe('Twilio: the Network Traversal Service.'),
    xirsys: hosted.xirsys.optional().describe('Xirsys: a channel.'),
    cloudflare: hosted.cloudflare.optional().describe('Cloudflare Realtime: a TURN key.'),
    static: value
      .map({
        urls: z
          .array(uri)
          .min(1)
          .describe('turn: and stun: URIs; google, cloudflare, openrelay for their STUN.'),
        username: value.text.optional().describe('The user of the turn: URIs.'),
        password: value.secretSource.optional().describe('Its password.'),
      })
      .refine(({ username, password }) => (username === undefined) === (password === undefined), {
        error: 'needs username and password, or neither',
      })
      .refine(({ urls, username }) => username !== undefined || !urls.some(isTurn), {
        error: 'needs username and password for its turn: URIs',
      })
      .optional()
      .describe('Servers with a user that does not change.'),
  })
  .refine((given) => Object.keys(given).length === 1, {
    error: 'must be one of metered, twilio, xirsys, cloudflare and static',
  })
  .describe('A hosted TURN service in place of servers of our own: credentials come from its API.');

/** What was written, in the form in which it is used. */
export function providerOf(input: z.output<typeof providerSchema> | undefined): ProviderConfig | null {
  if (input === undefined) return null;
  if (input.static !== undefined) {
    const { urls, username, password } = input.static;
    const user = username === undefined || password === undefined ? null : { name: username, password };
    return { kind: 'static', uris: urls, user };
  }
  for (const kind of ['metered', 'twilio', 'xirsys', 'cloudflare'] as const) {
    const given = input[kind];
    if (given === undefined) continue;
    const secretKey = secretKeys[kind];
    const settings: Record<string, string> = {};
    let secret: SecretSource | undefined;
    for (const [key, setting] of Object.entries(given)) {
      if (typeof setting === 'object') secret = setting;
      else if (setting !== undefined && key !== 'endpoint') settings[key] = setting;
    }
    if (secret === undefined) throw new RtcOpsError('bug', `provider.${kind} has no secret`);
    return { kind, settings, secret, secretKey, endpoint: given.endpoint ?? null };
  }
  return null;
}
