import { RtcOpsError, reasonOf } from '../model/error.ts';
import { printable } from '../model/printable.ts';
import { Secret } from '../model/secret.ts';
import { parseTurnUri, formatTurnUri, isTurn, type TurnUri } from '../model/turn-uri.ts';
import type { ServerCredential } from './server-credential.ts';

/** An account with a provider. */
export interface ProviderAccount {
  readonly kind: ProviderKind;
  readonly settings: Readonly<Record<string, string>>;
  readonly secret: Secret;
  /** In place of the provider's own address; null for that. */
  readonly endpoint: string | null;
}

export interface Wish {
  /** As long as this, where the provider lets itself be told. */
  readonly ttlSeconds: number;
  readonly user: string | undefined;
}

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What an answer says: the servers, or why there are none. */
type ApiAnswer =
  { readonly iceServers: unknown; readonly ttlSeconds: number | null } | { readonly refusal: string };

interface Api {
  readonly endpoint: (settings: ProviderAccount['settings']) => string;
  readonly takesUser: boolean;
  readonly request: (settings: ProviderAccount['settings'], secret: string, wish: Wish) => ApiRequest;
  readonly read: (body: object, wish: Wish) => ApiAnswer;
}

const jsonType = { 'content-type': 'application/json' };

/** The documented APIs, as pairs of a request and what its answer means. */
const apis = {
  // metered.ca/docs/turn-rest-api/get-credential: the answer is the list itself. How long it is good for was said when
  // the API key was made, and is not said here.
  metered: {
    endpoint: ({ app }) => `https://${app}.metered.live`,
    takesUser: false,
    request: (_, secret) => ({
      method: 'GET',
      path: `/api/v1/turn/credentials?apiKey=${encodeURIComponent(secret)}`,
    }),
    read: (body) => ({ iceServers: body, ttlSeconds: null }),
  },
  // twilio.com/docs/stun-turn/api: the lifetime comes back as a text.
  twilio: {
    endpoint: () => 'https://api.twilio.com',
    takesUser: false,
    request: ({ accountSid = '' }, secret, { ttlSeconds }) => ({
      method: 'POST',
      path: `/2010-04-01/Accounts/${accountSid}/Tokens.json`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic(accountSid, secret) },
      body: `Ttl=${ttlSeconds}`,
    }),
    read: (body) => ({
      iceServers: memberOf(body, 'ice_servers'),
      ttlSeconds: secondsIn(memberOf(body, 'ttl')),
    }),
  },
  // docs.xirsys.com, TURN: errors come with status 200, as { s: "error", v: why }.
  xirsys: {
    endpoint: () => 'https://global.xirsys.net',
    takesUser: false,
    request: ({ ident = '', channel }, secret, { ttlSeconds }) => ({
      method: 'PUT',
      path: `/_turn/${channel}`,
      headers: { ...jsonType, ...basic(ident, secret) },
      body: JSON.stringify({ format: 'urls', expire: String(ttlSeconds) }),
    }),
    read: (body, { ttlSeconds }) => {
      const value = memberOf(body, 'v');
      if (memberOf(body, 's') === 'error') return { refusal: String(value) };
      return { iceServers: memberOf(value, 'iceServers'), ttlSeconds };
    },
  },
  // developers.cloudflare.com/realtime/turn/generate-credentials
  cloudflare: {
    endpoint: () => 'https://rtc.live.cloudflare.com',
    takesUser: true,
    request: ({ keyId }, secret, { ttlSeconds, user }) => ({
      method: 'POST',
      path: `/v1/turn/keys/${keyId}/credentials/generate-ice-servers`,
      headers: { ...jsonType, authorization: `Bearer ${secret}` },
      body: JSON.stringify({ ttl: ttlSeconds, ...(user !== undefined && { customIdentifier: user }) }),
    }),
    read: (body, { ttlSeconds }) => ({ iceServers: memberOf(body, 'iceServers'), ttlSeconds }),
  },
} as const satisfies Record<string, Api>;

export type ProviderKind = keyof typeof apis;

const mostAnswerBytes = 65_536;

/**
 * Asks a provider for a credential.
 * @throws RtcOpsError `tool-failed` when there is none to be had, `usage` for a wish that the provider cannot fulfil
 */
