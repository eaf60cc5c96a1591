import { fstatSync, writeSync } from 'node:fs';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/**
 * Whether a descriptor is a file or a device that is no terminal. Node's own stream for those takes a short write for a
 * whole one, and tells an error when the process has ended: a full disk would go unnoticed.
 */
export function isFileOrDevice(fd: number, isTerminal: boolean): boolean {
  if (isTerminal) return false;
  const stat = fstatSync(fd);
  return stat.isFile() || stat.isCharacterDevice();
}

/**
 * Writes all of a text.
 * @throws RtcOpsError `tool-failed`
 */
export function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
  } catch (cause) {
    throw new RtcOpsError('tool-failed', `the result cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
