import { RtcOpsError } from '../model/error.ts';
import { fillTemplate, readTemplate } from '../model/template.ts';
import { formatTurnUri, isTurn, type TurnUri } from '../model/turn-uri.ts';
import { bracketed } from '../model/endpoint.ts';
import type { IssuedCredential } from './issue.ts';
import { isoTime, relativeTime } from './time-text.ts';

export interface ServerCredential extends IssuedCredential {
  /** The servers it is for. */
  readonly uris: readonly TurnUri[];
}

interface Format {
  /** What reads it. */
  readonly summary: string;
  /** Without a server it would say nothing. */
  readonly needsUris: boolean;
  readonly print: (credential: ServerCredential) => string;
}

/** Each form in which a credential is given out. It shows the password: that is what it is for. */
export const credentialFormats = {
  human: { summary: 'to read', needsUris: false, print: human },
  json: { summary: 'for programs', needsUris: false, print: json },
  'ice-servers': { summary: 'iceServers of an RTCPeerConnection', needsUris: true, print: iceServers },
  env: { summary: 'variables for a .env file or a shell', needsUris: true, print: env },
  uri: { summary: 'turn://USER:PASSWORD@HOST:PORT, as GStreamer takes it', needsUris: true, print: uri },
} as const satisfies Record<string, Format>;

export type CredentialFormat = keyof typeof credentialFormats;

/**
 * Gives out a credential in one format, with a line break at the end.
 * @throws RtcOpsError `usage` when the format needs servers and there are none, or cannot hold a value
 */
export function formatCredential(format: CredentialFormat, credential: ServerCredential): string {
  const { needsUris, print } = credentialFormats[format];
  if (needsUris && credential.uris.length === 0) {
    throw new RtcOpsError('usage', `the format ${format} names servers, and none is known`, {
      hint: 'Add --url turn:HOST, or hosts to rtc-ops.yaml.',
    });
  }
  return print(credential);
}

function human({ username, password, ttlSeconds, expiresAt, uris }: ServerCredential): string {
  const lines: [string, string][] = [
    ['username', username],
    ['password', password.reveal()],
    ['expires', `${isoTime(expiresAt)} (${relativeTime(ttlSeconds)})`],
    ...uris.map((each, index): [string, string] => [index === 0 ? 'uris' : '', formatTurnUri(each)]),
  ];
  return lines.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join('');
}

function json({ username, password, ttlSeconds, expiresAt, uris }: ServerCredential): string {
  const fields = {
    schemaVersion: 1,
    username,
    password: password.reveal(),
    ttl: ttlSeconds,
    expiresAt,
    uris: uris.map(formatTurnUri),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** RTCIceServer of W3C WebRTC §4.2.4: credentials stand with turn and turns URIs, and with no others. */
function iceServers({ username, password, uris }: ServerCredential): string {
  const stun = uris.filter((each) => !isTurn(each)).map(formatTurnUri);
  const turn = uris.filter(isTurn).map(formatTurnUri);
  const servers = [
    ...(stun.length > 0 ? [{ urls: stun }] : []),
    ...(turn.length > 0 ? [{ urls: turn, username, credential: password.reveal() }] : []),
  ];
  return `${JSON.stringify(servers, null, 2)}\n`;
}

function env({ username, password, expiresAt, uris }: ServerCredential): string {
  // Between single quotes a shell and the readers of .env files agree on every character but that quote itself.
  if (username.includes("'")) {
    throw new RtcOpsError('usage', 'the format env cannot hold a user with a single quote in it');
  }
  return fillTemplate(readTemplate('turn.env'), {
    username,
    password: password.reveal(),
    uris: uris.map(formatTurnUri).join(','),
    expires: isoTime(expiresAt),
    expiresAt: String(expiresAt),
  });
}

/** The form of `turn-server` of GStreamer's webrtcbin: user and password percent-encoded (RFC 3986 §3.2.1). */
function uri({ username, password, uris }: ServerCredential): string {
  const userinfo = `${encodeURIComponent(username)}:${encodeURIComponent(password.reveal())}`;
  return uris
    .map(({ scheme, host, port, transport }) => {
      if (scheme === 'stun' || scheme === 'stuns') return `${scheme}://${bracketed(host)}:${port}\n`;
      const query = transport === 'udp' ? '' : '?transport=tcp';
      return `${scheme}://${userinfo}@${bracketed(host)}:${port}${query}\n`;
    })
    .join('');
}
