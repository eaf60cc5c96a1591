import { readFile, readdir, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { ListeningSocket, Seen } from '../../model/firewall-facts.ts';
import type { Family } from '../../model/endpoint.ts';

/** The listening sockets of this network namespace, from /proc; the programs as far as they may be seen. */
export async function listeningSockets(): Promise<Seen<ListeningSocket[]>> {
  const tables = [
    { file: 'tcp', protocol: 'tcp', listening: '0A' },
    { file: 'tcp6', protocol: 'tcp', listening: '0A' },
    // A UDP socket that is connected to somebody takes nothing from others.
    { file: 'udp', protocol: 'udp', listening: '07' },
    { file: 'udp6', protocol: 'udp', listening: '07' },
  ] as const;
  const programs = await programsByInode();
  const sockets: ListeningSocket[] = [];
  for (const { file, protocol, listening } of tables) {
    const text = await readOptional(`/proc/self/net/${file}`);
    if (text === null && !file.endsWith('6')) {
      return { state: 'unknown', because: `/proc/self/net/${file} cannot be read` };
    }
    sockets.push(...parseSocketTable(text ?? '', protocol, listening, programs));
  }
  return { state: 'seen', value: sockets };
}

/** A table of proc_net_tcp: local address and port in hexadecimal, the state, and in the tenth column the inode. */
export function parseSocketTable(
  text: string,
  protocol: ListeningSocket['protocol'],
  listening: string,
  programs: ReadonlyMap<string, string>,
): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line): ListeningSocket[] => {
      const columns = line.trim().split(/\s+/);
      const [, local = '', , state = ''] = columns;
      const [address = '', port = ''] = local.split(':');
      if (state !== listening || port === '') return [];
      return [
        {
          protocol,
          address: addressOf(address),
          port: Number.parseInt(port, 16),
          program: programs.get(columns[9] ?? '') ?? null,
        },
      ];
    });
}

/** Words of 32 bits, each in the byte order of the machine. */
function addressOf(hexadecimal: string): string {
  const bytes = [...Buffer.from(hexadecimal, 'hex')];
  const ordered =
    endianness() === 'BE'
      ? bytes
      : Array.from({ length: bytes.length / 4 }, (_, word) =>
          bytes.slice(4 * word, 4 * word + 4).toReversed(),
        ).flat();
  return ipaddr.fromByteArray(ordered).toString();
}

async function programsByInode(): Promise<Map<string, string>> {
  const programs = new Map<string, string>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const name = (await readOptional(`/proc/${pid}/comm`))?.trim();
    if (name === undefined) continue;
    for (const inode of await socketInodes(pid)) programs.set(inode, name);
  }
  return programs;
}

async function socketInodes(pid: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(`/proc/${pid}/fd`);
  } catch (error) {
    if (isGoneOrHidden(error)) return [];
    throw error;
  }
  const links = await Promise.all(
    names.map(async (name) => {
      try {
        return await readlink(`/proc/${pid}/fd/${name}`);
      } catch (error) {
        if (isGoneOrHidden(error)) return '';
        throw error;
      }
    }),
  );
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

/** The interface of the default route of each family, from /proc; null where there is none, or more than one. */
export async function defaultDevices(): Promise<Record<Family, string | null>> {
  const [ipv4, ipv6] = await Promise.all([
    readOptional('/proc/self/net/route'),
    readOptional('/proc/self/net/ipv6_route'),
  ]);
  return { 4: onlyOne(defaultRoutes4(ipv4 ?? '')), 6: onlyOne(defaultRoutes6(ipv6 ?? '')) };
}

/** Interface, destination, …, and in the eighth column the mask; in hexadecimal. */
function defaultRoutes4(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.split('\t').map((each) => each.trim()))
    .filter((columns) => columns[1] === '00000000' && columns[7] === '00000000')
    .map(([device = '']) => device);
}

/** Destination, prefix length, …, and in the last column the interface. Routes of `lo` are those that reject. */
function defaultRoutes6(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[0] === '0'.repeat(32) && columns[1] === '00')
    .map((columns) => columns.at(-1) ?? '')
    .filter((device) => device !== 'lo');
}

function onlyOne(devices: readonly string[]): string | null {
  const [first, ...others] = new Set(devices);
  return others.length === 0 ? (first ?? null) : null;
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isGoneOrHidden(error)) return null;
    throw error;
  }
}

function isGoneOrHidden(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(error.code))
  );
}
