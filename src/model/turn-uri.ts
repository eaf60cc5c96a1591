import { isIP } from 'node:net';
import { RtcOpsError } from './error.ts';
import { bracketed } from './endpoint.ts';

export type TransportKind = 'udp' | 'tcp' | 'tls';

export type TurnScheme = 'stun' | 'stuns' | 'turn' | 'turns';

/** A STUN or TURN URI (RFC 7064, RFC 7065) with its defaults filled in. */
export interface TurnUri {
  readonly scheme: TurnScheme;
  /** A name, or an IP literal without brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: TransportKind;
}

const defaultPort = { stun: 3478, turn: 3478, stuns: 5349, turns: 5349 } as const;

// RFC 7065 §3.1: scheme ":" host [ ":" port ] [ "?transport=" transport ]; host as in RFC 3986 §3.2.2.
const uriPattern = /^(stuns?|turns?):(\[[^\]]*\]|[^:/?#[\]@]*)(?::([^?#/]*))?(?:\?(.*))?$/i;
// RFC 1123 §2.1 letters, digits and hyphens; underscores are seen in private names.
const namePattern = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?$/i;

/**
 * Reads one `stun:`, `stuns:`, `turn:` or `turns:` URI.
 * @throws RtcOpsError `usage`, naming what is wrong and what would be right
 */
export function parseTurnUri(text: string): TurnUri {
  // What stands before an @ may be a password: it is not repeated.
  const shown = JSON.stringify(text.replace(/:.*@/, ':…@'));
  const wrong = (what: string, hint: string): RtcOpsError =>
    new RtcOpsError('usage', `${shown} is not a TURN or STUN URI: ${what}`, { hint });
  refuseCommonMistakes(text, wrong);
  const match = uriPattern.exec(text);
  if (!match) {
    throw wrong(
      'it does not have the form scheme:host[:port][?transport=udp|tcp]',
      'Write turn:HOST, turns:HOST:443?transport=tcp, stun:HOST, or just HOST.',
    );
  }
  const scheme = (match[1] as string).toLowerCase() as TurnScheme;
  const host = parseHost(match[2] as string, wrong);
  const port = match[3] === undefined ? defaultPort[scheme] : parsePort(match[3], wrong);
  return { scheme, host, port, transport: parseTransport(scheme, host, match[4], wrong) };
}

/** What is written so often that it gets an answer of its own. */
function refuseCommonMistakes(text: string, wrong: Wrong): void {
  const [, scheme = '', rest = ''] = /^(stuns?|turns?):(.*)$/is.exec(text) ?? [];
  if (rest.includes('@')) {
    throw wrong(
      'it carries a user name',
      'Give credentials with --username and --password, or --secret-file.',
    );
  }
  if (rest.startsWith('//')) {
    throw wrong(
      'there is no // after the scheme (RFC 7065)',
      `Write ${scheme.toLowerCase()}:${rest.slice(2).replace(/\/.*$/, '')}`,
    );
  }
  const [host = ''] = rest.split('?');
  if (isIP(host) === 6) {
    throw wrong('an IPv6 address stands in brackets', `Write ${scheme.toLowerCase()}:[${host}]`);
  }
}

type Wrong = (what: string, hint: string) => RtcOpsError;

function parseHost(text: string, wrong: Wrong): string {
  if (text.startsWith('[')) {
    const literal = text.slice(1, -1);
    if (isIP(literal) !== 6)
      throw wrong(`[${literal}] is not an IPv6 address`, 'Write turn:[2001:db8::1]:3478.');
    return literal;
  }
  if (text === '') throw wrong('the host is missing', 'Write turn:turn.example.com.');
  if (!isHost(text))
    throw wrong(`${JSON.stringify(text)} is not a host name or IP address`, 'Check the spelling.');
  return text;
}

/** Whether `text` is a host name or an IP literal (IPv6 without brackets). */
export function isHost(text: string): boolean {
  if (isIP(text)) return true;
  // 256.1.1.1 or 1.2.3 must not pass for a name.
  if (/^[0-9.]+$/.test(text)) return false;
  return text.length <= 253 && namePattern.test(text);
}

function parsePort(text: string, wrong: Wrong): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw wrong(`${JSON.stringify(text)} is not a port`, 'A port is 1 to 65535.');
  return port;
}

function parseTransport(
  scheme: TurnScheme,
  host: string,
  query: string | undefined,
  wrong: Wrong,
): TransportKind {
  const secure = scheme === 'stuns' || scheme === 'turns';
  if (query === undefined) return secure ? 'tls' : 'udp';
  const transport = /^transport=(udp|tcp)$/i.exec(query)?.[1]?.toLowerCase();
  if (transport === undefined) {
    throw wrong(
      `${JSON.stringify(`?${query}`)} is not understood`,
      'Only ?transport=udp and ?transport=tcp exist.',
    );
  }
  if (!secure) return transport === 'tcp' ? 'tcp' : 'udp';
  if (transport === 'udp') {
    throw wrong(
      `DTLS (${scheme} with transport=udp) is used by no browser and is not probed`,
      `Write ${scheme}:${bracketed(host)}?transport=tcp`,
    );
  }
  return 'tls';
}

/** The URI in its usual spelling: the default port and transport are left out. */
export function formatTurnUri(uri: TurnUri): string {
  const port = uri.port === defaultPort[uri.scheme] ? '' : `:${uri.port}`;
  // turns means TLS over TCP, which some clients accept only when transport=tcp is spelled out.
  const transport = uri.transport === 'udp' ? '' : '?transport=tcp';
  return `${uri.scheme}:${bracketed(uri.host)}${port}${uri.scheme === 'stuns' ? '' : transport}`;
}

export function isTurn(uri: Pick<TurnUri, 'scheme'>): boolean {
  return uri.scheme === 'turn' || uri.scheme === 'turns';
}
