import { sealType, type AttributeCodec } from './attribute.ts';
import { bytesCodec, invalidValue, textCodec } from './attribute-value.ts';
import { paddedLength, putUint16, uint16At } from './wire.ts';
import { hmacBytes } from './checksum.ts';
import { opaqueString } from './opaque-string.ts';

// RFC 8489 §14.9, §14.10: what a receiver must be able to read. A sender is held to 509 bytes, but realm and nonce are
// the server's own, and go back as they came.
const longestEcho = 763;

const plainUsername = textCodec(0x0006, 'USERNAME', 508);

/** RFC 8489 §14.3: prepared on sending with the OpaqueString profile, as it is in the key. */
export const username: AttributeCodec<string> = {
  ...plainUsername,
  encode: (value, transactionId) => plainUsername.encode(opaqueString(value), transactionId),
};
/** RFC 8489 §14.4: instead of USERNAME, see `userhashOf`. */
export const userhash = bytesCodec(0x001e, 'USERHASH', 32);
/** RFC 8489 §14.9. */
export const realm = textCodec(0x0014, 'REALM', longestEcho);
/** RFC 8489 §14.10. */
export const nonce = textCodec(0x0015, 'NONCE', longestEcho);
/** RFC 7635 §6.1: the server takes OAuth tokens, and this is its name for the authorization server. */
export const thirdPartyAuthorization = textCodec(0x802e, 'THIRD-PARTY-AUTHORIZATION', 763);
/** RFC 7635 §6.2. */
export const accessToken = bytesCodec(0x001b, 'ACCESS-TOKEN');

/** RFC 8489 §14.5, the raw HMAC: `verifyIntegrity` checks it, `encodeMessage` makes it. */
export const messageIntegrity = bytesCodec(sealType.messageIntegrity, 'MESSAGE-INTEGRITY', hmacBytes.sha1);

/** RFC 8489 §14.6, the raw HMAC, whole or cut: `verifyIntegrity` checks it, `encodeMessage` makes it. */
export const messageIntegritySha256: AttributeCodec<Uint8Array> = {
  ...bytesCodec(sealType.messageIntegritySha256, 'MESSAGE-INTEGRITY-SHA256'),
  decode(value) {
    if (value.length < 16 || value.length > hmacBytes.sha256 || value.length % 4 !== 0) {
      throw invalidValue(`${value.length} bytes instead of 16, 20, 24, 28 or 32`);
    }
    return value;
  },
};

/** Numbers of the STUN Password Algorithms registry (RFC 8489 §18.5). */
export const passwordAlgorithmNumber = { md5: 0x0001, sha256: 0x0002 } as const;

export interface PasswordAlgorithm {
  /** 16 bits, see `passwordAlgorithmNumber`; a server may offer others. */
  readonly number: number;
  /** Empty for MD5 and SHA-256. */
  readonly parameters: Uint8Array;
}

/** RFC 8489 §14.11: what the server offers; a client sends the list back as it came (§9.2.5). */
export const passwordAlgorithms: AttributeCodec<readonly PasswordAlgorithm[]> = {
  type: 0x8002,
  name: 'PASSWORD-ALGORITHMS',
  encode: (algorithms) => Buffer.concat(algorithms.map(encodeAlgorithm)),
  decode(value) {
    const algorithms: PasswordAlgorithm[] = [];
    for (let offset = 0; offset < value.length;) {
      const algorithm = decodeAlgorithm(value, offset);
      algorithms.push(algorithm);
      offset += 4 + paddedLength(algorithm.parameters.length);
    }
    return algorithms;
  },
};

/** RFC 8489 §14.12: what the client chose. */
export const passwordAlgorithm: AttributeCodec<PasswordAlgorithm> = {
  type: 0x001d,
  name: 'PASSWORD-ALGORITHM',
  encode: encodeAlgorithm,
  decode(value) {
    const algorithm = decodeAlgorithm(value, 0);
    if (value.length > 4 + paddedLength(algorithm.parameters.length)) {
      throw invalidValue('more than one algorithm');
    }
    return algorithm;
  },
};

function encodeAlgorithm({ number, parameters }: PasswordAlgorithm): Uint8Array {
  const bytes = Buffer.alloc(4 + paddedLength(parameters.length));
  putUint16(bytes, 0, number);
  putUint16(bytes, 2, parameters.length);
  bytes.set(parameters, 4);
  return bytes;
}

function decodeAlgorithm(value: Uint8Array, offset: number): PasswordAlgorithm {
  if (value.length - offset < 4) {
    throw invalidValue('no room for an algorithm number and a length', offset);
  }
  const length = uint16At(value, offset + 2);
  const start = offset + 4;
  // The last parameters' padding may be the attribute's own, which its length does not count.
  if (start + length > value.length) {
    throw invalidValue(`parameters of ${length} bytes, but ${value.length - start} are left`, offset + 2);
  }
  return { number: uint16At(value, offset), parameters: value.subarray(start, start + length) };
}

export interface SecurityFeatures {
  readonly passwordAlgorithms: boolean;
  readonly usernameAnonymity: boolean;
}

/**
 * What the server says of itself in the first 13 characters of its nonce (RFC 8489 §9.2), or null for a server older than
 * RFC 8489. Bit 0 is the rightmost, as verified erratum 6290 has it and the nonce of appendix B.1 shows; the text of
 * §18.1 and the example of RFC 8656 §20 count from the other end.
 */
export function securityFeaturesOf(nonceValue: string): SecurityFeatures | null {
  const match = /^obMatJos2([A-Za-z0-9+/]{4})/.exec(nonceValue);
  if (match === null) {
    return null;
  }
  const lowest = Buffer.from(match[1] ?? '', 'base64')[2] ?? 0;
  return { passwordAlgorithms: (lowest & 0x01) !== 0, usernameAnonymity: (lowest & 0x02) !== 0 };
}
