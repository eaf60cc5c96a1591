import { urisOfHosts } from '../config/host-uri.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { RtcOpsError } from '../model/error.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import type { ProbeOptions } from '../probes/probe.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export interface ConfiguredServers {
  readonly uris: readonly TurnUri[];
  /** That of the provider that runs them; null when we do, or they need none. */
  readonly credential: ProbeOptions['credential'];
  /** Seconds since 1970 when that credential ends; null for never, or for none. */
  readonly expiresAt: number | null;
}

/**
 * What a probe without a URL tests: every listener of every host of rtc-ops.yaml, or the servers of its provider.
 * @param ttlSeconds how long a credential of the provider has to be good for, at least
 * @throws RtcOpsError `usage` without a config, `configuration` for one that names no host, `tool-failed` for a provider
 * that gives no credential
 */
export async function configuredServers(
  options: GlobalOptions,
  ttlSeconds: number,
  context: CommandContext,
): Promise<ConfiguredServers> {
  const loaded = await loadOrRefuse(options, context);
  if (loaded.config.provider === null) return { uris: urisOf(loaded), credential: null, expiresAt: null };
  const { providerCredential } = await import('./provider-credential.ts');
  const wish = { ttlSeconds, user: undefined };
  const { uris, username, password, expiresAt } = await providerCredential(loaded, wish, context);
  return { uris, credential: username === '' ? null : { source: 'given', username, password }, expiresAt };
}

/**
 * Every listener of every host of rtc-ops.yaml.
 * @throws RtcOpsError `usage` without a config, `configuration` for one that names no host
 */
export async function configuredUris(options: GlobalOptions, context: CommandContext): Promise<TurnUri[]> {
  return urisOf(await loadOrRefuse(options, context));
}

async function loadOrRefuse(
  { config }: GlobalOptions,
  { workingDirectory }: CommandContext,
): Promise<LoadedConfig> {
  const loaded = await loadConfig({ config, workingDirectory });
  if (loaded !== null) return loaded;
  throw new RtcOpsError(
    'usage',
    'nothing to probe: no URL was given, and there is no rtc-ops.yaml here or above',
    { hint: 'For example: rtc-ops probe turn.example.com --secret-file secret.txt' },
  );
}

function urisOf({ config, displayName }: LoadedConfig): TurnUri[] {
  const uris = urisOfHosts(config);
  if (uris.length > 0) return uris;
  throw new RtcOpsError(
    'configuration',
    `${displayName}: hosts names no host, so there is nothing to probe`,
    { hint: 'Add hosts: [turn.example.com], or give a URL.' },
  );
}
