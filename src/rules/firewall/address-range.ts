import ipaddr from 'ipaddr.js';
import { familyOf, type Family } from '../../model/endpoint.ts';

/** Addresses that follow each other, as numbers, both ends included. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** `192.0.2.1`, `192.0.2.0/24` or `192.0.2.1-192.0.2.9`; null for what is none of these. */
export function addressRange(text: string): AddressRange | null {
  const [from = '', to] = text.split('-');
  const [address = '', length] = from.split('/');
  if (!ipaddr.isValid(address) || (to !== undefined && !ipaddr.isValid(to))) return null;
  const family = familyOf(address);
  const first = numberOf(address);
  if (to !== undefined) return { family, first, last: numberOf(to) };
  const bits = family === 4 ? 32 : 128;
  const size = 1n << BigInt(bits - Number(length ?? bits));
  const begin = first - (first % size);
  return { family, first: begin, last: begin + size - 1n };
}

export function holds({ family, first, last }: AddressRange, address: string): boolean {
  if (familyOf(address) !== family) return false;
  const value = numberOf(address);
  return first <= value && value <= last;
}

// What is given out on the internet: all of IPv4, and 2000::/3 (RFC 4291 §2.4).
const internet: Readonly<Record<Family, AddressRange>> = {
  4: { family: 4, first: 0n, last: (1n << 32n) - 1n },
  6: { family: 6, first: 1n << 125n, last: (1n << 126n) - 1n },
};

/** Which part of the internet these ranges are, from 0 to 1. */
export function shareOfInternet(ranges: readonly AddressRange[], family: Family): number {
  const whole = internet[family];
  const inside = ranges
    .filter((each) => each.family === family && each.first <= whole.last && each.last >= whole.first)
    .toSorted((a, b) => (a.first < b.first ? -1 : 1));
  let covered = 0n;
  let next = whole.first;
  for (const { first, last } of inside) {
    const from = first > next ? first : next;
    const to = last < whole.last ? last : whole.last;
    if (to < from) continue;
    covered += to - from + 1n;
    next = to + 1n;
  }
  return Number((covered * 1_000_000n) / (whole.last - whole.first + 1n)) / 1_000_000;
}

function numberOf(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
