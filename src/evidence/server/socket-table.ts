import ipaddr from 'ipaddr.js';
import type { Family } from '../../model/endpoint.ts';
import type { ListeningSocket, Seen } from '../../model/firewall-facts.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import { sectionOf, seen, textOf, unknown } from './section.ts';

const tables = [
  { file: 'tcp', protocol: 'tcp', listening: '0A' },
  { file: 'tcp6', protocol: 'tcp', listening: '0A' },
  // A UDP socket that is connected to somebody takes nothing from others.
  { file: 'udp', protocol: 'udp', listening: '07' },
  { file: 'udp6', protocol: 'udp', listening: '07' },
] as const;

/** The sockets of one network namespace; `prefix` begins the names of its sections. */
export function listeningSockets(evidence: ServerEvidence, prefix = 'sockets'): Seen<ListeningSocket[]> {
  const programs = ownersOf(textOf(evidence, 'owners'));
  const isBigEndian = /\b(?:s390x?|ppc64|mips|mips64|sparc64)$/.test(textOf(evidence, 'uname').trim());
  const sockets: ListeningSocket[] = [];
  for (const { file, protocol, listening } of tables) {
    const { status, text } = sectionOf(evidence, `${prefix} ${file}`);
    if (status !== '0' && !file.endsWith('6')) return unknown(`/proc/self/net/${file} cannot be read`);
    if (status === '0') sockets.push(...parseTable(text, { protocol, listening, programs, isBigEndian }));
  }
  return seen(sockets);
}

interface TableContext {
  readonly protocol: ListeningSocket['protocol'];
  readonly listening: string;
  readonly programs: ReadonlyMap<string, Owner>;
  readonly isBigEndian: boolean;
}

/** A table of proc_net_tcp: local address and port in hexadecimal, the state, and in the tenth column the inode. */
function parseTable(
  text: string,
  { protocol, listening, programs, isBigEndian }: TableContext,
): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line): ListeningSocket[] => {
      const columns = line.trim().split(/\s+/);
      const [, local = '', , state = ''] = columns;
      const [, hexadecimal = '', port = ''] =
        /^((?:[\dA-F]{8}){1}|(?:[\dA-F]{8}){4}):([\dA-F]{4})$/.exec(local) ?? [];
      if (state !== listening || port === '') return [];
      const owner = programs.get(columns[9] ?? '') ?? null;
      return [
        {
          protocol,
          address: addressOf(hexadecimal, isBigEndian),
          port: Number.parseInt(port, 16),
          program: owner?.program ?? null,
          pid: owner?.pid ?? null,
        },
      ];
    });
}

/** Words of 32 bits, each in the byte order of the machine. */
function addressOf(hexadecimal: string, isBigEndian: boolean): string {
  const bytes = [...Buffer.from(hexadecimal, 'hex')];
  const ordered = isBigEndian
    ? bytes
    : Array.from({ length: bytes.length / 4 }, (_, word) =>
        bytes.slice(4 * word, 4 * word + 4).toReversed(),
      ).flat();
  return ipaddr.fromByteArray(ordered).toString();
}

interface Owner {
  readonly pid: number;
  readonly program: string;
}

/** `PID INODE PROGRAM` lines, the first of an inode. */
function ownersOf(text: string): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  for (const line of text.split('\n')) {
    const [, pid = '', inode = '', program = ''] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
    if (inode !== '' && program !== '' && !owners.has(inode))
      owners.set(inode, { pid: Number(pid), program });
  }
  return owners;
}

/** The interface of the default route of each family; null where there is none, or more than one. */
export function defaultDevices(evidence: ServerEvidence): Record<Family, string | null> {
  return {
    4: onlyOne(defaultRoutes4(textOf(evidence, 'route'))),
    6: onlyOne(defaultRoutes6(textOf(evidence, 'ipv6_route'))),
  };
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
