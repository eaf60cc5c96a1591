import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export interface SecretOptions extends GlobalOptions {
  readonly secretFile?: string;
}

export interface FoundSecret {
  readonly secret: Secret;
  /** Where it came from, for messages: `--secret-file secret.txt`, `RTC_OPS_SECRET`, `rtc-ops.yaml`. */
  readonly source: string;
}

/**
 * The shared secret: --secret-file, else RTC_OPS_SECRET, else the first of rtc-ops.yaml. Null when there is none.
 * @throws RtcOpsError `usage` or `configuration` for one that is named and cannot be read
 */
export async function loadSecret(options: SecretOptions, context: CommandContext): Promise<FoundSecret | null> {
  const { env, workingDirectory } = context;
  if (options.secretFile !== undefined) {
    const file = resolve(workingDirectory, options.secretFile);
    return { secret: await secretFromFile(file, 'usage', context), source: `--secret-file ${options.secretFile}` };
  }
  const fromEnvironment = env['RTC_OPS_SECRET'];
  if (fromEnvironment !== undefined) {
    return { secret: checked(fromEnvironment, 'RTC_OPS_SECRET', 'usage'), source: 'RTC_OPS_SECRET' };
  }
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config: options.config, workingDirectory });
  const [first] = loaded?.config.secrets ?? [];
  if (loaded === null || first === undefined) return null;
  const source = loaded.displayName;
  if ('file' in first) {
    const file = resolve(dirname(loaded.file), first.file);
    return { secret: await secretFromFile(file, 'configuration', context), source };
  }
  const value = env[first.env];
  if (value === undefined) {
    throw new RtcOpsError('configuration', `${source}: auth.secret names the variable ${first.env}, which is not set`);
  }
  return { secret: checked(value, first.env, 'configuration'), source };
}

async function secretFromFile(
  file: string,
  code: 'usage' | 'configuration',
  context: CommandContext,
): Promise<Secret> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
    const { mode } = await stat(file);
    if ((mode & 0o007) !== 0) {
      context.stderr(`rtc-ops: ${file} can be read by everybody here. Close it: chmod 600 ${file}\n`);
    }
  } catch (cause) {
    throw new RtcOpsError(code, `the secret file ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  // Editors end a file with a line break, which is no part of the secret; coturn strips it from its config too.
  return checked(text.replace(/\r?\n$/, ''), file, code);
}

function checked(text: string, where: string, code: 'usage' | 'configuration'): Secret {
  if (text === '') throw new RtcOpsError(code, `the secret in ${where} is empty`);
  if (/[\r\n]/.test(text)) throw new RtcOpsError(code, `the secret in ${where} has more than one line`);
  return new Secret(text);
}
