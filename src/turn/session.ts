import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Secret } from '../model/secret.ts';
import { alternateServer } from '../stun/address-attributes.ts';
import { put, read, type EncodableAttribute } from '../stun/attribute.ts';
import {
  nonce as nonceAttribute,
  passwordAlgorithm,
  passwordAlgorithmNumber,
  passwordAlgorithms,
  realm as realmAttribute,
  userhash,
  username as usernameAttribute,
  type PasswordAlgorithm,
} from '../stun/authentication-attributes.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { longTermKey, userhashOf, verifyIntegrity } from '../stun/integrity.ts';
import { errorCode } from '../stun/message-attributes.ts';
import { encodeMessage, type StunMessage } from '../stun/message.ts';
import { malformedFailure, type StunConnection } from './connection.ts';

export interface TurnCredential {
  readonly username: string;
  readonly password: Secret;
}

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly message: StunMessage;
  readonly rttMs: number;
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

  constructor(alternate: Endpoint) {
    super({ kind: 'stun-error', code: 300, reason: 'Try Alternate' });
    this.alternate = alternate;
  }
}

const mostStaleNonces = 3;

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
   * @throws AttemptError `stun-error` for an error response, else as `StunConnection.exchange`
   * @throws TryAlternateError for 300 with an ALTERNATE-SERVER
   */
  async request(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions,
  ): Promise<Answer> {
    const deadline = performance.now() + options.timeoutMs;
    // One 438 is normal when a nonce has expired; a server that answers each new nonce with 438 must not loop us.
    for (let stale = 0; ;) {
      const challenge = this.#challenge;
      const timeoutMs = Math.max(1, deadline - performance.now());
      const answer = await this.#exchange(requestMethod, attributes, { ...options, timeoutMs });
      if (answer.message.class === 'success') return answer;
      const renewed = reading(answer.message, (message) => {
        const { code } = errorOf(message);
        const challenged = code === 401 && challenge === null;
        return (challenged || (code === 438 && stale++ < mostStaleNonces)) && this.learn(message);
      });
      if (!renewed) throw reading(answer.message, failureOf);
    }
  }

  /** Takes realm and nonce from a 401 or 438, so that the next request is signed. False if it cannot be. */
  learn(response: StunMessage): boolean {
    const nonce = read(response, nonceAttribute);
    const realm = read(response, realmAttribute) ?? this.#challenge?.realm;
    if (nonce === undefined || realm === undefined || this.#credential === null) return false;
    const { username, password } = this.#credential;
    const features = securityFeatures(nonce);
    const offered = features.passwordAlgorithms ? read(response, passwordAlgorithms) : undefined;
    const chosen = offered && chooseAlgorithm(offered);
    const algorithms =
      offered && chosen ? [put(passwordAlgorithms, offered), put(passwordAlgorithm, chosen)] : [];
    this.#challenge = {
      realm,
      nonce,
      key: longTermKey(
        username,
        realm,
        password.reveal(),
        chosen?.number === passwordAlgorithmNumber.sha256 ? 'sha256' : 'md5',
      ),
      signed: chosen ? 'sha256' : 'sha1',
      identity: [
        features.userAnonymity
          ? put(userhash, userhashOf(username, realm))
          : put(usernameAttribute, username),
        put(realmAttribute, realm),
        put(nonceAttribute, nonce),
        ...algorithms,
      ],
    };
    return true;
  }

  async #exchange(
    requestMethod: number,
    attributes: readonly EncodableAttribute[],
    options: RequestOptions,
  ): Promise<Answer> {
    const challenge = this.#challenge;
    const bytes = encodeMessage({
      class: 'request',
      method: requestMethod,
      attributes: challenge ? [...attributes, ...challenge.identity] : attributes,
      ...(challenge ? { integrity: { key: challenge.key, algorithm: challenge.signed } } : {}),
      fingerprint: true,
    });
    return this.connection.exchange(bytes, {
      ...options,
      accept: (response) => {
        if (challenge === null) return true;
        const integrity = verifyIntegrity(response, challenge.key);
        // A refusal that the server cannot sign (it does not know us, or our nonce) comes unsigned.
        return integrity === 'valid' || (integrity === 'absent' && response.class === 'error');
      },
    });
  }
}

/**
 * Reads attributes of an answer.
 * @throws AttemptError `malformed` when one of them cannot be read
 */
export function reading<T>(message: StunMessage, read: (message: StunMessage) => T): T {
  try {
    return read(message);
  } catch (error) {
    if (!(error instanceof StunDecodeError)) throw error;
    throw new AttemptError(malformedFailure(error, message.bytes));
  }
}

/** The error of an error response, as a throwable. */
export function failureOf(response: StunMessage): AttemptError {
  const { code, reason } = errorOf(response);
  const alternate = code === 300 ? read(response, alternateServer) : undefined;
  if (alternate) return new TryAlternateError(alternate);
  return new AttemptError({ kind: 'stun-error', code, reason });
}

export function errorOf(response: StunMessage): { code: number; reason: string } {
  // An error response must carry ERROR-CODE (RFC 8489 §6.3.4); without it nothing more is known than that it failed.
  const { code, reason } = read(response, errorCode) ?? { code: 0, reason: 'no ERROR-CODE' };
  // coturn 4.6 counts the padding of some reason phrases as part of them.
  return { code, reason: reason.replace(/\0+$/, '') };
}

const known: ReadonlySet<number> = new Set(Object.values(passwordAlgorithmNumber));

/** The first offered algorithm that we know (RFC 8489 §9.2.5.1: the server's order is its preference). */
function chooseAlgorithm(offered: readonly PasswordAlgorithm[]): PasswordAlgorithm | undefined {
  return offered.find(({ number }) => known.has(number));
}

/** RFC 8489 §9.2: a nonce that begins with the nonce cookie carries 24 feature bits in Base64. */
function securityFeatures(nonce: string): { passwordAlgorithms: boolean; userAnonymity: boolean } {
  const encoded = /^obMatJos2([A-Za-z0-9+/]{4})/.exec(nonce)?.[1];
  const bits = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').readUIntBE(0, 3);
  // §18.1: bit 0, the most significant, is "Password algorithms"; bit 1 is "Username anonymity".
  return { passwordAlgorithms: (bits & 0x800000) !== 0, userAnonymity: (bits & 0x400000) !== 0 };
}
