import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { familyOf, type Family } from '../model/endpoint.ts';

/** An address of a host as the world sees it, and as the host itself has it; the same where there is no NAT. */
export interface AddressPair {
  readonly public: string;
  readonly private: string;
}

/** `203.0.113.10`, or `203.0.113.10/172.16.0.10` behind a 1:1 NAT; null when the text is neither. */
export function parseAddressPair(text: string): AddressPair | null {
  const [outside = '', inside = outside, ...more] = text.split('/');
  if (more.length > 0 || !isIP(outside) || !isIP(inside) || familyOf(outside) !== familyOf(inside))
    return null;
  return { public: normalAddress(outside), private: normalAddress(inside) };
}

/** A network by its first and last address. */
export interface Network {
  readonly family: Family;
  readonly first: string;
  readonly last: string;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address; null when the text is neither, or has bits set behind the prefix. */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || more.length > 0) return null;
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity;
  if (length > bits) return null;
  const first = bytesOf(address);
  const mask = first.map((_, index) => (0xff00 >> Math.min(8, Math.max(0, length - 8 * index))) & 0xff);
  if (first.some((byte, index) => (byte & ~(mask[index] ?? 0)) !== 0)) return null;
  const last = first.map((byte, index) => byte | (~(mask[index] ?? 0) & 0xff));
  return { family, first: addressOf(first), last: addressOf(last) };
}

/** A range as the networks that make it up, the fewest there are: `10.0.0.0/8`, or one address by itself. */
export function networkTexts({ family, first, last }: Network): string[] {
  const bits = family === 4 ? 32 : 128;
  const end = numberOf(last);
  const texts: string[] = [];
  for (let next = numberOf(first); next <= end;) {
    let free = 0;
    while (free < bits && (next & (1n << BigInt(free))) === 0n && next + (2n << BigInt(free)) - 1n <= end)
      free++;
    const address = addressOf(bytesFrom(next, bits / 8));
    texts.push(free === 0 ? address : `${address}/${bits - free}`);
    next += 1n << BigInt(free);
  }
  return texts;
}

function numberOf(address: string): bigint {
  return bytesOf(address).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function bytesFrom(number: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Number((number >> BigInt(8 * (count - 1 - index))) & 255n),
  );
}

/** Whether two networks share an address. */
export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && !isBelow(a.last, b.first) && !isBelow(b.last, a.first);
}

/** Whether every address of `inner` lies in `outer`. */
export function covers(outer: Network, inner: Network): boolean {
  return (
    outer.family === inner.family && !isBelow(inner.first, outer.first) && !isBelow(outer.last, inner.last)
  );
}

function isBelow(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(bytesOf(a)), Buffer.from(bytesOf(b))) < 0;
}

function bytesOf(address: string): number[] {
  // ipaddr.js takes ::10.0.0.1 for ::ffff:10.0.0.1, which is another address (RFC 4291 §2.5.5).
  const hexadecimal = address.replace(/:(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  return ipaddr.parse(hexadecimal).toByteArray();
}

/** The usual spelling: IPv6 in lower case, compressed (RFC 5952 §4). */
export function normalAddress(address: string): string {
  return addressOf(bytesOf(address));
}

function addressOf(bytes: number[]): string {
  return ipaddr.fromByteArray(bytes).toString();
}
