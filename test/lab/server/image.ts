import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { sharedDirectory } from './place.ts';

/** Debian 12 and 13. */
export const suites = ['bookworm', 'trixie'] as const;

export type Suite = (typeof suites)[number];

const recipe = fileURLToPath(new URL('build-image.sh', import.meta.url));

/** The files beside the images. */
export const shared = {
  /** By which every server lets one in. */
  privateKey: join(sharedDirectory, 'id'),
  caCertificate: join(sharedDirectory, 'ca.pem'),
  caKey: join(sharedDirectory, 'ca.key'),
} as const;

/**
 * The root file system that servers are made from; made at the first use, in half a minute, and kept. Another recipe makes
 * another image.
 */
export async function image(suite: Suite): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(recipe))
    .digest('hex');
  const directory = join(sharedDirectory, `${suite}-${digest.slice(0, 12)}`);
  if (existsSync(join(directory, '.complete'))) return directory;
  await mkdir(sharedDirectory, { recursive: true, mode: 0o755 });
  // Whoever waits for another's build finds it done.
  const build = `[ -e "$1/.complete" ] || exec sh "$0" ${suite} "$1"`;
  const lock = join(sharedDirectory, 'lock');
  await execa('flock', [lock, 'sh', '-c', build, recipe, directory], { stdin: 'ignore' });
  return directory;
}
