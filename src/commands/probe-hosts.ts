import { urisOfHosts } from '../config/host-uri.ts';
import { loadConfig } from '../config/load.ts';
import { RtcOpsError } from '../model/error.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

/**
 * What a probe without a URL tests: every listener of every host of rtc-ops.yaml.
 * @throws RtcOpsError `usage` without a config, `configuration` for one that names no host
 */
export async function configuredUris(options: GlobalOptions, context: CommandContext): Promise<TurnUri[]> {
  const { workingDirectory } = context;
  const loaded = await loadConfig({ config: options.config, workingDirectory });
  if (loaded === null) {
    throw new RtcOpsError(
      'usage',
      'nothing to probe: no URL was given, and there is no rtc-ops.yaml here or above',
      {
        hint: 'For example: rtc-ops probe turn.example.com --secret-file secret.txt',
      },
    );
  }
  const uris = urisOfHosts(loaded.config);
  if (uris.length > 0) return uris;
  throw new RtcOpsError(
    'configuration',
    `${loaded.displayName}: hosts names no host, so there is nothing to probe`,
    {
      hint: 'Add hosts: [turn.example.com], or give a URL.',
    },
  );
}
