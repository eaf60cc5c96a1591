export interface ForeignFormat {
  /** What it is, with its article. */
  readonly name: string;
  readonly remedy: string;
}

const unpack = 'Unpack it first, and give what is in it.';
const asText = 'Give the recording itself: the dump, the log or the text, not a picture of it.';
const asPcap = 'Write it anew: editcap -F pcap IT call.pcap';

/** By its first bytes in hexadecimal: what people attach to a ticket in the place of a recording. */
const formats: readonly (readonly [string, ForeignFormat])[] = [
  ['504b0304', { name: 'a zip archive', remedy: unpack }],
  ['504b0506', { name: 'a zip archive', remedy: unpack }],
  ['377abcaf271c', { name: 'a 7z archive', remedy: unpack }],
  ['526172211a07', { name: 'a rar archive', remedy: unpack }],
  ['425a68', { name: 'packed with bzip2', remedy: 'Unpack it first: bunzip2' }],
  ['fd377a585a00', { name: 'packed with xz', remedy: 'Unpack it first: unxz' }],
  ['28b52ffd', { name: 'packed with zstd', remedy: 'Unpack it first: unzstd' }],
  ['89504e470d0a1a0a', { name: 'a picture', remedy: asText }],
  ['ffd8ff', { name: 'a picture', remedy: asText }],
  ['25504446', { name: 'a PDF', remedy: asText }],
  ['736e6f6f7000', { name: 'a capture in the format of snoop', remedy: asPcap }],
  ['34cdb2a1', { name: 'a capture in a modified format of pcap', remedy: asPcap }],
  ['a1b2cd34', { name: 'a capture in a modified format of pcap', remedy: asPcap }],
];

/** What a file is that cannot be read here, where that is plain; null otherwise. */
export function foreignFormat(head: Buffer): ForeignFormat | null {
  const start = head.toString('hex', 0, 8);
  const known = formats.find(([magic]) => start.startsWith(magic));
  if (known !== undefined) return known[1];
  // POSIX ustar
  return head.toString('latin1', 257, 262) === 'ustar' ? { name: 'a tar archive', remedy: unpack } : null;
}
