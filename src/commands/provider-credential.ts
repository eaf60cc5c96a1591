import type { LoadedConfig } from '../config/load.ts';
import { askProvider, type Wish } from '../credentials/provider.ts';
import type { ServerCredential } from '../credentials/server-credential.ts';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { CommandContext } from './context.ts';
import { readSource } from './secret-source.ts';

// An answer takes tenths of a second; who waits longer than this waits for nothing.
const timeoutMs = 10_000;

/**
 * A credential of the provider that a config names, with its servers.
 * @throws RtcOpsError `tool-failed` when the provider gives none, `usage` for a wish that it cannot fulfil
 */
export async function providerCredential(
  loaded: LoadedConfig,
  wish: Wish,
  context: CommandContext,
): Promise<ServerCredential> {
  const { provider } = loaded.config;
  if (provider === null) throw new RtcOpsError('bug', `${loaded.displayName} names no provider`);
  if (provider.kind !== 'static') {
    const { kind, settings, secretKey, endpoint } = provider;
    const secret = await readSource(provider.secret, `provider.${kind}.${secretKey}`, loaded, context);
    const options = { now: context.now(), timeoutMs, signal: context.signal };
    return askProvider({ kind, settings, secret, endpoint }, wish, options);
  }
  if (wish.user !== undefined) {
    throw new RtcOpsError('usage', 'provider.static has a user that does not change: leave the user out');
  }
  const { uris, user } = provider;
  const password =
    user === null
      ? new Secret('')
      : await readSource(user.password, 'provider.static.password', loaded, context);
  const ends = { ttlSeconds: null, expiresAt: null, sharedSecret: null };
  return { username: user?.name ?? '', password, uris, ...ends };
}
