import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { Config } from './config.ts';

const fileName = 'rtc-ops.yaml';

export interface ConfigLocation {
  /** The file that the user names; else rtc-ops.yaml is looked for. */
  readonly config?: string | undefined;
  readonly workingDirectory: string;
}

export interface LoadedConfig {
  /** Absolute; paths in the config are relative to its directory. */
  readonly file: string;
  /** The file as a message should name it: relative where that is shorter. */
  readonly displayName: string;
  readonly text: string;
  readonly config: Config;
}

/**
 * Reads the rtc-ops.yaml that counts here: the one that is named, else the first in the working directory or above it.
 * Null when none is named and there is none.
 * @throws RtcOpsError `configuration`
 */
export async function loadConfig(location: ConfigLocation): Promise<LoadedConfig | null> {
  const file = await findConfig(location);
  if (file === null) return null;
  const displayName = shortest(file, location.workingDirectory);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new RtcOpsError('configuration', `cannot read ${displayName}: ${reasonOf(cause)}`, { cause });
  }
  // The schema and the YAML reader take longer to load than most commands take to run without them.
  const { parseConfig } = await import('./parse.ts');
  return { file, displayName, text, config: parseConfig(text, displayName) };
}

/**
 * As loadConfig, for commands that can do nothing without servers of our own; with `allowsProvider`, without a config.
 * @throws RtcOpsError `configuration`, also when there is none
 */
export async function requireConfig(
  location: ConfigLocation,
  { allowsProvider = false }: { readonly allowsProvider?: boolean } = {},
): Promise<LoadedConfig> {
  const loaded = await loadConfig(location);
  if (loaded && loaded.config.provider !== null && !allowsProvider) {
    const { kind } = loaded.config.provider;
    throw new RtcOpsError(
      'configuration',
      `${loaded.displayName}: provider names servers of ${kind}, and this command is for servers of our own`,
      { hint: 'With a provider there are: rtc-ops credentials issue, probe, config.' },
    );
  }
  if (loaded) return loaded;
  throw new RtcOpsError(
    'configuration',
    `there is no ${fileName} in ${location.workingDirectory} or above it`,
    {
      hint: 'Go to its directory, or name it with --config FILE.',
    },
  );
}

async function findConfig({ config, workingDirectory }: ConfigLocation): Promise<string | null> {
  if (config !== undefined) return resolve(workingDirectory, config);
  for (let directory = resolve(workingDirectory); ; directory = dirname(directory)) {
    const file = join(directory, fileName);
    if (await isThere(file)) return file;
    if (dirname(directory) === directory) return null;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (cause) {
    // A directory that we may not look into has no config for us either.
    if (cause instanceof Error && 'code' in cause) return false;
    throw cause;
  }
}

function shortest(file: string, workingDirectory: string): string {
  const short = relative(workingDirectory, file);
  return short.length < file.length ? short : file;
}
