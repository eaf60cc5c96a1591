import type { AttributeCodec } from './attribute.ts';
import { invalidValue, requireInteger, requireLength } from './attribute-value.ts';
import { putUint16, putUint32, uint16At, uint32At } from './wire.ts';

/** Attributes of NAT behavior discovery; its addresses, RESPONSE-ORIGIN and OTHER-ADDRESS, are in `address-attributes.ts`. */

export interface ChangeRequest {
  readonly address: boolean;
  readonly port: boolean;
}

/** RFC 5780 §7.2: answer from the other address, the other port, or both. */
export const changeRequest: AttributeCodec<ChangeRequest> = {
  type: 0x0003,
  name: 'CHANGE-REQUEST',
  encode({ address, port }) {
    const bytes = Buffer.alloc(4);
    putUint32(bytes, 0, (address ? 0x04 : 0) | (port ? 0x02 : 0));
    return bytes;
  },
  decode(value) {
    requireLength(value, 4);
    const flags = uint32At(value, 0);
    return { address: (flags & 0x04) !== 0, port: (flags & 0x02) !== 0 };
  },
};

/** RFC 5780 §7.5: where to send the response. */
export const responsePort: AttributeCodec<number> = {
  type: 0x0027,
  name: 'RESPONSE-PORT',
  encode(port) {
    requireInteger('a port', port, 0, 0xffff);
    const bytes = Buffer.alloc(4);
    putUint16(bytes, 0, port);
    return bytes;
  },
  decode(value) {
    // "Followed by 2 bytes of padding": some count them, as coturn and we do, and some do not.
    if (value.length !== 2 && value.length !== 4) {
      throw invalidValue(`${value.length} bytes instead of 2 or 4`);
    }
    return uint16At(value, 0);
  },
};

/** RFC 5780 §7.6: makes a message larger than the path's MTU. Its bytes mean nothing: the value is their number. */
export const padding: AttributeCodec<number> = {
  type: 0x0026,
  name: 'PADDING',
  encode(length) {
    requireInteger('a length', length, 0, 0xffff);
    return Buffer.alloc(length);
  },
  decode: (value) => value.length,
};
