import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test was skipped, for the list at the end of a run. */
    skippedBecause?: string;
  }
}

/** What some tests need of the machine beside Node and node_modules; `npm test` installs the programs. */
export type Requirement =
  | 'root'
  | 'coturn'
  | 'openssl'
  | 'iproute2'
  | 'python3'
  | 'systemd'
  | 'ansible'
  | 'ufw'
  | 'firewalld'
  | 'shellcheck'
  | 'tcpdump'
  | 'chromium'
  | 'lab'
  | 'server lab';

/** What is lacking, in words; null when nothing is. */
type Lack = string | null;

const lack: Record<Requirement, () => Lack> = {
  root: () => (process.getuid?.() === 0 ? null : 'root'),
  coturn: () => lacksProgram('turnserver', 'coturn'),
  openssl: () => lacksProgram('openssl', 'openssl'),
  iproute2: () => lacksProgram('ip', 'iproute2'),
  python3: () => lacksProgram('python3', 'python3'),
  systemd: () => lacksProgram('systemd-analyze', 'systemd'),
  ansible: () => lacksProgram('ansible-playbook', 'ansible-core'),
  ufw: () => lacksProgram('ufw', 'ufw'),
  firewalld: () => (existsSync(firewalldModule) ? null : 'python3-firewall'),
  shellcheck: () => lacksProgram('shellcheck', 'shellcheck'),
  chromium: () => lacksProgram('chromium', 'chromium'),
  tcpdump: () => lacksProgram('tcpdump', 'tcpdump'),
  lab: lackOfLab,
  'server lab': lackOfServerLab,
};

const firewalldModule = '/usr/lib/python3/dist-packages/firewall/__init__.py';

/** What the network laboratory (test/lab/) needs: programs, and the right to make namespaces. */
function lackOfLab(): Lack {
  const programs = [
    lacksProgram('ip', 'iproute2'),
    lacksProgram('nft', 'nftables'),
    lacksProgram('sysctl', 'procps'),
    lacksProgram('python3', 'python3'),
    lacksProgram('openssl', 'openssl'),
  ].filter((missing) => missing !== null);
  return programs.length > 0 ? programs.join(' and ') : (trial ??= triedNamespace());
}

/** What the laboratory of servers (test/lab/server/) needs beside that: what boots a Debian, and what it is made of. */
function lackOfServerLab(): Lack {
  const programs = [
    lacksProgram('mmdebstrap', 'mmdebstrap'),
    lacksProgram('systemd-nspawn', 'systemd-container'),
    lacksProgram('ssh', 'openssh-client'),
    lacksProgram('pebble', 'pebble'),
    lacksProgram('curl', 'curl'),
    lacksProgram('ansible-playbook', 'ansible-core'),
  ].filter((missing) => missing !== null);
  return programs.length > 0 ? programs.join(' and ') : lackOfLab();
}

let trial: Lack | undefined;
const notPermitted = 'permission for network namespaces';

/** Whether a namespace can be made, and filtered, by making one. */
function triedNamespace(): Lack {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root';
  if (!existsSync('/dev/net/tun')) return `${notPermitted} (there is no /dev/net/tun)`;
  // As the lab names the namespaces of this process, so that it is removed like them if anything goes wrong.
  const namespace = `rtc-ops-lab:${process.pid}.0:a`;
  const steps = [
    ['ip', 'netns', 'add', namespace],
    ['ip', 'netns', 'exec', namespace, 'nft', 'add', 'table', 'inet', 'trial'],
    ['ip', 'netns', 'delete', namespace],
  ] as const;
  for (const [program, ...args] of steps) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) return `${notPermitted} (${stderr.trim().split('\n')[0]})`;
  }
  return null;
}

/** `describe` and `it` of tests that need something of the machine. */
export interface Needing {
  readonly describe: (title: string, body: () => void) => void;
  readonly it: (title: string, body: () => void | Promise<void>, timeoutMs?: number) => void;
}

/**
 * `needs('coturn').describe('…', () => { … })`: as `describe`, but skipped where the machine lacks what is named, and then
 * listed by name and reason at the end of the run. On CI, where the set-up has to have installed it, a test that cannot run
 * fails.
 */
export function needs(...requirements: readonly Requirement[]): Needing {
  const lacking = requirements
    .map((requirement) => lack[requirement]())
    .filter((missing) => missing !== null);
  if (lacking.length === 0) return { describe, it };
  const skippedBecause = `needs ${lacking.join(' and ')}`;
  // What the set-up cannot give, a container that may make no namespaces, is no mistake of the set-up.
  const givenBySetup = lacking.filter((missing) => !missing.startsWith(notPermitted));
  if (process.env['CI'] === 'true' && process.platform === 'linux' && givenBySetup.length > 0) {
    const fail = (): never => {
      throw new Error(`${skippedBecause}: on CI nothing may be skipped for want of what the set-up installs`);
    };
    return {
      describe: (title) => describe(title, () => it('can run here', fail)),
      it: (title) => it(title, fail),
    };
  }
  const options = { meta: { skippedBecause } };
  return {
    describe: (title, body) => describe.skip(title, options, body),
    it: (title, body) => it.skip(title, options, body),
  };
}

function lacksProgram(program: string, debianPackage: string): Lack {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return found ? null : `${debianPackage} (no ${program} in PATH)`;
}
