import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test was skipped, for the list at the end of a run. */
    skippedBecause?: string;
  }
}

/** What some tests need of the machine beside Node and node_modules; `npm test` installs the programs. */
export type Requirement = 'root' | 'coturn' | 'openssl' | 'iproute2' | 'systemd';

const lack: Record<Requirement, () => string | null> = {
  root: () => (process.getuid?.() === 0 ? null : 'root'),
  coturn: () => lacksProgram('turnserver', 'coturn'),
  openssl: () => lacksProgram('openssl', 'openssl'),
  iproute2: () => lacksProgram('ip', 'iproute2'),
  systemd: () => lacksProgram('systemd-analyze', 'systemd'),
};

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
  if (process.env['CI'] === 'true' && process.platform === 'linux') {
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

function lacksProgram(program: string, debianPackage: string): string | null {
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
