import {
  chmod,
  chown,
  copyFile,
  constants,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { RtcOpsError, reasonOf } from '../../model/error.ts';

export interface Rewriting {
  readonly file: string;
  /** What the file held when it was judged: nothing is written when it has changed since. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly now: Date;
}

/**
 * Puts a new text in the place of a file, with its mode and owner, and what was there beside it. The file is the old one
 * or the new one at every moment; a symbolic link stays one. Gives the path of the backup.
 * @throws RtcOpsError `tool-failed`; the file is as it was then
 */
export async function rewriteFile({ file, before, after, now }: Rewriting): Promise<string> {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let draft: string | null = null;
  try {
    const real = await realpath(file);
    const backup = `${real}.bak.${stamp}`;
    const { mode, uid, gid } = await stat(real);
    await copyFile(real, backup, constants.COPYFILE_EXCL);
    await keepOwner(backup, { mode, uid, gid });
    draft = `${real}.${process.pid}.draft`;
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(after);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A file that its service cannot read is an open relay: better none than one of another owner.
    await keepOwner(draft, { mode, uid, gid });
    if (!(await readFile(real)).equals(before)) throw new Error('it was changed meanwhile');
    await rename(draft, real);
    return backup;
  } catch (cause) {
    if (draft !== null) await rm(draft, { force: true });
    throw new RtcOpsError('tool-failed', `cannot change ${file}: ${reasonOf(cause)}`, {
      hint: 'It is as it was.',
      cause,
    });
  }
}

async function keepOwner(path: string, old: { mode: number; uid: number; gid: number }): Promise<void> {
  const { uid, gid } = await stat(path);
  if (uid !== old.uid || gid !== old.gid) await chown(path, old.uid, old.gid);
  await chmod(path, old.mode & 0o7777);
}
