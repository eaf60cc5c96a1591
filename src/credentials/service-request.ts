import { RtcOpsError } from '../model/error.ts';

/** What a request for a credential asks for (draft-uberti-behave-turn-rest-00 §2.1), and `ttl`, which others have added. */
export interface CredentialRequest {
  readonly username: string | undefined;
  readonly ttlSeconds: number | undefined;
}

type Parameters = Readonly<Record<string, unknown>>;

/**
 * Reads the parameters, of the query or of the body; the body wins.
 * @throws RtcOpsError `usage` for one that cannot be understood
 */
export function readRequest(parameters: Parameters, needsService: boolean): CredentialRequest {
  const service = textOf(parameters, 'service');
  if (service === undefined ? needsService : service !== 'turn') {
    throw new RtcOpsError('usage', 'the parameter service must be turn');
  }
  const ttl = textOf(parameters, 'ttl');
  if (ttl !== undefined && !/^[1-9]\d{0,9}$/.test(ttl)) {
    throw new RtcOpsError('usage', 'the parameter ttl must be whole seconds, at least one');
  }
  return {
    // Clients with no user send the parameter empty.
    username: textOf(parameters, 'username') || undefined,
    ttlSeconds: ttl === undefined ? undefined : Number(ttl),
  };
}

/** The API key of a request; null when it has none. Headers come first: they stand in the log of no proxy. */
export function readKey(
  headers: { readonly authorization?: string | undefined; readonly 'x-api-key'?: unknown },
  parameters: Parameters,
): string | null {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  // `key` is that of the draft; `api` is what clients sent before it, and Janus still does.
  const given = bearer ?? headers['x-api-key'] ?? parameters['key'] ?? parameters['api'];
  return typeof given === 'string' && given !== '' ? given : null;
}

function textOf(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new RtcOpsError('usage', `the parameter ${name} must be one text`);
}
