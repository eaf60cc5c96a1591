import { createHmac, timingSafeEqual } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Endpoint } from '../model/endpoint.ts';
import type { Secret } from '../model/secret.ts';

/**
 * The datagrams between a probe and an outside peer (`rtc-ops peer`), all signed with HMAC-SHA-256 by a shared secret:
 *
 * | bytes   | request, 128 bytes             | bytes   | answer, 112 bytes                         |
 * | ------- | ------------------------------ | ------- | ----------------------------------------- |
 * | 0–7     | `rtc-ops` and version 1        | 0–7     | the same                                  |
 * | 8       | kind                           | 8       | kind + 128                                |
 * | 16–31   | nonce, never used twice        | 9–11    | family (4, 6, 0 for none) and port        |
 * | 32–55   | cookie of an earlier answer    | 16–31   | nonce of the request                      |
 * | 56–71   | subject: a nonce, or a port    | 32–55   | cookie: time and HMAC over it and address |
 * | 96–127  | HMAC over all before           | 56–71   | the address                               |
 * |         |                                | 80–111  | HMAC over all before                      |
 *
 * An answer is shorter than its request and goes to where that came from, so that nothing is amplified. A cookie is
 * worth something only to who receives at the address that it was made for, so that a forged source gains nothing.
 */

const magic = Buffer.from('rtc-ops\u0001', 'latin1');
export const requestBytes = 128;
export const answerBytes = 112;
const macBytes = 32;

/**
 * `hello`: what is my address? Needs no cookie. `knock`: send me the answer from your other port. `ask`: from where did
 * you get the request with the nonce `subject`? `reach`: send me the answer from your other port, and to another port of
 * mine, the first two bytes of `subject`, to which nothing of mine has led you.
 */
export const echoKinds = { hello: 1, knock: 2, ask: 3, reach: 4 } as const;
export type EchoKind = keyof typeof echoKinds;

export interface EchoRequest {
  readonly kind: EchoKind;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** 24 bytes; zeros in a hello. */
  readonly cookie?: Uint8Array;
  /** 16 bytes. */
  readonly subject?: Uint8Array;
}

export interface EchoAnswer {
  readonly kind: EchoKind;
  readonly nonce: Uint8Array;
  readonly cookie: Uint8Array;
  /** Where the request came from; for `ask`, where the one that it asks about came from, null when none came. */
  readonly seenFrom: Endpoint | null;
}

export function encodeEchoRequest(request: EchoRequest, secret: Secret): Buffer {
  const bytes = Buffer.alloc(requestBytes);
  magic.copy(bytes);
  bytes[8] = echoKinds[request.kind];
  bytes.set(request.nonce, 16);
  bytes.set(request.cookie ?? [], 32);
  bytes.set(request.subject ?? [], 56);
  return signed(bytes, 'request', secret);
}

/** Null for whatever is no request that somebody with the secret made. */
export function decodeEchoRequest(bytes: Uint8Array, secret: Secret): Required<Readonly<EchoRequest>> | null {
  const read = verified(bytes, requestBytes, 'request', secret);
  const kind = kindOf(read?.[8]);
  if (read === null || kind === null) return null;
  return {
    kind,
    nonce: read.subarray(16, 32),
    cookie: read.subarray(32, 56),
    subject: read.subarray(56, 72),
  };
}

export function encodeEchoAnswer({ kind, nonce, cookie, seenFrom }: EchoAnswer, secret: Secret): Buffer {
  const bytes = Buffer.alloc(answerBytes);
  magic.copy(bytes);
  bytes[8] = echoKinds[kind] + 128;
  bytes.set(nonce, 16);
  bytes.set(cookie, 32);
  if (seenFrom !== null) {
    const address = ipaddr.process(seenFrom.address);
    bytes[9] = address.kind() === 'ipv6' ? 6 : 4;
    bytes.writeUInt16BE(seenFrom.port, 10);
    bytes.set(address.toByteArray(), 56);
  }
  return signed(bytes, 'answer', secret);
}

// Below are the ports of services, which are not to get packets that a peer was told to send.
const lowestReached = 1024;

/** The `subject` of a `reach`: a port of who asks. */
export function portSubject(port: number): Buffer {
  const subject = Buffer.alloc(16);
  subject.writeUInt16BE(port, 0);
  return subject;
}

/** The port of such a subject; null for one that nothing is sent to. */
export function reachedPort(subject: Uint8Array): number | null {
  const port = Buffer.from(subject).readUInt16BE(0);
  return port < lowestReached ? null : port;
}

/** Null for whatever is no answer that somebody with the secret made. */
export function decodeEchoAnswer(bytes: Uint8Array, secret: Secret): EchoAnswer | null {
  const read = verified(bytes, answerBytes, 'answer', secret);
  const kind = kindOf((read?.[8] ?? 0) - 128);
  if (read === null || kind === null) return null;
  const length = { 4: 4, 6: 16 }[Number(read[9])] ?? 0;
  const address = length === 0 ? null : ipaddr.fromByteArray([...read.subarray(56, 56 + length)]).toString();
  return {
    kind,
    nonce: read.subarray(16, 32),
    cookie: read.subarray(32, 56),
    seenFrom: address === null ? null : { address, port: read.readUInt16BE(10) },
  };
}

function kindOf(byte: number | undefined): EchoKind | null {
  return (Object.keys(echoKinds) as EchoKind[]).find((kind) => echoKinds[kind] === byte) ?? null;
}

/** Requests and answers have keys of their own: one can never be taken for the other. */
function macOf(bytes: Uint8Array, purpose: 'request' | 'answer', secret: Secret): Buffer {
  const key = createHmac('sha256', secret.reveal()).update(`rtc-ops peer 1 ${purpose}`).digest();
  return createHmac('sha256', key).update(bytes).digest();
}

function signed(bytes: Buffer, purpose: 'request' | 'answer', secret: Secret): Buffer {
  const end = bytes.length - macBytes;
  bytes.set(macOf(bytes.subarray(0, end), purpose, secret), end);
  return bytes;
}

function verified(
  bytes: Uint8Array,
  length: number,
  purpose: 'request' | 'answer',
  secret: Secret,
): Buffer | null {
  const read = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Cheap tests first: most of what a public port gets is noise.
  if (read.length !== length || !read.subarray(0, magic.length).equals(magic)) return null;
  const end = length - macBytes;
  return timingSafeEqual(read.subarray(end), macOf(read.subarray(0, end), purpose, secret)) ? read : null;
}
