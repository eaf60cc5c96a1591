import type { Family } from '../model/endpoint.ts';
import { familyOfOctet, octetOfFamily } from './address-attributes.ts';
import type { AttributeCodec } from './attribute.ts';
import { bytesCodec, flagCodec, requireInteger, requireLength, uint32Codec } from './attribute-value.ts';
import { putUint16, putUint32, uint16At, uint32At } from './wire.ts';
import { decodeErrorCode, encodeErrorCode, type ErrorCode } from './message-attributes.ts';

/** RFC 8656 §18.2, in seconds; 0 in a Refresh deletes the allocation. */
export const lifetime = uint32Codec(0x000d, 'LIFETIME');
/** RFC 8656 §18.4: the payload of a Send or Data indication. */
export const data = bytesCodec(0x0013, 'DATA');
/** RFC 8656 §18.9. */
export const dontFragment = flagCodec(0x001a, 'DONT-FRAGMENT');
/** RFC 8656 §18.10. */
export const reservationToken = bytesCodec(0x0022, 'RESERVATION-TOKEN', 8);
/** RFC 8656 §18.6. */
export const requestedAddressFamily = familyCodec(0x0017, 'REQUESTED-ADDRESS-FAMILY');
/** RFC 8656 §18.11: a second relayed address, which can only be an IPv6 one. */
export const additionalAddressFamily = familyCodec(0x8000, 'ADDITIONAL-ADDRESS-FAMILY');
/** RFC 8016 §3.1. Empty in a request that asks for a ticket. */
export const mobilityTicket = bytesCodec(0x8030, 'MOBILITY-TICKET');
/** RFC 6062 §6.2.1. */
export const connectionId = uint32Codec(0x002a, 'CONNECTION-ID');

/** Lowest and highest number of a channel (RFC 8656 §12). */
export const channelNumbers = { first: 0x4000, last: 0x4fff } as const;

/**
 * RFC 8656 §18.1. Any 16-bit number is read: RFC 5766 allowed up to 0x7FFF, and a request that a server refused
 * for its number is worth seeing.
 */
export const channelNumber: AttributeCodec<number> = {
  type: 0x000c,
  name: 'CHANNEL-NUMBER',
  encode(channel) {
    requireInteger('a channel number', channel, channelNumbers.first, channelNumbers.last);
    const bytes = Buffer.alloc(4);
    putUint16(bytes, 0, channel);
    return bytes;
  },
  decode(value) {
    requireLength(value, 4);
    return uint16At(value, 0);
  },
};

/** RFC 8656 §18.7: an even port; with `reserveNext` also the next one, for RESERVATION-TOKEN. */
export const evenPort: AttributeCodec<{ readonly reserveNext: boolean }> = {
  type: 0x0018,
  name: 'EVEN-PORT',
  encode: ({ reserveNext }) => Buffer.of(reserveNext ? 0x80 : 0),
  decode(value) {
    requireLength(value, 1);
    return { reserveNext: ((value[0] ?? 0) & 0x80) !== 0 };
  },
};

/** IP protocol numbers for REQUESTED-TRANSPORT: UDP (RFC 8656 §18.8), TCP (RFC 6062 §4.1). */
export const relayProtocol = { udp: 17, tcp: 6 } as const;

/** RFC 8656 §18.8: the transport between server and peers, an IP protocol number. */
export const requestedTransport: AttributeCodec<number> = {
  type: 0x0019,
  name: 'REQUESTED-TRANSPORT',
  encode(protocol) {
    requireInteger('a protocol number', protocol, 0, 0xff);
    return Buffer.of(protocol, 0, 0, 0);
  },
  decode(value) {
    requireLength(value, 4);
    return value[0] ?? 0;
  },
};

export interface AddressErrorCode extends ErrorCode {
  /** The family that was asked for and not given. */
  readonly family: Family;
}

/** RFC 8656 §18.12: why one of two address families was refused. */
export const addressErrorCode: AttributeCodec<AddressErrorCode> = {
  type: 0x8001,
  name: 'ADDRESS-ERROR-CODE',
  encode: (value) => encodeErrorCode(value, octetOfFamily(value.family)),
  decode: (value) => ({ ...decodeErrorCode(value), family: familyOfOctet(value[0] ?? 0, 0) }),
};

export interface IcmpError {
  /** ICMP or ICMPv6 type, by the family of the peer address. */
  readonly type: number;
  readonly code: number;
  /** The MTU of the next hop for "fragmentation needed" and "packet too big", else 0. */
  readonly errorData: number;
}

/**
 * RFC 8656 §18.13: why the server could not deliver a packet to the peer. The RFC's figure draws 7 bits for
 * the type and 9 for the code; ICMP has 8 for each, and ICMPv6 uses types up to 255.
 */
export const icmp: AttributeCodec<IcmpError> = {
  type: 0x8004,
  name: 'ICMP',
  encode({ type, code, errorData }) {
    requireInteger('an ICMP type', type, 0, 0xff);
    requireInteger('an ICMP code', code, 0, 0xff);
    requireInteger('ICMP error data', errorData, 0, 0xffffffff);
    const bytes = Buffer.of(0, 0, type, code, 0, 0, 0, 0);
    putUint32(bytes, 4, errorData);
    return bytes;
  },
  decode(value) {
    requireLength(value, 8);
    return { type: value[2] ?? 0, code: value[3] ?? 0, errorData: uint32At(value, 4) };
  },
};

/** RFC 8656 §18.6: the family, then 24 bits that receivers ignore. */
function familyCodec(type: number, name: string): AttributeCodec<Family> {
  return {
    type,
    name,
    encode: (family) => Buffer.of(octetOfFamily(family), 0, 0, 0),
    decode(value) {
      requireLength(value, 4);
      return familyOfOctet(value[0] ?? 0, 0);
    },
  };
}
