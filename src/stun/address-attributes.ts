import ipaddr from 'ipaddr.js';
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint, Family } from '../model/endpoint.ts';
import type { AttributeCodec } from './attribute.ts';
import { invalidValue, requireInteger, requireLength } from './attribute-value.ts';
import { putUint16, uint16At } from './wire.ts';
import { cookieBytes } from './message.ts';

/** RFC 8489 §14.1. */
export const mappedAddress = plainCodec(0x0001, 'MAPPED-ADDRESS');
/** RFC 8489 §14.2. */
export const xorMappedAddress = xorCodec(0x0020, 'XOR-MAPPED-ADDRESS');
/** RFC 8489 §14.15: where to try again, with a 300 error. */
export const alternateServer = plainCodec(0x8023, 'ALTERNATE-SERVER');
/** RFC 8656 §18.3. */
export const xorPeerAddress = xorCodec(0x0012, 'XOR-PEER-ADDRESS');
/** RFC 8656 §18.5. */
export const xorRelayedAddress = xorCodec(0x0016, 'XOR-RELAYED-ADDRESS');
/** RFC 5780 §7.3: where the response was sent from. */
export const responseOrigin = plainCodec(0x802b, 'RESPONSE-ORIGIN');
/** RFC 5780 §7.4: the server's other address and port. */
export const otherAddress = plainCodec(0x802c, 'OTHER-ADDRESS');
/** RFC 3489 §11.2.3: what OTHER-ADDRESS was before. */
export const changedAddress = plainCodec(0x0005, 'CHANGED-ADDRESS');

// The family octet, which other attributes carry too (RFC 8489 §14.1, RFC 8656 §18.6).
const familyOctet: Record<Family, number> = { 4: 0x01, 6: 0x02 };

export function octetOfFamily(family: Family): number {
  return familyOctet[family];
}

/** @throws StunDecodeError for any octet but those of IPv4 and IPv6; `offset` is where it stands in the value. */
export function familyOfOctet(octet: number, offset: number): Family {
  if (octet === familyOctet[4]) {
    return 4;
  }
  if (octet === familyOctet[6]) {
    return 6;
  }
  throw invalidValue(`address family ${octet}`, offset);
}

function plainCodec(type: number, name: string): AttributeCodec<Endpoint> {
  return { type, name, encode: encodeEndpoint, decode: decodeEndpoint };
}

/** XORed with the magic cookie and the transaction id, so that a NAT that rewrites addresses it finds in a payload misses it. */
function xorCodec(type: number, name: string): AttributeCodec<Endpoint> {
  return {
    type,
    name,
    encode(endpoint, transactionId) {
      const bytes = encodeEndpoint(endpoint);
      applyXor(bytes, transactionId);
      return bytes;
    },
    decode(value, transactionId) {
      const bytes = Uint8Array.from(value);
      applyXor(bytes, transactionId);
      return decodeEndpoint(bytes);
    },
  };
}

/** Port and address, that is everything after the family, are XORed (RFC 8489 §14.2); doing it twice undoes it. */
function applyXor(value: Uint8Array, transactionId: Uint8Array): void {
  for (let index = 2; index < value.length; index++) {
    const mask =
      index < 4 ? cookieBytes[index - 2] : index < 8 ? cookieBytes[index - 4] : transactionId[index - 8];
    value[index] = (value[index] ?? 0) ^ (mask ?? 0);
  }
}

function encodeEndpoint({ address, port }: Endpoint): Uint8Array {
  requireInteger('a port', port, 0, 0xffff);
  const octets = octetsOf(address);
  const bytes = Buffer.allocUnsafe(4 + octets.length);
  bytes[0] = 0;
  bytes[1] = familyOctet[octets.length === 4 ? 4 : 6];
  putUint16(bytes, 2, port);
  bytes.set(octets, 4);
  return bytes;
}

function octetsOf(address: string): readonly number[] {
  if (isIPv4(address)) {
    return address.split('.').map(Number);
  }
  if (isIPv6(address)) {
    return ipaddr.IPv6.parse(address).toByteArray();
  }
  throw new RangeError(`not an IP address: ${address}`);
}

function decodeEndpoint(value: Uint8Array): Endpoint {
  if (value.length < 4) {
    throw invalidValue(`${value.length} bytes are too few for an address`);
  }
  const family = familyOfOctet(value[1] ?? 0, 1);
  requireLength(value, family === 4 ? 8 : 20);
  const octets = value.subarray(4);
  return { address: family === 4 ? octets.join('.') : ipv6Text(octets), port: uint16At(value, 2) };
}

/** As in RFC 5952, so that equal addresses are equal strings. */
function ipv6Text(octets: Uint8Array): string {
  const address = new ipaddr.IPv6([...octets]);
  return address.isIPv4MappedAddress()
    ? `::ffff:${address.toIPv4Address().toString()}`
    : address.toRFC5952String();
}