export async function askProvider(
  account: ProviderAccount,
  wish: Wish,
  options: { readonly now: Date; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ServerCredential> {
  const { kind, settings, secret } = account;
  const api: Api = apis[kind];
  if (wish.user !== undefined && !api.takesUser) {
    throw new RtcOpsError('usage', `${kind} makes up its users itself: leave the user out`);
  }
  const request = api.request(settings, secret.reveal(), wish);
  const { status, headers, text } = await exchange(account, request, options);
  const body = jsonIn(text);
  if (status < 200 || status > 299)
    throw refused(account, status, reasonIn(body), headers.get('retry-after'));
  if (body === null) throw failed(account, 'answers with something that is not JSON');
  const answer = api.read(body, wish);
  if ('refusal' in answer) throw refused(account, status, answer.refusal, null);
  const { username, password, uris } = serversIn(account, answer.iceServers);
  const { ttlSeconds } = answer;
  const expiresAt = ttlSeconds === null ? null : Math.floor(options.now.getTime() / 1000) + ttlSeconds;
  return { username, password, uris, ttlSeconds, expiresAt, sharedSecret: null };
}

async function exchange(
  account: ProviderAccount,
  { method, path, headers = {}, body }: ApiRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<{ status: number; headers: Headers; text: string }> {
  const { kind, settings, endpoint } = account;
  const base = (endpoint ?? apis[kind].endpoint(settings)).replace(/\/$/, '');
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { accept: 'application/json', ...headers },
      // What redirects elsewhere is not the API, and would be sent the secret.
      redirect: 'error',
      signal: AbortSignal.any([late, signal]),
      ...(body !== undefined && { body }),
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > mostAnswerBytes) throw failed(account, `answers with more than ${mostAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return {
      status: response.status,
      headers: response.headers,
      text: Buffer.concat(chunks).toString('utf8'),
    };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof RtcOpsError) throw cause;
    if (late.aborted) throw failed(account, `did not answer within ${timeoutMs / 1000} s`);
    // The message of fetch is "fetch failed"; what failed is its cause.
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw failed(account, `cannot be reached: ${reasonOf(inner)}`);
  }
}

function serversIn(
  account: ProviderAccount,
  iceServers: unknown,
): Pick<ServerCredential, 'username' | 'password' | 'uris'> {
  const uris: TurnUri[] = [];
  let user: { username: string; credential: string } | null = null;
  // Xirsys gives one server where the others give a list.
  for (const server of Array.isArray(iceServers) ? iceServers : [iceServers]) {
    const urls: unknown = memberOf(server, 'urls') ?? memberOf(server, 'url');
    const found = (Array.isArray(urls) ? urls : [urls]).map((url) => uriIn(account, url));
    uris.push(...found);
    const [username, credential] = [memberOf(server, 'username'), memberOf(server, 'credential')];
    if (!found.some(isTurn)) continue;
    if (typeof username !== 'string' || typeof credential !== 'string') {
      throw failed(account, 'names a TURN server without a username and a credential');
    }
    if (user !== null && (user.username !== username || user.credential !== credential)) {
      throw failed(account, 'gives each server a credential of its own, which no format can hold');
    }
    user = { username, credential };
  }
  if (user === null) throw failed(account, 'names no TURN server');
  const unique = uris.filter(
    (each, index) => uris.findIndex((other) => formatTurnUri(other) === formatTurnUri(each)) === index,
  );
  return { username: user.username, password: new Secret(user.credential), uris: unique };
}

function uriIn(account: ProviderAccount, url: unknown): TurnUri {
  if (typeof url !== 'string') throw failed(account, 'answers with something that is no list of ICE servers');
  try {
    return parseTurnUri(url);
  } catch (cause) {
    throw failed(account, `names a server that is none: ${reasonOf(cause)}`);
  }
}

function failed({ kind, secret }: ProviderAccount, what: string): RtcOpsError {
  // Whatever it is that a provider says, it may repeat what it was sent.
  const said = printable(what.replaceAll(secret.reveal(), '[redacted]'));
  return new RtcOpsError('tool-failed', `provider ${kind} ${said.slice(0, 300)}`);
}

function refused(
  account: ProviderAccount,
  status: number,
  reason: string | null,
  retryAfter: string | null,
): RtcOpsError {
  const why = reason === null ? '' : `: ${reason}`;
  const { message } = failed(account, `refuses (${status})${why}`);
  const hint =
    status === 401 || status === 403 || /unauthorized|forbidden/i.test(reason ?? '')
      ? `Is what stands under provider.${account.kind} in rtc-ops.yaml still valid?`
      : status === 429
        ? `It limits how often it is asked${/^\d+$/.test(retryAfter ?? '') ? `; ask again in ${retryAfter} s` : ''}.`
        : undefined;
  return new RtcOpsError('tool-failed', message, hint === undefined ? {} : { hint });
}

/** Where providers say why: `error` or `message`, or `errors[0].message`. */
function reasonIn(body: unknown): string | null {
  const [first] = [memberOf(body, 'errors')].flat();
  const reasons = [
    memberOf(body, 'message'),
    memberOf(body, 'error'),
    memberOf(first, 'message'),
    memberOf(body, 'v'),
  ];
  return reasons.find((reason) => typeof reason === 'string') ?? null;
}

function jsonIn(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function secondsIn(value: unknown): number | null {
  const seconds = Number(value);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : null;
}

function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
