import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { access, constants, open, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/** A file that a result goes to. */
export interface OutputFile {
  /**
   * Replaces the content. Whoever reads the file at that moment gets the old one or the new one, whole.
   * @throws RtcOpsError `tool-failed`
   */
  readonly write: (content: string | Uint8Array) => Promise<void>;
}

/**
 * Prepares to write to `path`, an absolute one that `option` has given, and finds out now whether it can be written. `mode`
 * is that of the file; null keeps the one it has, or leaves it to the umask.
 * @throws RtcOpsError `usage`
 */
export async function openOutputFile(
  path: string,
  mode: number | null,
  option = '--output',
): Promise<OutputFile> {
  try {
    const file = await resolved(path);
    const existing = await statOf(file);
    if (existing?.isDirectory()) throw new Error('it is a directory');
    if (existing !== null) await access(file, constants.W_OK);
    if (existing?.isFIFO()) return await openPipe(path, file);
    // A device (/dev/stdout) is written to, not replaced.
    if (existing !== null && !existing.isFile()) return written(path, (text) => writeFile(file, text));
    const kept = mode ?? (existing === null ? null : existing.mode & 0o777);
    const trial = await temporaryBeside(file, '', kept);
    await rm(trial);
    return written(path, (text) => replace(file, text, kept));
  } catch (cause) {
    throw new RtcOpsError('usage', `${option} ${path} cannot be written: ${whyNot(cause)}`, { cause });
  }
}

/** What is missing is its directory: the file itself need not be there. */
function whyNot(cause: unknown): string {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return isMissing ? 'ENOENT: the directory it is to be in does not exist' : reasonOf(cause);
}

// A reader that is slower than the writer gets its time.
const fullPipeMs = 20;

/** A pipe with a name. Not to be opened by waiting for a reader: that would wait for ever, deaf to every signal. */
async function openPipe(path: string, file: string): Promise<OutputFile> {
  const pipe = await open(file, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENXIO')
      throw new Error('nobody reads the pipe');
    throw error;
  });
  return written(path, async (text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) {
      try {
        at += (await pipe.write(bytes, at)).bytesWritten;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
        await sleep(fullPipeMs);
      }
    }
  });
}

function written(path: string, write: (content: string | Uint8Array) => Promise<void>): OutputFile {
  return {
    async write(text) {
      try {
        await write(text);
      } catch (cause) {
        throw new RtcOpsError('tool-failed', `the result cannot be written to ${path}: ${reasonOf(cause)}`, {
          cause,
        });
      }
    },
  };
}

async function replace(file: string, text: string | Uint8Array, mode: number | null): Promise<void> {
  const temporary = await temporaryBeside(file, text, mode);
  try {
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** In the same directory, because a rename within a file system is atomic; with a name that no collector looks at. */
async function temporaryBeside(
  file: string,
  text: string | Uint8Array,
  mode: number | null,
): Promise<string> {
  const temporary = join(dirname(file), `.rtc-ops-${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx');
  try {
    // Not by open(): the umask would take away from it.
    if (mode !== null) await handle.chmod(mode);
    await handle.writeFile(text);
    // Else a crash of the machine can leave the new name with nothing in it.
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Behind a symbolic link, so that the link stays; like a redirection of the shell, also where nothing is there yet. */
async function resolved(path: string): Promise<string> {
  if ((await statOf(path)) !== null) return realpath(path);
  const target = await linkTarget(path);
  // A link may lead to a link. A circle of them is no ENOENT, and has been refused above.
  return target === null ? path : resolved(resolve(await realpath(dirname(path)), target));
}

/** Null for what is no symbolic link. */
async function linkTarget(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EINVAL'))
      return null;
    throw error;
  }
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
