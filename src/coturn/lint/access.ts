import type { NodeFacts, PathFacts, ServiceFacts } from '../../model/host-facts.ts';

export interface Stop {
  /** The directory or file at which the user is stopped. */
  readonly at: string;
  readonly because: string;
}

/** Whom a program runs as. */
export type Account = Pick<ServiceFacts, 'uid' | 'gids'>;

/** Where the user of a service is stopped on the way to a file; null when nothing stops it. */
export function stoppedAt({ error, nodes }: PathFacts, service: Account): Stop | null {
  if (service.uid === 0) return null;
  for (const [index, node] of nodes.entries()) {
    const isFile = error === null && index === nodes.length - 1;
    const wanted = isFile ? 4 : 1;
    if ((bitsFor(node, service) & wanted) === wanted) continue;
    const owner = node.uid === 0 ? 'root' : `user ${node.uid}`;
    return { at: node.path, because: `its mode is ${octal(node.mode)}, and ${owner} owns it` };
  }
  return null;
}

/** What a user may do: the first class that it belongs to counts, even where a later one allows more. */
function bitsFor({ uid, gid, mode }: NodeFacts, service: Account): number {
  if (uid === service.uid) return (mode >> 6) & 7;
  if (service.gids.includes(gid)) return (mode >> 3) & 7;
  return mode & 7;
}

/** The mode of a file that everybody on the machine can read; null for any other. */
export function anyoneElseReads({ error, nodes }: PathFacts): string | null {
  const file = nodes.at(-1);
  if (error !== null || file === undefined || (file.mode & 4) === 0) return null;
  const isReachable = nodes.slice(0, -1).every(({ mode }) => (mode & 1) === 1);
  return isReachable ? octal(file.mode) : null;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
