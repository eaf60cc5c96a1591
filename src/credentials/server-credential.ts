import type { Secret } from '../model/secret.ts';
import { formatTurnUri, isTurn, type TurnUri } from '../model/turn-uri.ts';
import type { IssuedCredential } from './issue.ts';
import { isoTime } from './time-text.ts';

/** A credential, and the servers that it is for. */
export interface ServerCredential {
  readonly username: string;
  readonly password: Secret;
  /** Seconds from now; negative when it has expired already; null when it does not end by itself. */
  readonly ttlSeconds: number | null;
  /** Seconds since 1970. */
  readonly expiresAt: number | null;
  readonly uris: readonly TurnUri[];
  /** What it was made with; null when somebody else made it. */
  readonly sharedSecret: Secret | null;
}

/** What was issued, together with the servers that it is for. */
export function forServers(
  { username, password, ttlSeconds, expiresAt }: IssuedCredential,
  uris: readonly TurnUri[],
  sharedSecret: Secret,
): ServerCredential {
  // Property by property: a spread takes longer than the HMAC, and there may be a million of them.
  return { username, password, ttlSeconds, expiresAt, uris, sharedSecret };
}

/** RTCIceServer of W3C WebRTC §4.2.4. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** The servers for an RTCPeerConnection: credentials stand with turn and turns URIs, and with no others. */
export function iceServersOf({ username, password, uris }: ServerCredential): IceServer[] {
  const stun = uris.filter((each) => !isTurn(each)).map(formatTurnUri);
  const turn = uris.filter(isTurn).map(formatTurnUri);
  return [
    ...(stun.length > 0 ? [{ urls: stun }] : []),
    ...(turn.length > 0 ? [{ urls: turn, username, credential: password.reveal() }] : []),
  ];
}

/** `good until 2026-01-02T03:04:05Z`, for the head of a file. */
export function validityOf({ expiresAt }: ServerCredential): string {
  return expiresAt === null ? 'good until it is revoked' : `good until ${isoTime(expiresAt)}`;
}
