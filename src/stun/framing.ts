import { channelHeaderBytes } from './channel-data.ts';
import { StunDecodeError } from './decode-error.ts';
import { cookieBytes, headerBytes } from './message.ts';
import { paddedLength, uint16At } from './wire.ts';

/** Both kinds of frame have their length in the third and fourth byte. */
const prefixBytes = 4;

/**
 * Cuts a TCP or TLS stream into STUN and ChannelData messages (RFC 8489 §6.2.2, RFC 8656 §12.5).
 *
 * Each byte is copied at most twice, however the stream is cut into chunks. What is kept between two calls is one
 * incomplete frame: at most 65 551 bytes.
 *
 * A frame that lies within one chunk is a view on it, so the caller must not reuse a chunk.
 */
export class StreamFramer {
  /** The beginning of an incomplete frame, in a buffer for the whole of it, or of its prefix while its size is unknown. */
  #buffer = new Uint8Array(0);
  #filled = 0;
  #begun = false;
  #failure: StunDecodeError | null = null;

  /** Bytes that wait for the rest of their frame. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /** Why the stream cannot be read any further; null while it can. */
  get failure(): StunDecodeError | null {
    return this.#failure;
  }

  /**
   * Takes the next chunk and returns the frames that it completes; ChannelData without its padding.
   *
   * @throws StunDecodeError when the stream goes on with neither STUN nor ChannelData. Frames that came before in the
   *   same chunk are returned first: then `failure` is set, and the next call throws.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    const frames: Uint8Array[] = [];
    try {
      this.#split(chunk, frames);
    } catch (error) {
      if (!(error instanceof StunDecodeError)) {
        throw error;
      }
      this.#failure = error;
      if (frames.length === 0) {
        throw error;
      }
    }
    return frames;
  }

  #split(chunk: Uint8Array, frames: Uint8Array[]): void {
    let offset = this.#filled > 0 ? this.#resume(chunk, frames) : 0;
    while (offset < chunk.length) {
      const rest = chunk.subarray(offset);
      const size = frameSize(rest, this.#begun);
      if (size === null || size > rest.length) {
        this.#buffer = new Uint8Array(size ?? prefixBytes);
        this.#buffer.set(rest);
        this.#filled = rest.length;
        return;
      }
      this.#finish(rest.subarray(0, size), frames);
      offset += size;
    }
  }

  /** Goes on with the frame in the buffer; returns how many bytes of the chunk it took. */
  #resume(chunk: Uint8Array, frames: Uint8Array[]): number {
    let offset = 0;
    while (offset < chunk.length) {
      const taken = chunk.subarray(offset, offset + this.#buffer.length - this.#filled);
      this.#buffer.set(taken, this.#filled);
      this.#filled += taken.length;
      offset += taken.length;
      const size = frameSize(this.#buffer.subarray(0, this.#filled), this.#begun);
      if (size === this.#filled) {
        this.#finish(this.#buffer, frames);
        this.#filled = 0;
        return offset;
      }
      if (size !== null && size > this.#buffer.length) {
        const larger = new Uint8Array(size);
        larger.set(this.#buffer.subarray(0, this.#filled));
        this.#buffer = larger;
      }
    }
    return offset;
  }

  #finish(frame: Uint8Array, frames: Uint8Array[]): void {
    this.#begun = true;
    const isStun = (frame[0] ?? 0) < 0x40;
    frames.push(isStun ? frame : frame.subarray(0, channelHeaderBytes + uint16At(frame, 2)));
  }
}

/**
 * The size of the frame that begins here, padding included, or null while its prefix is incomplete. What is wrong is
 * refused at its first wrong byte: another protocol must not leave us waiting for the bytes that its text spells. The
 * checks go in the order of the stream, so that the chunks make no difference.
 */
function frameSize(bytes: Uint8Array, begun: boolean): number | null {
  const first = bytes[0] ?? 0;
  // No channel is bound before the first response; without this, "HTTP/1.1" is 21 584 bytes on channel 0x4854.
  if (first > 0x4f || (first > 0x3f && !begun)) {
    const byte = `0x${first.toString(16)}`;
    throw new StunDecodeError('not-turn', `neither STUN nor ChannelData begins with ${byte} here`, 0);
  }
  if (bytes.length < prefixBytes) {
    return null;
  }
  const length = uint16At(bytes, 2);
  if (first > 0x3f) {
    return paddedLength(channelHeaderBytes + length);
  }
  if (length % 4 !== 0) {
    throw new StunDecodeError('length', `message length ${length} is no multiple of 4`, 2);
  }
  checkCookie(bytes);
  return headerBytes + length;
}

/** Checks as much of the magic cookie as is there: a TLS alert, 7 bytes long, never gets to the end of it. */
function checkCookie(bytes: Uint8Array): void {
  for (let index = 0; index < cookieBytes.length && 4 + index < bytes.length; index++) {
    if (bytes[4 + index] !== cookieBytes[index]) {
      throw new StunDecodeError('magic-cookie', 'no STUN magic cookie', 4);
    }
  }
}
