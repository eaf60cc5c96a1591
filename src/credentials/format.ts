import { bracketed } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { formatTurnUri, type TurnUri } from '../model/turn-uri.ts';
import { jitsi, livekit, nextcloud, synapse } from './application-format.ts';
import { env, vite } from './environment-format.ts';
import { iceServersOf, type ServerCredential } from './server-credential.ts';
import { dart, js, kotlin, swift } from './source-format.ts';
import { isoTime, relativeTime } from './time-text.ts';

interface Format {
  /** What reads it. */
  readonly summary: string;
  /** Without a server it would say nothing. */
  readonly needsUris: boolean;
  /** For an application that makes credentials itself: no user and no end of ours is in it. */
  readonly isForIssuer?: boolean;
  readonly print: (credential: ServerCredential) => string;
  /** What prints one of many for the same servers, a line each. */
  readonly lines?: (uris: readonly TurnUri[]) => (credential: ServerCredential) => string;
}

/** Each form in which a credential is given out. It shows what is secret: that is what it is for. */
export const credentialFormats = {
  human: { summary: 'to read', needsUris: false, print: human, lines: () => humanLine },
  json: {
    summary: 'for programs',
    needsUris: false,
    print: (credential) => `${JSON.stringify(fieldsOf(credential), null, 2)}\n`,
    lines: jsonLines,
  },
  'ice-servers': {
    summary: 'iceServers of an RTCPeerConnection',
    needsUris: true,
    print: (credential) => `${JSON.stringify(iceServersOf(credential), null, 2)}\n`,
    lines: () => (credential) => `${JSON.stringify(iceServersOf(credential))}\n`,
  },
  env: { summary: 'variables for a .env file or a shell', needsUris: true, print: env },
  vite: { summary: 'variables for a .env file of Vite', needsUris: true, print: vite },
  js: { summary: 'a module for browsers and Node.js', needsUris: true, print: js },
  dart: { summary: 'for flutter_webrtc', needsUris: true, print: dart },
  swift: { summary: 'for WebRTC on iOS', needsUris: true, print: swift },
  kotlin: { summary: 'for WebRTC on Android', needsUris: true, print: kotlin },
  uri: {
    summary: 'turn://USER:PASSWORD@HOST:PORT, as GStreamer takes it',
    needsUris: true,
    print: uri,
    lines: () => uri,
  },
  synapse: {
    summary: 'for homeserver.yaml of Synapse, with the shared secret',
    needsUris: true,
    isForIssuer: true,
    print: synapse,
  },
  nextcloud: {
    summary: 'for occ config:import of Nextcloud (Talk), with the shared secret',
    needsUris: true,
    isForIssuer: true,
    print: nextcloud,
  },
  jitsi: {
    summary: 'for Prosody of Jitsi Meet, with the shared secret',
    needsUris: true,
    isForIssuer: true,
    print: jitsi,
  },
  livekit: {
    summary: 'for config.yaml of LiveKit, with the shared secret',
    needsUris: true,
    isForIssuer: true,
    print: livekit,
  },
} as const satisfies Record<string, Format>;

export type CredentialFormat = keyof typeof credentialFormats;

/** Whether it is for an application that issues by itself; see Format. */
export function isForIssuer(format: CredentialFormat): boolean {
  const { isForIssuer: answer = false }: Format = credentialFormats[format];
  return answer;
}

/**
 * Gives out a credential in one format, with a line break at the end.
 * @throws RtcOpsError `usage` when the format needs servers and there are none, or cannot hold a value
 */
export function formatCredential(format: CredentialFormat, credential: ServerCredential): string {
  requireUris(format, credential);
  refuseControls(credential);
  return credentialFormats[format].print(credential);
}

/**
 * Gives what prints one of many credentials for the same servers, each on lines of its own.
 * @throws RtcOpsError `usage` when the format is one for a file with a single credential, or needs servers
 */
export function credentialLines(
  format: CredentialFormat,
  { uris }: Pick<ServerCredential, 'uris'>,
): (credential: ServerCredential) => string {
  const { lines }: Format = credentialFormats[format];
  if (lines === undefined) {
    const several = Object.entries<Format>(credentialFormats).filter(([, each]) => each.lines !== undefined);
    throw new RtcOpsError(
      'usage',
      `the format ${format} holds one credential, and --count asks for several`,
      {
        hint: `Take one of ${several.map(([name]) => name).join(', ')}.`,
      },
    );
  }
  requireUris(format, { uris });
  return lines(uris);
}

function requireUris(format: CredentialFormat, { uris }: Pick<ServerCredential, 'uris'>): void {
  if (!credentialFormats[format].needsUris || uris.length > 0) return;
  throw new RtcOpsError('usage', `the format ${format} names servers, and none is known`, {
    hint: 'Add --url turn:HOST, or hosts to rtc-ops.yaml.',
  });
}

/** A line break would end the line that it stands in; none of the formats has to know how each language writes one. */
function refuseControls({ username, password, sharedSecret }: ServerCredential): void {
  for (const [what, value] of [
    ['username', username],
    ['password', password.reveal()],
    ['shared secret', sharedSecret?.reveal() ?? ''],
  ] as const) {
    if (!/[\p{Cc}\u2028\u2029]/u.test(value)) continue;
    throw new RtcOpsError('usage', `the ${what} has a line break or another control character in it`);
  }
}

function human({ username, password, ttlSeconds, expiresAt, uris }: ServerCredential): string {
  const lines: [string, string][] = [
    ['username', username],
    ['password', password.reveal()],
    ['expires', expiryText(ttlSeconds, expiresAt)],
    ...uris.map((each, index): [string, string] => [index === 0 ? 'uris' : '', formatTurnUri(each)]),
  ];
  return lines.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join('');
}

function expiryText(ttlSeconds: number | null, expiresAt: number | null): string {
  if (ttlSeconds === null || expiresAt === null) return 'not by itself';
  return `${isoTime(expiresAt)} (${relativeTime(ttlSeconds)})`;
}

function humanLine({ username, password }: ServerCredential): string {
  return `${username} ${password.reveal()}\n`;
}

/** The public form of a credential. */
function fieldsOf({
  username,
  password,
  ttlSeconds,
  expiresAt,
  uris,
}: ServerCredential): Record<string, unknown> {
  return {
    schemaVersion: 1,
    username,
    password: password.reveal(),
    ttl: ttlSeconds,
    expiresAt,
    uris: uris.map(formatTurnUri),
  };
}

/** The fields of fieldsOf. Written out, as serialising the same servers again would take longer than the HMAC. */
function jsonLines(uris: readonly TurnUri[]): (credential: ServerCredential) => string {
  const end = `,"uris":${JSON.stringify(uris.map(formatTurnUri))}}\n`;
  return ({ username, password, ttlSeconds, expiresAt }) => {
    const names = `"username":${jsonText(username)},"password":${jsonText(password.reveal())}`;
    return `{"schemaVersion":1,${names},"ttl":${ttlSeconds},"expiresAt":${expiresAt}${end}`;
  };
}

function jsonText(value: string): string {
  return /^[ !#-[\]-~]*$/.test(value) ? `"${value}"` : JSON.stringify(value);
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
