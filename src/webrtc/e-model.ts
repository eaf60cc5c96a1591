import type { Distribution } from '../model/observations.ts';

/*
 * The E-model of ITU-T G.107 (06/2015) with every parameter at its default but the two that a call measures, delay
 * and loss: R = 93.2 − Idd − Ie,eff. 93.2 is G.107's R for all defaults (§7.7). Its scale is that of
 * narrowband telephony, so the best MOS is 4.4.
 */
const defaultRating = 93.2;
// G.107 §7.4: mT, the delay that nobody notices; sT is 1 in the default ("very sensitive") case.
const unnoticedDelayMs = 100;
// G.113 Appendix I has no values for Opus. The nearest entry is G.711 with packet loss concealment: no distortion of
// its own, and 4 points of R for each percent of random loss at first.
const codecImpairment = 0;
const lossRobustness = 25.1;
// G.107 §7.5: burst ratio 1 means that losses are random.
const burstRatio = 1;

/** The speech sample's frames; Opus looks 6.5 ms ahead (312 samples at 48 kHz: its pre-skip, RFC 7845 §4.2). */
export const packetMs = 20;
const lookAheadMs = 6.5;
// An adaptive jitter buffer (NetEq of libwebrtc) aims at the 95th percentile of the delay and holds one packet at least.
const leastBufferMs = packetMs;

/**
 * Mouth-to-ear delay that a listener would have: packet and look-ahead at the sender, the fastest way through the
 * network, and a jitter buffer over the rest.
 * @param delay one-way delay of the packets in the network, ms
 */
export function mouthToEarDelayMs(delay: Distribution): number {
  return packetMs + lookAheadMs + delay.min + Math.max(leastBufferMs, delay.p95 - delay.min);
}

/** Idd of G.107 §7.4: the impairment by delay alone, without echo. */
export function delayImpairment(mouthToEarMs: number): number {
  if (mouthToEarMs <= unnoticedDelayMs) return 0;
  const x = Math.log2(mouthToEarMs / unnoticedDelayMs);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie,eff of G.107 §7.5: codec and packet loss. */
export function lossImpairment(lossRatio: number): number {
  const lossPercent = lossRatio * 100;
  return (
    codecImpairment + ((95 - codecImpairment) * lossPercent) / (lossPercent / burstRatio + lossRobustness)
  );
}

/** Transmission rating R, 0 to 93.2. */
export function ratingOf(mouthToEarMs: number, lossRatio: number): number {
  return Math.max(0, defaultRating - delayImpairment(mouthToEarMs) - lossImpairment(lossRatio));
}

/** G.107 Annex B: mean opinion score of a rating, 1 to 4.5. */
export function mosOfRating(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  // The cubic dips a little below 1 for ratings under 6.5.
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}

/** Mean opinion score of one direction of a call, 1 to 4.4. */
export function mosOf(delay: Distribution, lossRatio: number): number {
  return mosOfRating(ratingOf(mouthToEarDelayMs(delay), lossRatio));
}
