import { readFileSync } from 'node:fs';

/**
 * Whether a process runs. One that has ended and was not waited for by its parent does not: in a container there may be
 * nobody to do so.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
