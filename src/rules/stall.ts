import { durationText } from '../model/duration.ts';
import type { CallFacts } from '../model/observations.ts';

/** Packets that were due during a stall are made up for after it, up to a stall of this length. */
export const makeUpMs = 1000;
/** After a minute a NAT may have forgotten the way (RFC 4787 §4.3 asks for two; many give less), and a server its client. */
export const expiryMs = 60_000;
/** A shorter one is within what a jitter buffer hides. */
export const noticedMs = 200;

/** That our own process stood still for so long during the call; null when it did not. */
export function stallOf({ longestStallMs }: CallFacts, leastMs: number): string | null {
  return longestStallMs < leastMs
    ? null
    : `this machine did not run the call for ${durationText(longestStallMs)}, busy, stopped or asleep`;
}
