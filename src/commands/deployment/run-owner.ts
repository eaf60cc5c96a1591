import { hostname, userInfo } from 'node:os';
import type { HostFacts } from '../../ansible/host-facts.ts';

/** This run, for a host that takes one deployment at a time and tells others whose it is: `alice@laptop, process 4711`. */
export function runOwner(pid = process.pid): string {
  return `${userInfo().username}@${hostname()}, process ${pid}`;
}

/** The deployment that a host takes for one that is under way, where it was one of this machine whose process has ended. */
export function endedOwner({ deployment }: Pick<HostFacts, 'deployment'>): string {
  const [, machine, pid] = /^[^@]*@(.*), process (\d+)$/.exec(deployment ?? '') ?? [];
  if (deployment === null || machine !== hostname() || pid === undefined) return '';
  return isAlive(Number(pid)) ? '' : deployment;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is of another user.
    return error instanceof Error && 'code' in error && error.code !== 'ESRCH';
  }
}
