import { Histogram } from './histogram.ts';

/** What a packet was to the receiver. `stale` is one so late that nobody can tell a duplicate from a straggler. */
export type ArrivalKind = 'next' | 'reordered' | 'duplicate' | 'stale';

// A power of two. 4096 packets are 82 s of audio: what comes later than that is of no use to anyone, and the replay
// window of libdatachannel's SRTP is 1024.
const windowPackets = 4096;

/**
 * Follows the sequence numbers of one RTP source (RFC 3550 A.1): extends them beyond their 16 bits, and tells
 * losses, duplicates and reordering apart. Its memory does not grow.
 *
 * Unlike A.1 it does not start anew after a gap of 3000 packets (MAX_DROPOUT): the sender here is known and never
 * starts anew, so such a gap is an outage of a minute, and its packets are lost.
 */
export class SequenceTracker {
  /** Distinct packets. */
  received = 0;
  duplicates = 0;
  /** Distinct packets that came after one with a higher number. */
  reordered = 0;
  stale = 0;
  readonly #seen = new Uint8Array(windowPackets);
  #lowest = 0;
  #highest = -1;

  /** @param sequenceNumber 16 bits */
  observe(sequenceNumber: number): ArrivalKind {
    if (this.#highest < 0) {
      // One cycle up, so that packets before the first one that came have a number as well.
      this.#lowest = this.#highest = 0x10000 + sequenceNumber;
      return this.#count(this.#highest, 'next');
    }
    const ahead = (sequenceNumber - this.#highest) & 0xffff;
    if (ahead === 0) return this.#count(this.#highest, 'duplicate');
    if (ahead < 0x8000) {
      const highest = this.#highest + ahead;
      for (let number = Math.max(this.#highest + 1, highest - windowPackets); number < highest; number++) {
        this.#seen[number % windowPackets] = 0;
      }
      this.#highest = highest;
      return this.#count(highest, 'next');
    }
    const number = this.#highest - (0x10000 - ahead);
    if (number <= this.#highest - windowPackets) return this.#count(number, 'stale');
    return this.#count(number, this.#wasSeen(number) ? 'duplicate' : 'reordered');
  }

  /** Packets that should have come by now, from the lowest number seen to the highest. */
  get expected(): number {
    return this.#highest < 0 ? 0 : this.#highest - this.#lowest + 1;
  }

  /** RFC 3550 §6.4.1: cycles in the upper 16 bits, the number itself below; counted from the first packet. */
  get extendedHighest(): number {
    return this.#highest < 0 ? 0 : (this.#highest - 0x10000) >>> 0;
  }

  #wasSeen(number: number): boolean {
    return number >= this.#lowest && this.#seen[number % windowPackets] === 1;
  }

  #count(number: number, kind: ArrivalKind): ArrivalKind {
    if (kind === 'duplicate') this.duplicates++;
    else if (kind === 'stale') this.stale++;
    else {
      if (kind === 'reordered') this.reordered++;
      this.received++;
      this.#seen[number % windowPackets] = 1;
      this.#lowest = Math.min(this.#lowest, number);
    }
    return kind;
  }
}

/**
 * Interarrival jitter (RFC 3550 §6.4.1, A.8): J += (|D| − J) / 16 with D the difference of two packets' transit
 * times. The transit is counted from the instant of sending, not from the nominal RTP timestamp: both ends share a
 * clock here, and lateness of our own sending timer is none of the network's jitter.
 *
 * J forgets within some 16 packets, a third of a second: at the end of a call it says nothing about a burst in the
 * middle. So |D| is kept as a distribution too.
 */
export class InterarrivalJitter {
  ms = 0;
  maxMs = 0;
  /** |D| of every two packets that came one after the other. RFC 5481 §4.1 calls D the inter-packet delay variation. */
  readonly variation = new Histogram();
  #sumMs = 0;
  #transitMs: number | null = null;

  /** Mean of J over the packets so far. */
  get meanMs(): number {
    return this.variation.count === 0 ? 0 : this.#sumMs / this.variation.count;
  }

  observe(sentMs: number, arrivedMs: number): void {
    const transitMs = arrivedMs - sentMs;
    if (this.#transitMs !== null) {
      const differenceMs = Math.abs(transitMs - this.#transitMs);
      this.ms += (differenceMs - this.ms) / 16;
      this.maxMs = Math.max(this.maxMs, this.ms);
      this.#sumMs += this.ms;
      this.variation.add(differenceMs);
    }
    this.#transitMs = transitMs;
  }
}

/** The two loss figures of a report block (RFC 3550 A.3), each call closing one reporting interval. */
export class LossReport {
  #expectedBefore = 0;
  #receivedBefore = 0;

  take(tracker: SequenceTracker): { readonly fractionLost: number; readonly cumulativeLost: number } {
    // A.3 counts every packet that came, duplicates too.
    const received = tracker.received + tracker.duplicates + tracker.stale;
    const expectedInterval = tracker.expected - this.#expectedBefore;
    const lostInterval = expectedInterval - (received - this.#receivedBefore);
    this.#expectedBefore = tracker.expected;
    this.#receivedBefore = received;
    return {
      fractionLost:
        expectedInterval <= 0 || lostInterval <= 0 ? 0 : Math.floor((lostInterval * 256) / expectedInterval),
      cumulativeLost: tracker.expected - received,
    };
  }
}
