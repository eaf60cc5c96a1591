import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError, previewOf } from '../model/failure.ts';
import type { Secret } from '../model/secret.ts';
import { isHost } from '../model/turn-uri.ts';
import { alternateServer } from '../stun/address-attributes.ts';
import { firstAttribute, put, putRaw, read, type EncodableAttribute } from '../stun/attribute.ts';
import {
  nonce as nonceAttribute,
  passwordAlgorithm,
  passwordAlgorithmNumber,
  passwordAlgorithms,
  realm as realmAttribute,
  securityFeaturesOf,
  userhash,
  username as usernameAttribute,
} from '../stun/authentication-attributes.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { longTermKey, userhashOf, verifyIntegrity } from '../stun/integrity.ts';
import { alternateDomain, errorCode } from '../stun/message-attributes.ts';
import { encodeMessage, method, type StunMessage } from '../stun/message.ts';
import { opaqueString } from '../stun/opaque-string.ts';
import { lifetime } from '../stun/relay-attributes.ts';
import { malformedFailure, type StunConnection } from './connection.ts';

export interface TurnCredential {
  readonly username: string;
  readonly password: Secret;
}

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** How long the answer to a signed request is still waited for after an abort; not at all when absent. */
  readonly graceMs?: number;
}

export interface Answer {
  readonly message: StunMessage;
  readonly rttMs: number | null;
  readonly sent: number;
}

/** What the server demanded (RFC 8489 §9.2.4), enough to sign requests with. */
interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly key: Uint8Array;
  readonly signed: 'sha1' | 'sha256';
  readonly identity: readonly EncodableAttribute[];
}

/** Thrown when a server sends the client elsewhere (RFC 8489 §10). */
export class TryAlternateError extends AttemptError {
  readonly alternate: Endpoint;
  /** The name in the certificate of the alternate server, where the redirecting one tells it (ALTERNATE-DOMAIN). */
  readonly domain: string | null;

  constructor(alternate: Endpoint, domain: string | null) {
    super({ kind: 'stun-error', code: 300, reason: 'Try Alternate' });
    this.alternate = alternate;
    this.domain = domain;
  }
}

// One 438 is normal when a nonce has expired; a server that answers each new nonce with 438 must not loop us.
const mostStaleNonces = 3;
// RFC 8489 §14.9, §14.10: longer ones are no REALM and no NONCE.
const longestEcho = 763;
// RFC 8489 §14.3.
const longestUsername = 508;

/**
 * Requests with the long-term credential mechanism (RFC 8489 §9.2) over one connection: answers the 401
 * challenge once, follows each 438 with the new nonce, and believes no success that is not signed.
 */
export class TurnSession {
  readonly connection: StunConnection;
  readonly #credential: TurnCredential | null;
  #challenge: Challenge | null = null;

  /** Without a credential a challenge is an error like any other. */
  constructor(connection: StunConnection, credential: TurnCredential | null) {
    this.connection = connection;
    this.#credential = credential;
  }

  get realm(): string | null {
    return this.#challenge?.realm ?? null;
  }

