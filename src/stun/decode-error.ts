/** Why bytes are not a STUN message, a ChannelData message or a valid attribute value. */
export type DecodeFailure =
  /** Fewer bytes than the fixed header. */
  | 'too-short'
  /** The first two bits are not zero (RFC 8489 §5). */
  | 'not-stun'
  /** No magic cookie: RFC 3489 or another protocol. */
  | 'magic-cookie'
  /** The length field is no multiple of four (RFC 8489 §5). */
  | 'length'
  /** The length field promises more bytes than there are. */
  | 'truncated'
  /** There are more bytes than the length field says. */
  | 'trailing-bytes'
  /** An attribute reaches beyond the end of its message. */
  | 'attribute-overrun'
  /** An attribute whose value is not what its type allows. */
  | 'attribute-value'
  /** Not a channel number of RFC 8656 §12. */
  | 'not-channel-data'
  /** A stream at a place where neither a STUN message nor a ChannelData message begins. */
  | 'not-turn';

/** The one error that any bytes from the network can cause in this room. */
export class StunDecodeError extends Error {
  override readonly name = 'StunDecodeError';
  readonly reason: DecodeFailure;
  /** Where it was noticed: bytes from the start of the message or, for a stream, from the start of the frame. */
  readonly offset: number;

  constructor(reason: DecodeFailure, message: string, offset: number) {
    super(message);
    this.reason = reason;
    this.offset = offset;
  }
}
