/** The numbers of DTLS versions on the wire: one's complements of 1.0 and 1.2 (RFC 6347 §4.1). */
export const dtlsVersion = { dtls10: 0xfeff, dtls12: 0xfefd } as const;

export type DtlsVersionNumber = (typeof dtlsVersion)[keyof typeof dtlsVersion];

export interface DtlsHelloOptions {
  readonly version: DtlsVersionNumber;
  /** 32 bytes, the same in both hellos of a handshake. */
  readonly random: Uint8Array;
  /** What the server gave to be shown again; empty at first. */
  readonly cookie: Uint8Array;
}

const recordType = { alert: 21, handshake: 22 } as const;
const handshakeType = { clientHello: 1, serverHello: 2, helloVerifyRequest: 3 } as const;

// ECDHE and DHE with AES, and RSA key exchange: what any server of either version can do.
const suites = [
  0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc009, 0xc013, 0xc00a, 0xc014, 0x33, 0x39, 0x2f, 0x35, 0x00ff,
];
const signatures = [0x0403, 0x0503, 0x0603, 0x0804, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201];

/** A ClientHello in one datagram (RFC 6347 §4.2); with a cookie it is the second one of its handshake. */
export function dtlsClientHello({ version, random, cookie }: DtlsHelloOptions): Buffer {
  const again = cookie.length > 0 ? 1 : 0;
  const body = Buffer.concat([
    uint(version, 2),
    random,
    uint(0, 1), // no session
    uint(cookie.length, 1),
    cookie,
    sized16(Buffer.concat(suites.map((each) => uint(each, 2)))),
    Buffer.from([1, 0]), // no compression
    sized16(
      Buffer.concat([
        // supported_groups: P-256, P-384, x25519; ec_point_formats: uncompressed.
        extension(10, sized16(Buffer.concat([0x17, 0x18, 0x1d].map((each) => uint(each, 2))))),
        extension(11, Buffer.from([1, 0])),
        ...(version === dtlsVersion.dtls10
          ? []
          : [extension(13, sized16(Buffer.concat(signatures.map((each) => uint(each, 2)))))]),
      ]),
    ),
  ]);
  const handshake = Buffer.concat([
    uint(handshakeType.clientHello, 1),
    uint(body.length, 3),
    uint(again, 2),
    uint(0, 3),
    uint(body.length, 3),
    body,
  ]);
  return Buffer.concat([
    uint(recordType.handshake, 1),
    uint(dtlsVersion.dtls10, 2),
    uint(0, 2), // epoch
    uint(again, 6),
    sized16(handshake),
  ]);
}

/** What a datagram of a server is in answer to a ClientHello. */
export type DtlsAnswer =
  | { readonly kind: 'cookie'; readonly cookie: Buffer }
  | { readonly kind: 'accepted'; readonly version: number }
  | { readonly kind: 'refused'; readonly alert: number }
  | { readonly kind: 'not-dtls' };

/** Reads the first record: what the server says first is what counts. */
export function dtlsAnswer(datagram: Buffer): DtlsAnswer {
  if (datagram.length < recordBytes || datagram.readUInt8(1) !== 0xfe) return { kind: 'not-dtls' };
  const fragment = datagram.subarray(recordBytes, recordBytes + datagram.readUInt16BE(11));
  const type = datagram.readUInt8(0);
  if (type === recordType.alert && fragment.length >= 2) {
    return { kind: 'refused', alert: fragment.readUInt8(1) };
  }
  if (type !== recordType.handshake || fragment.length < handshakeBytes + 3) return { kind: 'not-dtls' };
  const body = fragment.subarray(handshakeBytes);
  switch (fragment.readUInt8(0)) {
    case handshakeType.serverHello:
      return { kind: 'accepted', version: body.readUInt16BE(0) };
    case handshakeType.helloVerifyRequest:
      return { kind: 'cookie', cookie: body.subarray(3, 3 + body.readUInt8(2)) };
    default:
      return { kind: 'not-dtls' };
  }
}

// RFC 6347 §4.1 and §4.2.2.
const recordBytes = 13;
const handshakeBytes = 12;

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(type, 2), sized16(body)]);
}

function sized16(bytes: Buffer): Buffer {
  return Buffer.concat([uint(bytes.length, 2), bytes]);
}

function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
