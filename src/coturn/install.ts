import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import { readTemplate } from '../model/template.ts';

export interface InstallOptions {
  /** Asks the installation to stop; a step of the package manager that has begun is waited for. */
  readonly signal: AbortSignal;
  /** What the package manager says, as it comes. */
  readonly onOutput: (text: string) => void;
}

/**
 * Installs coturn on a Debian or Ubuntu system, as root or through a sudo that asks for no password. Its service does
 * not run for a moment, as the config of the package lets everyone relay, and it is left switched off.
 * @throws RtcOpsError `tool-failed`, with what to type instead
 */
export async function installCoturn({ signal, onOutput }: InstallOptions): Promise<void> {
  signal.throwIfAborted();
  const system = parseOsRelease(await osRelease());
  if (!isDebian(system)) {
    throw new RtcOpsError(
      'tool-failed',
      `coturn is installed here by hand: this is ${system['PRETTY_NAME'] ?? 'not Debian'}`,
      {
        hint: installHint(system),
      },
    );
  }
  const command = process.getuid?.() === 0 ? ['sh', '-s'] : ['sudo', '-n', 'sh', '-s'];
  const [file = '', ...args] = command;
  const subprocess = execa(file, args, {
    input: readTemplate('install-coturn.sh'),
    all: true,
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: false,
  });
  subprocess.all.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
  const result = await subprocess;
  signal.throwIfAborted();
  if (!result.failed) return;
  throw new RtcOpsError(
    'tool-failed',
    `coturn could not be installed: ${lastLine(result.all) || result.shortMessage}`,
    {
      hint: `By hand: ${installHint(system)}`,
      cause: result,
    },
  );
}

/** The fields of os-release(5). */
export type OsRelease = Readonly<Record<string, string>>;

export function parseOsRelease(text: string): OsRelease {
  const fields = [...text.matchAll(/^([A-Z0-9_]+)=(["']?)(.*)\2$/gm)];
  return Object.fromEntries(fields.map(([, name = '', , value = '']) => [name, value]));
}

/** Whether packages are Debian's: Debian, Ubuntu, and what calls itself like them. */
export function isDebian(system: OsRelease): boolean {
  return /\b(?:debian|ubuntu)\b/.test(`${system['ID'] ?? ''} ${system['ID_LIKE'] ?? ''}`);
}

/** What to type to install coturn on a system. */
export function installHint(system: OsRelease): string {
  const names = `${system['ID'] ?? ''} ${system['ID_LIKE'] ?? ''}`;
  if (isDebian(system)) return 'sudo apt-get install coturn && sudo systemctl disable --now coturn';
  if (/\b(?:fedora|rhel|centos)\b/.test(names))
    return 'sudo dnf install coturn (on RHEL and its like from EPEL)';
  if (/\balpine\b/.test(names)) return 'sudo apk add coturn';
  if (/\barch\b/.test(names)) return 'sudo pacman -S coturn';
  if (/\bsuse\b/.test(names)) return 'sudo zypper install coturn';
  return 'Install coturn with the package manager of this system (brew install coturn on macOS).';
}

async function osRelease(): Promise<string> {
  try {
    return await readFile('/etc/os-release', 'utf8');
  } catch (cause) {
    // macOS and the BSDs have none.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw new RtcOpsError('tool-failed', `cannot tell which system this is: ${reasonOf(cause)}`, { cause });
  }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
