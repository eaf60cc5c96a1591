import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/** A file to write, whole or not at all. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Whether it may take the place of one that is there. */
  readonly replace: boolean;
}

/**
 * Writes files. Each is complete before it gets its
 * name, and when one cannot be written those that were made before it are taken back.
 * @throws RtcOpsError `usage` when one is there already, or cannot be written
 */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  for (const file of files) {
    try {
      if (await written(file)) made.push(file.path);
    } catch (cause) {
      await Promise.all(made.map(async (path) => rm(path, { force: true })));
      if (codeOf(cause) === 'EEXIST') throw alreadyThere(file.path);
      throw new RtcOpsError('usage', `cannot write ${file.path}: ${reasonOf(cause)}`, { cause });
    }
  }
}

function alreadyThere(path: string): RtcOpsError {
  return new RtcOpsError('usage', `${basename(path)} is there already`, {
    hint: 'It stays as it is. --force replaces it.',
  });
}

/** Whether it is new: one that was replaced cannot be taken back. */
async function written({ path, text, mode, replace }: NewFile): Promise<boolean> {
  const draft = join(dirname(path), `.rtc-ops-${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(draft, 'wx', 0o600);
  try {
    try {
      // Not by open(): the umask would take away from it.
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Unlike rename, link fails where a file is, also one that came in between.
    if (!replace) await link(draft, path);
    else if (!(await linked(draft, path))) {
      await rename(draft, path);
      return false;
    }
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
