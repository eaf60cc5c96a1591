import { execa } from 'execa';
import { RtcOpsError } from '../model/error.ts';
import { isInterrupted } from './interrupt.ts';

const installHint =
  'On Debian and Ubuntu: sudo apt-get install coturn (the package starts a service with an open default config; ' +
  'stop it with: sudo systemctl disable --now coturn).';

/** The error of everything that needs coturn where there is none. */
export function coturnMissingError(cause?: unknown): RtcOpsError {
  return new RtcOpsError('tool-failed', 'coturn is not installed: there is no turnserver in PATH', {
    hint: installHint,
    cause,
  });
}

/**
 * The version of the installed coturn, such as `4.6.1`; null when no `turnserver` is in PATH.
 * @throws RtcOpsError `tool-failed` when there is one that does not say its version
 */
export async function installedVersion(signal?: AbortSignal): Promise<string | null> {
  // -h stands behind --version because 4.5.2 does not know --version: without -h it would start and serve.
  const result = await execa('turnserver', ['--version', '-h'], {
    reject: false,
    stdin: 'ignore',
    timeout: 5000,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.code === 'ENOENT') return null;
  const version = /^\d+(?:\.\d+)+/m.exec(result.stdout)?.[0];
  if (version !== undefined) return version;
  // --version came with 4.6.0; of the versions before it, 4.5.2 brought acme-redirect.
  if (result.stdout.includes('--acme-redirect')) return '4.5.2';
  if (await isInterrupted(signal)) signal?.throwIfAborted();
  throw new RtcOpsError('tool-failed', 'the installed turnserver does not say its version', {
    hint: 'Install coturn 4.5.2 or newer.',
    cause: result,
  });
}

/** The version of the coturn package of Debian and its kin, such as `4.6.1-1`; null where there is none. */
export async function installedPackage(signal?: AbortSignal): Promise<string | null> {
  const result = await execa('dpkg-query', ['--show', '--showformat', '${Version}', 'coturn'], {
    reject: false,
    stdin: 'ignore',
    timeout: 5000,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  return result.exitCode === 0 && result.stdout !== '' ? result.stdout : null;
}

/** Whether no coturn can be run from here. */
export async function coturnMissing(signal?: AbortSignal): Promise<boolean> {
  return (await installedVersion(signal)) === null;
}
