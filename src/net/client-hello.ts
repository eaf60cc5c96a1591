import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

/** The numbers of TLS versions on the wire. */
export const tlsVersion = {
  ssl3: 0x0300,
  tls10: 0x0301,
  tls11: 0x0302,
  tls12: 0x0303,
  tls13: 0x0304,
} as const;

export type TlsVersionNumber = (typeof tlsVersion)[keyof typeof tlsVersion];

export interface HelloOptions {
  /** The newest version that is offered; with TLS 1.3 also 1.2. */
  readonly version: TlsVersionNumber;
  readonly suites: readonly number[];
  /** Sent as SNI, unless it is an IP literal (RFC 6066 §3). */
  readonly servername: string;
}

/**
 * A ClientHello in one record. OpenSSL refuses by itself to offer what is old; bytes of our own can ask a server for
 * anything (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2).
 */
export function clientHello({ version, suites, servername }: HelloOptions): Buffer {
  const legacyVersion = Math.min(version, tlsVersion.tls12);
  const body = Buffer.concat([
    u16(legacyVersion),
    randomBytes(32),
    // A session id, as TLS 1.3 wants it where boxes are in the way (RFC 8446 §D.4).
    ...(version === tlsVersion.tls13 ? [u8(32), randomBytes(32)] : [u8(0)]),
    // Behind them that renegotiation is done safely (RFC 5746 §3.3): some servers refuse a client that does not say so.
    sized16(Buffer.concat([...suites, 0x00ff].map(u16))),
    Buffer.from([1, 0]), // no compression
    // SSL 3.0 knows no extensions.
    ...(version === tlsVersion.ssl3 ? [] : [sized16(extensions(version, servername))]),
  ]);
  const handshake = Buffer.concat([u8(handshakeType.clientHello), u24(body.length), body]);
  const recordVersion = version === tlsVersion.ssl3 ? tlsVersion.ssl3 : tlsVersion.tls10;
  return Buffer.concat([u8(recordType.handshake), u16(recordVersion), sized16(handshake)]);
}

function extensions(version: TlsVersionNumber, servername: string): Buffer {
  const name = Buffer.from(servername.replace(/\.$/, ''));
  return Buffer.concat([
    ...(isIP(servername) ? [] : [extension(0, sized16(Buffer.concat([u8(0), sized16(name)])))]),
    // supported_groups: x25519, P-256, P-384, P-521, and ffdhe2048 and 3072 (RFC 7919).
    extension(10, sized16(Buffer.concat([0x1d, 0x17, 0x18, 0x19, 0x100, 0x101].map(u16)))),
    extension(11, Buffer.from([1, 0])), // ec_point_formats: uncompressed
    ...(version < tlsVersion.tls12 ? [] : [extension(13, sized16(Buffer.concat(signatures.map(u16))))]),
    ...(version < tlsVersion.tls13
      ? []
      : [
          extension(43, Buffer.concat([u8(4), u16(tlsVersion.tls13), u16(tlsVersion.tls12)])),
          // key_share: any 32 bytes are a public key of x25519. The handshake is never finished.
          extension(51, sized16(Buffer.concat([u16(0x1d), sized16(randomBytes(32))]))),
        ]),
  ]);
}

/** ECDSA, RSA-PSS, Ed25519 and RSA with SHA-256 to 512, and SHA-1 last (RFC 8446 §4.2.3). */
const signatures = [
  0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0202,
];

const recordType = { alert: 21, handshake: 22 } as const;
const handshakeType = {
  clientHello: 1,
  serverHello: 2,
  serverKeyExchange: 12,
  serverHelloDone: 14,
} as const;

/** What a server makes of a ClientHello. */
export type ServerFlight =
  | {
      readonly kind: 'accepted';
      readonly version: number;
      readonly suite: number;
      /** The size of the Diffie-Hellman group in bits; null with another key exchange. */
      readonly dhBits: number | null;
    }
  /** An alert (RFC 8446 §6). */
  | { readonly kind: 'refused'; readonly alert: number }
  | { readonly kind: 'not-tls' };

/**
 * Reads the answer to a ClientHello from all bytes that came so far; null while more have to come. It is accepted only
 * when the server has said all of its part: one that fails behind its ServerHello offers nothing.
 *
 * @param dheSuites those whose key exchange has a prime to measure
 */
export function serverFlight(bytes: Buffer, dheSuites: ReadonlySet<number>): ServerFlight | null {
  let handshake = Buffer.alloc(0);
  let at = 0;
  while (bytes.length - at >= 5) {
    const type = bytes.readUInt8(at);
    const length = bytes.readUInt16BE(at + 3);
    if ((type !== recordType.alert && type !== recordType.handshake) || bytes.readUInt8(at + 1) !== 3) {
      return { kind: 'not-tls' };
    }
    if (bytes.length - at - 5 < length) break;
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    if (type === recordType.alert) {
      return length < 2 ? { kind: 'not-tls' } : { kind: 'refused', alert: fragment.readUInt8(1) };
    }
    handshake = Buffer.concat([handshake, fragment]);
    const flight = handshakeFlight(handshake, dheSuites);
    if (flight !== null) return flight;
    at += 5 + length;
  }
  return null;
}

function handshakeFlight(bytes: Buffer, dheSuites: ReadonlySet<number>): ServerFlight | null {
  let hello: { version: number; suite: number } | null = null;
  let dhBits: number | null = null;
  for (const { type, body } of messages(bytes)) {
    if (type === handshakeType.serverHello) {
      hello = helloOf(body);
      if (hello === null) return { kind: 'not-tls' };
      // What follows is encrypted; and a server that has chosen TLS 1.3 has chosen all that it takes.
      if (hello.version >= tlsVersion.tls13) return { kind: 'accepted', ...hello, dhBits: null };
    } else if (type === handshakeType.serverKeyExchange && hello !== null && dheSuites.has(hello.suite)) {
      dhBits = bitsOf(body);
    } else if (type === handshakeType.serverHelloDone && hello !== null) {
      return { kind: 'accepted', ...hello, dhBits };
    }
  }
  return null;
}

function* messages(bytes: Buffer): Generator<{ type: number; body: Buffer }> {
  let at = 0;
  while (bytes.length - at >= 4) {
    const length = bytes.readUIntBE(at + 1, 3);
    if (bytes.length - at - 4 < length) return;
    yield { type: bytes.readUInt8(at), body: bytes.subarray(at + 4, at + 4 + length) };
    at += 4 + length;
  }
}

/** RFC 8446 §4.1.3: with TLS 1.3 the version stands in the extension supported_versions. */
function helloOf(body: Buffer): { version: number; suite: number } | null {
  if (body.length < 35) return null;
  const suiteAt = 35 + body.readUInt8(34);
  if (body.length < suiteAt + 3) return null;
  const suite = body.readUInt16BE(suiteAt);
  let version = body.readUInt16BE(0);
  for (let at = suiteAt + 5; body.length - at >= 4; at += 4 + body.readUInt16BE(at + 2)) {
    if (body.readUInt16BE(at) === 43 && body.length - at >= 6) version = body.readUInt16BE(at + 4);
  }
  return { version, suite };
}

/** The size of the prime, which stands first in the parameters (RFC 5246 §7.4.3). */
function bitsOf(body: Buffer): number | null {
  if (body.length < 2) return null;
  const prime = body.subarray(2, 2 + body.readUInt16BE(0));
  const first = prime.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (prime.length - first) * 8 + 24 - Math.clz32(prime.readUInt8(first));
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([u16(type), sized16(body)]);
}

function sized16(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}

function u8(value: number): Buffer {
  return Buffer.from([value]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}
