import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/** A file to write, whole or not at all. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Whether it may take the place of one that is there; `keep-old` keeps that one beside it, unless it says the same. */
  readonly replace: boolean | 'keep-old';
}

/**
 * Writes files, and gives the paths of what they have replaced and kept. Each is complete before it gets its name, and when
 * one cannot be written those that were made before it are taken back.
 * @throws RtcOpsError `usage` when one is there already, or cannot be written
 */
export async function writeNewFiles(files: readonly NewFile[], now: Date): Promise<string[]> {
  const undo: (() => Promise<void>)[] = [];
  const kept: string[] = [];
  for (const file of files) {
    try {
      const { isNew, backup } = await written(file, now);
      if (backup !== null) {
        kept.push(backup);
        undo.push(async () => rename(backup, file.path));
      } else if (isNew) undo.push(async () => rm(file.path, { force: true }));
    } catch (cause) {
      await Promise.all(undo.map(async (each) => each()));
      if (codeOf(cause) === 'EEXIST') throw alreadyThere(file.path);
      throw new RtcOpsError('usage', `cannot write ${file.path}: ${reasonOf(cause)}`, { cause });
    }
  }
  return kept;
}

function alreadyThere(path: string): RtcOpsError {
  return new RtcOpsError('usage', `${basename(path)} is there already`, {
    hint: 'It stays as it is. --force replaces it.',
  });
}

interface Written {
  /** One that was replaced and not kept cannot be taken back. */
  readonly isNew: boolean;
  readonly backup: string | null;
}

async function written({ path, text, mode, replace }: NewFile, now: Date): Promise<Written> {
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
    if (replace === false) await link(draft, path);
    else if (!(await linked(draft, path))) {
      const backup = replace === 'keep-old' ? await keptOld(path, text, now) : null;
      await rename(draft, path);
      return { isNew: false, backup };
    }
    return { isNew: true, backup: null };
  } finally {
    await rm(draft, { force: true });
  }
}

/** A second name for what is there, with its owner and mode; none where it says what is to be written. */
async function keptOld(path: string, text: string, now: Date): Promise<string | null> {
  if ((await readFile(path)).equals(Buffer.from(text))) return null;
  const backup = `${path}.bak.${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  await link(path, backup);
  return backup;
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
