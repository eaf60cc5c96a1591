import { execa } from 'execa';

/**
 * The name or address that ssh goes to for a host of its configuration; null where it does not say. Nothing is sent.
 * @param options of ssh, each a word
 */
export async function sshTarget(
  host: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const { stdout } = await execa('ssh', ['-G', ...options, '--', host], {
    reject: false,
    cancelSignal: signal,
    timeout: 3000,
  });
  return /^hostname (\S+)$/m.exec(stdout ?? '')?.[1] ?? null;
}
