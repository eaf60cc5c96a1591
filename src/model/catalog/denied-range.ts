import { inNetwork } from '../endpoint.ts';

/** The ranges to deny that the addresses stand for, first-last. */
export function rangesAround(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.flatMap(rangesOf))];
}

function rangesOf(address: string): readonly string[] {
  // First the spellings of IPv4: they are IPv6 ranges to coturn, whatever they stand for.
  const spelling = spellings.find(([pattern]) => pattern.test(address));
  if (spelling !== undefined) return spelling[1];
  return networks.flatMap(([network, length, range]) => (inNetwork(address, network, length) ? [range] : []));
}

const spellings: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^::ffff:/, ['::ffff:0:0-::ffff:ffff:ffff']],
  [/^64:ff9b:1:/, ['64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff']],
  [/^64:ff9b:/, ['64:ff9b::-64:ff9b::ffff:ffff']],
  [/^2002:/, ['2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff']],
  // Four, because coturn before 4.16 compares IPv6 byte by byte.
  [/^::\d+\./, ['::1-::ffff:ffff', '::100-::ffff:ff00', '::1:0-::ffff:0', '::100:0-::ff00:0']],
];

const networks: readonly (readonly [network: string, prefixLength: number, range: string])[] = [
  ['10.0.0.0', 8, '10.0.0.0-10.255.255.255'],
  ['172.16.0.0', 12, '172.16.0.0-172.31.255.255'],
  ['192.168.0.0', 16, '192.168.0.0-192.168.255.255'],
  ['100.64.0.0', 10, '100.64.0.0-100.127.255.255'],
  ['127.0.0.0', 8, '127.0.0.0-127.255.255.255'],
  ['192.0.0.0', 24, '192.0.0.0-192.0.0.255'],
  ['169.254.0.0', 16, '169.254.0.0-169.254.255.255'],
  ['224.0.0.0', 4, '224.0.0.0-239.255.255.255'],
  ['255.255.255.255', 32, '240.0.0.0-255.255.255.255'],
  ['::1', 128, '::1'],
  ['fec0::', 10, 'fec0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['fc00::', 7, 'fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['fe80::', 10, 'fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['ff00::', 8, 'ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];