  /**
   * Sends a request and gives its success response.
   * @throws AttemptError `stun-error` for an error response, `malformed` for a challenge that cannot be answered, else
   *   as `StunConnection.exchange`
   * @throws TryAlternateError for 300 with an ALTERNATE-SERVER
   */
  async request(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions,
  ): Promise<Answer> {
    const deadline = performance.now() + options.timeoutMs;
    for (let stale = 0; ;) {
      const challenge = this.#challenge;
      const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
      const answer = await this.#exchange(requestMethod, attributes, { ...options, timeoutMs });
      if (answer.message.class === 'success') return answer;
      reading(answer.message, (message) => {
        const { code } = errorOf(message);
        const challenged =
          (code === 401 && challenge === null) || (code === 438 && stale++ < mostStaleNonces);
        if (!challenged || this.#credential === null) throw failureOf(message);
        this.#challenge = challengeOf(message, this.#credential, this.#challenge?.realm);
      });
    }
  }

  /** Takes realm and nonce from a 401 or 438, so that the next request is signed. False if it cannot be. */
  learn(response: StunMessage): boolean {
    if (this.#credential === null) return false;
    try {
      this.#challenge = challengeOf(response, this.#credential, this.#challenge?.realm);
      return true;
    } catch (error) {
      // The next request meets the same challenge, and says what is wrong with it.
      if (error instanceof AttemptError || error instanceof StunDecodeError) return false;
      throw error;
    }
  }

  /**
   * Asks the server to free what it may have allocated, without waiting for an answer. For an Allocate whose answer
   * is not known, or of no use: it would take a relay port until it expires.
   */
  abandon(): void {
    if (this.#challenge)
      this.connection.send(this.#encode(method.refresh, [put(lifetime, 0)], this.#challenge));
  }

  async #exchange(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions,
  ): Promise<Answer> {
    const challenge = this.#challenge;
    return this.connection.exchange(this.#encode(requestMethod, attributes, challenge), {
      ...options,
      // What is not signed is refused, and changes nothing on the server.
      graceMs: challenge === null ? 0 : (options.graceMs ?? 0),
      distrust: (response) => (challenge === null ? null : distrust(response, challenge)),
    });
  }

  #encode(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    challenge: Challenge | null,
  ): Uint8Array {
    return encodeMessage({
      class: 'request',
      method: requestMethod,
      attributes: challenge ? [...attributes, ...challenge.identity] : attributes,
      ...(challenge ? { integrity: { key: challenge.key, algorithm: challenge.signed } } : {}),
      fingerprint: true,
    });
  }
}

/** Why the response to a signed request is not to be believed, or null. */
function distrust(response: StunMessage, { key }: Challenge): string | null {
  const isError = response.class === 'error';
  // These two come before any check of integrity (RFC 8489 §9.2.5): the server does not know us, or not our nonce.
  if (isError && [401, 438].includes(read(response, errorCode)?.code ?? 0)) return null;
  switch (verifyIntegrity(response, key)) {
    case 'valid':
      return null;
    case 'invalid':
      return 'a response arrived with a wrong MESSAGE-INTEGRITY';
    default:
      // RFC 8489 §9.2.5 has every unsigned answer discarded, as some servers' 400 and 300 would be. What was refused,
      // and why, is what an operator asks; and nobody off the path can know the transaction id.
      return isError ? null : 'a success response arrived without MESSAGE-INTEGRITY';
  }
}

/**
 * What a 401 or 438 demands of the next request.
 * @throws AttemptError `malformed` when it cannot be met; StunDecodeError when it cannot be read
 */
function challengeOf(
  response: StunMessage,
  { username, password }: TurnCredential,
  knownRealm: string | undefined,
): Challenge {
  const nonce = read(response, nonceAttribute);
  const realm = read(response, realmAttribute) ?? knownRealm;
  if (nonce === undefined || realm === undefined) {
    throw unusable(response, `no ${nonce === undefined ? 'NONCE' : 'REALM'}`);
  }
  if (Math.max(Buffer.byteLength(nonce), Buffer.byteLength(realm)) > longestEcho) {
    throw unusable(response, `a REALM or NONCE of more than ${longestEcho} bytes`);
  }
  const features = securityFeaturesOf(nonce);
  if (!features?.usernameAnonymity && Buffer.byteLength(opaqueString(username)) > longestUsername) {
    const detail = `the username has more than ${longestUsername} bytes (RFC 8489 §14.3)`;
    throw new AttemptError({ kind: 'internal', detail });
  }
  const offered = read(response, passwordAlgorithms);
  // Someone on the path took the list away, to have the weaker hash used (RFC 8489 §9.2.1).
  if (features?.passwordAlgorithms && !offered)
    throw unusable(response, 'no PASSWORD-ALGORITHMS, but a nonce that announces them');
  // The server's order is its preference (§9.2.5).
  const chosen = offered?.find(({ number }) => number in hashOfAlgorithm);
  if (offered && !chosen) throw unusable(response, 'no password algorithm that is known here');
  return {
    realm,
    nonce,
    key: longTermKey(username, realm, password.reveal(), chosen ? hashOfAlgorithm[chosen.number] : 'md5'),
    signed: chosen ? 'sha256' : 'sha1',
    identity: [
      features?.usernameAnonymity
        ? put(userhash, userhashOf(username, realm))
        : put(usernameAttribute, username),
      put(realmAttribute, realm),
      put(nonceAttribute, nonce),
      ...(chosen ? [echo(response, passwordAlgorithms.type), put(passwordAlgorithm, chosen)] : []),
    ],
  };
}

const hashOfAlgorithm: Readonly<Record<number, 'md5' | 'sha256'>> = {
  [passwordAlgorithmNumber.md5]: 'md5',
  [passwordAlgorithmNumber.sha256]: 'sha256',
};

function unusable(response: StunMessage, what: string): AttemptError {
  const detail = `error ${errorOf(response).code} with ${what} cannot be answered`;
  return new AttemptError({ kind: 'malformed', detail, preview: previewOf(response.bytes) });
}

/** An attribute of the response, byte for byte. */
function echo(response: StunMessage, type: number): EncodableAttribute {
  return putRaw(type, Uint8Array.from(firstAttribute(response, type)?.value ?? []));
}

/**
 * Reads attributes of an answer.
 * @throws AttemptError `malformed` when one of them cannot be read
 */
export function reading<T>(message: StunMessage, work: (message: StunMessage) => T): T {
  try {
    return work(message);
  } catch (error) {
    if (!(error instanceof StunDecodeError)) throw error;
    throw new AttemptError(malformedFailure(error, message.bytes));
  }
}

/** The error of an error response, as a throwable. */
export function failureOf(response: StunMessage): AttemptError {
  const { code, reason } = errorOf(response);
  const alternate = code === 300 ? read(response, alternateServer) : undefined;
  if (alternate) {
    const domain = read(response, alternateDomain);
    // What is no name can neither be asked for by SNI nor stand in a certificate.
    return new TryAlternateError(alternate, domain !== undefined && isHost(domain) ? domain : null);
  }
  return new AttemptError({ kind: 'stun-error', code, reason });
}

/** @throws AttemptError `malformed` without ERROR-CODE, which an error response must carry (RFC 8489 §6.3.4) */
export function errorOf(response: StunMessage): { code: number; reason: string } {
  const error = read(response, errorCode);
  if (error === undefined) {
    const detail = 'an error response without ERROR-CODE';
    throw new AttemptError({ kind: 'malformed', detail, preview: previewOf(response.bytes) });
  }
  // coturn 4.6 counts the padding of some reason phrases as part of them.
  return { code: error.code, reason: error.reason.replace(/\0+$/, '') };
}
