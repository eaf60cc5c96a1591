import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/**
 * Makes a directory of one's own, for whoever runs this alone, below the system's for temporary files.
 * @throws RtcOpsError `tool-failed` where none can be made
 */
export async function createTemporaryDirectory(prefix: string): Promise<string> {
  const parent = tmpdir();
  try {
    return await mkdtemp(join(parent, prefix));
  } catch (cause) {
    throw new RtcOpsError(
      'tool-failed',
      `no temporary directory can be made in ${parent}: ${reasonOf(cause)}`,
      { hint: 'Set TMPDIR to a directory that you may write to, such as TMPDIR=/var/tmp.', cause },
    );
  }
}
