import { randomBytes } from 'node:crypto';
import type { LoadedConfig } from '../../config/load.ts';
import type { Secret } from '../../model/secret.ts';
import type { CommandContext } from '../context.ts';
import { passwordsOf, secretsOf } from '../secret-source.ts';
import type { StateOptions } from './host-state.ts';

/**
 * What a deployment is to be made from, with the secrets read.
 * @param options.secrets in place of those of the config
 */
export async function settingOf(
  loaded: LoadedConfig,
  { directory, secrets }: { readonly directory: string; readonly secrets?: readonly Secret[] },
  context: CommandContext,
): Promise<StateOptions> {
  return {
    shared: loaded.config,
    secrets: secrets ?? (await secretsOf(loaded, context)).map(({ secret }) => secret),
    passwords: await passwordsOf(loaded, context),
    key: randomBytes(16).toString('hex'),
    directory,
    configFile: loaded.file,
    now: context.now(),
  };
}
