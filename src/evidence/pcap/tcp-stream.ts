import type { TcpFacts } from '../../model/capture-facts.ts';
import { StunDecodeError } from '../../stun/decode-error.ts';
import { StreamFramer } from '../../stun/framing.ts';
import { alertName } from './tls-alert.ts';

const flag = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
const mostAlerts = 4;

interface Side {
  /** Of the next byte; null before the first. */
  next: number | null;
  framer: StreamFramer | null;
}

/** One TCP connection: how it begins and ends, TLS as far as it is in clear, and the STUN frames of one without. */
export class TcpStream {
  readonly #sides: { readonly a: Side; readonly b: Side } = {
    a: { next: null, framer: new StreamFramer() },
    b: { next: null, framer: new StreamFramer() },
  };
  readonly #alerts: string[] = [];
  #syn = 0;
  #isAccepted = false;
  #resetBy: 'a' | 'b' | null = null;
  #tls: { clientHello: boolean; serverHello: boolean; data: boolean } | null = null;

  /** Takes a segment and gives the STUN and ChannelData messages that it completes. */
  take(segment: {
    readonly bytes: Buffer;
    readonly start: number;
    readonly end: number;
    readonly isFromA: boolean;
  }): Uint8Array[] {
    const { bytes, start, end, isFromA } = segment;
    const side = isFromA ? 'a' : 'b';
    const flags = bytes[start + 13] ?? 0;
    const sequence = bytes.readUInt32BE(start + 4);
    const payload = start + ((bytes[start + 12] ?? 0) >> 4) * 4;
    if (flags & flag.rst) this.#resetBy ??= side;
    if (flags & flag.syn) {
      if (flags & flag.ack) this.#isAccepted = true;
      else this.#syn++;
      this.#sides[side].next = (sequence + 1) >>> 0;
      return [];
    }
    if (payload >= end) return [];
    // What goes on a connection that the capture did not see begin, was accepted.
    this.#isAccepted = true;
    return this.#data(bytes.subarray(payload, end), sequence, side);
  }

  #data(data: Buffer, sequence: number, side: 'a' | 'b'): Uint8Array[] {
    const stream = this.#sides[side];
    const late = stream.next === null ? 0 : (stream.next - sequence) | 0;
    // All of it was seen before; with a part of it new, that part counts.
    if (late >= data.length) return [];
    const isGap = late < 0;
    const fresh = late > 0 ? data.subarray(late) : data;
    stream.next = (sequence + data.length) >>> 0;
    const isFirst = this.#tls === null && (fresh[0] === 22 || fresh[0] === 21) && fresh[1] === 3;
    if (this.#tls !== null || isFirst) {
      this.#takeTls(fresh, side);
      return [];
    }
    // Behind a hole the beginning of a frame is not known; most segments begin with one.
    if (isGap || stream.framer === null) stream.framer = new StreamFramer();
    return framesOf(stream, fresh);
  }

  #takeTls(data: Buffer, side: 'a' | 'b'): void {
    this.#tls ??= { clientHello: false, serverHello: false, data: false };
    for (let at = 0; at + 5 < data.length;) {
      const type = data[at];
      if (data[at + 1] !== 3) return;
      const isHandshake = type === 22;
      if (isHandshake && data[at + 5] === 1) this.#tls.clientHello = true;
      if (isHandshake && data[at + 5] === 2) this.#tls.serverHello = true;
      if (type === 23) this.#tls.data = true;
      // An alert of two bytes is in clear; one that is longer is encrypted.
      if (
        type === 21 &&
        data.readUInt16BE(at + 3) === 2 &&
        !this.#tls.data &&
        this.#alerts.length < mostAlerts
      ) {
        this.#alerts.push(`${alertName(data[at + 6] ?? 0)} from ${side}`);
      }
      at += 5 + data.readUInt16BE(at + 3);
    }
  }

  facts(): TcpFacts {
    return {
      syn: this.#syn,
      isAccepted: this.#isAccepted,
      resetBy: this.#resetBy,
      tls: this.#tls === null ? null : { ...this.#tls, alerts: [...this.#alerts] },
    };
  }
}

function framesOf(stream: Side, data: Buffer): Uint8Array[] {
  try {
    // What is kept of an incomplete frame must not be a view on a chunk of the file.
    return stream.framer?.push(Uint8Array.from(data)) ?? [];
  } catch (error) {
    if (!(error instanceof StunDecodeError)) throw error;
    stream.framer = null;
    return [];
  }
}
