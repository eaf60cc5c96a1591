import { RtcOpsError } from '../../model/error.ts';
import type { CommandContext } from '../context.ts';
import type { HostOptions } from './options.ts';

/**
 * Sees to it that `ansible-playbook` is there. With --yes, as root on Debian and Ubuntu, it is installed.
 * @throws RtcOpsError `tool-failed`, with what to type
 */
export async function requireAnsible(options: HostOptions, context: CommandContext): Promise<void> {
  const { execa } = await import('execa');
  const isThere = async (): Promise<boolean> => {
    const { failed } = await execa('ansible-playbook', ['--version'], { reject: false, stdin: 'ignore' });
    return !failed;
  };
  if (await isThere()) return;
  const missing = 'Ansible is needed, and there is no ansible-playbook here that runs';
  const canInstall = process.getuid?.() === 0 && options.yes === true;
  if (!canInstall) {
    throw new RtcOpsError('tool-failed', missing, {
      hint: 'Debian and Ubuntu: sudo apt-get install ansible-core. Elsewhere: pipx install ansible-core. As root, --yes does it.',
    });
  }
  if (options.quiet !== true) context.stderr('installing ansible-core …\n');
  const script = 'apt-get update -qq; apt-get install --yes -qq --no-install-recommends ansible-core';
  const { failed, all } = await execa('sh', ['-c', script], {
    reject: false,
    all: true,
    stdin: 'ignore',
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    cancelSignal: context.signal,
  });
  if (!failed && (await isThere())) return;
  context.signal.throwIfAborted();
  throw new RtcOpsError(
    'tool-failed',
    `${missing}, and it could not be installed: ${all.trim().split('\n').at(-1)}`,
    {
      hint: 'Install it by hand: pipx install ansible-core',
    },
  );
}
